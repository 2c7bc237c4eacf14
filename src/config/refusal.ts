import { type HoldfastError, holdfastError, isHoldfastError, type Problem } from "../core/error.ts";
import { freeze } from "../core/snapshot.ts";
import type { Loaded } from "../source/source.ts";

/** Something newer than what runs, turned down. */
export interface Refusal {
  readonly error: HoldfastError;
  readonly problems: readonly Problem[];
  /** What was turned down; undefined when it could not even be read. */
  readonly loaded: Loaded | undefined;
}

/** Words why something was turned down. */
export function refusalOf(thrown: unknown, source: string, loaded: Loaded | undefined): Refusal {
  const error = isHoldfastError(thrown) ? thrown : unexpected(source, thrown);
  return { error, problems: freeze(problemsOf(error, source)), loaded };
}

/** Tells whether the same thing is turned down again, for the same reason. */
export function isSameRefusal(one: Refusal | undefined, other: Refusal): boolean {
  return one !== undefined && one.loaded?.hash === other.loaded?.hash &&
    kindOf(one.error) === kindOf(other.error);
}

/**
 * What a write may replace: content that was read and found bad. What could not be taken over for another reason, such as a
 * failing disk, may be as good as any.
 */
export function refusedContent(refusal: Refusal | undefined): Loaded | undefined {
  const { code } = refusal?.error ?? {};
  const isOfContent = code === "PARSE" || code === "INVALID" || code === "NOT_FOUND" ||
    code === "UNSUPPORTED_VERSION" || code === "MIGRATION" || code === "TOO_LARGE" ||
    code === "UNSUPPORTED";
  return isOfContent ? refusal?.loaded : undefined;
}

// Not by the message: that of a file which is too large and grows has another number at every look.
function kindOf(error: HoldfastError): string {
  return error.code === "IO" ? `${error.code} ${error.details.errno}` : error.code;
}

function problemsOf(error: HoldfastError, source: string): readonly Problem[] {
  if (error.code === "INVALID") return error.details.problems;
  const place = error.code === "PARSE" ? error.details : { source };
  return [{ path: [], message: error.message, severity: "error", ...place }];
}

function unexpected(source: string, thrown: unknown): HoldfastError {
  const name = thrown instanceof Error ? thrown.name : "error";
  return holdfastError(
    "UNAVAILABLE",
    `Cannot take over ${source}: found an unexpected ${name}; see its cause`,
    { source },
    thrown,
  );
}

/** The error for a store that is empty, with nothing to start from. */
export function nothingThere(source: string, cause?: unknown): HoldfastError {
  return holdfastError(
    "NOT_FOUND",
    `Cannot open ${source}: found nothing there, and no schema whose defaults make a whole; ` +
      "store a document, or give a seed",
    { source },
    cause,
  );
}

/** The error for a document that was there and is gone. */
export function removed(source: string): HoldfastError {
  return holdfastError(
    "NOT_FOUND",
    `Cannot read ${source}: found that it was removed; put it back, or write it anew`,
    { source },
  );
}
