import { diff } from "./diff.ts";
import {
  assertDocument,
  copyDocument,
  isForbiddenKey,
  isPlainObject,
  type Json,
  problemOf,
  tooDeep,
} from "./document.ts";
import { holdfastError, type Path, type PathStep } from "./error.ts";
import { depthMax, documentBytesMax, patchOperationsMax } from "./limits.ts";
import { describePath, parsePointer } from "./pointer.ts";

/** One operation of a JSON Patch (RFC 6902). `path` and `from` are JSON Pointers. */
export type JsonPatchOperation =
  | { readonly op: "add" | "replace" | "test"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string }
  | { readonly op: "move" | "copy"; readonly from: string; readonly path: string };

/**
 * Applies a JSON Patch (RFC 6902), all of it or nothing.
 *
 * @param document what the operations start from, left as it is
 * @param operations a list of {@link JsonPatchOperation}; anything is checked, since patches come from outside
 * @returns the new document, sharing the parts that no operation touches
 * @throws `INVALID` where an operation is malformed, leads nowhere or tests what is not so; `TOO_LARGE` beyond the number of
 * operations, the depth or the amount of copying allowed
 */
export function jsonPatch(document: Json, operations: unknown): Json {
  if (!Array.isArray(operations)) {
    throw refused("a JSON Patch", [], "no array of operations");
  }
  if (operations.length > patchOperationsMax) {
    throw tooLarge(
      "a JSON Patch",
      "operations",
      patchOperationsMax,
      operations.length,
    );
  }
  // All are read before the first is applied, so that a malformed one is told as such.
  const read = Array.from(operations, (operation: unknown, index) => {
    return readOperation(operation, `operations[${index}]`, document);
  });
  const draft: Draft = { root: document, own: new WeakSet(), sizes: new WeakMap(), copied: 0 };
  read.forEach((operation, index) => apply(draft, operation, nameOf(operation.op, index)));
  if (draft.root !== document) assertDocument(draft.root, "apply a JSON Patch");
  return draft.root;
}

interface Draft {
  root: Json;
  /** The containers made here that nothing else refers to: they are changed in place, so that many edits cost one copy. */
  readonly own: WeakSet<object>;
  /** The sizes of containers that are changed no more. */
  readonly sizes: WeakMap<object, number>;
  /** About the characters of JSON copied so far: few copies of copies of copies make a text that nothing can hold. */
  copied: number;
}

/** An object or array of the draft. */
type Container = Record<PathStep, Json>;

function readOperation(operation: unknown, place: string, document: Json): JsonPatchOperation {
  if (!isPlainObject(operation)) throw refused(place, [], "no object");
  const { op, value } = operation;
  switch (op) {
    case "remove":
      return { op, path: readPointer(operation, "path", place, document) };
    case "move":
    case "copy": {
      const from = readPointer(operation, "from", place, document);
      return { op, from, path: readPointer(operation, "path", place, document) };
    }
    case "add":
    case "replace":
    case "test": {
      const path = readPointer(operation, "path", place, document);
      const name = `${place} (${op})`;
      const target = parsePointer(path, document);
      if (value === undefined) throw refused(name, target, "no value");
      const problem = problemOf(value);
      if (problem === undefined) return { op, path, value: copyDocument(value) as Json };
      if (problem.path.length >= depthMax) throw tooDeep(`apply ${name}`);
      throw refused(
        name,
        [...target, ...problem.path],
        `a value that does not fit: ${problem.message}`,
      );
    }
    default:
      throw refused(place, [], "no known op; use add, remove, replace, move, copy or test");
  }
}

function readPointer(
  operation: Record<string, unknown>,
  member: "path" | "from",
  place: string,
  document: Json,
): string {
  const name = `${place} (${operation["op"]})`;
  const pointer = operation[member];
  if (typeof pointer !== "string") throw refused(name, [], `no "${member}"`);
  let path: Path;
  try {
    path = parsePointer(pointer, document);
  } catch {
    throw refused(
      name,
      [],
      `a "${member}" that is no JSON Pointer; write it like /models/0/name`,
    );
  }
  const forbidden = path.findIndex((step) => isForbiddenKey(String(step)));
  if (forbidden === -1) return pointer;
  throw refused(name, path.slice(0, forbidden + 1), "a key that is not allowed");
}

function apply(draft: Draft, operation: JsonPatchOperation, name: string): void {
  const { op, path } = operation;
  switch (op) {
    case "add":
      return add(draft, path, operation.value, name);
    case "replace": {
      const { container, step } = open(draft, parsePointer(path, draft.root), name);
      container[step] = operation.value;
      return;
    }
    case "remove":
      return remove(draft, path, name);
    case "move":
      return move(draft, operation.from, path, name);
    case "copy": {
      const part = find(draft, operation.from, name);
      draft.copied += settle(draft, part, 0, name);
      if (draft.copied > documentBytesMax) {
        throw tooLarge(name, "bytes copied", documentBytesMax, draft.copied);
      }
      return add(draft, path, part, name);
    }
    case "test":
      if (diff(find(draft, path, name), operation.value).length === 0) return;
      throw refused(name, parsePointer(path, draft.root), "another value than expected there");
  }
}

