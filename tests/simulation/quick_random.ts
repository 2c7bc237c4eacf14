import type { Random } from "../support/random.ts";

/**
 * Random choices that are the same for the same seed (mulberry32), quick enough for several at every step of a world.
 *
 * @param seed a 32-bit integer
 */
export function quickRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
  return { below, pick: (items) => items[below(items.length)]! };
}
