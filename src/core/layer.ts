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
    if (document === undefined) continue;
    // Of a whole that is taken back, every part is a default.
    merged = isReset(document) ? {} : merge(merged, document, [], rule);
  }
  return merged;
}

/**
 * Finds what each layer has at a path of the merged document, the winner first. Where what wins stands above the path, such
 * as a reset or a value that took the place of an object, it is told with its own path.
 */
export function valuesAt(
  documents: readonly (Json | undefined)[],
  path: Path,
  rule: ArrayRule = () => undefined,
): LayerValue[] {
  let said: Said[] = documents.flatMap((value, layer) => {
    return value === undefined ? [] : [{ layer, path: [], value, counts: true }];
  });
  const resets: LayerValue[] = [];
  let replacing: Said | undefined;
  for (const [depth, step] of path.entries()) {
    const place = layOver(said, path.slice(0, depth), rule);
    if ((place.replacing?.layer ?? -1) > (replacing?.layer ?? -1)) replacing = place.replacing;
    resets.push(...said.filter(({ value }) => isReset(value)));
    said = place.said.flatMap((one) => follow(one, step, place.names));
  }
  const isGiven = layOver(said, path, rule).said.some(({ counts }) => counts);
  const isReplaced = said.length > 0 && !isGiven && replacing !== undefined;
  return [...said, ...resets, ...(isReplaced && !isReset(replacing!.value) ? [replacing!] : [])]
    .sort((one, other) => other.layer - one.layer)
    .map(({ layer, path, value }) => ({ layer, path, value }));
}

/** Whether a value of a layer means that the schema's default counts. */
export function isReset(value: Json | undefined): boolean {
  return isPlainObject(value) && value["$default"] === true && Object.keys(value).length === 1;
}

function merge(below: Json | undefined, above: Json, path: Path, rule: ArrayRule): Json {
  if (isObject(above) && isObject(below)) return mergeObjects(below, above, path, rule);
  if (isNamed(below) && mergesByName(above, path, rule)) {
    return mergeNamed(below, above, path, rule);
  }
  return alone(above);
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
  const merged = [...below];
  const indexes = new Map(below.map((entry, index) => [nameOf(entry)!, index]));
  for (const entry of above) {
    const index = indexes.get(nameOf(entry)!) ?? merged.length;
    merged[index] = merge(merged[index], entry, [...path, index], rule);
  }
  return merged;
}

/** A value with nothing below it: there is nothing that a reset in it could take back. */
function alone(value: Json): Json {
  if (isArray(value)) return value.map((entry) => isReset(entry) ? entry : alone(entry));
  if (!isObject(value)) return value;
  const parts = Object.entries(value).filter(([, part]) => !isReset(part));
  return Object.fromEntries(parts.map(([key, part]) => [key, alone(part)]));
}

/** What a layer says at a place. */
interface Said {
  readonly layer: number;
  /** In its own document. */
  readonly path: Path;
  readonly value: Json;
  /** Whether nothing above took its place. */
  readonly counts: boolean;
}

/** The values of one place, laid over one another. */
interface Laid {
  readonly said: readonly Said[];
  /** The names in the order of the merged array, where entries merge by name. */
  readonly names: readonly string[] | undefined;
  /** The last that took the place of others. */
  readonly replacing: Said | undefined;
}

function layOver(said: readonly Said[], path: Path, rule: ArrayRule): Laid {
  let [start, replacing, below]: [number, Said | undefined, Json | undefined] = [
    0,
    undefined,
    undefined,
  ];
  for (const [index, one] of said.entries()) {
    if (!one.counts) continue;
    const { value } = one;
    const isLaid = below === undefined || (isObject(below) && isObject(value)) ||
      (isNamed(below) && mergesByName(value, path, rule));
    if (isReset(value) || !isLaid) [start, replacing] = [index, one];
    below = isReset(value) ? undefined : value;
  }
  const laid = said.map((one, index) => index < start ? { ...one, counts: false } : one);
  const arrays = laid.filter(({ counts }) => counts).map(({ value }) => value).filter(isNamed);
  const names = isNamed(below)
    ? [...new Set(arrays.flatMap((entries) => entries.map((entry) => nameOf(entry)!)))]
    : undefined;
  return { said: laid, names, replacing };
}

/** Goes on to a part of what a layer says. */
function follow(one: Said, step: PathStep, names: readonly string[] | undefined): Said[] {
  const { value } = one;
  const index = /^\d+$/.test(String(step)) ? Number(step) : -1;
  const isByName = names !== undefined && isNamed(value);
  const own = isByName ? indexOfName(value, names[index]) : isArray(value) ? index : step;
  if (isReset(value) || typeof value !== "object" || value === null) return [];
  if (!Object.hasOwn(value, own)) return [];
  const part = (value as Readonly<Record<PathStep, Json>>)[own]!;
  return [{ ...one, path: [...one.path, own], value: part }];
}

function indexOfName(entries: JsonArray, name: string | undefined): number {
  return entries.findIndex((entry) => name !== undefined && nameOf(entry) === name);
}

function isObject(value: Json | undefined): value is JsonObject {
  return isPlainObject(value);
}

function isArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** Whether the entries of an array can be told by their names: all have one, and no two the same. */
function isNamed(value: Json | undefined): value is JsonArray {
  if (!isArray(value)) return false;
  const names = value.map(nameOf);
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

/** Whether an array merges with one below it. An empty one, which names nothing, does only where the rule says so. */
function mergesByName(value: Json, path: Path, rule: ArrayRule): value is JsonArray {
  if (!isNamed(value)) return false;
  const how = rule(path);
  return how === "byName" || (how === undefined && value.length > 0);
}

function nameOf(entry: Json | undefined): string | undefined {
  const name = isObject(entry) ? entry["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}
