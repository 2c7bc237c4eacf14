import { seededRandom } from "../../adapters/memory/random.ts";

/** Random choices that are the same for the same seed. */
export interface Random {
  /** An integer from 0 up to, not including, the bound. */
  below(bound: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

/** Makes random choices from a seed. */
export function randomFrom(seed: number): Random {
  const bytes = seededRandom(seed);
  const below = (bound: number) => new DataView(bytes(4).buffer).getUint32(0) % bound;
  return { below, pick: (items) => items[below(items.length)]! };
}

/** A random JSON value of a small alphabet, so that two of them often agree in parts. */
export function randomJson(random: Random, depth: number): unknown {
  const kind = random.below(depth > 0 ? 7 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.below(2) === 0;
  if (kind === 2) return random.below(3);
  if (kind <= 4) return random.pick(["", "a", "b"]);
  const size = random.below(4);
  if (kind === 5) return Array.from({ length: size }, () => randomJson(random, depth - 1));
  const keys = ["a", "b", "c.d", "", "0"];
  return Object.fromEntries(
    Array.from({ length: size }, () => [random.pick(keys), randomJson(random, depth - 1)]),
  );
}

/** Runs a body with many seeds and names the one that failed. */
export function forSeeds(count: number, body: (random: Random) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      body(randomFrom(seed));
    } catch (error) {
      throw new Error(`failed with seed ${seed}`, { cause: error });
    }
  }
}
