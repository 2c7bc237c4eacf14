import type { Change } from "./change.ts";
import { isPlainObject } from "./document.ts";
import { holdfastError, type PathStep } from "./error.ts";
import { depthMax } from "./limits.ts";
import { describePath } from "./pointer.ts";

/** The outcome of one walk over an old and a new value. */
export interface Shared<T> {
  /** The new value, deeply frozen; every part that equals the old one is the old one. */
  readonly value: T;
  /** What differs, in document order; removed array elements come last first. */
  readonly changes: readonly Change[];
}

/**
 * Compares a new value with the frozen old one in a single walk that shares the unchanged parts, freezes a copy of the
 * rest and lists the differences. An unchanged value comes back as the very object it was, and `next` is left as it is.
 *
 * @param previous what an earlier call returned, or undefined at first
 * @param next plain data: no instances of classes, no functions
 * @throws `UNSUPPORTED` where `next` is no plain data or too deep
 */
export function share<T>(previous: unknown, next: T): Shared<T> {
  const walk: Walk = { path: [], changes: [] };
  const value = compare(previous, next, walk) as T;
  return { value, changes: walk.changes };
}

/** Copies plain data into a deeply frozen value. */
export function freeze<T>(value: T): T {
  return freezeCopy(value, []) as T;
}

interface Walk {
  readonly path: PathStep[];
  readonly changes: Change[];
}

function compare(before: unknown, after: unknown, walk: Walk): unknown {
  if (before === after || (before !== before && after !== after)) return before;
  if (
    typeof before === "object" && typeof after === "object" && before !== null && after !== null
  ) {
    if (walk.path.length > depthMax) {
      throw unsupported(walk.path, "nesting that is too deep or never ends");
    }
    if (Array.isArray(before)) {
      if (Array.isArray(after)) return compareArrays(before, after, walk);
    } else if (!Array.isArray(after) && isPlainObject(after)) {
      return compareObjects(before as Record<string, unknown>, after, walk);
    }
  }
  const value = freezeCopy(after, walk.path);
  walk.changes.push({ path: [...walk.path], kind: "changed", before, after: value });
  return value;
}

function compareObjects(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  walk: Walk,
): unknown {
  const { path, changes } = walk;
  const keys = Object.keys(after);
  let result: Record<string, unknown> | undefined;
  let kept = 0;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    path.push(key);
    if (key === "__proto__") throw unsupported(path, "the key __proto__");
    const had = Object.hasOwn(before, key);
    let child: unknown;
    if (had) {
      kept++;
      child = compare(before[key], after[key], walk);
    } else {
      child = freezeCopy(after[key], path);
      changes.push({ path: [...path], kind: "added", after: child });
    }
    path.pop();
    if (result === undefined && (!had || !same(child, before[key]))) {
      result = {};
      for (let earlier = 0; earlier < index; earlier++) {
        result[keys[earlier]!] = before[keys[earlier]!];
      }
    }
    if (result !== undefined) result[key] = child;
  }
  const keysBefore = Object.keys(before);
  if (keysBefore.length > kept) {
    if (result === undefined) {
      result = {};
      for (const key of keys) result[key] = before[key];
    }
    for (const key of keysBefore) {
      if (!Object.hasOwn(after, key)) {
        changes.push({ path: [...path, key], kind: "removed", before: before[key] });
      }
    }
  }
  return result === undefined ? before : Object.freeze(result);
}

function compareArrays(before: readonly unknown[], after: readonly unknown[], walk: Walk): unknown {
  const { path, changes } = walk;
  let differs = before.length !== after.length;
  const result: unknown[] = new Array(after.length);
  for (let index = 0; index < after.length; index++) {
    path.push(index);
    if (index < before.length) {
      result[index] = compare(before[index], after[index], walk);
      if (!same(result[index], before[index])) differs = true;
    } else {
      result[index] = freezeCopy(after[index], path);
      changes.push({ path: [...path], kind: "added", after: result[index] });
    }
    path.pop();
  }
  for (let index = before.length - 1; index >= after.length; index--) {
    changes.push({ path: [...path, index], kind: "removed", before: before[index] });
  }
  return differs ? Object.freeze(result) : before;
}

function same(one: unknown, other: unknown): boolean {
  return one === other || (one !== one && other !== other);
}

function freezeCopy(value: unknown, path: PathStep[]): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw unsupported(path, `a ${typeof value}`);
  }
  if (typeof value !== "object" || value === null) return value;
  if (path.length > depthMax) throw unsupported(path, "nesting that is too deep or never ends");
  if (Array.isArray(value)) {
    const copy: unknown[] = new Array(value.length);
    for (let index = 0; index < value.length; index++) {
      path.push(index);
      copy[index] = freezeCopy(value[index], path);
      path.pop();
    }
    return Object.freeze(copy);
  }
  if (!isPlainObject(value)) {
    throw unsupported(path, `an instance of ${value.constructor?.name ?? "a class"}`);
  }
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    path.push(key);
    if (key === "__proto__") throw unsupported(path, "the key __proto__");
    copy[key] = freezeCopy(value[key], path);
    path.pop();
  }
  return Object.freeze(copy);
}

function unsupported(path: readonly PathStep[], found: string): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot freeze the value at ${describePath(path)}: found ${found}; ` +
      "let the schema's output be objects, arrays, strings, numbers, booleans and null",
    { what: found },
  );
}
