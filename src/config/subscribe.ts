import { diff } from "../core/diff.ts";
import { holdfastError } from "../core/error.ts";
import { changeSetOf } from "./change_set.ts";
import type { Reporter } from "./reporter.ts";
import type { ChangeSet, Snapshot } from "./reports.ts";
import type { Immediate, SubscribeOptions } from "./types.ts";

/** Called after a change with the selected part and what it was. */
type AnyListener = (next: unknown, previous: unknown, changeSet: ChangeSet | undefined) => unknown;

/** What one subscriber wants. */
export interface Subscription {
  readonly select: (value: unknown) => unknown;
  readonly listener: AnyListener;
  readonly options: SubscribeOptions & Partial<Immediate>;
}

// Bounds what is remembered for subscribers that are slow.
const stepsMax = 100;

interface Step {
  readonly before: Snapshot<unknown>;
  readonly changeSet: ChangeSet;
}

/**
 * Brings snapshots to subscribers, each at its own pace: while one is busy, snapshots pass by, and then it gets the newest
 * with the difference from what it last got. Nothing here runs during a change.
 */
export class Subscribers {
  readonly #reporter: Reporter;
  readonly #name: string;
  readonly #all = new Set<Subscriber>();
  readonly #readers = new Set<Reader>();
  #newest: Snapshot<unknown>;
  /** The last ones; the very last is what most subscribers have to be told. */
  readonly #steps: Step[] = [];
  #closed = false;

  constructor(first: Snapshot<unknown>, name: string, reporter: Reporter) {
    this.#newest = first;
    this.#name = name;
    this.#reporter = reporter;
  }

