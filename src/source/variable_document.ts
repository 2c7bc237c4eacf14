import { isForbiddenKey, isPlainObject, type Json, problemOf } from "../core/document.ts";
import type { Path, PathStep, Problem } from "../core/error.ts";
import type { Place } from "./source.ts";
import type { VariableNames } from "./variable_path.ts";
import { readVariable } from "./variable_value.ts";

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
 * @param warnsOfAll whether every variable that is not understood is to be told, and not only what looks like a slip
 */
export function documentOf(
  variables: readonly Variable[],
  names: VariableNames,
  warnsOfAll: boolean,
): VariableDocument {
  const warnings: string[] = [];
  const problems: Problem[] = [];
  const found: Meant[] = [];
  for (const variable of variables) {
    const meant = names.pathOf(variable.name);
    if (meant.path !== undefined) {
      found.push({ variable, path: meant.path, value: readVariable(variable.text, meant.shape) });
    } else if (warnsOfAll || meant.nearest !== undefined) {
      warnings.push(unknown(variable.name, meant.nearest));
    }
  }
  found.sort((one, other) => {
    return one.path.length - other.path.length || comparePaths(one.path, other.path);
  });
  let document: Json = {};
  const placed: Meant[] = [];
  for (const one of found) {
    const problem = problemIn(one, document);
    if (problem !== undefined) {
      problems.push({ ...problem, ...one.variable.place });
      continue;
    }
    const replaced = placed.findLast(({ path, value }) => {
      return path.length === one.path.length
        ? comparePaths(path, one.path) === 0
        : !isContainer(value) && isWithin(one.path, path);
    });
    if (replaced !== undefined) {
      warnings.push(hidden(replaced.variable.name, one.variable.name));
    }
    document = put(document, one.path, one.value);
    placed.push(one);
  }
  const problem = problems.length === 0 ? problemOf(document) : undefined;
  if (problem !== undefined) problems.push(problem);
  return {
    document,
    problems,
    warnings,
    placeOf: (path) => placed.findLast((one) => isWithin(path, one.path))?.variable.place,
  };
}

function unknown(name: string, nearest: string | undefined): string {
  const advice = nearest === undefined ? "remove it" : `did you mean ${nearest}?`;
  return `Cannot use the variable ${name}: found nothing of that name in the schema; ${advice}`;
}

function hidden(name: string, by: string): string {
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

/** Puts a value at a path of a document that is being made. */
function put(document: Json | undefined, path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const part = put(partOf(document, step) as Json | undefined, rest, value);
  if (typeof step === "number") {
    const items = Array.isArray(document) ? document as Json[] : [];
    return step < items.length ? items.with(step, part) : [...items, part];
  }
  const members = isPlainObject(document) ? Object.entries(document) : [];
  return Object.fromEntries([...members, [step, part]]) as Json;
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
