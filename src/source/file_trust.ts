import { holdfastError } from "../core/error.ts";
import type { Host, HostStat } from "../host/host.ts";

/** Whose files are accepted: `owner` those of root and of our own user, `any` everybody's. */
export type Trust = "owner" | "any";

/** What is known about a file when it is judged. */
export interface TrustEvidence {
  readonly path: string;
  readonly file: HostStat;
  /** Those that hold the file and the link to it. */
  readonly directories: readonly HostStat[];
  readonly trust: Trust;
}

/**
 * Judges whether a config file may decide what this process does, by who else can write or read it.
 *
 * @returns what is dubious, for a loud warning
 * @throws `UNSAFE_FILE` when somebody else owns it or everybody can write it
 */
export function judgeTrust(host: Host, evidence: TrustEvidence): string[] {
  if (!host.capabilities.modes) return [];
  const { path, file, directories, trust } = evidence;
  // Where our own user is unknown, owners are not judged.
  const userId = host.userId();
  if (trust === "owner" && isForeign(file, userId)) {
    throw unsafe(
      path,
      `the owner ${file.userId}, who is neither root nor user ${userId}`,
      "chown it",
    );
  }
  if (trust === "owner" && (file.mode & 0o002) !== 0) {
    throw unsafe(path, `mode ${octal(file.mode)}, which lets everybody write`, "chmod 600 it");
  }
  const warnings: string[] = [];
  if (trust === "owner" && userId === undefined && file.userId !== 0) {
    warnings.push(
      `the owner of ${path} cannot be judged, since our own user is unknown; on Deno, allow --allow-sys=uid`,
    );
  }
  // What root provides for us to read, such as a mounted ConfigMap, could not be read by us with mode 0600.
  const provided = file.userId === 0 && userId !== 0 && (file.mode & 0o022) === 0;
  if ((file.mode & 0o077) !== 0 && !provided) {
    warnings.push(`${path} has mode ${octal(file.mode)}, wider than 600; chmod 600 it`);
  }
  for (const directory of directories.filter(isOpenToAll)) {
    const mode = octal(directory.mode);
    warnings.push(
      `the directory of ${path} has mode ${mode}: everybody can replace the file; chmod o-w it`,
    );
  }
  return warnings;
}

/** Whether everybody can put files into a directory and replace those of others. */
export function isOpenToAll({ mode }: HostStat): boolean {
  return (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
}

/**
 * Whether something belongs to neither root nor our own user.
 *
 * @param userId our own user; undefined when unknown, and then owners are not judged
 */
export function isForeign(stat: HostStat, userId: number | undefined): boolean {
  return userId !== undefined && stat.userId !== 0 && stat.userId !== userId;
}

function unsafe(path: string, found: string, remedy: string): Error {
  return holdfastError(
    "UNSAFE_FILE",
    `Cannot trust ${path}: found ${found}; ${remedy}, or allow it with trust: "any"`,
    { path, found },
  );
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}
