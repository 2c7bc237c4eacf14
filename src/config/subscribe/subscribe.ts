import type { Annotations } from "../../core/annotation.ts";
import { holdfastError } from "../../core/error.ts";
import type { Host } from "../../host/host.ts";
import { ChangeReader } from "./change_reader.ts";
import type { Reporter } from "../reporter.ts";
import type { ChangeSet, Snapshot } from "../reports.ts";
import { Steps } from "./steps.ts";
import {
  type AnyListener,
  Subscriber,
  type Subscription,
  type Surroundings,
} from "./subscriber.ts";

/**
 * Brings snapshots to subscribers, each at its own pace: while one is busy, snapshots pass by, and then it gets the newest
 * with the difference from what it last got. Nothing here runs during a change.
 */
export class Subscribers {
  readonly #around: Surroundings;
  readonly #steps: Steps;
  /** What ends each of them stands beside it. */
  readonly #all = new Map<Subscriber, () => void>();
  readonly #readers = new Set<ChangeReader>();
  #isWaking = false;
  #closed = false;

  constructor(
    first: Snapshot<unknown>,
    name: string,
    reporter: Reporter,
    host: Host,
    annotations?: Annotations,
  ) {
    this.#steps = new Steps(first, name);
    this.#around = { steps: this.#steps, name, host, reporter, annotations };
  }

  /** Takes note of a new snapshot and of what changed from the one before. */
  publish(snapshot: Snapshot<unknown>, changeSet: ChangeSet): void {
    this.#steps.add(snapshot, changeSet);
    if (this.#isWaking) return;
    this.#isWaking = true;
    // One turn for all of them: most have nothing to be told.
    queueMicrotask(() => {
      this.#isWaking = false;
      for (const subscriber of this.#all.keys()) subscriber.wake();
      for (const reader of this.#readers) reader.wake();
    });
  }

  /** Adds a subscriber; the answer removes it. */
  add(subscription: Subscription): () => void {
    const { signal, immediate } = subscription.options;
    if (this.#closed || signal?.aborted) return () => {};
    const subscriber = new Subscriber(subscription, this.#around);
    const stop = () => {
      subscriber.end();
      this.#all.delete(subscriber);
      signal?.removeEventListener("abort", stop);
    };
    signal?.addEventListener("abort", stop);
    this.#all.set(subscriber, stop);
    if (immediate) subscriber.greet();
    return stop;
  }

  /** The changes from now on, several as one for a slow reader. */
  changes(signal: AbortSignal | undefined): AsyncIterableIterator<ChangeSet> {
    const reader = new ChangeReader(this.#steps, signal, (ended) => this.#readers.delete(ended));
    if (this.#closed) reader.end();
    else if (!signal?.aborted) this.#readers.add(reader);
    return reader;
  }

  /** Calls nobody any more and ends every iteration. */
  close(): void {
    this.#closed = true;
    for (const stop of [...this.#all.values()]) stop();
    for (const reader of [...this.#readers]) reader.end();
  }
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
