import { debounceMsDefault, maxWaitMsDefault } from "../core/limits.ts";
import type { Host } from "./host.ts";

/** Hints on their way to a look. */
export interface Settling {
  /** Something may have changed: look once it has been quiet. */
  hint(): void;
  /** Looks some time soon, unless that is due anyway. */
  nudge(): void;
  /** Ends it; resolves when no look is under way any more and none will come. */
  close(): Promise<void>;
}

/** How hints settle. */
export interface SettleOptions {
  /** How long hints must be quiet, in milliseconds. */
  readonly debounceMs?: number | undefined;
  /** How long hints that never fall quiet can put a look off, in milliseconds. */
  readonly maxWaitMs?: number | undefined;
  readonly keepAlive: boolean;
  /** Must not reject. */
  readonly look: () => Promise<void>;
}

/**
 * Turns any number of hints into few looks: one look after the hints have been quiet for the debounce, or when they have
 * gone on for the maximum wait. Looks never overlap; a hint during a look leads to another one.
 */
export function settle(host: Host, options: SettleOptions): Settling {
  const { debounceMs = debounceMsDefault, maxWaitMs = maxWaitMsDefault, keepAlive } = options;
  const closing = new AbortController();
  let firstHintAt: number | undefined;
  let lastHintAt = 0;
  let running: Promise<void> | undefined;

  function hint(): void {
    lastHintAt = host.monotonic();
    firstHintAt ??= lastHintAt;
    if (!closing.signal.aborted) running ??= run();
  }

  async function run(): Promise<void> {
    while (firstHintAt !== undefined && await quiet(firstHintAt)) {
      firstHintAt = undefined;
      await options.look();
    }
    running = undefined;
  }

  /** Resolves to false when closed. */
  async function quiet(first: number): Promise<boolean> {
    for (;;) {
      const due = Math.min(lastHintAt + debounceMs, first + maxWaitMs);
      const waitMs = due - host.monotonic();
      if (waitMs <= 0) return !closing.signal.aborted;
      if (!await host.sleep(waitMs, { signal: closing.signal, keepAlive })) return false;
    }
  }

  return {
    hint,
    nudge: () => {
      if (firstHintAt === undefined) hint();
    },
    close: async () => {
      closing.abort();
      await running;
    },
  };
}
