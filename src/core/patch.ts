import { isForbiddenKey, isPlainObject, type Json, tooDeep } from "./document.ts";
import { holdfastError, type Path, type PathStep } from "./error.ts";
import { depthMax } from "./limits.ts";
import { describePath } from "./pointer.ts";

/**
 * Applies a JSON Merge Patch (RFC 7396): objects merge key by key, null removes a key, anything else replaces.
 *
 * @param target the document, left as it is
 * @param patch what to merge into it
 * @returns the new document, sharing the parts that the patch does not touch
 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isPlainObject(patch)) return patch;
  const result = new Map(
    Object.entries(isPlainObject(target) ? target as Record<string, Json> : {}),
  );
  for (const [key, value] of Object.entries(patch as Record<string, Json>)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  // Unlike an assignment, this makes a key such as __proto__ an own property, which the document check then refuses.
  return Object.fromEntries(result);
}

/**
 * Replaces or adds the part of a document at a path; objects that are missing on the way are made.
 *
 * @param path an index may be one past the end of its array, and then appends
 * @param own the containers that earlier calls made for this same document: they are changed in place instead of copied, so
 * that many edits of one large container cost no more than one copy
 * @returns the new document, sharing everything beside the path
 * @throws `INVALID` where the path leads through something that is no object or array
 */
export function setAt(
  document: Json | undefined,
  path: Path,
  value: Json,
  own?: WeakSet<object>,
): Json {
  if (path.length > depthMax) throw tooDeep("set a part of the document");
  const forbidden = path.findIndex((step) => isForbiddenKey(String(step)));
  if (forbidden !== -1) throw invalid(path.slice(0, forbidden + 1), "a key that is not allowed");
  return edit(document, path, 0, () => value, own) as Json;
}

/**
 * Removes the part of a document at a path.
 *
 * @returns the new document, or the very same one when nothing was there
 * @throws `INVALID` for the root, which cannot be removed
 */
export function unsetAt(document: Json | undefined, path: Path): Json {
  const step = path.at(-1);
  if (step === undefined) throw invalid(path, "the whole document, which can only be replaced");
  let parent: unknown = document;
  for (const above of path.slice(0, -1)) {
    if (!holds(parent, above)) return document as Json;
    parent = (parent as Record<PathStep, unknown>)[above];
  }
  if (!holds(parent, step)) return document as Json;
  return edit(document, path.slice(0, -1), 0, (container) => {
    if (Array.isArray(container)) return container.toSpliced(Number(step), 1);
    const rest = { ...(container as Record<PathStep, unknown>) };
    delete rest[step];
    return rest;
  }) as Json;
}

/** Puts a value at a path whose parents exist. An index one past the end appends. */
export function replaceAt(value: unknown, path: Path, replacement: unknown): unknown {
  return edit(value, path, 0, () => replacement);
}

function holds(container: unknown, step: PathStep): boolean {
  return typeof container === "object" && container !== null && Object.hasOwn(container, step) &&
    !(Array.isArray(container) && step === "length");
}

function edit(
  value: unknown,
  path: Path,
  at: number,
  change: (old: unknown) => unknown,
  own?: WeakSet<object>,
): unknown {
  const step = path[at];
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    const index = typeof step === "number" ? step : /^(0|[1-9]\d*)$/.test(step) ? Number(step) : -1;
    if (!Number.isInteger(index) || index < 0 || index > value.length) {
      throw invalid(path.slice(0, at + 1), `an array of ${value.length} elements there`);
    }
    const child = edit(value[index], path, at + 1, change, own);
    return put(value, index, child, own);
  }
  if (value !== undefined && !isPlainObject(value)) {
    throw invalid(
      path.slice(0, at),
      `${value === null ? "null" : `a ${typeof value}`} there, which has no parts`,
    );
  }
  const parent = value ?? {};
  const old = Object.hasOwn(parent, step) ? parent[step] : undefined;
  return put(parent, step, edit(old, path, at + 1, change, own), own);
}

function put(
  container: object,
  step: PathStep,
  child: unknown,
  own: WeakSet<object> | undefined,
): unknown {
  const target = own?.has(container)
    ? container
    : Array.isArray(container)
    ? [...container]
    : { ...container };
  own?.add(target);
  (target as Record<PathStep, unknown>)[step] = child;
  return target;
}

function invalid(path: Path, found: string): Error {
  const message = `Cannot change ${describePath(path)}: found ${found}`;
  return holdfastError("INVALID", message, { problems: [{ path, message, severity: "error" }] });
}
