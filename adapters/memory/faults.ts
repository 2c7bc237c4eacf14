import { isHoldfastError } from "../../src/core/error.ts";
import { ioError } from "../io_error.ts";
import type { IoOperation } from "../io_error.ts";

/** An operation that a process is about to do. */
export interface Attempt {
  /** The operation, or `hint` for an event that is about to reach a watch. */
  readonly operation: IoOperation | "hint";
  /** What it is done to; for a link or rename the new name, for a hint the watched directory. */
  readonly path: string;
  /** For a link or rename the existing name. */
  readonly from?: string;
  /** The how-manyth attempt it is, of all since the process was started, counted from 1. */
  readonly count: number;
}

/**
 * What goes wrong instead: a refusal with an errno, a write that takes only some bytes, or a hint that is lost, comes
 * twice, or comes later by some milliseconds of the virtual clock.
 *
 * A file's sync that is refused, with whatever errno, loses what was unsynced: no later sync makes that durable. A
 * directory's sync that is refused can be tried again.
 */
export type Fault =
  | { readonly error: string }
  | { readonly shortWrite: number }
  | { readonly lost: true }
  | { readonly twice: true }
  | { readonly lateMs: number };

/**
 * Decides what goes wrong. Called before each operation, which waits for the answer: one that never settles is a stall,
 * one that settles later is a pause. Nothing returned means that nothing goes wrong.
 *
 * From the answer to what the operation does to the disk there are only promise jobs, and it does that in one of them.
 */
export type FaultHook = (attempt: Attempt) => Fault | void | Promise<Fault | void>;

/** Does one operation of the host, or what a fault makes of it. */
export type Perform = <Result>(
  operation: IoOperation,
  path: string,
  act: (fault: Fault | undefined) => Result,
  options?: PerformOptions,
) => Promise<Result>;

/** What else there is to an operation. */
export interface PerformOptions {
  /** The existing name. */
  readonly from?: string;
  /** What a fault that refuses the operation does to the disk. */
  readonly refused?: () => void;
}

/** What stands between the operations of a process and the disk. */
export interface FaultGate {
  readonly perform: Perform;
  /** What happens to a hint for the watch of a path. */
  hint(path: string): Promise<Fault | undefined>;
  /** Resolves at once, or never once the process has ended. */
  passed(): Promise<void>;
  /** Ends the process: nothing that waits here, or comes later, has an effect or settles. */
  end(): void;
}

/**
 * Makes what stands between the operations of a process and the disk: the count of attempts, the faults and the end.
 *
 * @param hook the hook of the moment, asked anew for each attempt
 * @param stir told whenever something passes
 */
export function faultGate(hook: () => FaultHook | undefined, stir: () => void): FaultGate {
  const never = new Promise<never>(() => {});
  let count = 0;
  let ended = false;
  const ask = async (
    operation: Attempt["operation"],
    path: string,
    from?: string,
  ): Promise<Fault | undefined> => {
    if (ended) return await never;
    stir();
    count += 1;
    try {
      const fault = await hook()?.({
        operation,
        path,
        count,
        ...(from === undefined ? {} : { from }),
      });
      return fault ?? undefined;
    } catch (error) {
      if (!ended) throw error;
    }
    return undefined;
  };
  return {
    perform: async (operation, path, act, { from, refused } = {}) => {
      const fault = await ask(operation, path, from);
      // Asked here, where nothing can come between the answer and the effect.
      if (ended) return await never;
      stir();
      if (fault !== undefined && "error" in fault) {
        refused?.();
        throw ioError(operation, path, fault.error, from);
      }
      try {
        return act(fault);
      } catch (cause) {
        throw isHoldfastError(cause) ? cause : ioError(operation, path, cause, from);
      }
    },
    hint: (path) => ask("hint", path),
    passed: async () => {
      if (ended) await never;
    },
    end: () => {
      ended = true;
    },
  };
}
