import { diff } from "../core/diff.ts";
import {
  copyDocument,
  isForbiddenKey,
  isPlainObject,
  type Json,
  problemOf,
  valueAt,
} from "../core/document.ts";
import type { Path, PathStep, Problem } from "../core/error.ts";
import type { Given, Place } from "./source.ts";
import type { VariableNames } from "./variable_path.ts";
import { readVariable } from "./variable_value.ts";

/** How messages and places call what is outside of files. */
export const environment: string = "the environment";

/** A variable with a value, and where it stands. */
export interface Variable {
  readonly name: string;
  readonly text: string;
  readonly place: Place;
}

/** What variables make together. */
export interface VariableDocument {
  readonly document: Json;
  /** What no document may hold. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
  /** Where the variable stands that gives the value at a path, if one does. */
  readonly placeOf: (path: Path) => Place | undefined;
  /** What variables say of a path, or of something that it is part of, the one that counts first. */
  readonly given: (path: Path) => readonly Given[];
}

/** A variable that was understood. */
interface Meant {
  readonly variable: Variable;
  readonly path: Path;
  readonly value: Json;
}

/**
 * Makes a document of variables. What is said of a part counts over what is said of the whole; of two that mean the same,
 * the later one counts.
 *
 * @param overridden those that do not count, since another of the same name does; the strongest last
 * @param warnsOfAll whether every variable that is not understood is to be told, and not only what looks like a slip
 */
export function documentOf(
  variables: readonly Variable[],
  overridden: readonly Variable[],
  names: VariableNames,
  warnsOfAll: boolean,
): VariableDocument {
  const warnings: string[] = [];
  const found: Meant[] = [];
  for (const variable of variables) {
    const meant = meaningOf(variable, names);
    if ("value" in meant) found.push(meant);
    else if (warnsOfAll || meant.nearest !== undefined) {
      warnings.push(unknown(variable.name, meant.nearest));
    }
  }
  const { document, placed, problems, hidden } = putTogether(found);
  const given = (path: Path): Given[] => {
    const value = valueAt(document, path) as Json | undefined;
    if (value === undefined) return [];
    const beaten = overridden.map((variable) => meaningOf(variable, names));
    const said = [...beaten, ...placed].toReversed().flatMap((one) => saidOf(path, one));
    const [first] = said;
    // What is put together of several variables is of none of them.
    const isOfOne = first !== undefined && diff(first.value, value).length === 0;
    return isOfOne ? said : [{ value, place: { source: environment } }, ...said];
  };
  return {
    document,
    problems,
    warnings: [...warnings, ...hidden],
    placeOf: (path) => placed.findLast((one) => isWithin(path, one.path))?.variable.place,
    given,
  };
}

/** Puts each variable where it belongs: the wholes first, then their parts. */
function putTogether(found: readonly Meant[]) {
  const problems: Problem[] = [];
  const hidden: string[] = [];
  const placed = new Map<string, Meant>();
  let document: Json = {};
  for (const one of found.toSorted(compareMeant)) {
    const problem = problemIn(one, document);
    if (problem !== undefined) {
      problems.push({ ...problem, ...one.variable.place });
      continue;
    }
    const lost = replacedBy(one, placed);
    if (lost !== undefined) hidden.push(hiddenBy(lost.variable.name, one.variable.name));
    document = put(document, one.path, copyDocument(one.value));
    placed.set(keyOf(one.path), one);
  }
  const problem = problems.length === 0 ? problemOf(document) : undefined;
  if (problem !== undefined) problems.push(problem);
  return { document, placed: [...placed.values()], problems, hidden };
}

/** What nothing is left of once another is in its place. */
function replacedBy({ path }: Meant, placed: ReadonlyMap<string, Meant>): Meant | undefined {
  const same = placed.get(keyOf(path));
  if (same !== undefined) return same;
  for (let length = path.length - 1; length > 0; length--) {
    const whole = placed.get(keyOf(path.slice(0, length)));
    if (whole !== undefined && !isContainer(whole.value)) return whole;
  }
  return undefined;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

function saidOf(path: Path, one: ReturnType<typeof meaningOf>): Given[] {
  if (!("value" in one) || !isWithin(path, one.path)) return [];
  const value = valueAt(one.value, path.slice(one.path.length)) as Json | undefined;
  return value === undefined ? [] : [{ value, place: one.variable.place }];
}

function meaningOf(
  variable: Variable,
  names: VariableNames,
): Meant | { readonly nearest: string | undefined } {
  const meant = names.pathOf(variable.name);
  if (meant.path === undefined) return meant;
  return { variable, path: meant.path, value: readVariable(variable.text, meant.shape) };
}

function unknown(name: string, nearest: string | undefined): string {
  const advice = nearest === undefined ? "remove it" : `did you mean ${nearest}?`;
  return `Cannot use the variable ${name}: found nothing of that name in the schema; ${advice}`;
}

function hiddenBy(name: string, by: string): string {
  return `Cannot use the variable ${name}: found ${by}, which counts over it; remove one of them`;
}

/** Why a variable cannot be part of a document, apart from what the schema says. */
function problemIn({ path, value }: Meant, document: Json): Problem | undefined {
  const severity = "error" as const;
  const key = path.findIndex((step) => typeof step === "string" && isForbiddenKey(step));
  if (key !== -1) {
    const message = `key ${JSON.stringify(path[key])} is not allowed; rename it`;
    return { path: path.slice(0, key + 1), message, severity };
  }
  let part: unknown = document;
  for (const [index, step] of path.entries()) {
    if (typeof step === "number" && step > lengthOf(part)) {
      const message = `element ${step} of a list that has ${lengthOf(part)} before it; ` +
        "count from 0, without gaps";
      return { path: path.slice(0, index), message, severity };
    }
    part = partOf(part, step);
  }
  const problem = problemOf(value);
  return problem === undefined ? undefined : { ...problem, path: [...path, ...problem.path] };
}

/** Puts a value at a path of a document that is being made, and changes that. */
function put(document: unknown, path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const part = put(partOf(document, step), rest, value);
  if (typeof step === "number") {
    const items = Array.isArray(document) ? document as Json[] : [];
    items[step] = part;
    return items;
  }
  const members = isPlainObject(document) ? document as Record<string, Json> : {};
  members[step] = part;
  return members;
}

function partOf(value: unknown, step: PathStep): unknown {
  const isThere = typeof step === "number" ? Array.isArray(value) : isPlainObject(value);
  if (!isThere || !Object.hasOwn(value as object, step)) return undefined;
  return (value as Record<PathStep, unknown>)[step];
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function isContainer(value: Json): boolean {
  return typeof value === "object" && value !== null;
}

function isWithin(path: Path, whole: Path): boolean {
  return whole.every((step, at) => path[at] === step);
}

function compareMeant(one: Meant, other: Meant): number {
  return one.path.length - other.path.length || comparePaths(one.path, other.path);
}

/** Elements by their numbers, so that each comes after the one before it. */
function comparePaths(one: Path, other: Path): number {
  for (const [at, step] of one.entries()) {
    const against = other[at]!;
    if (step === against) continue;
    if (typeof step === typeof against) return step < against ? -1 : 1;
    return typeof step === "number" ? -1 : 1;
  }
  return 0;
}
