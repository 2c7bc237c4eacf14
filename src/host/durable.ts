import { hasErrno, holdfastError } from "../core/error.ts";
import { renameAttemptsMax } from "../core/limits.ts";
import type { Host, HostFile } from "./host.ts";
import { baseName, directoryOf } from "./path.ts";

/**
 * Makes a file that did not exist and writes all of it. It is not durable yet: sync it.
 *
 * @throws `IO` with nothing left behind
 */
export async function writeNew(
  host: Host,
  path: string,
  mode: number,
  bytes: Uint8Array,
): Promise<HostFile> {
  const file = await host.create(path, mode);
  try {
    await writeAll(file, bytes, path);
    return file;
  } catch (error) {
    await file.close().catch(() => {});
    await host.remove(path).catch(() => {});
    throw error;
  }
}

/** Makes an empty file that did not exist, as a mark. It is durable with its directory. */
export async function makeEmpty(host: Host, path: string, mode: number): Promise<void> {
  await (await host.create(path, mode)).close();
}

/** Makes what was written durable and lets go of the file. */
export async function syncAndClose(file: HostFile): Promise<void> {
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Moves a file over another; tried again for a while where a program that has the target open is in the way. */
export async function renameOver(host: Host, from: string, to: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await host.rename(from, to);
    } catch (error) {
      const busy = hasErrno(error, "EPERM", "EACCES", "EBUSY");
      if (busy && !host.capabilities.renameOverOpen && attempt < renameAttemptsMax) {
        await host.sleep(10 * 2 ** attempt, { keepAlive: true });
        continue;
      }
      throw error;
    }
  }
}

/**
 * Makes a directory and those above it that are missing, durably.
 *
 * @throws `READ_ONLY`, `IO`
 */
export async function makeDirectoryDurably(host: Host, path: string, mode: number): Promise<void> {
  const missing: string[] = [];
  for (let above = path; !await exists(host, above); above = directoryOf(above)) {
    missing.push(above);
    if (above === directoryOf(above)) break; // The root of a drive that is not there.
  }
  if (missing.length === 0) return;
  try {
    await host.makeDirectory(path, mode);
    for (const made of missing) await host.syncDirectory(directoryOf(made));
  } catch (error) {
    throw readOnlyError(error, path) ?? error;
  }
}

/** What the names of files beside a file begin with. A name that is long already is told by its hash. */
export function besideName(host: Host, path: string): string {
  const name = baseName(path);
  const isLong = new TextEncoder().encode(name).length > nameBytesMax;
  return `.${isLong ? host.hash(new TextEncoder().encode(name)).slice(0, 32) : name}`;
}

/** A name that nobody else gives: 32 hexadecimal digits. */
export function uniqueId(host: Host): string {
  return [...host.random(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The error for a place that cannot be written at all, if that is what an error of the system means. */
export function readOnlyError(error: unknown, path: string): Error | undefined {
  const isMounted = hasErrno(error, "EBUSY");
  if (!isMounted && !hasErrno(error, "EROFS")) return undefined;
  return isMounted
    ? mountedError(path, error)
    : cannotReplace(path, "a read-only filesystem", error);
}

/** The error for a file that something is mounted on. */
export function mountedError(path: string, cause: unknown): Error {
  return cannotReplace(path, "a mount on that very file", cause);
}

function cannotReplace(path: string, found: string, cause: unknown): Error {
  return holdfastError(
    "READ_ONLY",
    `Cannot replace ${path}: found ${found}; mount its directory, writable`,
    { source: path },
    cause,
  );
}

// Leaves room for what is added to a name, below the 255 bytes that filesystems allow.
const nameBytesMax = 120;

async function exists(host: Host, path: string): Promise<boolean> {
  try {
    await host.stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function writeAll(file: HostFile, bytes: Uint8Array, path: string): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    // A full disk or a quota shows first as a short count, not as an error.
    const count = await file.write(bytes.subarray(written));
    if (count === 0) {
      throw holdfastError(
        "IO",
        `Cannot write ${path}: found that nothing is taken after ${written} of ${bytes.length} bytes; free some space`,
        { operation: "write", path, errno: "ENOSPC" },
      );
    }
    written += count;
  }
}
