import { setImmediate } from "node:timers";
import type { Attempt, Fault, FaultHook } from "../../adapters/memory.ts";

/** An operation that waits to be released. */
export interface Parked {
  /** The process that asked for it. */
  readonly process: string;
  readonly attempt: Attempt;
  /** Lets it happen, or lets the fault happen instead. */
  readonly release: (fault?: Fault) => void;
  /** Not to be released before this step, as if the process or the disk stood still. */
  heldUntil: number;
}

/** Every operation of every process waits here, so that their order can be chosen. */
export class Gate {
  #parked: Parked[] = [];
  readonly #hints: () => Fault | undefined;

  /** @param hints decides what becomes of a hint, which does not wait */
  constructor(hints: () => Fault | undefined) {
    this.#hints = hints;
  }

  /** What waits, in the order it came. */
  get parked(): readonly Parked[] {
    return this.#parked;
  }

  /** The hook of a process. */
  hook(process: string): FaultHook {
    return (attempt) => {
      if (attempt.operation === "hint") return this.#hints();
      return new Promise<Fault | void>((resolve) => {
        this.#parked.push({ process, attempt, release: resolve, heldUntil: 0 });
      });
    };
  }

  /** Takes one out, to be released. */
  take(parked: Parked): void {
    this.#parked = this.#parked.filter((other) => other !== parked);
  }

  /** Forgets what a process asked for: it was killed. */
  drop(process: string): void {
    this.#parked = this.#parked.filter((parked) => parked.process !== process);
  }
}

/** Lets everything run that can run without another operation. */
export function drain(): Promise<void> {
  // One turn of the event loop begins only once no promise job is left, on every runtime.
  return new Promise((resolve) => setImmediate(resolve));
}
