import {
  holdfastError,
  type HoldfastErrorOf,
  type Path,
  type PathStep,
  type Problem,
} from "./error.ts";
import { depthMax } from "./limits.ts";
import { describePath } from "./pointer.ts";

/** A value that JSON can carry: what a document consists of. */
export type Json = null | boolean | number | string | JsonArray | JsonObject;
/** An array within a document. */
export type JsonArray = readonly Json[];
/** An object within a document. */
export interface JsonObject {
  /** A member; `__proto__`, `constructor` and `prototype` are refused. */
  readonly [key: string]: Json;
}

/** `T` with every property and element read-only, at every depth. */
export type DeepReadonly<T> =
  // Named first, since a branded string is an object type too.
  T extends string | number | boolean | bigint | symbol | null | undefined ? T
    : T extends (...parameters: never[]) => unknown ? T
    : T extends readonly [unknown, ...unknown[]]
      ? { readonly [Index in keyof T]: DeepReadonly<T[Index]> }
    : T extends readonly (infer Element)[] ? DeepReadonlyArray<Element>
    : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** An array that is read-only at every depth. An interface, so that recursive types such as {@link Json} come to an end. */
export interface DeepReadonlyArray<Element> extends ReadonlyArray<DeepReadonly<Element>> {}

/** Tells an object made by a literal or by a parser from arrays, instances of classes and the rest. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // An object of another realm (a worker, a vm context) has another Object.prototype, whose own prototype is null.
  return prototype === Object.prototype || prototype === null ||
    (!Array.isArray(value) && Object.getPrototypeOf(prototype) === null);
}

/** Keys that reach prototypes when a careless program copies them; no document may hold them. */
export function isForbiddenKey(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}

/**
 * Counts the members of all objects in a document, if it is plain JSON within the limits: numbers finite and at most
 * 2⁵³ − 1 in magnitude, since beyond that a parser rounds in silence; no half surrogates; no forbidden keys; not too deep.
 * A member that is undefined counts as absent, as it does for JSON.stringify.
 *
 * @param document anything
 * @param wellFormed whether its strings are known to be free of half surrogates
 * @returns the number of members, or -1 when it cannot be a document; see {@link problemOf}
 */
export function countMembers(document: unknown, wellFormed = false): number {
  return measure(document, 0, !wellFormed);
}

function measure(value: unknown, depth: number, checkStrings: boolean): number {
  if (typeof value === "string") return checkStrings && !value.isWellFormed() ? -1 : 0;
  if (typeof value === "number") return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? 0 : -1;
  if (typeof value === "boolean" || value === null) return 0;
  if (typeof value !== "object" || depth >= depthMax) return -1;
  let members = 0;
  if (Array.isArray(value)) {
    // By index, since the array's own methods pass over holes.
    for (let index = 0; index < value.length; index++) {
      const count = measure(value[index], depth + 1, checkStrings);
      if (count < 0) return -1;
      members += count;
    }
    return members;
  }
  if (!isPlainObject(value)) return -1;
  for (const key of Object.keys(value)) {
    const part = value[key];
    if (part === undefined) continue;
    if (isForbiddenKey(key) || (checkStrings && !key.isWellFormed())) return -1;
    const count = measure(part, depth + 1, checkStrings);
    if (count < 0) return -1;
    members += count + 1;
  }
  return members;
}

/**
 * The first thing in a value that no document may hold.
 *
 * @returns undefined when the value is a document
 */
export function problemOf(document: unknown): Problem | undefined {
  const path: PathStep[] = [];
  let value = document;
  if (countMembers(value) >= 0) return undefined;
  const problem = (message: string): Problem => ({ path, message, severity: "error" });
  while (path.length < depthMax) {
    if (!Array.isArray(value) && !isPlainObject(value)) return problem(leafProblem(value));
    const steps: Iterable<PathStep> = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const step of steps) {
      const part = (value as Record<PathStep, unknown>)[step];
      const isAbsent = part === undefined && !Array.isArray(value);
      const isNamed = typeof step === "number" || isAbsent || isAllowedKey(step);
      if (isNamed && (isAbsent || measure(part, path.length + 1, true) >= 0)) continue;
      path.push(step);
      if (!isNamed) return problem(`key ${JSON.stringify(step)} is not allowed; rename it`);
      value = part;
      break;
    }
  }
  return problem(`nesting is deeper than ${depthMax} levels`);
}

function leafProblem(value: unknown): string {
  if (typeof value === "number") {
    return "number is not finite or beyond 2^53 - 1; write it as a string";
  }
  if (typeof value === "string") return "half of a surrogate pair, which UTF-8 cannot carry";
  return `${value === undefined ? "undefined" : typeof value} is not JSON`;
}

function isAllowedKey(key: string): boolean {
  return !isForbiddenKey(key) && key.isWellFormed();
}

/**
 * Makes sure that what a program hands over can be stored as a document.
 *
 * @param attempt what was attempted, for the message: "set the document"
 * @throws `INVALID` naming the first place that is not JSON, `TOO_LARGE` beyond the depth allowed
 */
export function assertDocument(document: unknown, attempt: string): asserts document is Json {
  const problem = problemOf(document);
  if (problem === undefined) return;
  if (problem.path.length >= depthMax) throw tooDeep(attempt);
  throw holdfastError(
    "INVALID",
    `Cannot ${attempt}: found at ${describePath(problem.path)}: ${problem.message}`,
    { problems: [problem] },
  );
}

/** The error for a document nested beyond the limit. */
export function tooDeep(attempt: string): HoldfastErrorOf<"TOO_LARGE"> {
  return holdfastError(
    "TOO_LARGE",
    `Cannot ${attempt}: found nesting deeper than ${depthMax} levels; flatten the document`,
    { what: "nesting in levels", limit: depthMax },
  );
}

/** Copies plain data in depth, without members that are undefined; the copy can be changed without touching the original. */
export function copyDocument<T>(document: T): T {
  if (Array.isArray(document)) return document.map(copyDocument) as T;
  if (!isPlainObject(document)) return document;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(document)) {
    if (document[key] !== undefined) copy[key] = copyDocument(document[key]);
  }
  return copy as T;
}

/**
 * The part of a document at a path.
 *
 * @returns undefined where the path leads nowhere; inherited properties do not count
 */
export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
