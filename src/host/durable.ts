import { hasErrno, holdfastError, isHoldfastError } from "../core/error.ts";
import { orphanAgeMs, renameAttemptsMax } from "../core/limits.ts";
import type { Host, HostFile } from "./host.ts";
import { baseName, directoryOf, joinPath } from "./path.ts";

/** How a file is replaced. */
export interface Replacement {
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** Called when the new content is durable and only the rename is left; what it throws ends the write. */
  readonly beforeRename?: () => Promise<void>;
}

/**
 * Replaces a file, or makes it, durably and in one step: readers see the old content or the new, and so does the next
 * boot after a power cut. Two writers at once never mix; the later rename wins.
 *
 * @param path of a regular file or of nothing, in a directory that exists
 * @throws `IO` with the old content in place and nothing left behind; `READ_ONLY` where the file cannot be renamed over;
 * `COMMIT_UNKNOWN` when the new content is in place but might not survive a power cut
 */
export async function replaceFile(host: Host, path: string, content: Replacement): Promise<void> {
  const temporary = temporaryPath(host, path);
  let renamed = false;
  try {
    const file = await host.create(temporary, content.mode);
    await writeAndClose(file, content.bytes, temporary);
    await content.beforeRename?.();
    await rename(host, temporary, path);
    renamed = true;
    await host.syncDirectory(directoryOf(path));
  } catch (error) {
    if (!renamed) {
      if (!hasErrno(error, "EEXIST")) await host.remove(temporary).catch(() => {});
      throw readOnly(error, path) ?? error;
    }
    throw holdfastError(
      "COMMIT_UNKNOWN",
      `Cannot make the change of ${path} durable: found an error after it was published; ` +
        "read it before writing again, and look at the disk",
      { source: path },
      error,
    );
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
    throw readOnly(error, path) ?? error;
  }
}

/** What the names of files beside a file begin with. A name that is long already is told by its hash. */
export function besideName(host: Host, path: string): string {
  const name = baseName(path);
  const isLong = new TextEncoder().encode(name).length > nameBytesMax;
  return `.${isLong ? host.hash(new TextEncoder().encode(name)).slice(0, 32) : name}`;
}

/**
 * Removes temporaries that writers of a file, or of what is kept beside it, left behind when they died. One that is still
 * in use by a stalled writer may go too: its rename then fails, and it starts over.
 */
export async function sweepTemporaries(host: Host, path: string): Promise<void> {
  const directory = directoryOf(path);
  const prefix = besideName(host, path);
  for (const name of await host.list(directory)) {
    const isOurs = temporarySuffix.test(name) &&
      (name.startsWith(`${prefix}.`) || name.startsWith(`.${prefix}.`));
    if (!isOurs) continue;
    const orphan = joinPath(directory, name);
    const stat = await host.stat(orphan).catch(() => undefined);
    if (stat !== undefined && host.now() - stat.modifiedMs > orphanAgeMs) {
      await host.remove(orphan).catch(() => {});
    }
  }
}

const temporarySuffix = /\.[0-9a-f]{32}\.tmp$/;

// Leaves room for what is added to a name, below the 255 bytes that filesystems allow.
const nameBytesMax = 120;

function temporaryPath(host: Host, path: string): string {
  const random = [...host.random(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return joinPath(directoryOf(path), `${besideName(host, path)}.${random}.tmp`);
}

async function exists(host: Host, path: string): Promise<boolean> {
  try {
    await host.stat(path);
    return true;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function writeAndClose(file: HostFile, bytes: Uint8Array, path: string): Promise<void> {
  try {
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
    await file.sync();
  } finally {
    await file.close();
  }
}

async function rename(host: Host, from: string, to: string): Promise<void> {
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

function readOnly(error: unknown, path: string): Error | undefined {
  const mounted = isHoldfastError(error, "IO") && error.details.errno === "EBUSY";
  if (!mounted && !hasErrno(error, "EROFS")) return undefined;
  return holdfastError(
    "READ_ONLY",
    `Cannot replace ${path}: found ${
      mounted ? "a mount on that very file" : "a read-only filesystem"
    }; ` +
      "mount its directory, writable",
    { source: path },
    error,
  );
}
