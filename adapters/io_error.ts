import { constants, platform } from "node:os";
import { holdfastError } from "../src/core/error.ts";
import type { HoldfastErrorOf } from "../src/core/error.ts";

/** The operations of a host that the operating system can refuse. */
export type IoOperation =
  | "close"
  | "create"
  | "link"
  | "list"
  | "makeDirectory"
  | "read"
  | "remove"
  | "rename"
  | "resolve"
  | "stat"
  | "sync"
  | "syncDirectory"
  | "watch"
  | "write";

interface Wording {
  readonly reason: string;
  readonly remedy: string;
}

const verbs: Readonly<Partial<Record<IoOperation, string>>> = {
  makeDirectory: "make the directory",
  resolve: "resolve the path",
  stat: "look at",
  syncDirectory: "sync the directory",
};

const wordings: Readonly<Record<string, Wording>> = {
  EACCES: {
    reason: "permission is denied",
    remedy: "give this user the right to it or run as its owner",
  },
  EBUSY: {
    reason: "it is in use, such as by a mount",
    remedy: "mount its directory instead of the single file, or close the program that holds it",
  },
  ECANCELED: { reason: "the system ended it", remedy: "start it again" },
  EDQUOT: { reason: "the disk quota is used up", remedy: "free space or raise the quota" },
  EEXIST: { reason: "something is there already", remedy: "remove it or choose another name" },
  EFBIG: {
    reason: "the file would pass the size limit",
    remedy: "raise the file size limit of this process",
  },
  EINVAL: { reason: "the system takes it for invalid", remedy: "check the path" },
  EIO: {
    reason: "the disk failed",
    remedy: "check the disk and the system log before writing again",
  },
  ENOTSUP: {
    reason: "a FIFO in there would stop this runtime's watcher",
    remedy: "keep FIFOs elsewhere",
  },
  EISDIR: { reason: "it is a directory", remedy: "name a file" },
  ELOOP: {
    reason: "a symbolic link is in the way or leads back to itself",
    remedy: "name the file itself",
  },
  EMFILE: {
    reason: "this process has too many files open",
    remedy: "raise its limit of open files",
  },
  EMLINK: { reason: "the file has too many names", remedy: "remove some of its links" },
  ENAMETOOLONG: { reason: "the name is too long", remedy: "choose a shorter one" },
  ENFILE: {
    reason: "the system has too many files open",
    remedy: "raise the system's limit of open files",
  },
  ENOENT: { reason: "there is no such file or directory", remedy: "create it or check the path" },
  ENOSPC: { reason: "the disk is full", remedy: "free space and try again" },
  ENOTDIR: { reason: "it or a part of its path is no directory", remedy: "check the path" },
  EPERM: {
    reason: "the system does not permit it",
    remedy: "check the owner, the filesystem and the system's policy",
  },
  EROFS: {
    reason: "the filesystem is read-only",
    remedy: "mount it writable or choose another place",
  },
  ETXTBSY: { reason: "it is a program that is running", remedy: "stop it first" },
  EXDEV: {
    reason: "the two names are on different filesystems",
    remedy: "keep both on one filesystem",
  },
};

// For a watch, these two tell of limits other than a full disk or too many open files.
const watchWordings: Readonly<Record<string, Wording>> = {
  EMFILE: {
    reason: "no inotify instance or file descriptor is left",
    remedy: "raise fs.inotify.max_user_instances or the limit of open files",
  },
  ENOSPC: {
    reason: "no inotify watch is left",
    remedy: "raise fs.inotify.max_user_watches",
  },
};

const unknownWording: Wording = {
  reason: "the system refused",
  remedy: "see the cause of this error",
};

// Deno gives some of its errors a class and no code.
const errnosByName: Readonly<Record<string, string>> = {
  AlreadyExists: "EEXIST",
  FilesystemLoop: "ELOOP",
  IsADirectory: "EISDIR",
  NotADirectory: "ENOTDIR",
  NotCapable: "EACCES",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TypeError: "EINVAL",
};

/** What an error of any of the runtimes may carry. */
interface PlatformError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

/**
 * Words the refusal of one operation.
 *
 * @param operation what was attempted
 * @param path what it was attempted on; for a link or rename the new name
 * @param cause the runtime's error, or only the errno where there is none
 * @param from for a link or rename the existing name
 * @returns an error of code `IO`, to be thrown by the caller
 */
