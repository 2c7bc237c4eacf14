import { type HoldfastError, holdfastError } from "../../core/error.ts";
import { confirmMsMax } from "../../core/limits.ts";

/**
 * Refuses a time that cannot be waited.
 *
 * @throws `UNSUPPORTED`
 */
export function assertWithin(name: string, withinMs: number): void {
  if (Number.isFinite(withinMs) && withinMs > 0 && withinMs <= confirmMsMax) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot apply to ${name}: found ${withinMs} as the time to confirm; give 1 to ${confirmMsMax} milliseconds`,
    { what: `confirmation within ${withinMs} ms` },
  );
}

/** The error for a change while a generation waits to be confirmed. */
export function waits(name: string, expected: number, current: number): HoldfastError {
  return holdfastError(
    "CONFLICT",
    `Cannot apply to ${name}: found generation ${current}, which waits to be confirmed; confirm it, or wait until it is taken back`,
    { expected, current },
  );
}

/** The error for a confirmation of nothing. */
export function nothingWaits(name: string, found: string): HoldfastError {
  return holdfastError(
    "NOT_FOUND",
    `Cannot confirm ${name}: found ${found}; see status(), and apply again`,
    { source: name },
  );
}

/** The warning of a process that others settled what it waited for. */
export function takenOver(name: string): string {
  return `Found what waits to be confirmed in ${name} taken over by another process, which took this one for dead`;
}

/** The error for a change of what is closed. */
export function closed(name: string): HoldfastError {
  return holdfastError("CLOSED", `Cannot apply to ${name}: found it closed; open it again`, {
    operation: "apply",
  });
}
