import type { Change } from "../core/change.ts";
import { holdfastError } from "../core/error.ts";
import type { PlannedAction } from "../core/plan.ts";
import type { Snapshot } from "./reports.ts";

/** One change of the running value, not made yet. */
export interface Step {
  /** What runs. */
  readonly previous: Snapshot<unknown>;
  /** What is to run. Its hash is empty while nothing is stored yet. */
  readonly next: Snapshot<unknown>;
  /** What differs between their values; what only a restart changes is not among it. */
  readonly changes: readonly Change[];
}

/** Carries changes of the value into the parts of the program. Called for one change at a time. */
export interface Reconfigurer {
  /** What it would do. */
  plan(step: Step): readonly PlannedAction[];
  /**
   * Asks all parts concerned; changes nothing.
   *
   * @throws `RELOAD_REFUSED` where one of them refuses
   */
  prepare(step: Step): Promise<Reconfiguration>;
}

/** A change that every part concerned has agreed to. */
export interface Reconfiguration {
  /**
   * Brings every part concerned to the new value. Where one fails, those that were brought there are taken back.
   *
   * @param next what is to run, as it is stored now
   * @param swap makes it the running value; called once, in the turn in which the last part got there
   * @throws `RELOAD_REFUSED` where the parts are as they were, or could not all be taken back; then `swap` was not called
   */
  carryOut(next: Snapshot<unknown>, swap: () => void): Promise<void>;
  /** Tells the parts that nothing comes of it. */
  abandon(): void;
}

/** What lets a reconfigurer into a config; undefined to leave it. */
export type Attach = (reconfigurer: Reconfigurer | undefined) => void;

const attachments = new WeakMap<object, Attach>();

/** Says how a config lets a reconfigurer in. */
export function letIn(config: object, attach: Attach): void {
  attachments.set(config, attach);
}

/**
 * How a config lets a reconfigurer in.
 *
 * @throws `UNSUPPORTED` for what is no config of this package
 */
export function attachmentOf(config: object): Attach {
  const attach = attachments.get(config);
  if (attach !== undefined) return attach;
  throw holdfastError(
    "UNSUPPORTED",
    "Cannot attach a reloader: found no config that openConfig of this copy of holdfast gave; give it that one",
    { what: "config of another kind" },
  );
}
