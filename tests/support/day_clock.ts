/** The time of day to fractions of a millisecond, the same in every process of a machine. */
export interface DayClock {
  /** In milliseconds. */
  now(): number;
  /** The smallest step that was seen, in milliseconds. */
  readonly resolutionMs: number;
  /** How far it is from the machine's clock by now, in milliseconds. */
  errorMs(): number;
}

const ticks = 20;

/**
 * Puts the monotonic clock on the ticks of `Date.now()`: where `performance.timeOrigin` puts it differs by some milliseconds
 * between runtimes, and with how busy the machine was at the start of the process.
 */
export function startDayClock(): DayClock {
  const origin = findOrigin();
  return {
    now: () => origin + performance.now(),
    resolutionMs: findResolution(),
    errorMs: () => origin - findOrigin(),
  };
}

/** A tick may be noticed too late, and never too early: the greatest difference is the best. */
function findOrigin(): number {
  let origin = -Infinity;
  for (let tick = 0; tick < ticks; tick++) {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    origin = Math.max(origin, now - performance.now());
  }
  return origin;
}

function findResolution(): number {
  let smallest = Infinity;
  for (let step = 0; step < 1000; step++) {
    const before = performance.now();
    let now = before;
    while (now === before) now = performance.now();
    smallest = Math.min(smallest, now - before);
  }
  return smallest;
}
