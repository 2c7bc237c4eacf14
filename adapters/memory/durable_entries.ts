// Which entries of the simulated directories a power cut leaves. Two kinds of disk are kept in step, since only the cut says
// which it was: one on which every change of an entry reaches the disk by itself, and one with a journal, which loses only
// the last operations and never part of one.
import type { Choose } from "./durable_content.ts";
import type { DirectoryInode, FileSystem, Inode } from "./file_system.ts";

/** A name in a directory that from now on stands for an inode, or for nothing. */
export interface EntryChange {
  readonly directory: DirectoryInode;
  readonly name: string;
  readonly inode: Inode | undefined;
}

/** The names in a directory. */
export type Entries = Map<string, Inode>;

/** What is known of a directory's entries beside what is seen. */
export interface DirectoryDurability {
  /** What surely is on a disk that keeps changes one by one. */
  durable: Entries;
  /** What was changed since the last sync, in order. */
  unsynced: EntryChange[];
  /** What surely is on a disk with a journal. */
  journaled: Entries;
  /** The last operation that changed an entry here, by its number. */
  lastOperation: number;
}

/** The operations of a disk that a journal need not have yet. */
export interface Journal {
  /** The changes of each operation, in the order they were issued. */
  operations: (readonly EntryChange[])[];
  /** How many came before those. */
  before: number;
  /** The directories that have unsynced entries. */
  readonly unsynced: Set<DirectoryInode>;
}

/** A directory of which nothing is durable. */
export function nothingDurable(): DirectoryDurability {
  return { durable: new Map(), unsynced: [], journaled: new Map(), lastOperation: 0 };
}

/** A journal that nothing is in. */
export function emptyJournal(): Journal {
  return { operations: [], before: 0, unsynced: new Set() };
}

/** Changes entries, as one operation that no sync has made durable yet. */
export function changeEntries(system: FileSystem, changes: readonly EntryChange[]): void {
  const { journal } = system;
  journal.operations.push(changes);
  for (const change of changes) {
    const { directory } = change;
    apply(directory.entries, change);
    directory.unsynced.push(change);
    directory.lastOperation = journal.before + journal.operations.length;
    journal.unsynced.add(directory);
  }
}

/** Makes the entries of a directory durable; on a disk with a journal, all that was done before them too. */
export function syncEntries(system: FileSystem, directory: DirectoryInode): void {
  const { journal } = system;
  for (const change of directory.unsynced) apply(directory.durable, change);
  directory.unsynced = [];
  journal.unsynced.delete(directory);
  commitJournal(journal, directory.lastOperation - journal.before);
}

/** Makes the entries of every directory durable. */
export function syncAllEntries(system: FileSystem): void {
  for (const directory of [...system.journal.unsynced]) syncEntries(system, directory);
}

/**
 * Decides which of the unsynced changes are on the disk after a power cut.
 *
 * @param order whether each is kept by itself, or a prefix of the operations
 * @param choose decides
 * @returns the entries of a directory then
 */
export function entriesAfterCut(
  system: FileSystem,
  order: "any" | "prefix",
  choose: Choose,
): (directory: DirectoryInode) => Entries {
  const { journal } = system;
  if (order === "prefix") {
    const { length } = journal.operations;
    commitJournal(journal, length === 0 ? 0 : choose(length + 1));
    return (directory) => directory.journaled;
  }
  for (const directory of journal.unsynced) {
    for (const change of directory.unsynced) {
      if (choose(2) === 1) apply(directory.durable, change);
    }
  }
  return (directory) => directory.durable;
}

function commitJournal(journal: Journal, count: number): void {
  if (count <= 0) return;
  for (const changes of journal.operations.splice(0, count)) {
    for (const change of changes) apply(change.directory.journaled, change);
  }
  journal.before += count;
}

function apply(entries: Entries, { name, inode }: EntryChange): void {
  if (inode === undefined) entries.delete(name);
  else entries.set(name, inode);
}
