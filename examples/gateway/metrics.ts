/** The metrics exporter: how long requests took, as a histogram in the text format of Prometheus. */

export class Metrics {
  readonly #bucketsMs: readonly number[];
  /** How many took no longer than each bucket says. */
  readonly #counts: number[];
  #sumMs = 0;
  #count = 0;

  /** @param bucketsMs ascending; they cannot change under what was counted, so other ones take another exporter */
  constructor(bucketsMs: readonly number[]) {
    this.#bucketsMs = bucketsMs;
    this.#counts = bucketsMs.map(() => 0);
  }

  observe(ms: number): void {
    this.#count++;
    this.#sumMs += ms;
    for (const [index, bucketMs] of this.#bucketsMs.entries()) {
      if (ms <= bucketMs) this.#counts[index]!++;
    }
  }

  text(): string {
    const lines = this.#bucketsMs.map((ms, index) => bucket(String(ms), this.#counts[index]!));
    return [
      "# TYPE gateway_request_ms histogram",
      ...lines,
      bucket("+Inf", this.#count),
      `gateway_request_ms_sum ${this.#sumMs}`,
      `gateway_request_ms_count ${this.#count}`,
      "",
    ].join("\n");
  }
}

function bucket(le: string, count: number): string {
  return `gateway_request_ms_bucket{le="${le}"} ${count}`;
}
