import { ioError } from "../io_error.ts";
import type { IoOperation } from "../io_error.ts";
import { addDirectories, addInode, makeInode, moveEntry, removeEntry } from "./changes.ts";
import { removeTree, setBytes, setEntry } from "./changes.ts";
import type { Ownership } from "./changes.ts";
import { appendBytes, syncContent } from "./durable_content.ts";
import { syncAllEntries, syncEntries } from "./durable_entries.ts";
import { inodeOf, pathOf, placeOf, refusal } from "./file_system.ts";
import type { DirectoryInode, FileInode, FileSystem, Inode, Place } from "./file_system.ts";

/** The permission bits and the owner of a file; what is left out stays as it is, or is usual for a new file. */
export interface FileOwnership {
  /** Permission bits, such as 0o600. */
  readonly mode?: number;
  /** The owner. */
  readonly userId?: number;
}

/** How another program writes a file. */
export interface OutsideWriteOptions extends FileOwnership {
  /**
   * Whether the content is durable at once, as with an editor that syncs what it writes. Default true. Its name is not:
   * hardly any editor syncs the directory.
   */
  readonly synced?: boolean;
}

/**
 * What another program does on the simulated disk: an editor, a shell, an intruder.
 *
 * Each act happens at once, passes no fault hook, and is seen by the watches. It throws `IO` as the host would. A power
 * cut may lose the names that it makes, moves or removes, unless they were synced; permission bits and owners stay.
 */
export interface OutsideProgram {
  /** Writes in place, as `cat >` does: the file keeps its inode. Makes the file and its directories when missing. */
  writeFile(path: string, content: string | Uint8Array, options?: OutsideWriteOptions): void;
  /** Puts a new file in the place of the old one, as editors that save atomically do: the inode is a new one. */
  replaceFile(path: string, content: string | Uint8Array, options?: OutsideWriteOptions): void;
  /** The content of a file as text, symbolic links followed. */
  readFile(path: string): string;
  /** The content of a file as bytes, symbolic links followed. */
  readBytes(path: string): Uint8Array;
  /** Removes one name of something that is no directory. */
  removeFile(path: string): void;
  /** Makes a directory and those above it that are missing. */
  makeDirectory(path: string, ownership?: FileOwnership): void;
  /** Removes a directory with all that is in it. */
  removeDirectory(path: string): void;
  /** Makes a FIFO, which nothing ever writes to. */
  makeFifo(path: string): void;
  /** Makes a symbolic link to a path, whether anything is there or not. */
  symlink(target: string, path: string): void;
  /** Moves a file or directory, over a file of that name. */
  rename(from: string, to: string): void;
  /** Makes durable the content of a file or the entries of a directory; without a path, everything. */
  sync(path?: string): void;
  /** Sets the permission bits. */
  setMode(path: string, mode: number): void;
  /** Sets the owner. */
  setOwner(path: string, userId: number): void;
  /** The paths of everything that is no directory, sorted. */
  list(): string[];
}

/**
 * Makes the program that acts beside the host.
 *
 * @param system the disk they share
 * @param userId the owner of what it makes
 */
