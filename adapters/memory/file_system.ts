// The state of the simulated disk: inodes, and directories that map names to them. The two are made durable apart: a file
// by its own sync, its name by the sync of the directory.
import type { FileContent } from "./durable_content.ts";
import { emptyJournal, nothingDurable } from "./durable_entries.ts";
import type { DirectoryDurability, Entries, Journal } from "./durable_entries.ts";

/** What every inode has. */
interface InodeBase {
  readonly number: number;
  mode: number;
  userId: number;
  modifiedMs: number;
}

export interface FileInode extends InodeBase, FileContent {
  readonly kind: "file";
}

export interface DirectoryInode extends InodeBase, DirectoryDurability {
  readonly kind: "directory";
  entries: Entries;
}

export interface LinkInode extends InodeBase {
  readonly kind: "symbolic link";
  readonly target: string;
}

export interface FifoInode extends InodeBase {
  readonly kind: "FIFO";
}

export type Inode = FileInode | DirectoryInode | LinkInode | FifoInode;

/** A sync that was asked for and done. */
export interface SyncRecord {
  /** Whether a content or a directory's entries were synced. */
  readonly kind: "file" | "directory";
  /** The path by which it was asked for. */
  readonly path: string;
  /** The `identity` of what was synced. */
  readonly identity: string;
}

/** The simulated disk. */
export interface FileSystem {
  readonly root: DirectoryInode;
  /** How many inodes were ever made, so that no number is given twice. */
  inodeCount: number;
  journal: Journal;
  readonly syncs: SyncRecord[];
  readonly now: () => number;
  /** Told of each directory whose entries, or whose files' contents, changed. */
  readonly changed: (directory: DirectoryInode) => void;
}

/** A place in the tree: a directory, a name in it and what the name stands for, if anything. */
export interface Place {
  readonly directory: DirectoryInode;
  readonly name: string;
  readonly inode: Inode | undefined;
  /** The directory's path without symbolic links; empty for the root. */
  readonly parentPath: string;
}

const symbolicLinksMax = 40;
const nameBytesMax = 255;

/**
 * Makes an empty disk.
 *
 * @param now the time for what is modified, in milliseconds since 1970
 * @param changed told of each directory in which something changed
 */
export function emptyFileSystem(
  now: () => number,
  changed: (directory: DirectoryInode) => void,
): FileSystem {
  const root: DirectoryInode = {
    kind: "directory",
    number: 1,
    mode: 0o755,
    userId: 0,
    modifiedMs: now(),
    entries: new Map(),
    ...nothingDurable(),
  };
  return { root, inodeCount: 1, journal: emptyJournal(), syncs: [], now, changed };
}

/** The refusal of an operation, with the errno where the runtimes put it. */
export function refusal(errno: string): Error {
  return Object.assign(new Error(`the simulated disk answers ${errno}`), { code: errno });
}

/** What identifies an inode to the host. */
export function identityOf(inode: Inode): string {
  return `1:${inode.number}`;
}

/**
 * Finds the place that a path names.
 *
 * @param path absolute, or taken from the root
 * @param follow whether a symbolic link in the last place is followed
 * @throws a refusal with `ENOENT`, `ENOTDIR`, `ELOOP` or `ENAMETOOLONG`
 */
export function placeOf(system: FileSystem, path: string, follow: boolean): Place {
  const steps = stepsOf(path);
  const trail: Place[] = [];
  let links = 0;
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    if (step === "..") {
      trail.pop();
      continue;
    }
    const place = placeIn(system, trail.at(-1), step);
    const followed = place.inode?.kind === "symbolic link" && (follow || steps.length > 0);
    if (!followed) {
      trail.push(place);
      continue;
    }
    links += 1;
    if (links > symbolicLinksMax) throw refusal("ELOOP");
    const { target } = place.inode as LinkInode;
    if (target.startsWith("/")) trail.length = 0;
    steps.unshift(...stepsOf(target));
  }
  return trail.at(-1) ?? { directory: system.root, name: ".", inode: system.root, parentPath: "" };
}

/**
 * Finds the inode that a path names.
 *
 * @param follow whether a symbolic link in the last place is followed
 * @throws a refusal with `ENOENT` when nothing is there, or as {@link placeOf} does
 */
export function inodeOf(system: FileSystem, path: string, follow: boolean): Inode {
  const { inode } = placeOf(system, path, follow);
  if (inode === undefined) throw refusal("ENOENT");
  return inode;
}

/**
 * Finds a directory, symbolic links followed.
 *
 * @throws a refusal with `ENOTDIR` when it is none, or as {@link inodeOf} does
 */
export function directoryOf(system: FileSystem, path: string): DirectoryInode {
  const inode = inodeOf(system, path, true);
  if (inode.kind !== "directory") throw refusal("ENOTDIR");
  return inode;
}

/** The path of a place without symbolic links. */
export function pathOf(place: Place): string {
  return place.name === "." ? "/" : `${place.parentPath}/${place.name}`;
}

function stepsOf(path: string): string[] {
  return path.split("/").filter((step) => step !== "" && step !== ".");
}

function placeIn(system: FileSystem, parent: Place | undefined, name: string): Place {
  if (isTooLong(name)) throw refusal("ENAMETOOLONG");
  const directory = parent === undefined ? system.root : parent.inode;
  if (directory === undefined) throw refusal("ENOENT");
  if (directory.kind !== "directory") throw refusal("ENOTDIR");
  return {
    directory,
    name,
    inode: directory.entries.get(name),
    parentPath: parent === undefined ? "" : pathOf(parent),
  };
}

function isTooLong(name: string): boolean {
  // No UTF-16 unit takes more than three bytes; to encode every name would cost more than all else.
  return name.length * 3 > nameBytesMax && new TextEncoder().encode(name).length > nameBytesMax;
}
