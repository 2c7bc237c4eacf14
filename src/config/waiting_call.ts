import { type HoldfastError, holdfastError } from "../core/error.ts";
import type { Composable } from "./compose.ts";
import type { ChangeSet, Snapshot } from "./reports.ts";

/** What a write gives. */
export interface WriteOutcome {
  readonly snapshot: Snapshot<unknown>;
  readonly changeSet: ChangeSet;
}

/** A write that somebody waits for. */
export interface WaitingCall extends Composable {
  readonly expected: number | undefined;
  readonly deadlineMs: number;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
  settled: boolean;
  /** Whether it is stored, and only the parts of the program are still to follow: their own times bound those. */
  stored: boolean;
}

/** The error for a write that is not meant for what is there. */
export function conflict(name: string, expected: number, current: number): HoldfastError {
  return holdfastError(
    "CONFLICT",
    `Cannot write ${name}: found generation ${current}, expected ${expected}; read it and decide anew`,
    { expected, current },
  );
}

/** Answers a call. */
export function resolve(call: WaitingCall, outcome: WriteOutcome): void {
  call.settled = true;
  call.resolve(outcome);
}

/** Turns a call down. */
export function reject(call: WaitingCall, error: unknown): void {
  call.settled = true;
  call.reject(error);
}

/** The error for a write that took too long; it may still land when it is being stored. */
export function expired(name: string, timeoutMs: number, isStoring: boolean): HoldfastError {
  const attempt = `Cannot confirm the write of ${name} within ${timeoutMs} ms`;
  return isStoring
    ? holdfastError(
      "COMMIT_UNKNOWN",
      `${attempt}: found it under way, and it may still land; read before writing again`,
      { source: name },
    )
    : holdfastError(
      "TIMEOUT",
      `${attempt}: found it still waiting, and nothing was stored; try again, or allow more time`,
      { operation: "write", timeoutMs },
    );
}
