import type { SourceWatch, SourceWatchOptions } from "./source.ts";

/** One look for several watches. */
export interface SharedLook {
  /** What each of them is given. */
  readonly options: SourceWatchOptions;
  /** Ends them all; what was still to be looked at is left. */
  close(watches: readonly SourceWatch[]): Promise<void>;
}

/** What several watches are together: events where each of them has those. */
export function modeOf(watches: readonly SourceWatch[]): SourceWatch["mode"] {
  return watches.every(({ mode }) => mode === "events") ? "events" : "polling";
}

/** Lets several watches share a look, so that it is never taken twice at once: what comes during one leads to one more. */
export function shareLook(options: SourceWatchOptions): SharedLook {
  let isClosed = false;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      if (!isClosed) await options.look();
    } finally {
      running = next;
      next = undefined;
    }
  }

  return {
    options: {
      ...options,
      look: () => {
        if (running === undefined) return running = run();
        return next ??= running.then(run);
      },
    },
    close: async (watches) => {
      isClosed = true;
      await Promise.all(watches.map((watch) => watch.close()));
      await running;
    },
  };
}
