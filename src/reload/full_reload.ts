import type { Snapshot } from "../config/reports.ts";
import { attempt, type CallParts, type Failure, type Outcome } from "./attempt.ts";
import { beingClosed } from "./refused.ts";

/** What the functions of a full reload get besides. */
export interface FullReloadContext {
  /** Aborts when the time is over: come to an end, and let go of what was built. */
  readonly signal: AbortSignal;
}

/** What a program is built with besides. */
export interface BuildContext<Output> extends FullReloadContext {
  /** What runs, or ran. */
  readonly previous: Snapshot<Output>;
}

/**
 * Builds the program for a snapshot, stops the old one and starts the new. Where it fails it is called the other way round, to
 * have the old one run again.
 */
export type FullReload<Output> = (
  snapshot: Snapshot<Output>,
  previous: Snapshot<Output>,
  context: FullReloadContext,
) => unknown;

/** A full reload in steps, so that the old program serves while the new one is built. */
export interface FullReloadSteps<Output, Instance> {
  /** What serves at first, made of the value that runs now. It is not started: do so yourself. */
  readonly instance: Instance;
  /** Makes a candidate that is ready to be started, and takes nothing from the one that serves. */
  build(snapshot: Snapshot<Output>, context: BuildContext<Output>): Instance | Promise<Instance>;
  /** Has one serve; called again for one that was stopped, where the next one does not start. */
  start(instance: Instance, context: FullReloadContext): unknown;
  /** Has one serve no more; called too for one that failed to start, or was never started. */
  stop(instance: Instance): unknown;
}

/** A full reload that was not to be. */
export interface FullFailure {
  /** What failed, in words. */
  readonly what: string;
  readonly cause: unknown;
  /** Whether the very program serves that served before, with what was done to it; otherwise it was built anew. */
  readonly keepsOld: boolean;
}

/** Builds the program anew. */
export interface Builder {
  /** What serves; undefined where nobody told, or nothing does. */
  readonly instance: unknown;
  /** Whether nothing serves, because the old program could not be started again either. */
  readonly isDown: boolean;
  /** @param swap called in the turn in which the new program serves */
  reload(
    next: Snapshot<unknown>,
    previous: Snapshot<unknown>,
    swap: () => void,
  ): Promise<FullFailure | undefined>;
}

/** What both forms have in common: bounded calls, and what comes of those that are late. */
abstract class Calls {
  readonly #parts: CallParts;
  #isDown = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  protected call(work: (signal: AbortSignal) => unknown): Outcome | Promise<Outcome> {
    return this.#call(work, new AbortController());
  }

  /** The same for what need not come to its end once the config is being closed. */
  protected async callUntilClosed(work: (signal: AbortSignal) => unknown): Promise<Outcome> {
    const control = new AbortController();
    const { closing } = this.#parts.attachment;
    const close = () => control.abort(beingClosed());
    closing.addEventListener("abort", close);
    const outcome = await this.#call(work, control);
    closing.removeEventListener("abort", close);
    return outcome;
  }

  #call(
    work: (signal: AbortSignal) => unknown,
    control: AbortController,
  ): Outcome | Promise<Outcome> {
    const { attachment: { host }, timeoutMs } = this.#parts;
    return attempt(() => work(control.signal), { host, timeoutMs, control });
  }

  protected up(): void {
    this.#isDown = false;
  }

  protected warn(what: string, { cause }: Failure): void {
    const { reasonOf, attachment: { reporter, name } } = this.#parts;
    reporter.warn(`At a full reload of ${name}, ${what} (${reasonOf(cause)})`);
  }

  protected down({ cause }: Failure): void {
    const { reasonOf, attachment: { reporter, name } } = this.#parts;
    this.#isDown = true;
    reporter.error(
      `Nothing may serve with ${name}: the old program could not be started again (${
        reasonOf(cause)
      }); ` +
        "the next change will build it anew",
    );
  }

  /** Once a call has ended that was given up, if ever. */
  protected afterwards({ late }: Failure, mend: (outcome: Outcome) => unknown): void {
    const { turns, reasonOf, attachment: { reporter, name } } = this.#parts;
    void late?.then((outcome) => turns.run(async () => void await mend(outcome)))
      .catch((cause: unknown) => {
        reporter.error(`Cannot put a late full reload of ${name} right: ${reasonOf(cause)}`);
      });
  }

  protected get running(): Snapshot<unknown> {
    return this.#parts.running();
  }
}

