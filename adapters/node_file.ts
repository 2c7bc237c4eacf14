// An operation that may have to wait for a disk goes through the thread pool. What only touches memory (the stat and the
// close of a descriptor that was just opened, the read that finds its end, a few bytes from or to the page cache) is called
// directly: the trip costs ten times the call.
import * as fs from "node:fs";
import type { BigIntStats } from "node:fs";
import { stat as statPath, unlink } from "node:fs/promises";
import type { Capabilities, FileRead, HostFile, HostStat } from "../src/host/host.ts";
import { errnoOf, ioError, tooLarge, unsafeFile, wordingRefusal } from "./io_error.ts";

const { constants } = fs;
// Windows has no such flags; there the names are undefined whatever the types say.
const nonBlocking: number = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const readFlags: number = constants.O_RDONLY | nonBlocking;
const createFlags: number = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL |
  (constants.O_NOFOLLOW ?? 0);

// What takes less time to copy than to hand over.
const smallBytes = 64 * 1024;

// The first buffer for a file that claims to be empty, as those of /proc do.
const unknownSizeBytes = 4096;

/**
 * Creates a file that did not exist, for writing.
 *
 * @param path where; a symbolic link there is not followed
 * @param mode the permission bits, set whatever the umask
 * @param capabilities whether the platform knows modes
 * @returns the file, open until it is closed
 * @throws `IO` when the system refuses, with `EEXIST` when anything is there
 */
export async function createFile(
  path: string,
  mode: number,
  capabilities: Capabilities,
): Promise<HostFile> {
  return await wordingRefusal("create", path, async () => {
    const descriptor = await open(path, createFlags, mode);
    try {
      // The umask seldom takes a bit of 0600, and setting the mode can wait for the journal.
      const found = Number(fs.fstatSync(descriptor).mode) & 0o7777;
      if (capabilities.modes && found !== mode) await changeMode(descriptor, mode);
    } catch (cause) {
      fs.closeSync(descriptor);
      // Ours, and empty: left behind it would only block the name.
      await unlink(path).catch(() => {});
      throw cause;
    }
    return fileOf(descriptor, path);
  });
}

/**
 * Reads a whole regular file and what it is; never waits on a FIFO.
 *
 * @param path the file; a symbolic link is followed
 * @param bytesMax more than this is refused without being read
 * @returns its bytes and its stat, from one descriptor
 * @throws `UNSAFE_FILE` when it is no regular file, `TOO_LARGE` beyond `bytesMax`, `IO` otherwise
 */
export async function readFile(path: string, bytesMax: number): Promise<FileRead> {
  const descriptor = await openToRead(path);
  try {
    const stats = await wordingRefusal("read", path, async () => {
      return fs.fstatSync(descriptor, { bigint: true });
    });
    if (!stats.isFile()) throw unsafeFile(path, kindOf(stats));
    const stat = statOf(stats);
    if (stat.byteLength > bytesMax) throw tooLarge(path, bytesMax, stat.byteLength);
    const bytes = await wordingRefusal("read", path, () => {
      return readBytes(descriptor, stat.byteLength, bytesMax);
    });
    if (bytes === undefined) throw tooLarge(path, bytesMax);
    return { bytes, stat };
  } finally {
    closeAfterRead(descriptor);
  }
}

/**
 * Makes the content of a file durable.
 *
 * @param path the file
 * @param capabilities the platform, since Windows flushes only what is open for writing
 * @throws `IO` when the system refuses
 */
export async function syncFile(path: string, capabilities: Capabilities): Promise<void> {
  const flags = capabilities.platform === "windows" ? constants.O_RDWR : readFlags;
  await wordingRefusal("sync", path, () => syncOpened(path, flags));
}

/**
 * Makes the entries of a directory durable.
 *
 * @param path the directory
 * @param capabilities whether the platform can; nothing is done otherwise
 * @throws `IO` when the system refuses
 */
export async function syncDirectory(path: string, capabilities: Capabilities): Promise<void> {
  if (!capabilities.directorySync) return;
  const flags = readFlags | (constants.O_DIRECTORY ?? 0);
  await wordingRefusal("syncDirectory", path, async () => {
    // One that is synced was changed just now, so that it is in memory.
    await syncAndClose(fs.openSync(path, flags));
  });
}

/**
 * What node:fs tells about a path, in the host's terms.
 *
 * @param stats with bigints, since an inode number can pass 2^53
 */
export function statOf(stats: BigIntStats): HostStat {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
    // The birth as well: a file made after another was removed often gets its inode number.
    identity: `${stats.dev}:${stats.ino}:${stats.birthtimeNs}`,
    byteLength: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    userId: Number(stats.uid),
    modifiedMs: Number(stats.mtimeMs),
  };
}

async function openToRead(path: string): Promise<number> {
  try {
    return await open(path, readFlags);
  } catch (cause) {
    // A socket cannot be opened at all, nor can a directory on Windows.
    const stats = errnoOf(cause) === "ENOENT"
      ? undefined
      : await statPath(path, { bigint: true }).catch(() => undefined);
    if (stats !== undefined && !stats.isFile()) throw unsafeFile(path, kindOf(stats));
    throw ioError("read", path, cause);
  }
}

/** Reads to the end, since a size may be a lie or outdated; undefined beyond `bytesMax`. */
async function readBytes(
  descriptor: number,
  sizeBytes: number,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  // One byte more than expected, so that a file of the expected size needs no second buffer to find its end.
  let buffer = new Uint8Array(Math.min(sizeBytes || unknownSizeBytes, bytesMax) + 1);
  let filled = 0;
  while (true) {
    const left = buffer.length - filled;
    const isSmall = sizeBytes > 0 && sizeBytes <= smallBytes;
    const count = isSmall || (filled > 0 && filled === sizeBytes)
      ? fs.readSync(descriptor, buffer, filled, left, null)
      : await read(descriptor, buffer, filled, left);
    if (count === 0) return buffer.subarray(0, filled);
    filled += count;
    if (filled > bytesMax) return undefined;
    if (filled === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length * 2, bytesMax + 1));
      larger.set(buffer);
      buffer = larger;
    }
  }
}

function closeAfterRead(descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // The descriptor is gone all the same, and what was read is good.
  }
}

function fileOf(descriptor: number, path: string): HostFile {
  return {
    write: (bytes) => {
      return wordingRefusal("write", path, async () => {
        if (bytes.byteLength > smallBytes) return await write(descriptor, bytes);
        return fs.writeSync(descriptor, bytes);
      });
    },
    sync: () => wordingRefusal("sync", path, () => sync(descriptor)),
    close: () => {
      return wordingRefusal("close", path, async () => fs.closeSync(descriptor));
    },
  };
}

async function syncOpened(path: string, flags: number): Promise<void> {
  await syncAndClose(await open(path, flags));
}

async function syncAndClose(descriptor: number): Promise<void> {
  try {
    await sync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function open(path: string, flags: number, mode?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, mode, (error, descriptor) => error ? reject(error) : resolve(descriptor));
  });
}

function read(
  descriptor: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, buffer, offset, length, null, (error, count) => {
      return error ? reject(error) : resolve(count);
    });
  });
}

function write(descriptor: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, 0, bytes.byteLength, null, (error, count) => {
      return error ? reject(error) : resolve(count);
    });
  });
}

function sync(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fsync(descriptor, (error) => error ? reject(error) : resolve());
  });
}

function changeMode(descriptor: number, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fchmod(descriptor, mode, (error) => error ? reject(error) : resolve());
  });
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return "directory";
  if (stats.isFIFO()) return "FIFO";
  return stats.isSocket() ? "socket" : "device";
}
