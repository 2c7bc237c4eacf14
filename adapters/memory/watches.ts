import type { HostWatch, WatchOptions } from "../../src/host/host.ts";
import type { VirtualClock } from "./clock.ts";
import type { Fault } from "./faults.ts";
import type { DirectoryInode } from "./file_system.ts";

/** The watches of one process. */
export interface Watches {
  /** Starts one. */
  add(directory: DirectoryInode, path: string, options: WatchOptions): HostWatch;
  /** Sends a hint to each watch of a directory, on a later turn of the clock. */
  changed(directory: DirectoryInode): void;
  /** Ends every watch by itself, on a later turn of the clock. */
  fail(error: (path: string) => unknown): void;
  /** Closes every watch. */
  end(): void;
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
 * @param happens decides, for each hint by the watched path, what happens to it
 */
export function watchesOn(
  clock: VirtualClock,
  hintDelayMs: number,
  happens: (path: string) => Promise<Fault | undefined>,
): Watches {
  const open = new Set<Watch>();
  const tell = (watch: Watch): void => {
    if (open.has(watch)) watch.options.hint();
  };
  const send = async (watch: Watch): Promise<void> => {
    if (!open.has(watch)) return;
    const fault = await happens(watch.path);
    if (fault === undefined) tell(watch);
    else if ("lateMs" in fault) clock.schedule(fault.lateMs, () => tell(watch));
    else if ("twice" in fault) {
      tell(watch);
      tell(watch);
    }
  };
  return {
    add: (directory, path, options) => {
      const watch = { directory, path, options };
      open.add(watch);
      return { close: () => void open.delete(watch) };
    },
    changed: (directory) => {
      for (const watch of open) {
        if (watch.directory === directory) clock.schedule(hintDelayMs, () => void send(watch));
      }
    },
    fail: (error) => {
      for (const watch of open) {
        clock.schedule(hintDelayMs, () => {
          if (open.delete(watch)) watch.options.failed(error(watch.path));
        });
      }
    },
    end: () => open.clear(),
  };
}