/** A full reload by one function. */
export class FunctionBuilder extends Calls implements Builder {
  readonly instance: undefined;
  readonly #fullReload: FullReload<unknown>;

  constructor(fullReload: FullReload<unknown>, parts: CallParts) {
    super(parts);
    this.#fullReload = fullReload;
  }

  async reload(
    ...[next, previous, swap]: Parameters<Builder["reload"]>
  ): ReturnType<Builder["reload"]> {
    const answer = this.#run(next, previous);
    const outcome = answer instanceof Promise ? await answer : answer;
    if (outcome.isDone) {
      this.up();
      swap();
      return undefined;
    }
    await this.#bringBack(previous, next);
    return { what: "the full reload", cause: outcome.cause, keepsOld: false };
  }

  async #bringBack(
    running: Snapshot<unknown>,
    failed: Snapshot<unknown>,
    isMend = false,
  ): Promise<void> {
    const back = await this.#run(running, failed, isMend);
    if (back.isDone) this.up();
    else this.down(back);
  }

  /** @param isMend whether it is to put right what came late; it is not tried for ever */
  #run(
    next: Snapshot<unknown>,
    previous: Snapshot<unknown>,
    isMend = false,
  ): Outcome | Promise<Outcome> {
    const answer = this.call((signal) => {
      return this.#fullReload(next, previous, Object.freeze({ signal }));
    });
    if (!(answer instanceof Promise)) return answer;
    return answer.then((outcome) => {
      if (outcome.isDone || outcome.late === undefined) return outcome;
      this.afterwards(outcome, (late) => {
        // What came late is there now, or half of it, whatever was started in the meantime.
        if (late.isDone && next.value === this.running.value) return this.up();
        return late.isDone || !isMend ? this.#bringBack(this.running, next, true) : undefined;
      });
      return outcome;
    });
  }
}

/** A full reload in steps. */
export class StepsBuilder extends Calls implements Builder {
  readonly #steps: FullReloadSteps<unknown, unknown>;
  #instance: unknown;

  constructor(steps: FullReloadSteps<unknown, unknown>, parts: CallParts) {
    super(parts);
    this.#steps = steps;
    this.#instance = steps.instance;
  }

  get instance(): unknown {
    return this.#instance;
  }

  async reload(
    ...[next, previous, swap]: Parameters<Builder["reload"]>
  ): ReturnType<Builder["reload"]> {
    const built = await this.callUntilClosed((signal) => {
      return this.#steps.build(next, Object.freeze({ previous, signal }));
    });
    if (!built.isDone) {
      this.afterwards(built, (late) => late.isDone ? this.#letGo(late.value) : undefined);
      return { what: "building the program anew", cause: built.cause, keepsOld: true };
    }
    const candidate = built.value;
    const old = this.#instance;
    const stopped = this.isDown ? undefined : await this.#stop(old);
    if (stopped?.isDone === false) {
      await this.#letGo(candidate);
      await this.#startAgain(old);
      // It may have stopped what was started again since.
      this.afterwards(stopped, () => this.#instance === old ? this.#startAgain(old) : undefined);
      return { what: "stopping the old program", cause: stopped.cause, keepsOld: true };
    }
    const answer = this.#start(candidate);
    const started = answer instanceof Promise ? await answer : answer;
    if (started.isDone) {
      this.#instance = candidate;
      this.up();
      swap();
      return undefined;
    }
    await this.#letGo(candidate);
    this.afterwards(started, () => this.#letGo(candidate));
    await this.#startAgain(old);
    return { what: "starting the new program", cause: started.cause, keepsOld: true };
  }

  #start(instance: unknown): Outcome | Promise<Outcome> {
    return this.call((signal) => this.#steps.start(instance, Object.freeze({ signal })));
  }

  #stop(instance: unknown): Outcome | Promise<Outcome> {
    return this.call(() => this.#steps.stop(instance));
  }

  async #startAgain(old: unknown): Promise<void> {
    const started = await this.#start(old);
    if (started.isDone) return this.up();
    this.down(started);
    await this.#letGo(old);
  }

  /** Stops what does not serve. */
  async #letGo(instance: unknown): Promise<void> {
    const stopped = await this.#stop(instance);
    if (!stopped.isDone) this.warn("what does not serve could not be stopped", stopped);
  }
}
