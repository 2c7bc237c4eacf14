import { pollMsDefault } from "../core/limits.ts";
import type { Host, HostWatch } from "./host.ts";
import { settle } from "./settle.ts";

/** What to watch and whom to tell. */
export interface DirectoryWatchOptions {
  /** The directories whose entries matter just now. Asked again at every poll. */
  readonly directories: () => Promise<readonly string[]>;
  /** Reads what is there; must not reject. */
  readonly look: () => Promise<void>;
  readonly debounceMs?: number | undefined;
  readonly maxWaitMs?: number | undefined;
  readonly pollMs?: number | undefined;
  readonly keepAlive: boolean;
  readonly warn: (message: string) => void;
}

/** Directories being watched. */
export interface DirectoryWatch {
  /** `polling` while at least one of the directories tells nothing by itself. */
  readonly mode: "events" | "polling";
  close(): Promise<void>;
}

/**
 * Watches directories and calls `look` when what they hold may have changed.
 *
 * Events are hints, and every one of them counts, whatever name it gives. A directory that was replaced is watched anew;
 * one that cannot be watched is polled, as all are, slowly. There is a look after every arming, so that nothing that
 * happened before it is missed.
 */
export async function watchDirectories(
  host: Host,
  options: DirectoryWatchOptions,
): Promise<DirectoryWatch> {
  const { keepAlive } = options;
  const closing = new AbortController();
  const settling = settle(host, options);
  const armed = new Map<string, Armed>();

  async function arm(): Promise<void> {
    const wanted = new Set(await options.directories());
    for (const [directory, { watch }] of armed) {
      if (wanted.has(directory)) continue;
      watch?.close();
      armed.delete(directory);
    }
    for (const directory of wanted) await armOne(directory);
  }

  async function armOne(directory: string): Promise<void> {
    const identity = (await host.stat(directory).catch(() => undefined))?.identity;
    const before = armed.get(directory);
    if (before !== undefined && before.identity === identity && before.watch !== undefined) return;
    before?.watch?.close();
    const entry: Armed = { identity, watch: undefined, warned: before?.warned ?? false };
    armed.set(directory, entry);
    if (identity === undefined) return;
    try {
      const watch = await host.watch(directory, {
        hint: settling.hint,
        failed: (error) => {
          entry.watch = undefined;
          warnOnce(entry, directory, error);
          settling.hint();
        },
        keepAlive,
      });
      if (closing.signal.aborted) watch.close();
      else entry.watch = watch;
      entry.warned = false;
      settling.nudge();
    } catch (error) {
      warnOnce(entry, directory, error);
    }
  }

  function warnOnce(entry: Armed, directory: string, error: unknown): void {
    if (entry.warned || closing.signal.aborted) return;
    entry.warned = true;
    const reason = error instanceof Error ? error.message : String(error);
    options.warn(`${reason}; polling ${directory} instead`);
  }

  async function poll(): Promise<void> {
    const pollMs = options.pollMs ?? pollMsDefault;
    while (await host.sleep(pollMs, { signal: closing.signal, keepAlive })) {
      await arm();
      settling.nudge();
    }
  }

  await arm();
  const polling = poll();
  return {
    get mode() {
      return [...armed.values()].every((entry) => entry.watch !== undefined) ? "events" : "polling";
    },
    close: async () => {
      closing.abort();
      await settling.close();
      for (const { watch } of armed.values()) watch?.close();
      await polling;
    },
  };
}

interface Armed {
  /** Undefined while the directory is not there. */
  readonly identity: string | undefined;
  watch: HostWatch | undefined;
  warned: boolean;
}
