import { contentAfterCut } from "./durable_content.ts";
import { emptyJournal, entriesAfterCut, nothingDurable } from "./durable_entries.ts";
import type { DirectoryInode, FileSystem, Inode } from "./file_system.ts";

/** How the power is cut. */
export interface PowerCut {
  /**
   * What the disk does with directory entries that no sync made durable. With `any`, each change is kept or lost by
   * itself: a rename is the removal of the old name, that of what had the new name, and the new name. With `prefix` the
   * operations are kept up to some moment, as on a file system with a journal, and a sync of one directory keeps all
   * that was done before its last change.
   */
  readonly order: "any" | "prefix";
  /**
   * Returns an integer from 0 up to, not including, the bound: all the chance there is. 0 keeps least.
   */
  readonly choose: (bound: number) => number;
}

/**
 * Leaves on a disk what it may have kept when the power was cut; all of that is durable then.
 *
 * @param system the disk
 * @param cut how
 */
export function cutPower(system: FileSystem, cut: PowerCut): void {
  const choose = (bound: number): number => {
    const chosen = cut.choose(bound);
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < bound) return chosen;
    throw new RangeError(
      `Cannot cut the power: choose(${bound}) returned ${chosen}; return an integer below ${bound}`,
    );
  };
  const entriesOf = entriesAfterCut(system, cut.order, choose);
  const found = new Set<Inode>();
  const keep = (directory: DirectoryInode): void => {
    const entries = new Map<string, Inode>();
    for (const [name, inode] of entriesOf(directory)) {
      const isNew = !found.has(inode);
      found.add(inode);
      // A directory that is found under two names keeps one, as a check of the disk would see to.
      if (isNew || inode.kind !== "directory") entries.set(name, inode);
      if (!isNew) continue;
      if (inode.kind === "directory") keep(inode);
      else if (inode.kind === "file") Object.assign(inode, contentAfterCut(inode, choose));
    }
    Object.assign(directory, nothingDurable(), {
      entries,
      durable: new Map(entries),
      journaled: new Map(entries),
    });
  };
  found.add(system.root);
  keep(system.root);
  system.journal = emptyJournal();
}
