import type { Annotations } from "../../core/annotation.ts";
import { deepEqual } from "../../core/equal.ts";
import { busyMsMax } from "../../core/limits.ts";
import { isPromise } from "../../core/promise.ts";
import { reasonOf } from "../../core/reason.ts";
import type { Host } from "../../host/host.ts";
import type { Reporter } from "../reporter.ts";
import type { ChangeSet, Snapshot } from "../reports.ts";
import type { Steps } from "./steps.ts";
import type { Immediate, SubscribeOptions } from "../types.ts";

/** Called after a change with the selected part and what it was. */
export type AnyListener = (
  next: unknown,
  previous: unknown,
  changeSet: ChangeSet | undefined,
) => unknown;

/** What one subscriber wants. */
export interface Subscription {
  readonly select: (value: unknown) => unknown;
  readonly listener: AnyListener;
  readonly options: SubscribeOptions & Partial<Immediate>;
}

/** What subscribers of one config share. */
export interface Surroundings {
  readonly steps: Steps;
  /** Of the config, for messages. */
  readonly name: string;
  readonly host: Host;
  readonly reporter: Reporter;
  readonly annotations: Annotations | undefined;
}

/** One subscriber: busy from a call until what its listener answered has settled, and called no more meanwhile. */
export class Subscriber {
  readonly #subscription: Subscription;
  readonly #around: Surroundings;
  /** The last one whose part it has: each call tells the difference from this. */
  #last: Snapshot<unknown>;
  /** The part of that, once it was selected. */
  #part: { readonly value: unknown } | undefined;
  /** What was last considered for it. */
  #seen: Snapshot<unknown>;
  #busy: AbortController | undefined;
  #ended = false;

  constructor(subscription: Subscription, around: Surroundings) {
    this.#subscription = subscription;
    this.#around = around;
    this.#last = this.#seen = around.steps.newest;
  }

  /** Calls it with what is there, in the caller's own turn, so that it can rely on what the listener sets up. */
  greet(): void {
    this.#call(() => {
      const value = this.#subscription.select(this.#last.value);
      this.#part = { value };
      return [value, undefined, undefined];
    });
  }

  /** Calls it if the part that it selects is another one than it last got. */
  wake(): void {
    const { newest } = this.#around.steps;
    if (this.#ended || this.#busy !== undefined || this.#seen === newest) return;
    this.#seen = newest;
    if (newest.value !== this.#last.value) this.#call(() => this.#changeTo(newest));
  }

  /** It is called no more. */
  end(): void {
    this.#ended = true;
    this.#busy?.abort();
  }

  #changeTo(next: Snapshot<unknown>): Parameters<AnyListener> | undefined {
    const { select, options: { equals = deepEqual } } = this.#subscription;
    const after = select(next.value);
    if (this.#part !== undefined && equals(after, this.#part.value)) return this.#pass(next, after);
    // Once more, since a listener may have written to what a selector built for it.
    const before = this.#selectLast();
    this.#part = { value: before };
    if (equals(after, before)) return this.#pass(next, after);
    const changeSet = this.#around.steps.since(this.#last);
    this.#last = next;
    this.#part = { value: after };
    return [after, before, changeSet];
  }

  /** Lets a snapshot pass by. Its part is as good as the last one, unless an equality of its own would let it drift. */
  #pass(next: Snapshot<unknown>, part: unknown): undefined {
    if (this.#subscription.options.equals !== undefined) return;
    this.#last = next;
    this.#part = { value: part };
  }

  /** A part that cannot be selected is none. */
  #selectLast(): unknown {
    try {
      return this.#subscription.select(this.#last.value);
    } catch {
      return undefined;
    }
  }

  #call(prepare: () => Parameters<AnyListener> | undefined): void {
    try {
      const parameters = prepare();
      // A selector, too, may end its subscription.
      if (parameters === undefined || this.#ended) return;
      const answer = this.#subscription.listener(...parameters);
      if (isPromise(answer)) this.#waitFor(answer);
    } catch (error) {
      this.#tell(error);
    }
  }

  #waitFor(answer: PromiseLike<unknown>): void {
    const busy = this.#busy = new AbortController();
    if (this.#ended) busy.abort();
    const settled = () => {
      busy.abort();
      this.#busy = undefined;
      this.wake();
    };
    Promise.resolve(answer).catch((error) => this.#tell(error)).then(settled);
    void this.#tellBusy(busy.signal);
  }

  async #tellBusy(signal: AbortSignal): Promise<void> {
    const { host, reporter, name } = this.#around;
    if (!await host.sleep(busyMsMax, { signal, keepAlive: false })) return;
    reporter.error(
      `A subscriber of ${name} has been busy with one change for ${busyMsMax} ms; ` +
        "it gets no other until its promise settles",
    );
  }

  #tell(error: unknown): void {
    const { reporter, name, steps, annotations } = this.#around;
    const values = [this.#last.value, steps.newest.value];
    const reason = reasonOf(error, values, annotations);
    reporter.error(`A subscriber of ${name} threw: ${reason}; it stays subscribed`);
  }
}