export function ioError(
  operation: IoOperation,
  path: string,
  cause: unknown,
  from?: string,
): HoldfastErrorOf<"IO"> {
  const errno = typeof cause === "string" ? cause : errnoOf(cause);
  const { reason, remedy } = wordingOf(operation, errno, cause);
  const verb = verbs[operation] ?? operation;
  const subject = from === undefined ? path : `${from} to ${path}`;
  return holdfastError(
    "IO",
    `Cannot ${verb} ${subject}: ${reason} (${errno}); ${remedy}`,
    { operation, path, errno },
    typeof cause === "string" ? undefined : cause,
  );
}

/**
 * Runs one operation and words its refusal.
 *
 * @param operation what is attempted
 * @param path what it is attempted on; for a link or rename the new name
 * @param act the attempt
 * @param from for a link or rename the existing name
 * @returns what the attempt gave
 * @throws `IO` when the attempt failed
 */
export async function wordingRefusal<Result>(
  operation: IoOperation,
  path: string,
  act: () => Promise<Result>,
  from?: string,
): Promise<Result> {
  try {
    return await act();
  } catch (cause) {
    throw ioError(operation, path, cause, from);
  }
}

/**
 * What the system would have thrown, for an operation that it was not asked to do; see {@link wordingRefusal}.
 *
 * @param errno the reason, such as `ENOTDIR`
 */
export function refusal(errno: string): Error {
  return Object.assign(new Error("refused before the system was asked"), { code: errno });
}

/**
 * Words the refusal to read what is no regular file.
 *
 * @param path where it is
 * @param found what it is: `directory`, `FIFO`, `socket` or `device`
 * @returns an error of code `UNSAFE_FILE`, to be thrown by the caller
 */
export function unsafeFile(path: string, found: string): HoldfastErrorOf<"UNSAFE_FILE"> {
  return holdfastError(
    "UNSAFE_FILE",
    `Cannot read ${path}: found a ${found} where a regular file is needed; name a regular file`,
    { path, found },
  );
}

/**
 * Words the refusal to read a file that is too large.
 *
 * @param path the file
 * @param limit how many bytes are allowed
 * @param found how many there are, where that is known
 * @returns an error of code `TOO_LARGE`, to be thrown by the caller
 */
export function tooLarge(
  path: string,
  limit: number,
  found?: number,
): HoldfastErrorOf<"TOO_LARGE"> {
  const size = found === undefined ? "more" : `${found} bytes`;
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found ${size} where at most ${limit} bytes are allowed; make the file smaller`,
    { what: "file", limit, ...(found === undefined ? {} : { found }) },
  );
}

/**
 * The name of the reason for which a platform refused.
 *
 * @param cause an error of any of the runtimes
 * @returns a name such as `ENOSPC`; `EUNKNOWN` when the error tells none
 */
export function errnoOf(cause: unknown): string {
  const { name, code, errno, message } = (cause ?? {}) as PlatformError;
  if (code === "ERR_ACCESS_DENIED") return "EACCES";
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return code;
  // Some errnos, such as EDQUOT, come as a number only. On Windows the numbers have other meanings.
  const told = typeof message === "string" ? /\(os error (\d+)\)/.exec(message)?.[1] : undefined;
  const number = typeof errno === "number" ? Math.abs(errno) : Number(told ?? Number.NaN);
  if (platform() !== "win32") {
    for (const [known, value] of Object.entries(constants.errno)) {
      if (value === number) return known;
    }
  }
  return (typeof name === "string" ? errnosByName[name] : undefined) ?? "EUNKNOWN";
}

function wordingOf(operation: IoOperation, errno: string, cause: unknown): Wording {
  const { name, code, message } = (cause ?? {}) as PlatformError;
  if (name === "NotCapable" || code === "ERR_ACCESS_DENIED") {
    const flag = typeof message === "string" ? /--allow-[a-z-]+/.exec(message)?.[0] : undefined;
    return {
      reason: "the runtime was not given the permission",
      remedy: flag === undefined
        ? "run without the permission model"
        : `run again with ${flag} for it`,
    };
  }
  const special = operation === "watch" ? watchWordings[errno] : undefined;
  return special ?? wordings[errno] ?? unknownWording;
}
