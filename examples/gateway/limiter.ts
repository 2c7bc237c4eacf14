/** The rate limiter: a bucket of tokens, of which a request takes one, filled as time goes by. */
import type { Gateway } from "./schema.ts";

export type RateLimit = Readonly<Gateway["rate_limit"]>;

export class Limiter {
  #limit: RateLimit;
  #tokens: number;
  #filledMs = performance.now();

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  get limit(): RateLimit {
    return this.#limit;
  }

  /** Whether one more request may pass. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes another limit over; what has been used up stays so. */
  reconfigure(limit: RateLimit): void {
    this.#fill();
    this.#limit = limit;
    this.#tokens = Math.min(this.#tokens, limit.burst);
  }

  #fill(): void {
    const now = performance.now();
    const { per_second, burst } = this.#limit;
    const filled = this.#tokens + ((now - this.#filledMs) / 1000) * per_second;
    this.#tokens = Math.min(filled, burst);
    this.#filledMs = now;
  }
}
