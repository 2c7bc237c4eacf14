import { setImmediate } from "node:timers";

/** How it is awaited that what was set off has come to rest. */
export type Settling = "turns" | "turn" | "microtasks";

/** Tells when the processes on a simulated disk have come to rest. */
export interface Rest {
  /** Something is being done. */
  stir(): void;
  /** Resolves when nothing has been done for a while. */
  settle(): Promise<void>;
}

// Streams and the like pass through turns of their own, hence more than one.
const turns = 3;
// Between two operations a program may pass through many promises; a settled simulation pays for all of these.
const quietJobs = 128;
const jobsMax = 200_000;

/**
 * Makes what waits for rest.
 *
 * @param settling `turns` or one `turn` of the runtime's event loop are waited for, or only `microtasks`, promise jobs
 */
export function restBy(settling: Settling): Rest {
  let stirs = 0;
  return {
    stir: () => {
      stirs += 1;
    },
    settle: settling !== "microtasks" ? () => pass(settling === "turn" ? 1 : turns) : async () => {
      let seen = stirs;
      let quiet = 0;
      for (let jobs = 0; quiet < quietJobs; jobs += 1) {
        if (jobs > jobsMax) {
          throw new Error(
            "The simulation does not come to rest: something repeats without a sleep",
          );
        }
        await undefined;
        quiet = stirs === seen ? quiet + 1 : 0;
        seen = stirs;
      }
    },
  };
}

async function pass(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
