import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { revertPauseMs } from "../../core/limits.ts";
import type { Host } from "../../host/host.ts";
import type { StoredGeneration } from "../../store/store.ts";
import { assertWithin, closed, nothingWaits, takenOver, waits } from "./error.ts";
import { type BaseGeneration, HeldIntent, type IntentStore, jsonOf, newIntent } from "./intent.ts";
import { leftBehind } from "./recovery.ts";
import { type ConfirmationState, type PendingConfirmation, type Waiting, whyNot } from "./state.ts";
import { Queue } from "../queue.ts";

/** What a confirmation works with. */
export interface ConfirmationParts {
  /** As messages call the config. */
  readonly name: string;
  readonly host: Host;
  readonly store: IntentStore;
  readonly warn: (message: string) => void;
  /**
   * Stores the content of the base as the next generation.
   *
   * @throws `CONFLICT` where the generation that waits is not the newest any more: then it is not tried again
   */
  readonly revert: (base: BaseGeneration, pending: PendingConfirmation) => Promise<void>;
}

/** What becomes of a generation that was taken back, or was to be. */
export type Reverted = "reverted" | "superseded" | "failed" | "settled";

/**
 * A generation that is taken back unless somebody confirms it in time. That it waits is kept beside the document before it is
 * stored, so that whoever opens it after a crash takes it back. One at a time: while one waits, no other may begin.
 *
 * The order is {@link begin}, then the commit, then {@link arm}; or {@link drop} where the commit did not come about.
 */
