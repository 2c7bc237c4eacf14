import type { FileRead, Host, HostFile, HostStat } from "../../src/host/host.ts";
import { tooLarge, unsafeFile } from "../io_error.ts";
import { addBytes, addDirectories, addInode, addLink, moveEntry, removeEntry } from "./changes.ts";
import type { OpenFile } from "./changes.ts";
import { failSync, syncContent } from "./durable_content.ts";
import { syncEntries } from "./durable_entries.ts";
import type { FaultGate, Perform } from "./faults.ts";
import { directoryOf, identityOf, inodeOf, pathOf, placeOf, refusal } from "./file_system.ts";
import type { FileInode, FileSystem, Inode, SyncRecord } from "./file_system.ts";

/** The operations of a host on files and directories. */
export type FileOperations = Pick<
  Host,
  | "create"
  | "read"
  | "sync"
  | "syncDirectory"
  | "link"
  | "rename"
  | "remove"
  | "makeDirectory"
  | "list"
  | "stat"
  | "resolve"
>;

/**
 * Makes the operations on a simulated disk.
 *
 * @param system the disk
 * @param gate lets each of them pass
 * @param userId the owner of what they make
 * @param directorySync whether directories can be synced
 */
export function fileOperations(
  system: FileSystem,
  gate: FaultGate,
  userId: number,
  directorySync: boolean,
): FileOperations {
  const { perform } = gate;
  const fileAt = (path: string): FileInode => {
    const inode = inodeOf(system, path, true);
    if (inode.kind !== "file") throw refusal("EINVAL");
    return inode;
  };
  const failSyncAt = (path: string): void => {
    try {
      failSync(fileAt(path));
    } catch {
      // Nothing is there that could be lost; the refusal is what the fault says all the same.
    }
  };
  return {
    create: (path, mode) => {
      return perform("create", path, () => {
        const place = addInode(system, path, { kind: "file" }, { mode, userId });
        const file = { inode: place.inode as FileInode, directory: place.directory };
        return hostFile(system, perform, path, file);
      });
    },
    read: (path, bytesMax) => perform("read", path, () => readFile(system, path, bytesMax)),
    sync: (path) => {
      return perform("sync", path, () => syncFile(system, path, fileAt(path)), {
        refused: () => failSyncAt(path),
      });
    },
    syncDirectory: async (path) => {
      if (!directorySync) return await gate.passed();
      await perform("syncDirectory", path, () => {
        const directory = directoryOf(system, path);
        syncEntries(system, directory);
        recordSync(system, "directory", path, directory);
      });
    },
    link: (existing, path) => {
      return perform("link", path, () => addLink(system, existing, path), { from: existing });
    },
    rename: (from, to) => perform("rename", to, () => moveEntry(system, from, to), { from }),
    remove: (path) => perform("remove", path, () => removeEntry(system, path)),
    makeDirectory: (path, mode) => {
      return perform("makeDirectory", path, () => addDirectories(system, path, { mode, userId }));
    },
    list: (path) => perform("list", path, () => [...directoryOf(system, path).entries.keys()]),
    stat: (path) => perform("stat", path, () => statOf(inodeOf(system, path, true))),
    resolve: (path) => {
      return perform("resolve", path, () => {
        const place = placeOf(system, path, true);
        if (place.inode === undefined) throw refusal("ENOENT");
        return pathOf(place);
      });
    },
  };
}

function hostFile(
  system: FileSystem,
  perform: Perform,
  path: string,
  file: OpenFile,
): HostFile {
  let closed = false;
  const refuseClosed = (): void => {
    if (closed) throw refusal("EBADF");
  };
  return {
    write: (bytes) => {
      return perform("write", path, (fault) => {
        refuseClosed();
        const limit = fault !== undefined && "shortWrite" in fault ? fault.shortWrite : Infinity;
        const taken = bytes.subarray(0, limit);
        addBytes(system, file, taken);
        return taken.length;
      });
    },
    sync: () => {
      return perform("sync", path, () => {
        refuseClosed();
        syncFile(system, path, file.inode);
      }, { refused: () => failSync(file.inode) });
    },
    close: () => {
      return perform("close", path, () => {
        refuseClosed();
        closed = true;
      });
    },
  };
}

function readFile(system: FileSystem, path: string, bytesMax: number): FileRead {
  const inode = inodeOf(system, path, true);
  if (inode.kind !== "file") throw unsafeFile(path, inode.kind);
  const { length } = inode.bytes;
  if (length > bytesMax) throw tooLarge(path, bytesMax, length);
  return { bytes: inode.bytes.slice(), stat: statOf(inode) };
}

function statOf(inode: Inode): HostStat {
  const known = inode.kind === "file" || inode.kind === "directory";
  return {
    kind: known ? inode.kind : "other",
    identity: identityOf(inode),
    byteLength: inode.kind === "file" ? inode.bytes.length : 0,
    mode: inode.mode,
    userId: inode.userId,
    modifiedMs: inode.modifiedMs,
  };
}

function syncFile(system: FileSystem, path: string, inode: FileInode): void {
  syncContent(inode);
  recordSync(system, "file", path, inode);
}

function recordSync(
  system: FileSystem,
  kind: SyncRecord["kind"],
  path: string,
  inode: Inode,
): void {
  system.syncs.push({ kind, path, identity: identityOf(inode) });
}
