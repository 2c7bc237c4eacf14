import { isHoldfastError } from "../../src/core/error.ts";
import { ioError } from "../io_error.ts";
import type { IoOperation } from "../io_error.ts";

/** An operation that the host is about to do. */
export interface Attempt {
  /** The operation, or `hint` for an event that is about to reach a watch. */
  readonly operation: IoOperation | "hint";
  /** What it is done to; for a link or rename the new name, for a hint the watched directory. */
  readonly path: string;
  /** For a link or rename the existing name. */
  readonly from?: string;
  /** The how-manyth attempt it is, of all since the host was made, counted from 1. */
  readonly count: number;
}

/** What goes wrong instead: a refusal with an errno, a write that takes only some bytes, or a hint that is lost. */
export type Fault =
  | { readonly error: string }
  | { readonly shortWrite: number }
  | { readonly lost: true };

/**
 * Decides what goes wrong. Called before each operation, which waits for the answer: one that never settles is a stall,
 * one that settles later is a pause. Nothing returned means that nothing goes wrong.
 */
export type FaultHook = (attempt: Attempt) => Fault | void | Promise<Fault | void>;

/** Does one operation of the host, or what a fault makes of it. */
export type Perform = <Result>(
  operation: IoOperation,
  path: string,
  act: (fault: Fault | undefined) => Result,
  from?: string,
) => Promise<Result>;

/**
 * Makes what stands between the host's operations and the disk: the count of attempts and the faults.
 *
 * @param hook the hook of the moment, asked anew for each attempt
 */
export function faultGate(hook: () => FaultHook | undefined): {
  readonly perform: Perform;
  /** Decides whether a hint reaches the watch of a path. */
  readonly hint: (path: string) => Promise<boolean>;
} {
  let count = 0;
  const ask = async (
    operation: Attempt["operation"],
    path: string,
    from?: string,
  ): Promise<Fault | undefined> => {
    count += 1;
    const fault = await hook()?.({
      operation,
      path,
      count,
      ...(from === undefined ? {} : { from }),
    });
    return fault ?? undefined;
  };
  return {
    perform: async (operation, path, act, from) => {
      const fault = await ask(operation, path, from);
      if (fault !== undefined && "error" in fault) {
        throw ioError(operation, path, fault.error, from);
      }
      try {
        return act(fault);
      } catch (cause) {
        throw isHoldfastError(cause) ? cause : ioError(operation, path, cause, from);
      }
    },
    hint: async (path) => await ask("hint", path) === undefined,
  };
}
