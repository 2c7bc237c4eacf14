import type { Module, ModuleContext } from "../config/module.ts";
import type { Snapshot } from "../config/reports.ts";
import { lateGraceMs } from "../core/limits.ts";
import { attempt, type CallParts, type Failure, type Outcome } from "./attempt.ts";

/** A module that is to be called. */
export interface Callee {
  readonly module: Module<unknown>;
  readonly control: AbortController;
}

/** What a module is to take over. */
export interface Handover {
  readonly next: unknown;
  readonly previous: unknown;
  /** What `next` was taken from. */
  readonly snapshot: Snapshot<unknown>;
  readonly prepared?: unknown;
}

/** Calls modules, and puts right what they do after they were given up. */
export class ModuleCalls {
  readonly #parts: CallParts;
  /** The names of those that may hold another part than that of what runs. */
  readonly #unsettled = new Set<string>();
  /** Counts how often the program was built anew: what was there before is nobody's concern any more. */
  #builds = 0;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  get unsettled(): ReadonlySet<string> {
    return this.#unsettled;
  }

  /** The program was built anew: every module is what it ought to be. */
  forget(): void {
    this.#builds++;
    this.#unsettled.clear();
  }

  prepare({ module, control }: Callee, handover: Handover): Outcome | Promise<Outcome> {
    if (module.prepare === undefined) return { isDone: true, value: undefined };
    const context = contextOf(handover, control);
    return attempt(() => module.prepare!(handover.next, context), this.#boundsOf(module, control));
  }

  /** Has a module take a part over. Should it do so after it was given up, it is brought to what runs then. */
  reconfigure(callee: Callee, handover: Handover): Outcome | Promise<Outcome> {
    return this.#reconfigure(callee, handover, false);
  }

  /**
   * Has a module take its old part over again, in this turn where it gives no promise. That it fails is told, and remembered
   * for the next change.
   */
  takeBack(module: Module<unknown>, back: Handover): boolean | Promise<boolean> {
    const answer = this.reconfigure({ module, control: new AbortController() }, back);
    const conclude = (outcome: Outcome): boolean => {
      if (!outcome.isDone) this.#giveUp(module.name, outcome);
      return outcome.isDone;
    };
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  /**
   * A module failed, and may have changed in part all the same: once the others are back, it is brought to what runs.
   *
   * @param handover what it failed to take over
   */
  doubt(module: Module<unknown>, handover: Handover, { cause }: Failure): void {
    const { host, closing } = this.#parts.attachment;
    const failure: Failure = { isDone: false, cause, late: undefined };
    const over = host.sleep(lateGraceMs, { signal: closing, keepAlive: false });
    this.#mendAfter(over.then(() => failure), module, handover, false);
  }

  #reconfigure(
    { module, control }: Callee,
    handover: Handover,
    isMend: boolean,
  ): Outcome | Promise<Outcome> {
    const context = contextOf(handover, control);
    const work = () => module.reconfigure?.(handover.next, context);
    const conclude = (outcome: Outcome): Outcome => {
      if (outcome.isDone) this.#unsettled.delete(module.name);
      else if (outcome.late !== undefined) {
        this.#mendAfter(outcome.late, module, handover, isMend);
      }
      return outcome;
    };
    const answer = attempt(work, this.#boundsOf(module, control));
    return answer instanceof Promise ? answer.then(conclude) : conclude(answer);
  }

  /** @param isMend whether the call that is late was one to put things right; it is not tried for ever */
  #mendAfter(
    late: Promise<Outcome>,
    module: Module<unknown>,
    handover: Handover,
    isMend: boolean,
  ): void {
    const builds = this.#builds;
    const mend = async (outcome: Outcome): Promise<void> => {
      if (builds !== this.#builds || this.#parts.attachment.closing.aborted) return;
      const snapshot = this.#parts.running();
      if (outcome.isDone && snapshot.value === handover.snapshot.value) {
        this.#unsettled.delete(module.name);
        return;
      }
      if (isMend && !outcome.isDone) return this.#giveUp(module.name, outcome);
      const next = module.select(snapshot.value);
      const back: Handover = { next, previous: handover.next, snapshot };
      const mended = await this.#reconfigure(
        { module, control: new AbortController() },
        back,
        true,
      );
      if (!mended.isDone) this.#giveUp(module.name, mended);
    };
    void late.then((outcome) => this.#parts.turns.run(() => mend(outcome)))
      .catch((cause: unknown) =>
        this.#giveUp(module.name, { isDone: false, cause, late: undefined })
      );
  }

  #giveUp(module: string, { cause }: Failure): void {
    const { reporter, name } = this.#parts.attachment;
    this.#unsettled.add(module);
    reporter.error(
      `Module ${
        JSON.stringify(module)
      } of ${name} may not have what runs: it failed to take that over again ` +
        `(${this.#parts.reasonOf(cause)}); the next change will have it try once more`,
    );
  }

  #boundsOf(module: Module<unknown>, control: AbortController) {
    const { attachment: { host }, timeoutMs } = this.#parts;
    return { host, timeoutMs: module.timeoutMs ?? timeoutMs, control };
  }
}

function contextOf(
  { previous, snapshot, prepared }: Handover,
  { signal }: AbortController,
): ModuleContext<unknown, unknown> {
  return Object.freeze({ previous, snapshot, signal, prepared });
}