export function outsideProgram(system: FileSystem, userId: number): OutsideProgram {
  const act = <Result>(operation: IoOperation, path: string, body: () => Result): Result => {
    try {
      return body();
    } catch (cause) {
      throw ioError(operation, path, cause);
    }
  };
  const fresh = (ownership: FileOwnership | undefined, mode: number) => ({
    mode: ownership?.mode ?? mode,
    userId: ownership?.userId ?? userId,
  });
  const parentOf = (path: string): void => {
    addDirectories(system, path.slice(0, path.lastIndexOf("/")), fresh(undefined, 0o755));
  };
  const change = (path: string, ownership: FileOwnership): void => {
    const place = placeOf(system, path, true);
    const inode = place.inode ?? inodeOf(system, path, true);
    inode.mode = ownership.mode ?? inode.mode;
    inode.userId = ownership.userId ?? inode.userId;
    system.changed(place.directory);
  };

  return {
    writeFile: (path, content, options) => {
      act("write", path, () => {
        parentOf(path);
        const place = placeOf(system, path, true);
        if (place.inode === undefined) {
          const made = { kind: "file" } as const;
          const { inode } = addInode(system, pathOf(place), made, fresh(options, 0o644));
          return fill(inode as FileInode, content, options);
        }
        const inode = fileAt(system, path);
        setBytes(system, { inode, directory: place.directory }, bytesOf(content));
        if (options?.synced ?? true) syncContent(inode);
        if (options !== undefined) change(path, options);
      });
    },
    replaceFile: (path, content, options) => {
      act("rename", path, () => {
        parentOf(path);
        replaceFile(system, path, content, fresh(options, 0o644), options);
      });
    },
    readFile: (path) =>
      act("read", path, () => new TextDecoder().decode(fileAt(system, path).bytes)),
    readBytes: (path) => act("read", path, () => fileAt(system, path).bytes.slice()),
    removeFile: (path) => act("remove", path, () => removeEntry(system, path)),
    makeDirectory: (path, ownership) => {
      act("makeDirectory", path, () => addDirectories(system, path, fresh(ownership, 0o755)));
    },
    removeDirectory: (path) => act("remove", path, () => removeTree(system, path)),
    makeFifo: (path) => {
      act("create", path, () => addInode(system, path, { kind: "FIFO" }, fresh(undefined, 0o644)));
    },
    symlink: (target, path) => {
      const made = { kind: "symbolic link", target } as const;
      act("create", path, () => addInode(system, path, made, fresh(undefined, 0o777)));
    },
    rename: (from, to) => act("rename", to, () => moveEntry(system, from, to)),
    sync: (path) =>
      path === undefined ? syncAll(system) : act("sync", path, () => syncAt(system, path)),
    setMode: (path, mode) => act("stat", path, () => change(path, { mode })),
    setOwner: (path, owner) => act("stat", path, () => change(path, { userId: owner })),
    list: () => [...filesIn(system.root, "")].map(([path]) => path).sort(),
  };
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content.slice();
}

function fileAt(system: FileSystem, path: string): FileInode {
  const inode = inodeOf(system, path, true);
  if (inode.kind !== "file") throw refusal(inode.kind === "directory" ? "EISDIR" : "EINVAL");
  return inode;
}

function syncAt(system: FileSystem, path: string): void {
  const inode = inodeOf(system, path, true);
  if (inode.kind === "directory") syncEntries(system, inode);
  else syncContent(fileAt(system, path));
}

function replaceFile(
  system: FileSystem,
  path: string,
  content: string | Uint8Array,
  ownership: Ownership,
  options: OutsideWriteOptions | undefined,
): void {
  const place = placeOf(system, path, false);
  if (place.inode?.kind === "directory") throw refusal("EISDIR");
  const inode = makeInode(system, { kind: "file" }, ownership);
  fill(inode as FileInode, content, options);
  setEntry(system, place, inode);
}

function fill(
  inode: FileInode,
  content: string | Uint8Array,
  options: OutsideWriteOptions | undefined,
): void {
  appendBytes(inode, bytesOf(content));
  if (options?.synced ?? true) syncContent(inode);
}

function syncAll(system: FileSystem): void {
  syncAllEntries(system);
  for (const [, inode] of filesIn(system.root, "")) {
    if (inode.kind === "file") syncContent(inode);
  }
}

/** Everything that is no directory. */
function* filesIn(
  directory: DirectoryInode,
  prefix: Place["parentPath"],
): Generator<[path: string, inode: Inode]> {
  for (const [name, inode] of directory.entries) {
    if (inode.kind === "directory") yield* filesIn(inode, `${prefix}/${name}`);
    else yield [`${prefix}/${name}`, inode];
  }
}