  /** Takes note of a new snapshot and of what changed from the one before. */
  publish(snapshot: Snapshot<unknown>, changeSet: ChangeSet): void {
    this.#steps.push({ before: this.#newest, changeSet });
    if (this.#steps.length > stepsMax) this.#steps.shift();
    this.#newest = snapshot;
    for (const subscriber of this.#all) this.#wake(subscriber);
    for (const reader of this.#readers) reader.wake();
  }

  /** Adds a subscriber; the answer removes it. */
  add(subscription: Subscription): () => void {
    const { signal, immediate } = subscription.options;
    const stop = () => {
      this.#all.delete(subscriber);
      signal?.removeEventListener("abort", stop);
    };
    const now = this.#newest;
    const subscriber: Subscriber = { subscription, last: now, seen: now, busy: false, stop };
    if (this.#closed || signal?.aborted) return stop;
    signal?.addEventListener("abort", stop);
    this.#all.add(subscriber);
    if (immediate) void this.#greet(subscriber);
    return stop;
  }

  /** The changes from now on, several as one for a slow reader. */
  changes(signal: AbortSignal | undefined): AsyncIterableIterator<ChangeSet> {
    let last = this.#newest;
    const reader: Reader = { waiting: [], ended: false, wake: () => {}, end: () => {} };
    const take = (): IteratorResult<ChangeSet> | undefined => {
      if (reader.ended) return { done: true, value: undefined };
      if (this.#newest.value === last.value) return undefined;
      const changeSet = this.#difference(last, this.#newest);
      last = this.#newest;
      if (changeSet.changes.length === 0) return undefined;
      return { done: false, value: changeSet };
    };
    reader.end = () => {
      reader.ended = true;
      reader.wake();
      this.#readers.delete(reader);
      signal?.removeEventListener("abort", reader.end);
    };
    reader.wake = () => {
      while (reader.waiting.length > 0) {
        const result = take();
        if (result === undefined) return;
        reader.waiting.shift()!(result);
      }
    };
    if (this.#closed || signal?.aborted) reader.ended = true;
    else {
      this.#readers.add(reader);
      signal?.addEventListener("abort", reader.end);
    }
    const iterator: AsyncIterableIterator<ChangeSet> = {
      next: () => {
        const result = reader.waiting.length === 0 ? take() : undefined;
        if (result !== undefined) return Promise.resolve(result);
        return new Promise((resolve) => reader.waiting.push(resolve));
      },
      return: () => {
        reader.end();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Calls nobody any more and ends every iteration. */
  close(): void {
    this.#closed = true;
    for (const subscriber of [...this.#all]) subscriber.stop();
    for (const reader of [...this.#readers]) reader.end();
  }

  #difference(before: Snapshot<unknown>, after: Snapshot<unknown>): ChangeSet {
    const { before: last, changeSet } = this.#steps.at(-1)!;
    if (before === last && after === this.#newest) return changeSet;
    const { origin } = changeSet;
    // Where it is not known any more who did all of it, nobody is named.
    const missed = this.#steps.slice(this.#steps.findIndex((step) => step.before === before));
    const isWhole = missed[0]?.before === before && after === this.#newest;
    const calls = isWhole ? missed.flatMap((step) => step.changeSet.calls ?? []) : [];
    const changes = diff(before.value, after.value);
    return changeSetOf(this.#name, before, after, changes, { origin, calls });
  }

  /** Called in the caller's own turn, so that it can rely on what the listener sets up. */
  async #greet(subscriber: Subscriber): Promise<void> {
    const { select } = subscriber.subscription;
    subscriber.busy = true;
    const { value } = subscriber.last;
    await this.#call(subscriber, () => [select(value), undefined, undefined]);
    subscriber.busy = false;
    this.#wake(subscriber);
  }

  #wake(subscriber: Subscriber): void {
    if (!subscriber.busy) void this.#serve(subscriber);
  }

  async #serve(subscriber: Subscriber): Promise<void> {
    subscriber.busy = true;
    await Promise.resolve();
    while (this.#all.has(subscriber) && subscriber.seen !== this.#newest) {
      const previous = subscriber.last;
      const next = this.#newest;
      subscriber.seen = next;
      if (next.value === previous.value) continue;
      await this.#call(subscriber, ({ select, options }) => {
        const before = select(previous.value);
        const after = select(next.value);
        const equal = options.equals ?? deepEqual;
        if (equal(after, before)) return undefined;
        subscriber.last = next;
        return [after, before, this.#difference(previous, next)];
      });
    }
    subscriber.busy = false;
  }

  async #call(
    subscriber: Subscriber,
    prepare: (subscription: Subscription) => Parameters<AnyListener> | undefined,
  ): Promise<void> {
    const { subscription } = subscriber;
    try {
      const call = this.#all.has(subscriber) ? prepare(subscription) : undefined;
      if (call !== undefined) await subscription.listener(...call);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#reporter.error(`A subscriber of ${this.#name} threw: ${reason}; it stays subscribed`);
    }
  }
}

interface Subscriber {
  readonly subscription: Subscription;
  /** What it last got, or what was there when it came: each call tells the difference from this. */
  last: Snapshot<unknown>;
  /** What was last considered for it. */
  seen: Snapshot<unknown>;
  busy: boolean;
  readonly stop: () => void;
}

interface Reader {
  /** Those who asked for the next change and wait for it. */
  readonly waiting: ((result: IteratorResult<ChangeSet>) => void)[];
  ended: boolean;
  wake: () => void;
  end: () => void;
}

/** Tells the two forms of `subscribe` apart. */
export function readSubscription(parameters: readonly unknown[]): Subscription {
  const [first, second, third] = parameters;
  if (typeof first !== "function") {
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot subscribe: found ${typeof first} where a listener or a selector belongs; give a function`,
      { what: "listener" },
    );
  }
  if (typeof second === "function") {
    const select = first as Subscription["select"];
    return {
      select,
      listener: second as AnyListener,
      options: (third ?? {}) as Subscription["options"],
    };
  }
  const options = (second ?? {}) as Subscription["options"];
  return { select: (value) => value, listener: first as AnyListener, options };
}

function deepEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  try {
    return diff(one, other).length === 0;
  } catch {
    return false; // A selector may build what cannot be compared; then it counts as new.
  }
}
