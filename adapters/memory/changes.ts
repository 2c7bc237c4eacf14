import { placeOf, refusal } from "./file_system.ts";
import type { DirectoryInode, FileInode, FileSystem, Inode, Place } from "./file_system.ts";

/** What a new inode is, before it has a number and a time. */
type NewInode =
  | { readonly kind: "file"; readonly bytes: Uint8Array }
  | { readonly kind: "directory" }
  | { readonly kind: "symbolic link"; readonly target: string }
  | { readonly kind: "FIFO" };

/** Who owns something new, and its permission bits. */
export interface Ownership {
  readonly mode: number;
  readonly userId: number;
}

/** A file and the directory through which it was found. */
export interface OpenFile {
  readonly inode: FileInode;
  readonly directory: DirectoryInode;
}

/**
 * Puts something new where nothing is.
 *
 * @throws a refusal with `EEXIST` when anything, even a dangling link, is there
 */
export function addInode(
  system: FileSystem,
  path: string,
  content: NewInode,
  ownership: Ownership,
): Place {
  const place = placeOf(system, path, false);
  if (place.inode !== undefined) throw refusal("EEXIST");
  const inode = makeInode(system, content, ownership);
  setEntry(system, place, inode);
  return { ...place, inode };
}

/**
 * Makes an inode that has no name yet.
 *
 * @param system the disk, whose table takes it
 */
export function makeInode(system: FileSystem, content: NewInode, ownership: Ownership): Inode {
  // No inode ever leaves the table, so that no number is given twice.
  const number = system.inodes.size + 1;
  const shared = { number, modifiedMs: system.now(), ...ownership };
  const inode: Inode = content.kind === "directory"
    ? { ...shared, kind: "directory", entries: new Map() }
    : { ...shared, ...content };
  system.inodes.set(number, inode);
  return inode;
}

/** Gives a name to an inode, in place of whatever had the name. */
export function setEntry(system: FileSystem, place: Place, inode: Inode): void {
  place.directory.entries.set(place.name, inode.number);
  system.changed(place.directory);
}

/** Replaces the content of a file in place. */
export function setBytes(system: FileSystem, file: OpenFile, bytes: Uint8Array): void {
  file.inode.bytes = bytes;
  file.inode.modifiedMs = system.now();
  system.changed(file.directory);
}

/**
 * Makes a directory and those above it that are missing.
 *
 * @throws a refusal with `EEXIST` when something else is there
 */
export function addDirectories(system: FileSystem, path: string, ownership: Ownership): void {
  let reached = "";
  for (const step of path.split("/").filter((part) => part !== "")) {
    reached += `/${step}`;
    const { inode } = placeOf(system, reached, true);
    if (inode === undefined) addInode(system, reached, { kind: "directory" }, ownership);
    else if (inode.kind !== "directory") {
      throw refusal(path.endsWith(reached) ? "EEXIST" : "ENOTDIR");
    }
  }
}

/** Gives an existing file a second name. */
export function addLink(system: FileSystem, existing: string, path: string): void {
  const { inode } = placeOf(system, existing, false);
  if (inode === undefined) throw refusal("ENOENT");
  if (inode.kind === "directory") throw refusal("EPERM");
  const place = placeOf(system, path, false);
  if (place.inode !== undefined) throw refusal("EEXIST");
  setEntry(system, place, inode);
}

/** Moves a file or directory to another name, over what has it. */
export function moveEntry(system: FileSystem, from: string, to: string): void {
  const source = placeOf(system, from, false);
  if (source.inode === undefined) throw refusal("ENOENT");
  const target = placeOf(system, to, false);
  // Two names of one file: POSIX has the move do nothing and keep both.
  if (target.inode === source.inode) return;
  refuseMove(source.inode, target.inode);
  if (source.inode.kind === "directory" && contains(system, source.inode, target.directory)) {
    throw refusal("EINVAL");
  }
  source.directory.entries.delete(source.name);
  system.changed(source.directory);
  setEntry(system, target, source.inode);
}

/** Removes one name of something that is no directory. */
export function removeEntry(system: FileSystem, path: string): void {
  const place = placeOf(system, path, false);
  if (place.inode === undefined) throw refusal("ENOENT");
  if (place.inode.kind === "directory") throw refusal("EISDIR");
  place.directory.entries.delete(place.name);
  system.changed(place.directory);
}

/** Removes one name, and if it is that of a directory all that is in it. */
export function removeTree(system: FileSystem, path: string): void {
  const place = placeOf(system, path, false);
  if (place.inode?.kind !== "directory") return removeEntry(system, path);
  place.inode.entries.clear();
  system.changed(place.inode);
  place.directory.entries.delete(place.name);
  system.changed(place.directory);
}

function refuseMove(source: Inode, target: Inode | undefined): void {
  if (target === undefined) return;
  if (target.kind === "directory") {
    if (source.kind !== "directory") throw refusal("EISDIR");
    if (target.entries.size > 0) throw refusal("ENOTEMPTY");
  } else if (source.kind === "directory") throw refusal("ENOTDIR");
}

function contains(system: FileSystem, outer: DirectoryInode, inner: DirectoryInode): boolean {
  if (outer === inner) return true;
  return [...outer.entries.values()].some((number) => {
    const inode = system.inodes.get(number);
    return inode?.kind === "directory" && contains(system, inode, inner);
  });
}