function move(draft: Draft, from: string, path: string, name: string): void {
  // Every token has one spelling only, so that pointers can be compared as text.
  if (path.startsWith(`${from}/`)) {
    throw refused(name, parsePointer(path, draft.root), "it inside of what is to be moved there");
  }
  const part = find(draft, from, name);
  if (from === path) return;
  remove(draft, from, name);
  add(draft, path, part, name);
}

function add(draft: Draft, pointer: string, value: Json, name: string): void {
  const path = parsePointer(pointer, draft.root);
  const { container, step } = openParent(draft, path, name);
  if (!Array.isArray(container)) {
    container[step] = value;
    return;
  }
  const index = step === "-" ? container.length : step;
  if (typeof index !== "number" || index > container.length) {
    throw refused(name, path, `an array of ${container.length} elements, which this does not fit`);
  }
  container.splice(index, 0, value);
}

function remove(draft: Draft, pointer: string, name: string): void {
  const path = parsePointer(pointer, draft.root);
  if (path.length === 0) throw refused(name, path, "that it can only be replaced");
  const { container, step } = open(draft, path, name);
  if (Array.isArray(container)) container.splice(Number(step), 1);
  else delete container[step];
}

function find(draft: Draft, pointer: string, name: string): Json {
  const path = parsePointer(pointer, draft.root);
  let value = draft.root;
  path.forEach((step, at) => {
    const part = partOf(value, step);
    if (part === undefined) throw leadsNowhere(value, path, at, name);
    value = part;
  });
  return value;
}

/** The container of an existing place, ready to be changed. */
function open(draft: Draft, path: Path, name: string): { container: Container; step: PathStep } {
  const place = openParent(draft, path, name);
  if (partOf(place.container, place.step) !== undefined) return place;
  throw leadsNowhere(place.container, path, path.length - 1, name);
}

/** The container that holds, or is to hold, a place. The root is a member of the draft itself. */
function openParent(
  draft: Draft,
  path: Path,
  name: string,
): { container: Container; step: PathStep } {
  let container = draft as unknown as Container;
  let step: PathStep = "root";
  path.forEach((next, at) => {
    const child = partOf(container, step);
    if (child === undefined) throw leadsNowhere(container, path, at - 1, name);
    if (typeof child !== "object" || child === null) throw leadsNowhere(child, path, at, name);
    container = container[step] = owned(draft, child);
    step = next;
  });
  return { container, step };
}

function owned(draft: Draft, container: object): Container {
  if (draft.own.has(container)) return container as Container;
  const copy = Array.isArray(container) ? [...container] : { ...container };
  draft.own.add(copy);
  return copy as Container;
}

function partOf(value: unknown, step: PathStep): Json | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  // An array also has a length.
  return Array.isArray(value) && typeof step !== "number" ? undefined : (value as Container)[step];
}

/** Measures a part about to be referred to twice, which from then on must not be changed in place. */
function settle(draft: Draft, value: Json, depth: number, name: string): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 1;
  const known = draft.sizes.get(value);
  if (known !== undefined) return known;
  // Moves and copies can nest deeper than a document before the end.
  if (depth > depthMax) throw tooDeep(`apply ${name}`);
  let size = 2;
  if (Array.isArray(value)) {
    for (const item of value) size += settle(draft, item, depth + 1, name) + 1;
  } else {
    for (const [key, part] of Object.entries(value)) {
      size += key.length + 3 + settle(draft, part, depth + 1, name) + 1;
    }
  }
  draft.own.delete(value);
  draft.sizes.set(value, size);
  return size;
}

function nameOf(op: string, index: number): string {
  return `operations[${index}] (${op})`;
}

function leadsNowhere(value: unknown, path: Path, at: number, name: string): Error {
  const place = describePath(path.slice(0, at));
  if (Array.isArray(value)) {
    const step = JSON.stringify(path[at]);
    return refused(name, path, `${value.length} elements in ${place} and none at ${step}`);
  }
  if (typeof value === "object" && value !== null) {
    return refused(name, path, `nothing at ${describePath(path.slice(0, at + 1))}`);
  }
  const kind = value === null ? "null" : `a ${typeof value}`;
  return refused(name, path, `${kind} at ${place}, which has no parts`);
}

/** Never tells a value, which may be a secret. */
function refused(name: string, path: Path, found: string): Error {
  const message = `Cannot apply ${name} to ${describePath(path)}: found ${found}`;
  return holdfastError("INVALID", message, { problems: [{ path, message, severity: "error" }] });
}

function tooLarge(name: string, what: string, limit: number, found: number): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot apply ${name}: found ${found} ${what}, where ${limit} are allowed`,
    { what, limit, found },
  );
}
