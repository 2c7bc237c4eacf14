import type { Module } from "../config/module.ts";
import type { Attachment, Reconfiguration, Step } from "../config/reconfigurer.ts";
import type { Snapshot } from "../config/reports.ts";
import { type ChangePlan, type ConcernedModule, reasonsIn } from "../core/plan.ts";
import type { CallParts, Failure, Outcome } from "./attempt.ts";
import type { Builder } from "./full_reload.ts";
import type { Handover, ModuleCalls } from "./module_calls.ts";
import { beingClosed, failedIn, refusedBy } from "./refused.ts";

/** What carries changes out. */
export interface TransitionParts {
  readonly attachment: Attachment;
  readonly calls: ModuleCalls;
  readonly builder: Builder | undefined;
  readonly reasonOf: CallParts["reasonOf"];
  /** Called when it is over, whatever came of it. */
  readonly ended: (isCarriedOut: boolean) => void;
}

/** A module in the middle of a change. */
interface Participant extends ConcernedModule<Module<unknown>> {
  /** Aborted when nothing comes of the change for it. */
  readonly control: AbortController;
  prepared: unknown;
}

interface Failed extends Failure {
  readonly participant: Participant;
}

/** One change on its way over the modules: asked, then carried out or abandoned. */
export class Transition implements Reconfiguration {
  readonly #parts: TransitionParts;
  readonly #step: Step;
  readonly #participants: readonly Participant[];
  readonly #isFull: boolean;
  #isOver = false;

  constructor(parts: TransitionParts, step: Step, plan: ChangePlan<Module<unknown>>) {
    this.#parts = parts;
    this.#step = step;
    this.#isFull = reasonsIn(plan).length > 0 || parts.builder?.isDown === true;
    this.#participants = plan.concerned
      .filter(({ fate }) => fate === "reconfigure" || fate === "fixed")
      .map((concerned) => ({ ...concerned, control: new AbortController(), prepared: undefined }));
    const { closing } = parts.attachment;
    closing.addEventListener("abort", this.#close);
    if (closing.aborted) this.#close();
  }

  /**
   * Asks all modules side by side, since none of them changes anything yet.
   *
   * @throws `RELOAD_REFUSED` where one refuses; the others are then told to let go
   */
  async ask(): Promise<void> {
    try {
      await this.#askAll();
    } catch (error) {
      this.#end(false, error);
      throw error;
    }
    // The program will be built anew: all that was wanted of them was whether they agree.
    if (this.#isFull) this.#letGo(new Error("the program is built anew instead"));
  }

  /** Ends when every module has answered, or was given up. */
  async #askAll(): Promise<void> {
    const { calls, attachment: { name } } = this.#parts;
    let refusal: Error | undefined;
    await Promise.all(this.#participants.map(async (participant) => {
      const outcome = await calls.prepare(participant, this.#forth(participant));
      if (outcome.isDone) return void (participant.prepared = outcome.value);
      refusal ??= refusedBy(
        name,
        participant.module.name,
        this.#parts.reasonOf(outcome.cause),
        outcome.cause,
      );
      this.#letGo(refusal);
    }));
    if (refusal !== undefined) throw refusal;
  }

  abandon(): void {
    this.#end(false, new Error("the change was not made"));
  }

