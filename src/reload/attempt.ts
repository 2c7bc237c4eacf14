import type { Queue } from "../config/queue.ts";
import type { Attachment } from "../config/reconfigurer.ts";
import type { Snapshot } from "../config/reports.ts";
import { lateGraceMs } from "../core/limits.ts";
import { isPromise } from "../core/promise.ts";
import type { Host } from "../host/host.ts";

/** What calls of the program work with. */
export interface CallParts {
  readonly attachment: Attachment;
  readonly timeoutMs: number;
  /** One change at a time, from its being asked for to its end, or one mend of what came late. */
  readonly turns: Queue;
  /** What runs. */
  readonly running: () => Snapshot<unknown>;
  /** What a module or another part of the program said, in words of a message, without secrets. */
  readonly reasonOf: (cause: unknown) => string;
}

/** What becomes of a call of the program. */
export type Outcome<Value = unknown> =
  | { readonly isDone: true; readonly value: Value }
  | Failure;

/** A call that failed, or was told to end. */
export interface Failure {
  readonly isDone: false;
  readonly cause: unknown;
  /** Settles when the call does, where it did not end though it was told to: true where it succeeded after all. */
  readonly late: Promise<Outcome> | undefined;
}

/** How long a call may take, and what tells it to end. */
export interface Bounds {
  readonly host: Host;
  readonly timeoutMs: number;
  /** Aborted when the time is over. When somebody else aborts it, the call has failed too. */
  readonly control: AbortController;
}

/** The time was over. */
export class Overtime extends Error {
  override readonly name = "Overtime";

  constructor(timeoutMs: number) {
    super(
      `it took more than ${timeoutMs} ms; allow more time, and where it waits for a reload or a write of this ` +
        "config from inside, let it not: that waits for itself",
    );
  }
}

/**
 * Calls the program. A call that gives no promise is over in this turn, and so is the answer then. One that is told to end gets
 * a moment to do so, and has failed even when it succeeds then: its caller has been given up by all others.
 */
export function attempt<Value>(
  work: () => Value | PromiseLike<Value>,
  bounds: Bounds,
): Outcome<Value> | Promise<Outcome<Value>> {
  const { signal } = bounds.control;
  if (signal.aborted) return failed(signal.reason);
  try {
    const answer = work();
    if (isPromise(answer)) return settle(answer as PromiseLike<Value>, bounds);
    return { isDone: true, value: answer };
  } catch (cause) {
    return failed(cause);
  }
}

async function settle<Value>(
  answer: PromiseLike<Value>,
  { host, timeoutMs, control }: Bounds,
): Promise<Outcome<Value>> {
  const over = new AbortController();
  const { signal } = over;
  const settled = Promise.resolve(answer)
    .then((value): Outcome<Value> => ({ isDone: true, value }), failed);
  const isTold = new Promise<undefined>((resolve) => {
    control.signal.addEventListener("abort", () => resolve(undefined), { once: true, signal });
  });
  // The process stays until whoever asked for the change is answered.
  void host.sleep(timeoutMs, { signal, keepAlive: true }).then((isLate) => {
    if (isLate) control.abort(new Overtime(timeoutMs));
  });
  const outcome = await Promise.race([settled, isTold]);
  if (outcome !== undefined && !control.signal.aborted) {
    over.abort();
    return outcome;
  }
  const grace = host.sleep(lateGraceMs, { signal, keepAlive: true }).then(() => undefined);
  const last = await Promise.race([settled, grace]);
  over.abort();
  return failed(control.signal.reason, last === undefined ? settled : undefined);
}

function failed(cause: unknown, late?: Promise<Outcome>): Failure {
  return { isDone: false, cause, late };
}
