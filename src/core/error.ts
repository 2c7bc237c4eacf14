/** How bad a problem is: an error blocks a change, a warning only advises. */
export type Severity = "error" | "warning";

/** A step of a path into a document: an object's key or an array's index. */
export type PathStep = string | number;

/** A path into a document, from its root; the empty path is the whole document. */
export type Path = readonly PathStep[];

/** Something wrong with a document, at a place. Lines and columns count from 1. */
export interface Problem {
  /** Where in the document; empty for the whole. */
  readonly path: Path;
  /** What is wrong and, where it helps, what to do. */
  readonly message: string;
  /** Whether it blocks. */
  readonly severity: Severity;
  /** The source that the place is in. */
  readonly source?: string;
  /** The name of the environment's variable that gives the value, or would if it were not missing. */
  readonly variable?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 code units. */
  readonly column?: number;
}

/** What each error code tells beside its message. */
export interface ErrorDetails {
  /** The document moved on since the generation that the writer expected. */
  CONFLICT: { readonly expected: number; readonly current: number };
  /** The document or the value does not fit; nothing was changed. */
  INVALID: { readonly problems: readonly Problem[] };
  /** The bytes are no document. Line and column count from 1. */
  PARSE: { readonly source: string; readonly line: number; readonly column: number };
  /** Nothing is stored there, and there is neither a seed nor a complete set of defaults. */
  NOT_FOUND: { readonly source: string };
  /** The source cannot be written. */
  READ_ONLY: { readonly source: string };
  /** The operating system refused. `errno` is its name for the reason, such as `ENOSPC`. */
  IO: { readonly operation: string; readonly path: string; readonly errno: string };
  /** A limit was passed: `what` was `found` where at most `limit` is allowed. */
  TOO_LARGE: { readonly what: string; readonly limit: number; readonly found?: number };
  /** The document's version is missing, unknown or newer than this program. */
  UNSUPPORTED_VERSION: {
    readonly found: unknown;
    readonly oldest: number;
    readonly newest: number;
  };
  /** A migration failed; the stored document is as it was. */
  MIGRATION: { readonly from: number; readonly to: number };
  /** A chain of parents leads back to where it began. */
  CYCLE: { readonly chain: readonly string[] };
  /** A signature is missing, wrong, expired or older than one already seen. */
  SIGNATURE: { readonly source: string };
  /** The time allowed ran out before the operation began to change anything. */
  TIMEOUT: { readonly operation: string; readonly timeoutMs: number };
  /** The place is out of reach for now. */
  UNAVAILABLE: { readonly source: string };
  /** The write may or may not have landed: read before writing again. */
  COMMIT_UNKNOWN: { readonly source: string; readonly generation?: number };
  /**
   * A module refused the change, and nothing was stored; or it failed at it, and what was there came back. No name where no
   * single one did; `isUndone` is false where the program could not be brought back to what it was.
   */
  RELOAD_REFUSED: { readonly module?: string; readonly isUndone?: false };
  /** The file is not one to be trusted: foreign, writable by everybody, or no regular file. */
  UNSAFE_FILE: { readonly path: string; readonly found: string };
  /** What was asked for is not possible here. */
  UNSUPPORTED: { readonly what: string };
  /** The caller's signal ended the operation. */
  ABORTED: { readonly operation: string };
  /** The config was closed. */
  CLOSED: { readonly operation: string };
}

/** The code of an error: what a program decides by. */
export type ErrorCode = keyof ErrorDetails;

/** An error with one code and the details that go with it. */
export interface HoldfastErrorOf<Code extends ErrorCode> extends Error {
  /** Always the same: decide by `code`. */
  readonly name: "HoldfastError";
  /** What a program decides by. */
  readonly code: Code;
  /** The facts that go with the code. */
  readonly details: ErrorDetails[Code];
}

/**
 * Every error that holdfast raises: a union discriminated by `code`.
 * Its message says what was attempted, what was found and what to do, and never shows a secret.
 */
export type HoldfastError = { [Code in ErrorCode]: HoldfastErrorOf<Code> }[ErrorCode];

// A registered symbol, so that two copies of the package in one process know each other's errors.
const brand: unique symbol = Symbol.for("holdfast.error") as never;

class TypedError extends Error {
  override readonly name = "HoldfastError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails[ErrorCode];
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, details: object, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = Object.freeze(details) as ErrorDetails[ErrorCode];
  }
}

/**
 * Makes the error of one code, for sources and stores of one's own.
 *
 * @param code what a program decides by
 * @param message what was attempted, what was found, what to do
 * @param details the facts that go with the code
 * @param cause the error underneath, if there is one
 * @returns the error, to be thrown by the caller
 *
 * @example
 * ```ts
 * import { holdfastError } from "holdfast";
 *
 * const [expected, current] = [3, 4];
 * const message = `Cannot write the table: found generation ${current}; read it and try again`;
 * const error = holdfastError("CONFLICT", message, { expected, current });
 * console.log(error.code, error.details.current); // CONFLICT 4
 * ```
 */
export function holdfastError<Code extends ErrorCode>(
  code: Code,
  message: string,
  details: ErrorDetails[Code],
  cause?: unknown,
): HoldfastErrorOf<Code> {
  return new TypedError(code, message, details, cause) as unknown as HoldfastErrorOf<Code>;
}

/**
 * Tells whether something caught is an error of holdfast, and of which code.
 *
 * @param error anything that was caught
 * @param code the code asked for; any when left out
 * @returns true when it is, and then its `details` are typed
 *
 * @example
 * ```ts
 * import { isHoldfastError, openConfig } from "holdfast";
 *
 * try {
 *   await openConfig("/nowhere/config.json", { watch: false });
 * } catch (error) {
 *   if (!isHoldfastError(error, "NOT_FOUND")) throw error;
 *   console.log("no configuration at", error.details.source);
 * }
 * ```
 */
export function isHoldfastError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is Extract<HoldfastError, { code: Code }> {
  return typeof error === "object" && error !== null && brand in error &&
    (code === undefined || (error as { code?: unknown }).code === code);
}

/**
 * Tells whether the operating system refused for one of the reasons named.
 *
 * @param error anything that was caught
 * @param errnos names such as `ENOENT`
 */
export function hasErrno(error: unknown, ...errnos: string[]): boolean {
  return isHoldfastError(error, "IO") && errnos.includes(error.details.errno);
}
