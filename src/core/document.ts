import { holdfastError, type HoldfastErrorOf, type Path, type Problem } from "./error.ts";
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

/** What a walk over a document found: how many object members it has, or the first thing that no document may hold. */
export interface DocumentCheck {
  readonly members: number;
  readonly problem?: Problem;
}

/**
 * Walks a document once and checks that it is plain JSON within the limits.
 *
 * Numbers must be finite and at most 2⁵³ − 1 in magnitude, since beyond that a parser rounds in silence.
 *
 * @param document anything
 * @returns the number of object members, and the first problem if there is one
 */
export function checkDocument(document: unknown): DocumentCheck {
  const path: (string | number)[] = [];
  let members = 0;
  let problem: Problem | undefined;

  function refuse(message: string): boolean {
    problem = { path: [...path], message, severity: "error" };
    return false;
  }

  function visit(value: unknown): boolean {
    if (typeof value === "number") {
      return Math.abs(value) <= Number.MAX_SAFE_INTEGER ||
        refuse("number is not finite or beyond 2^53 - 1; write it as a string");
    }
    if (typeof value === "string") {
      return value.isWellFormed() || refuse("half of a surrogate pair, which UTF-8 cannot carry");
    }
    if (typeof value === "boolean" || value === null) return true;
    const isArray = Array.isArray(value);
    if (!isArray && !isPlainObject(value)) {
      return refuse(`${value === undefined ? "undefined" : typeof value} is not JSON`);
    }
    if (path.length >= depthMax) return refuse(`nesting is deeper than ${depthMax} levels`);
    return isArray ? visitArray(value) : visitObject(value);
  }

  function visitArray(array: readonly unknown[]): boolean {
    // By index, since the array's own methods pass over holes.
    for (let index = 0; index < array.length; index++) {
      if (!step(index, array[index])) return false;
    }
    return true;
  }

  function visitObject(object: Readonly<Record<string, unknown>>): boolean {
    const keys = Object.keys(object);
    members += keys.length;
    for (const key of keys) {
      if (isForbiddenKey(key) || !key.isWellFormed()) {
        path.push(key);
        return refuse(`key ${JSON.stringify(key)} is not allowed; rename it`);
      }
      // A member that is undefined counts as absent, as it does for JSON.stringify.
      if (object[key] !== undefined && !step(key, object[key])) return false;
    }
    return true;
  }

  function step(key: string | number, child: unknown): boolean {
    path.push(key);
    const good = visit(child);
    path.pop();
    return good;
  }

  visit(document);
  return problem === undefined ? { members } : { members, problem };
}

/**
 * Makes sure that what a program hands over can be stored as a document.
 *
 * @param attempt what was attempted, for the message: "set the document"
 * @throws `INVALID` naming the first place that is not JSON, `TOO_LARGE` beyond the depth allowed
 */
export function assertDocument(document: unknown, attempt: string): asserts document is Json {
  const { problem } = checkDocument(document);
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
