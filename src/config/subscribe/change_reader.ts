import type { ChangeSet } from "../reports.ts";
import type { Steps } from "./steps.ts";

type Result = IteratorResult<ChangeSet, undefined>;

/** Iterates over the changes from now on, several as one for who is slow to ask for the next. */
export class ChangeReader implements AsyncIterableIterator<ChangeSet, undefined> {
  readonly #steps: Steps;
  readonly #signal: AbortSignal | undefined;
  readonly #ended: (reader: ChangeReader) => void;
  #last: Steps["newest"];
  #isOver = false;
  /** Those who asked for the next change and wait for it. */
  readonly #waiting: ((result: Result) => void)[] = [];

  /** @param ended told once, when there will be no more */
  constructor(
    steps: Steps,
    signal: AbortSignal | undefined,
    ended: (reader: ChangeReader) => void,
  ) {
    this.#steps = steps;
    this.#last = steps.newest;
    this.#signal = signal;
    this.#ended = ended;
    if (signal?.aborted) this.end();
    else signal?.addEventListener("abort", this.end);
  }

  /** Gives the newest change to who waits. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const result = this.#take();
      if (result === undefined) return;
      this.#waiting.shift()!(result);
    }
  }

  readonly end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.end);
    this.#ended(this);
    this.wake();
  };

  next(): Promise<Result> {
    const result = this.#waiting.length === 0 ? this.#take() : undefined;
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<Result> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): Result | undefined {
    if (this.#isOver) return { done: true, value: undefined };
    const before = this.#last;
    if (this.#steps.newest.value === before.value) return undefined;
    const changeSet = this.#steps.since(before);
    this.#last = this.#steps.newest;
    return changeSet.changes.length === 0 ? undefined : { done: false, value: changeSet };
  }
}
