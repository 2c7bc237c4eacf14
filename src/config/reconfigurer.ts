import type { Annotations } from "../core/annotation.ts";
import type { Change } from "../core/change.ts";
import { holdfastError } from "../core/error.ts";
import { isPromise } from "../core/promise.ts";
import type { PlannedAction } from "../core/plan.ts";
import type { PendingRestart } from "../core/restart.ts";
import type { Host } from "../host/host.ts";
import type { Reporter } from "./reporter.ts";
import type { Snapshot } from "./reports.ts";

/** One change of the running value, not made yet. */
export interface Step {
  /** What runs. */
  readonly previous: Snapshot<unknown>;
  /** What is to run. Its hash is empty while nothing is stored yet. */
  readonly next: Snapshot<unknown>;
  /** What differs between their values; what only a restart changes is not among it. */
  readonly changes: readonly Change[];
  /** What is stored, or is to be, and only a restart changes. */
  readonly pending: readonly PendingRestart[];
}

/** Carries changes of the value into the parts of the program. Called for one change at a time. */
export interface Reconfigurer {
  /** Whether a part may have something else than what runs, since it could not be taken back. */
  readonly isUnsettled?: boolean;
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

/** The place in a config for a reconfigurer, and what it may use there. */
export interface ReconfigurerPlace {
  /** As messages call the config. */
  readonly name: string;
  readonly host: Host;
  readonly reporter: Reporter;
  readonly annotations: Annotations | undefined;
  /** Aborts as soon as the config is being closed: then nothing new begins, and what is under way ends soon. */
  readonly closing: AbortSignal;
  /** Has every change that begins from now on, in this very turn too, go by a reconfigurer; by none where undefined. */
  use(reconfigurer: Reconfigurer | undefined): void;
}

/** A reconfigurer's hold of its place. */
export interface Attachment extends Omit<ReconfigurerPlace, "use"> {
  /** Leaves the place. A change that has begun still goes by the reconfigurer. */
  detach(): void;
}

const places = new WeakMap<object, ReconfigurerPlace>();
const taken = new WeakSet<ReconfigurerPlace>();

/** Says where a config lets a reconfigurer in. Called once, when the config is made. */
export function letIn(config: object, place: ReconfigurerPlace): void {
  places.set(config, place);
}

/**
 * Lets a reconfigurer into a config.
 *
 * @throws `UNSUPPORTED` for what is no config of this package, and where there is one in it already; `CLOSED`
 */
export function attach(config: object, reconfigurer: Reconfigurer): Attachment {
  const place = places.get(config);
  if (place === undefined) {
    const found = isPromise(config)
      ? "a promise; await what openConfig gives"
      : "no config that openConfig of this copy of holdfast gave; give it that one";
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot attach a reloader: found ${found}`,
      { what: "config of another kind" },
    );
  }
  if (taken.has(place)) {
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot attach a reloader to ${place.name}: found one there already; ` +
        "give that one all the modules, or close it first",
      { what: "second reloader" },
    );
  }
  if (place.closing.aborted) {
    throw holdfastError(
      "CLOSED",
      `Cannot attach a reloader to ${place.name}: found the config closed; open it again`,
      { operation: "attach a reloader" },
    );
  }
  taken.add(place);
  place.use(reconfigurer);
  return {
    ...place,
    detach: () => {
      if (taken.delete(place)) place.use(undefined);
    },
  };
}
