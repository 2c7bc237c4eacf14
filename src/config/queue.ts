/** Runs jobs one after another, in the order they came. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /** Starts a job when all before it have ended, and never in this same turn. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when every job so far has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
