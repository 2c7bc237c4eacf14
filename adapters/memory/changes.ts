import { appendBytes, emptyContent, rewriteBytes } from "./durable_content.ts";
import { changeEntries, nothingDurable } from "./durable_entries.ts";
import type { EntryChange } from "./durable_entries.ts";
import { placeOf, refusal } from "./file_system.ts";
import type { DirectoryInode, FileInode, FileSystem, Inode, Place } from "./file_system.ts";

/** What a new inode is, before it has a number and a time. */
type NewInode =
  | { readonly kind: "file" }
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

/** Makes an inode that has no name yet. */
export function makeInode(system: FileSystem, content: NewInode, ownership: Ownership): Inode {
  system.inodeCount += 1;
  const shared = { number: system.inodeCount, modifiedMs: system.now(), ...ownership };
  switch (content.kind) {
    case "file":
      return { ...shared, ...content, ...emptyContent() };
    case "directory":
      return { ...shared, ...content, entries: new Map(), ...nothingDurable() };
    default:
      return { ...shared, ...content };
  }
}

/** Gives a name to an inode, in place of whatever had the name. */
export function setEntry(system: FileSystem, place: Place, inode: Inode): void {
  changeEntries(system, namings(place, inode));
  system.changed(place.directory);
}

/** Writes at the end of a file. */
export function addBytes(system: FileSystem, file: OpenFile, bytes: Uint8Array): void {
  appendBytes(file.inode, bytes);
  file.inode.modifiedMs = system.now();
  system.changed(file.directory);
}

/** Replaces the content of a file in place. */
export function setBytes(system: FileSystem, file: OpenFile, bytes: Uint8Array): void {
  rewriteBytes(file.inode, bytes);
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
  if (source.inode.kind === "directory" && contains(source.inode, target.directory)) {
    throw refusal("EINVAL");
  }
  changeEntries(system, [removal(source), ...namings(target, source.inode)]);
  system.changed(source.directory);
  system.changed(target.directory);
}

/** Removes one name of something that is no directory. */
export function removeEntry(system: FileSystem, path: string): void {
  const place = placeOf(system, path, false);
  if (place.inode === undefined) throw refusal("ENOENT");
  if (place.inode.kind === "directory") throw refusal("EISDIR");
  changeEntries(system, [removal(place)]);
  system.changed(place.directory);
}

/** Removes one name, and if it is that of a directory all that is in it. */
export function removeTree(system: FileSystem, path: string): void {
  const place = placeOf(system, path, false);
  if (place.inode?.kind !== "directory") return removeEntry(system, path);
  empty(system, place.inode);
  changeEntries(system, [removal(place)]);
  system.changed(place.directory);
}

function empty(system: FileSystem, directory: DirectoryInode): void {
  for (const [name, inode] of [...directory.entries]) {
    if (inode.kind === "directory") empty(system, inode);
    changeEntries(system, [removal({ directory, name })]);
  }
  system.changed(directory);
}

function removal({ directory, name }: Pick<Place, "directory" | "name">): EntryChange {
  return { directory, name, inode: undefined };
}

/** A disk that keeps changes one by one may keep that the old file has lost the name and not who has it now. */
function namings(place: Place, inode: Inode): EntryChange[] {
  const naming = { directory: place.directory, name: place.name, inode };
  return place.directory.entries.has(place.name) ? [removal(place), naming] : [naming];
}

function refuseMove(source: Inode, target: Inode | undefined): void {
  if (target === undefined) return;
  if (target.kind === "directory") {
    if (source.kind !== "directory") throw refusal("EISDIR");
    if (target.entries.size > 0) throw refusal("ENOTEMPTY");
  } else if (source.kind === "directory") throw refusal("ENOTDIR");
}

function contains(outer: DirectoryInode, inner: DirectoryInode): boolean {
  if (outer === inner) return true;
  return [...outer.entries.values()].some((inode) => {
    return inode.kind === "directory" && contains(inode, inner);
  });
}
