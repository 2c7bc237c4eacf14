import { holdfastError } from "../core/error.ts";
import type { Host } from "./host.ts";

/**
 * Waits for some work, but not for ever.
 *
 * @param attempt what is done, for the message: "reload config.json"
 * @throws `TIMEOUT` when it took too long; the work itself goes on, and what becomes of it is not heard of
 */
export async function bounded<T>(
  host: Host,
  attempt: string,
  timeoutMs: number,
  work: Promise<T>,
): Promise<T> {
  const done = new AbortController();
  // The process stays until whoever waits is answered.
  const expired = host.sleep(timeoutMs, { signal: done.signal, keepAlive: true }).then((late) => {
    if (!late) return work;
    throw holdfastError(
      "TIMEOUT",
      `Cannot ${attempt} within ${timeoutMs} ms: found it still under way; allow more time`,
      { operation: attempt, timeoutMs },
    );
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    done.abort();
  }
}
