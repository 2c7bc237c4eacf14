import type { PlannedAction } from "../core/plan.ts";
import type { Reconfiguration, Reconfigurer, Step } from "./reconfigurer.ts";

/** Brings changes of the value to the reconfigurer of a config, if it has one. */
export class Reloads {
  reconfigurer: Reconfigurer | undefined;

  /** What a change comes to; where nothing is reconfigured, whoever reads the value sees it. */
  plan(step: Step): readonly PlannedAction[] {
    return this.reconfigurer?.plan(step) ?? planWithout(step);
  }

  /**
   * Asks whoever is concerned whether they can take a change over.
   *
   * @param step undefined where nothing runs yet
   * @throws `RELOAD_REFUSED`
   */
  async prepare(step: Step | undefined): Promise<Reconfiguration> {
    if (step === undefined || step.changes.length === 0) return swapAlone;
    return await this.reconfigurer?.prepare(step) ?? swapAlone;
  }
}

const swapAlone: Reconfiguration = {
  carryOut: (_next, swap) => Promise.resolve(swap()),
  abandon: () => {},
};

function planWithout({ changes, pending }: Step): readonly PlannedAction[] {
  const actions: PlannedAction[] = [
    { kind: "hot", paths: changes.map(({ path }) => path) },
    { kind: "restart_required", paths: pending.map(({ path }) => path) },
  ];
  return actions.filter((action) => "paths" in action && action.paths.length > 0);
}
