/**
 * Makes a source of bytes that looks random and is the same at every run (mulberry32).
 *
 * @param seed where it starts, a 32-bit integer
 */
export function seededRandom(seed: number): (byteLength: number) => Uint8Array {
  let state = seed >>> 0;
  const nextByte = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return (byteLength) => Uint8Array.from({ length: byteLength }, nextByte);
}
