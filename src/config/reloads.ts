import type { Annotations } from "../core/annotation.ts";
import { planChange, type PlannedAction } from "../core/plan.ts";
import type { Reconfiguration, Reconfigurer, Step } from "./reconfigurer.ts";

/** Brings changes of the value to the reconfigurer of a config, if it has one. */
export class Reloads {
  readonly #annotations: Annotations | undefined;
  reconfigurer: Reconfigurer | undefined;

  constructor(annotations: Annotations | undefined) {
    this.#annotations = annotations;
  }

  /** Whether a part of the program may have something else than what runs. */
  get isUnsettled(): boolean {
    return this.reconfigurer?.isUnsettled === true;
  }

  /** What a change comes to; where nothing is reconfigured, whoever reads the value sees it. */
  plan(step: Step): readonly PlannedAction[] {
    return this.reconfigurer?.plan(step) ?? this.#planAlone(step);
  }

  /**
   * Asks whoever is concerned whether they can take a change over.
   *
   * @param step undefined where nothing runs yet
   * @throws `RELOAD_REFUSED`
   */
  async prepare(step: Step | undefined): Promise<Reconfiguration> {
    const isNothing = step === undefined || (step.changes.length === 0 && !this.isUnsettled);
    if (isNothing) return swapAlone;
    return await this.reconfigurer?.prepare(step) ??
      { ...swapAlone, carryOut: (next, swap) => this.#carryOutAlone({ ...step, next }, swap) };
  }

  /** One that came meanwhile has made its parts of what still runs. */
  async #carryOutAlone(step: Step, swap: () => void): Promise<void> {
    if (this.reconfigurer === undefined) return swap();
    const ready = await this.reconfigurer.prepare(step);
    await ready.carryOut(step.next, swap);
  }

  #planAlone({ previous, next, changes, pending }: Step): readonly PlannedAction[] {
    const values = { before: previous.value, after: next.value };
    const nobody = { modules: undefined, annotations: this.#annotations };
    return planChange({ ...values, changes, pending, ...nobody }).actions;
  }
}

const swapAlone: Reconfiguration = {
  carryOut: (_next, swap) => Promise.resolve(swap()),
  abandon: () => {},
};
