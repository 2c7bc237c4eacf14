/** What the benchmarks measure with: work done in turn, so that what disturbs the machine disturbs all of it alike. */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** One piece of work. */
export type Work = () => unknown;

/** Some work and how long it took. */
export type Times<Name extends string> = Readonly<Record<Name, number>>;

// Compilers take their time to see what is worth their while.
const warmUpRounds = 50;

/**
 * Runs every piece of work once a round, in turns each of them first.
 *
 * @param prepare what a round needs and does not count; it is told the number of the round, from 0
 * @returns the median of each, in milliseconds
 */
export async function medianMs<Name extends string>(
  rounds: number,
  prepare: (round: number) => void,
  works: Readonly<Record<Name, Work>>,
): Promise<Times<Name>> {
  const all = (Object.keys(works) as Name[]).map((name) => {
    return { name, work: works[name], times: [] as number[] };
  });
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    prepare(round);
    for (let turn = 0; turn < all.length; turn++) {
      const { work, times } = all[(round + turn) % all.length]!;
      const startedMs = performance.now();
      await work();
      const ms = performance.now() - startedMs;
      if (round >= warmUpRounds) times.push(ms);
    }
  }
  return Object.fromEntries(all.map(({ name, times }) => [name, median(times)])) as Times<Name>;
}

/** The middle of some numbers. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("Cannot tell the median: found no numbers");
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What is in use after everything that nobody needs was let go, in bytes. */
export function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function collectGarbage(): void {
  const { Bun } = globalThis as { Bun?: { gc(isSynchronous: boolean): void } };
  if (Bun !== undefined) return Bun.gc(true);
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/** The runtime and its version, for a line that tells figures. */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions;
  return bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node ${node}`;
}
