import type { Cause } from "../core/cause.ts";
import { diff } from "../core/diff.ts";
import { type HoldfastError, isHoldfastError } from "../core/error.ts";
import { conflictAttemptsMax } from "../core/limits.ts";
import type { Host } from "../host/host.ts";
import { changeSetOf } from "./change_set.ts";
import { compose } from "./compose.ts";
import type { Edit } from "./edit.ts";
import type { Engine } from "./engine.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Queue } from "./queue.ts";
import { isOfOtherLayers, refusedContent } from "./refusal.ts";
import type { ChangeSet } from "./reports.ts";
import type { WriteOptions } from "./write_options.ts";
import type { Prepared } from "./running.ts";
import { writtenIn } from "../source/layers.ts";
import {
  conflict,
  expired,
  reject,
  resolve,
  type WaitingCall,
  type WriteOutcome,
} from "./waiting_call.ts";

/** What a writer works with. */
export interface WriterParts {
  readonly name: string;
  readonly engine: Engine;
  readonly queue: Queue;
  readonly pipeline: Pipeline;
  readonly host: Host;
  readonly actor: string | undefined;
  readonly timeoutMs: number;
}

/**
 * Brings writes to the store. Calls that wait when a commit begins share it: they are applied in order, and each is
 * answered once all are durable. One that fails is refused alone; one with an expected generation does not share.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #waiting: WaitingCall[] = [];
  readonly #inFlight = new Set<WaitingCall>();
  #scheduled = false;
  /** Those whose change may be on its way into the store. */
  #storing: readonly WaitingCall[] = [];
  #closed: HoldfastError | undefined;
  #guard: Promise<void> | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Queues a write. */
  submit(edit: Edit, options: WriteOptions): Promise<WriteOutcome> {
    const { host, timeoutMs, actor } = this.#parts;
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        edit,
        expected: options.expectedGeneration,
        actor: options.actor ?? actor,
        reason: options.reason,
        deadlineMs: host.monotonic() + timeoutMs,
        resolve,
        reject,
        settled: false,
        stored: false,
      });
      this.#schedule();
      this.#guard ??= this.#watchDeadlines();
    });
  }

  /** Refuses what still waits; what is under way goes on. */
  close(error: HoldfastError): void {
    this.#closed = error;
    for (const call of this.#waiting.splice(0)) reject(call, error);
  }

  /** One batch at a time, so that looks at the source get their turn however many writes come. */
  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    void this.#parts.queue.run(() => this.#next());
  }

  async #next(): Promise<void> {
    this.#scheduled = false;
    const calls = this.#nextBatch();
    for (const call of calls) this.#inFlight.add(call);
    try {
      await this.#commit(calls);
    } catch (error) {
      for (const call of this.#inFlight) reject(call, error);
    } finally {
      await this.#parts.engine.abandon();
      this.#inFlight.clear();
      this.#schedule();
    }
  }

  #nextBatch(): WaitingCall[] {
    const alone = this.#waiting.findIndex(({ edit, expected }) => {
      return expected !== undefined || edit.alone !== undefined;
    });
    return this.#waiting.splice(0, alone === -1 ? this.#waiting.length : Math.max(alone, 1));
  }

  async #commit(batch: readonly WaitingCall[]): Promise<void> {
    const { engine } = this.#parts;
    let calls = batch;
    for (let attempt = 1;; attempt++) {
      await this.#checkExpectation(calls);
      await this.#refuseUnread(calls);
      const waiting = calls.filter((call) => !call.settled);
      const composed = await compose(this.#parts, waiting, reject);
      const accepted = composed?.accepted.filter((call) => !call.settled) ?? [];
      if (composed === undefined || accepted.length === 0) return;
      // A deadline passed while the schema was asked: compose again without that call.
      if (accepted.length < composed.accepted.length) continue;
      this.#putBack(calls.filter((call) => !call.settled && !accepted.includes(call)));
      calls = accepted;
      const { prepared, calls: named } = composed;
      const how = accepted[0]!.edit.alone;
      how?.check?.(prepared);
      const cause: Cause = { origin: how?.origin ?? "commit", calls: named };
      try {
        const changeSet = await this.#isStored(prepared, how)
          ? unchanged(this.#parts, cause)
          : await this.#store(prepared, cause, accepted);
        const { snapshot } = engine.running;
        for (const call of accepted) resolve(call, { snapshot, changeSet });
        return;
      } catch (error) {
        // What could not be taken back is not to be tried again.
        const staysStored = accepted[0]!.stored && engine.refusal !== undefined;
        const isOfSome = isHoldfastError(error, "RELOAD_REFUSED") && accepted.length > 1;
        if (isOfSome && !staysStored) {
          return await this.#commitEach(accepted);
        }
        // What was planned, or waits to be confirmed already, does not change by trying again.
        const isFinal = how?.pledge !== undefined || attempt >= conflictAttemptsMax;
        if (!isHoldfastError(error, "CONFLICT") || isFinal) throw error;
        await this.#lookAgain();
        // What is there cannot be read, or must not be replaced: it will not be any better in a moment.
        const { refusal } = engine;
        if (refusal !== undefined && refusedContent(refusal) === undefined) throw refusal.error;
      }
    }
  }

  /** A module refuses what they come to together: which of them it means comes out one by one. */
  async #commitEach(calls: readonly WaitingCall[]): Promise<void> {
    for (const call of calls) call.stored = false;
    this.#guard ??= this.#watchDeadlines();
    for (const call of calls) {
      if (!call.settled) await this.#commit([call]).catch((error) => reject(call, error));
    }
  }

  /** Those for which there was no time go first in the next commit. */
  #putBack(calls: readonly WaitingCall[]): void {
    for (const call of calls) {
      this.#inFlight.delete(call);
      if (this.#closed !== undefined) reject(call, this.#closed);
    }
    this.#waiting.unshift(...calls.filter((call) => !call.settled));
  }

  /** The newest generation, if another process stored it and this one turned it down. */
  get #refusedGeneration(): number | undefined {
    const { refusal, running } = this.#parts.engine;
    const isOthers = isOfOtherLayers(refusal, running.loaded);
    const refused = isOthers ? undefined : refusedContent(refusal);
    // A broken edit may stand over it.
    const isNewer = (refused?.generation ?? 0) > running.snapshot.generation;
    return refused?.record !== undefined || isNewer ? refused!.generation : undefined;
  }

  /** What another process stored is not to be lost to a change that was computed from what was there before. */
  async #refuseUnread(calls: readonly WaitingCall[]): Promise<void> {
    const { engine, name } = this.#parts;
    if (this.#refusedGeneration === undefined) return;
    await this.#lookAgain();
    const refused = this.#refusedGeneration;
    if (refused === undefined) return;
    for (const call of calls) {
      const { checked, alone } = call.edit;
      const isWhole = checked !== undefined || alone !== undefined;
      if (!isWhole) reject(call, conflict(name, engine.running.snapshot.generation, refused));
    }
  }

  async #store(
    prepared: Prepared,
    cause: Cause,
    calls: readonly WaitingCall[],
  ): Promise<ChangeSet> {
    const how = calls[0]!.edit.alone;
    try {
      return await this.#parts.engine.commit(prepared, cause, how, {
        waits: (isWaiting) => {
          this.#storing = isWaiting ? [] : calls;
          // One that was told that nothing was stored must not be among them.
          return calls.every((call) => !call.settled);
        },
        stored: () => {
          for (const call of calls) call.stored = true;
        },
      });
    } catch (error) {
      // What is there now decides what the next write starts from.
      if (isHoldfastError(error, "COMMIT_UNKNOWN")) await this.#lookAgain();
      throw error;
    } finally {
      this.#storing = [];
    }
  }

  /**
   * Whether the store holds the very document already, by a look at it and not from memory.
   *
   * @throws `CONFLICT` when it turned out to hold something else than what the document was computed from
   */
  async #isStored({ changes, document: wanted }: Prepared, how: Edit["alone"]): Promise<boolean> {
    const { engine, name } = this.#parts;
    const { loaded, document } = engine.running;
    const isThere = how?.removes === true
      ? loaded.document === undefined
      : changes.length === 0 && loaded.document !== undefined;
    if (!isThere || engine.refusal !== undefined) return false;
    // The same document may have been written in another way. One of an older version is written anew.
    const { restores } = how ?? {};
    const isExact = restores?.document !== undefined &&
      diff(restores.document, wanted).length === 0;
    if (isExact && restores.hash !== writtenIn(loaded).hash) return false;
    // What runs was migrated in memory; the store holds the old version still.
    if (how?.removes !== true && diff(loaded.document, document).length > 0) return false;
    await this.#lookAgain();
    const { hash, generation } = engine.running.loaded;
    if (engine.refusal === undefined && hash === loaded.hash && generation === loaded.generation) {
      return true;
    }
    throw conflict(name, loaded.generation, generation);
  }

  async #checkExpectation([first]: readonly WaitingCall[]): Promise<void> {
    const { engine, name } = this.#parts;
    const expected = first?.expected;
    const stored = () => this.#refusedGeneration ?? engine.running.snapshot.generation;
    if (expected === undefined || expected === stored()) return;
    // The caller may have heard of a generation that was not noticed here yet.
    await this.#lookAgain();
    if (expected === stored()) return;
    throw conflict(name, expected, stored());
  }

  async #lookAgain(): Promise<void> {
    // What is turned down there is kept by the engine, and the next commit takes it into account.
    await this.#parts.engine.look().catch(() => {});
  }

  async #watchDeadlines(): Promise<void> {
    const { host } = this.#parts;
    await Promise.resolve();
    for (;;) {
      // All calls may wait equally long, so the oldest comes first.
      const oldest = [...this.#inFlight, ...this.#waiting].find((call) => {
        return !call.settled && !call.stored;
      });
      if (oldest === undefined) break;
      const waitMs = oldest.deadlineMs - host.monotonic();
      if (waitMs <= 0) this.#expire(oldest);
      else await host.sleep(waitMs, { keepAlive: false });
    }
    this.#guard = undefined;
  }

  #expire(call: WaitingCall): void {
    const { name, timeoutMs } = this.#parts;
    const waiting = this.#waiting.indexOf(call);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    reject(call, expired(name, timeoutMs, this.#storing.includes(call)));
  }
}

/** The change set of a write that found everything as it was to be. */
function unchanged({ name, engine }: WriterParts, cause: Cause): ChangeSet {
  const { snapshot } = engine.running;
  return changeSetOf(name, snapshot, snapshot, [], cause);
}