export class Confirmation {
  readonly #parts: ConfirmationParts;
  /** What is decided is decided in the order of the calls. */
  readonly #decisions: Queue = new Queue();
  #isClosed = false;
  #confirmed: number | undefined;
  #state: ConfirmationState = { kind: "none", why: "that nothing was applied that would wait" };
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: ConfirmationParts) {
    this.#parts = parts;
  }

  /** What waits to be confirmed, or is being taken back; undefined where nothing does. */
  get pending(): PendingConfirmation | undefined {
    return "waiting" in this.#state ? this.#state.waiting.pending : undefined;
  }

  /**
   * Keeps durably that a document is about to be stored which is to be confirmed.
   *
   * @param base the generation to come back to, which is the newest
   * @param document what is about to be stored; undefined for a removal
   * @param withinMs how long it will wait, in milliseconds
   * @throws `CONFLICT` where another one waits already, `UNSUPPORTED` for a time that cannot be, and whatever the store throws
   */
  async begin(
    base: BaseGeneration,
    document: Json | undefined,
    withinMs: number,
  ): Promise<void> {
    const { host, store, name } = this.#parts;
    assertWithin(name, withinMs);
    if (this.#isClosed) throw closed(name);
    if (this.#state.kind !== "none") {
      throw waits(name, base.generation, this.pending?.generation ?? base.generation + 1);
    }
    const before = this.#state;
    this.#state = { kind: "beginning" };
    try {
      const found = await leftBehind(this.#parts, base);
      const intent = newIntent(host, base, document, withinMs);
      if (!await store.writeIntent(jsonOf(intent), found)) {
        throw waits(name, base.generation, base.generation + 1);
      }
      const held = new HeldIntent(host, store, intent);
      const waiting: Waiting = { base, withinMs, held };
      this.#state = { kind: "begun", waiting };
      if (this.#isClosed) held.letGo();
      // A commit may take longer than others wait for a sign of life.
      void held.live(() => this.#lose(waiting));
    } catch (error) {
      this.#state = before;
      throw error;
    }
  }

  /** Starts the time: the document is stored as a generation. */
  async arm(generation: number): Promise<void> {
    const { host, warn } = this.#parts;
    if (this.#state.kind !== "begun") return;
    const { waiting } = this.#state;
    const { base, withinMs, held } = waiting;
    const untilMs = host.monotonic() + withinMs;
    waiting.pending = { generation, base: base.generation, untilMs };
    this.#state = { kind: "armed", waiting };
    this.#running = this.#expire(waiting);
    try {
      if (!await held.beat(generation)) this.#lose(waiting);
    } catch (error) {
      // Until a beat says so, it is known by its document.
      warn(
        `${
          (error as Error).message
        }; generation ${generation} is taken back if it is not confirmed, all the same`,
      );
    }
  }

  /**
   * Goes on after a commit of which nobody could tell whether it came about.
   *
   * @param stored the newest generation; undefined where there is none
   */
  async settle(stored: StoredGeneration | undefined): Promise<void> {
    if (this.#state.kind !== "begun") return;
    const { waiting } = this.#state;
    if (stored !== undefined && waiting.held.isAbout(stored)) await this.arm(stored.generation);
    // It may have come about all the same: what is kept stays, for whoever opens it next.
    else this.#end(waiting, "that nobody can tell whether what was applied is stored");
  }

  /** Whether a generation waits no more, since it was confirmed or written over. */
  async isConfirmed(generation: number): Promise<boolean> {
    await this.#decisions.idle();
    return this.#confirmed === generation;
  }

  /**
   * Confirms what waits.
   *
   * @returns its generation
   * @throws `NOT_FOUND` where nothing waits, or not any more, and whatever the store throws: then it still waits
   */
  async confirm(): Promise<number> {
    return await this.#decisions.run(async () => {
      const { name } = this.#parts;
      if (this.#state.kind !== "armed") throw nothingWaits(name, whyNot(this.#state));
      const { waiting } = this.#state;
      if (!await waiting.held.remove()) {
        this.#lose(waiting);
        throw nothingWaits(name, whyNot(this.#state));
      }
      const { generation } = waiting.pending!;
      this.#confirmed = generation;
      this.#end(waiting, `that generation ${generation} is confirmed already`);
      return generation;
    });
  }

  /**
   * Takes back what waits, at once. It must not be waited for where a commit is under way, since it makes one.
   *
   * @param reason in words: "its health check failed"
   */
  async fail(reason: string): Promise<Reverted> {
    const state = this.#state;
    if (state.kind === "armed") return await this.#takeBack(state.waiting, reason);
    // Its time may have ended first, and it is on its way back.
    await this.#decisions.idle();
    return "settled";
  }

  /** Forgets what was begun: nothing was stored. */
  async drop(): Promise<void> {
    if (this.#state.kind !== "begun") return;
    const { waiting } = this.#state;
    this.#end(waiting, "that what was applied was not stored");
    // What is left says nothing: its generation never came.
    await waiting.held.remove().catch(() => {});
  }

  /**
   * Somebody stored a newer generation: whoever did so knew of the one that waits, which is thereby confirmed.
   *
   * @param by the newer generation
   */
  async superseded(by: number): Promise<void> {
    // Where it is being taken back, the newer one may be our own.
    if (this.#state.kind !== "armed" || by <= this.pending!.generation) return;
    await this.#decisions.run(async () => {
      if (this.#state.kind === "armed") await this.#supersede(this.#state.waiting);
    });
  }

  /** Stops waiting. What was not confirmed is taken back by whoever opens the config next. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const state = this.#state;
    if ("waiting" in state) state.waiting.held.letGo();
    await this.#running;
    await this.#decisions.idle();
    if ("waiting" in state) await state.waiting.held.idle();
  }

  async #expire(waiting: Waiting): Promise<void> {
    const { withinMs, held: { signal } } = waiting;
    if (!await this.#parts.host.sleep(withinMs, { signal, keepAlive: false })) return;
    await this.#takeBack(waiting, `nobody confirmed it within ${withinMs} ms`);
  }

  /** Takes back, and goes on trying where that fails, without holding up the caller. */
  async #takeBack(waiting: Waiting, reason: string): Promise<Reverted> {
    const first = await this.#decisions.run(async () => {
      const isOurs = this.#state.kind === "armed" && this.#state.waiting === waiting;
      if (!isOurs || this.#isClosed) return "settled";
      this.#state = { kind: "reverting", waiting };
      const { generation, base } = waiting.pending!;
      this.#parts.warn(
        `Generation ${generation} of ${this.#parts.name} is taken back to ${base}, since ${reason}`,
      );
      return await this.#attempt(waiting);
    });
    if (first === "failed") this.#running = this.#tryAgain(waiting);
    return first;
  }

  async #tryAgain(waiting: Waiting): Promise<void> {
    const { signal } = waiting.held;
    const [first, max] = revertPauseMs;
    for (let pauseMs = first;; pauseMs = Math.min(2 * pauseMs, max)) {
      if (!await this.#parts.host.sleep(pauseMs, { signal, keepAlive: false })) return;
      if (await this.#decisions.run(() => this.#attempt(waiting)) !== "failed") return;
    }
  }

  async #attempt(waiting: Waiting): Promise<Reverted> {
    const { name, warn, revert } = this.#parts;
    const { base, held, pending } = waiting;
    // A disk that takes no sign of life may still take the revert.
    if (!await held.beat().catch(() => true)) {
      this.#lose(waiting);
      return "settled";
    }
    try {
      await revert(base, pending!);
    } catch (error) {
      if (isHoldfastError(error, "CONFLICT")) {
        await this.#supersede(waiting);
        return "superseded";
      }
      warn(
        `Cannot take back generation ${pending!.generation} of ${name}: ${
          (error as Error).message
        }; it is tried again, here or when the config is opened next`,
      );
      return "failed";
    }
    this.#end(waiting, `that generation ${pending!.generation} was taken back`);
    // What is left says nothing any more: its generation is not the newest.
    await held.remove().catch(() => {});
    return "reverted";
  }

  async #supersede(waiting: Waiting): Promise<void> {
    const { name, warn } = this.#parts;
    const { generation } = waiting.pending!;
    this.#end(waiting, `that generation ${generation} was written over, which confirmed it`);
    if (!await waiting.held.remove().catch(() => true)) return warn(takenOver(name));
    this.#confirmed = generation;
    warn(
      `Generation ${generation} of ${name} was written over before it was confirmed; it counts as confirmed`,
    );
  }

  /** Another process took this one for dead. */
  #lose(waiting: Waiting): void {
    const isOurs = "waiting" in this.#state && this.#state.waiting === waiting;
    if (!isOurs) return;
    this.#end(waiting, "that another process took this one for dead, and settled it");
    this.#parts.warn(takenOver(this.#parts.name));
  }

  #end({ held }: Waiting, why: string): void {
    held.letGo();
    this.#state = { kind: "none", why };
  }
}
