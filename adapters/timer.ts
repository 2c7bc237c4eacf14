import type { SleepOptions } from "../src/host/host.ts";

// A longer delay overflows the runtimes' timers, which then fire at once.
const timerMsMax = 2 ** 31 - 1;

/**
 * Waits on the runtime's own timers.
 *
 * @param ms how long, in milliseconds, at least 0
 * @param options what ends the wait early, and whether it keeps the process running
 * @param unref lets the process end while a timer is pending
 * @returns true when the time has passed, false as soon as the signal aborts
 */
export function sleepOnTimer(
  ms: number,
  options: SleepOptions,
  unref: (timer: unknown) => void,
): Promise<boolean> {
  const { signal, keepAlive } = options;
  if (signal?.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout>;
    let leftMs = ms;
    const abort = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(false);
    };
    const start = (): void => {
      const sliceMs = Math.min(leftMs, timerMsMax);
      leftMs -= sliceMs;
      timer = setTimeout(elapse, sliceMs);
      if (!keepAlive) unref(timer);
    };
    const elapse = (): void => {
      if (leftMs > 0) return start();
      signal?.removeEventListener("abort", abort);
      resolve(true);
    };
    signal?.addEventListener("abort", abort);
    start();
  });
}

/** Lets other processes go on for about so many milliseconds. */
export function pauseOnTimer(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Lets the process end while a timer is pending, where timers are objects (Node, Bun, newer Deno).
 *
 * @param timer what `setTimeout` returned
 */
export function unrefTimer(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
