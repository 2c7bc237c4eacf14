import { type HoldfastError, holdfastError } from "../core/error.ts";
import { documentBytesMax } from "../core/limits.ts";

/** The error for a generation of which no record is kept. */
export function notKept(source: string, generation: number): Error {
  return holdfastError(
    "NOT_FOUND",
    `Cannot read generation ${generation} of ${source}: found no record of it; see which are kept with history()`,
    { source },
  );
}

/** The error for a change that was computed from what is not the newest any more. */
export function outdated(
  path: string,
  details: { readonly expected: number; readonly current: number },
  cause?: unknown,
): Error {
  return holdfastError(
    "CONFLICT",
    `Cannot write ${path}: found that it changed since generation ${details.expected}; read it and try again`,
    details,
    cause,
  );
}

/** The error for a document that is too large to be read or written. */
export function tooLarge(attempt: string, found: number): HoldfastError {
  return holdfastError(
    "TOO_LARGE",
    `Cannot ${attempt}: found a document of ${found} bytes, allowed are ${documentBytesMax}; make it smaller`,
    { what: "document in bytes", limit: documentBytesMax, found },
  );
}

/** The error for a purge that would delete what is stored. */
export function tooFar(path: string, expected: number, current: number): Error {
  return holdfastError(
    "CONFLICT",
    `Cannot purge ${path} before generation ${expected}: found ${current} as the newest; give at most that`,
    { expected, current },
  );
}

/** The error for a purge that would delete what an edit still hides. */
export function unsettled(path: string, current: number): Error {
  return holdfastError(
    "CONFLICT",
    `Cannot purge ${path}: found something there that is not its generation ${current}; mend it, or write to it first`,
    { expected: current, current },
  );
}

/** The warning for a log that was deleted. */
export function withoutHistory(path: string): string {
  return `Found no history beside ${path} where there was one; its generations go on at a number that was never used`;
}

/** The warning for an edit that runs though it cannot be recorded. */
export function withoutRecord(path: string, error: HoldfastError): string {
  return error.code === "READ_ONLY"
    ? `Cannot keep a history of ${path}: found it read-only; its generations are counted in this process alone`
    : `${error.message}; the edit runs without a record of its own`;
}
