import { isPlainObject, type Json, type JsonArray, type JsonObject } from "./document.ts";
import type { Path, PathStep } from "./error.ts";

/** What stands in a layer where a value is to be taken back: then the schema's default counts, whatever is below. */
export const reset: { readonly $default: true } = Object.freeze({ $default: true });

/** How an array of a later layer goes together with that of an earlier one. */
export type ArrayMerge = "replace" | "byName";

/** Says how arrays at a place merge; undefined where nobody said: those of named entries merge by name, others replace. */
export type ArrayRule = (path: Path) => ArrayMerge | undefined;

/** A value as one layer has it. */
export interface LayerValue {
  /** Which of the layers, from 0. */
  readonly layer: number;
  /** Where the value stands in the layer's own document: entries that merge by name may have another index there. */
  readonly path: Path;
  readonly value: Json;
}

/**
 * Merges documents, the later over the earlier: objects by key, arrays of named entries by name, and everything else
 * replaces. None of them is changed.
 *
 * @param documents undefined for a layer that has none
 * @returns undefined when no layer has a document
 */
export function mergeLayers(
  documents: readonly (Json | undefined)[],
  rule: ArrayRule = () => undefined,
): Json | undefined {
  let merged: Json | undefined;
  for (const document of documents) {
    if (document !== undefined) merged = merge(merged, document, [], rule);
  }
  return merged;
}

/**
 * Finds what each layer has at a path of the merged document, the winner first. A layer that replaced something above is
 * the last that counts; those below it are listed all the same, since they were overridden.
 */
export function valuesAt(
  documents: readonly (Json | undefined)[],
  path: Path,
  rule: ArrayRule = () => undefined,
): LayerValue[] {
  const merged = mergeLayers(documents, rule);
  return documents.flatMap((document, layer) => {
    const found = document === undefined ? undefined : follow(document, merged, path, rule);
    return found === undefined ? [] : [{ layer, ...found }];
  }).toReversed();
}

/** Whether a value of a layer means that the schema's default counts. */
export function isReset(value: Json | undefined): boolean {
  return isPlainObject(value) && value["$default"] === true && Object.keys(value).length === 1;
}

function merge(below: Json | undefined, above: Json, path: Path, rule: ArrayRule): Json {
  if (isObject(above) && !isReset(above)) {
    return mergeObjects(isObject(below) && !isReset(below) ? below : {}, above, path, rule);
  }
  if (isNamed(above, path, rule) && isNamed(below, path, rule)) {
    return mergeNamed(below, above, path, rule);
  }
  return above;
}

function mergeObjects(
  below: JsonObject,
  above: JsonObject,
  path: Path,
  rule: ArrayRule,
): JsonObject {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    if (isReset(value)) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value, [...path, key], rule));
  }
  return Object.fromEntries(merged);
}

function mergeNamed(below: JsonArray, above: JsonArray, path: Path, rule: ArrayRule): JsonArray {
  const merged = new Map(below.map((entry) => [nameOf(entry)!, entry]));
  for (const entry of above) {
    const name = nameOf(entry)!;
    const index = [...merged.keys()].indexOf(name);
    const at = [...path, index === -1 ? merged.size : index];
    merged.set(name, merge(merged.get(name), entry, at, rule));
  }
  return [...merged.values()];
}

/** Follows a path of the merged document through the document of one layer. */
function follow(
  document: Json,
  merged: Json | undefined,
  path: Path,
  rule: ArrayRule,
): { path: Path; value: Json } | undefined {
  let [value, whole]: (Json | undefined)[] = [document, merged];
  const own: PathStep[] = [];
  for (const [depth, step] of path.entries()) {
    if (isReset(value)) return { path: own, value: value! };
    const at = path.slice(0, depth);
    const entry: Json | undefined = partOf(whole, step);
    const isByName = isNamed(value, at, rule) && isNamed(whole, at, rule);
    const there = isByName ? indexOfName(value as JsonArray, nameOf(entry)) : step;
    [value, whole] = [partOf(value, there), entry];
    if (value === undefined) return undefined;
    own.push(there);
  }
  return value === undefined ? undefined : { path: own, value };
}

function partOf(value: Json | undefined, step: PathStep): Json | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Record<PathStep, Json>)[step];
}

function indexOfName(entries: JsonArray, name: string | undefined): number {
  return entries.findIndex((entry) => name !== undefined && nameOf(entry) === name);
}

function isObject(value: Json | undefined): value is JsonObject {
  return isPlainObject(value);
}

/** Whether an array merges by the names of its entries: all have one, and no two the same. */
function isNamed(value: Json | undefined, path: Path, rule: ArrayRule): value is JsonArray {
  if (!Array.isArray(value) || rule(path) === "replace") return false;
  const names = (value as JsonArray).map(nameOf);
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

function nameOf(entry: Json | undefined): string | undefined {
  const name = isObject(entry) ? entry["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}
