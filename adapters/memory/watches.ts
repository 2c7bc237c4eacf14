import type { HostWatch, WatchOptions } from "../../src/host/host.ts";
import type { VirtualClock } from "./clock.ts";
import type { DirectoryInode } from "./file_system.ts";

/** The watches on a simulated disk. */
export interface Watches {
  /** Starts one. */
  add(directory: DirectoryInode, path: string, options: WatchOptions): HostWatch;
  /** Sends a hint to each watch of a directory, on a later turn of the clock. */
  changed(directory: DirectoryInode): void;
  /** Ends every watch by itself, on a later turn of the clock. */
  fail(error: (path: string) => unknown): void;
}

interface Watch {
  readonly directory: DirectoryInode;
  readonly path: string;
  readonly options: WatchOptions;
}

/**
 * Makes the watches.
 *
 * @param clock what the hints wait for
 * @param hintDelayMs how long they wait, in milliseconds
 * @param arrives decides, for each hint by the watched path, whether it reaches the watch
 */
export function watchesOn(
  clock: VirtualClock,
  hintDelayMs: number,
  arrives: (path: string) => Promise<boolean>,
): Watches {
  const open = new Set<Watch>();
  return {
    add: (directory, path, options) => {
      const watch = { directory, path, options };
      open.add(watch);
      return { close: () => void open.delete(watch) };
    },
    changed: (directory) => {
      for (const watch of open) {
        if (watch.directory !== directory) continue;
        clock.schedule(hintDelayMs, async () => {
          if (open.has(watch) && await arrives(watch.path) && open.has(watch)) watch.options.hint();
        });
      }
    },
    fail: (error) => {
      for (const watch of open) {
        clock.schedule(hintDelayMs, () => {
          if (open.delete(watch)) watch.options.failed(error(watch.path));
        });
      }
    },
  };
}
