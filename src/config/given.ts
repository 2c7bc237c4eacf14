import { assertDocument, copyDocument, type Json } from "../core/document.ts";
import { type HoldfastError, holdfastError } from "../core/error.ts";
import type { JsonPatchOperation } from "../core/json_patch.ts";

/** What a caller does to its document later does not matter. */
export function privateCopy(given: unknown, attempt: string): Json {
  assertDocument(given, attempt);
  return copyDocument(given);
}

/** A private copy of the operations of a JSON Patch, which says itself what is wrong with them. */
export function cloneOperations(operations: readonly JsonPatchOperation[]): unknown {
  try {
    return structuredClone(operations);
  } catch (cause) {
    const message = "Cannot apply a JSON Patch: found a value that is no JSON; give plain data";
    throw holdfastError("INVALID", message, {
      problems: [{ path: [], message, severity: "error" }],
    }, cause);
  }
}

/** The error for a document that nothing could take the place of. */
export function needsDefaults(name: string): HoldfastError {
  const message =
    `Cannot remove ${name}: found no schema whose defaults could take its place; give one`;
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}

/** The error for what is no number of a generation. */
export function noGeneration(given: number): HoldfastError {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot purge before generation ${given}: found no whole number; give that of the oldest to keep`,
    { what: `generation ${given}` },
  );
}

/** The error for a change function that does not change the draft at once. */
export function asynchronous(): HoldfastError {
  const message = "Cannot update: found that the change function returns a promise; " +
    "compute what it needs first, then change the draft at once";
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}