  async carryOut(next: Snapshot<unknown>, swap: () => void): Promise<void> {
    try {
      await (this.#isFull ? this.#build(next, swap) : this.#reconfigure(next, swap));
      this.#end(true);
    } catch (error) {
      this.#end(false, error);
      throw error;
    }
  }

  /** Has one module after the other take its part over, all in one turn where none gives a promise. */
  async #reconfigure(next: Snapshot<unknown>, swap: () => void): Promise<void> {
    const reached: Participant[] = [];
    for (const participant of this.#participants) {
      const { calls } = this.#parts;
      const isCalled = !participant.control.signal.aborted;
      const forth = this.#forth(participant, next);
      const answer = calls.reconfigure(participant, forth);
      const outcome: Outcome = answer instanceof Promise ? await answer : answer;
      if (outcome.isDone) {
        reached.unshift(participant);
        continue;
      }
      const failed = { ...outcome, participant };
      if (isCalled) calls.doubt(participant.module, forth, outcome);
      const stuck = this.#takeBack(reached, outcome.cause);
      return await this.#fallBack(
        failed,
        stuck instanceof Promise ? await stuck : stuck,
        next,
        swap,
      );
    }
    swap();
  }

  /**
   * Has modules take their old parts over again.
   *
   * @returns the names of those that could not
   */
  #takeBack(reached: readonly Participant[], cause: unknown): string[] | Promise<string[]> {
    const waiting = this.#participants.filter((participant) => !reached.includes(participant));
    for (const { control } of waiting) control.abort(cause);
    const stuck: string[] = [];
    const goOn = (from: number): string[] | Promise<string[]> => {
      for (let index = from; index < reached.length; index++) {
        const { module, control, before, after } = reached[index]!;
        const back: Handover = { next: before, previous: after, snapshot: this.#step.previous };
        const conclude = (isBack: boolean) => {
          if (!isBack) stuck.push(module.name);
          // Only now, so that what was built for the change was in use no longer.
          control.abort(cause);
        };
        const answer = this.#parts.calls.takeBack(module, back);
        if (answer instanceof Promise) {
          return answer.then(conclude).then(() => goOn(index + 1));
        }
        conclude(answer);
      }
      return stuck;
    };
    return goOn(0);
  }

  /** A module that fails is a full reload, where there is one. */
  async #fallBack(
    { participant: { module }, cause }: Failed,
    stuck: readonly string[],
    next: Snapshot<unknown>,
    swap: () => void,
  ): Promise<void> {
    const { builder, reasonOf, attachment: { name, closing, reporter } } = this.#parts;
    const what = `module ${JSON.stringify(module.name)}`;
    const reason = reasonOf(cause);
    const told = { module: module.name, what, reason, cause };
    if (builder === undefined || closing.aborted) {
      throw failedIn(name, told, outcomeOf(stuck), stuck.length === 0);
    }
    reporter.warn(
      `${what} of ${name} failed to take its part over (${reason}); tries a full reload`,
    );
    const failure = await builder.reload(next, this.#step.previous, swap);
    if (failure === undefined) return this.#parts.calls.forget();
    // The same program cannot be trusted where a module of it could not be taken back.
    const isAnew = failure.keepsOld
      ? stuck.length > 0 && await this.#buildOld(builder, next)
      : !builder.isDown;
    if (isAnew) this.#parts.calls.forget();
    const isUndone = isAnew || (failure.keepsOld && stuck.length === 0);
    throw failedIn(
      name,
      told,
      `${failure.what} failed too (${reasonOf(failure.cause)}), and ${outcomeOfBuild(builder)}`,
      isUndone,
    );
  }

  async #buildOld(builder: Builder, failed: Snapshot<unknown>): Promise<boolean> {
    return await builder.reload(this.#step.previous, failed, () => {}) === undefined;
  }

  async #build(next: Snapshot<unknown>, swap: () => void): Promise<void> {
    const { attachment: { name, closing }, builder, calls, reasonOf } = this.#parts;
    if (closing.aborted) {
      const cause = beingClosed();
      throw failedIn(
        name,
        { what: "the full reload", reason: cause.message, cause },
        "all is as it was",
        true,
      );
    }
    const failure = await builder!.reload(next, this.#step.previous, swap);
    if (failure === undefined) return calls.forget();
    if (!failure.keepsOld && !builder!.isDown) calls.forget();
    const reason = reasonOf(failure.cause);
    throw failedIn(name, { ...failure, reason }, outcomeOfBuild(builder!), !builder!.isDown);
  }

  #forth(
    { before, after, prepared }: Participant,
    snapshot: Snapshot<unknown> = this.#step.next,
  ): Handover {
    return { next: after, previous: before, snapshot, prepared };
  }

  #letGo(reason: unknown): void {
    for (const { control } of this.#participants) control.abort(reason);
  }

  #end(isCarriedOut: boolean, reason?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.attachment.closing.removeEventListener("abort", this.#close);
    if (!isCarriedOut) this.#letGo(reason);
    this.#parts.ended(isCarriedOut);
  }

  readonly #close = (): void => this.#letGo(beingClosed());
}

function outcomeOf(stuck: readonly string[]): string {
  if (stuck.length === 0) {
    return "the others were taken back, and all is as it was: mend the module";
  }
  const names = stuck.map((name) => JSON.stringify(name)).join(", ");
  return `${names} could not be taken back and may hold another part than the others: see the log`;
}

function outcomeOfBuild({ isDown }: Builder): string {
  return isDown
    ? "the old program could not be started again: nothing may serve, so mend that at once"
    : "the old program serves: mend what failed, or store something else";
}
