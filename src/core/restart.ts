import { type Annotations, cutAtSecret } from "./annotation.ts";
import { isPlainObject, type Json, valueAt } from "./document.ts";
import { isHoldfastError, type Path, type PathStep, type Problem } from "./error.ts";
import { diff } from "./diff.ts";
import { depthMax, holdAttemptsMax } from "./limits.ts";
import { setAt, unsetAt } from "./patch.ts";
import { describePath } from "./pointer.ts";
import type { Validation } from "./schema.ts";

/** A value that waits for a restart. */
export interface PendingRestart {
  /** Where in the value. */
  readonly path: Path;
  /** What the process runs with. */
  readonly running: unknown;
  /** What is stored, and will count after a restart. */
  readonly stored: unknown;
}

/** A value, and the document that the schema made it of. */
export interface Made {
  readonly input: Json;
  readonly value: unknown;
}

/** What may run now, without a restart. */
export interface Held extends Made {
  readonly pending: readonly PendingRestart[];
  /** Warnings that say why more waits than what only a restart changes. */
  readonly problems: readonly Problem[];
}

/** What holding back goes by. */
export interface Rules {
  readonly annotations: Annotations | undefined;
  readonly validate: (input: Json) => Promise<Validation<unknown>>;
}

/**
 * Keeps the running value wherever the schema says that only a restart changes it, and takes over the rest.
 *
 * The outcome is always one that the schema gives. Where it refuses the running part beside the rest of what is stored, the
 * part around both waits as well, up to the whole value: what is stored is good by itself, and will count after a restart.
 *
 * @param next what is stored now; left as it is
 */
export async function holdForRestart(running: Made, next: Made, rules: Rules): Promise<Held> {
  const reasons = new Map<string, Problem>();
  let places = placesToHold(running.value, next.value, rules.annotations);
  for (let attempt = 1; places.length > 0 && places[0]!.length > 0; attempt++) {
    const { made, problems } = await mix(running, next, places, rules);
    if (made !== undefined) return held(made, running, next, places, reasons);
    const inner = places;
    for (const problem of attempt < holdAttemptsMax ? problems : [atRoot(problems)]) {
      const place = placeAround(inner, problem.path);
      reasons.set(JSON.stringify(place), reasonToWait(place, problem, rules.annotations));
      places = [place, ...places];
    }
    places = outermost(places);
  }
  return places.length === 0
    ? { ...next, pending: [], problems: [] }
    : held(running, running, next, topPlaces(running.value, next.value), reasons);
}

/** The places whose running parts stay, outermost ones alone. */
export function placesToHold(
  running: unknown,
  next: unknown,
  place: Annotations | undefined,
  depth = 0,
): Path[] {
  // What is deeper is refused when it is frozen.
  if (place?.mayNeedRestart !== true || running === next || depth > depthMax) return [];
  const [was, will] = [place.fitting(running), place.fitting(next)];
  const whole = () => diff(running, next).length === 0 ? [] : [[]];
  if (was.restartRequired || will.restartRequired) return whole();
  const areArrays = Array.isArray(running) && Array.isArray(next);
  const areAlike = areArrays || (isPlainObject(running) && isPlainObject(next));
  // What comes anew brings its values with it: nothing runs with those yet. What goes, or gives way to another option of a
  // union, stays as a whole, since nothing of the one belongs into the other.
  if (was !== will || !areAlike) return needsRestart(running, was) ? whole() : [];
  const inner: Path[] = [];
  for (const step of stepsOf(next, running)) {
    const [part, nextPart] = [valueAt(running, [step]), valueAt(next, [step])];
    const below = placesToHold(part, nextPart, was.child(step), depth + 1);
    for (const path of below) inner.push([step, ...path]);
  }
  // The elements of an array have no names: which of them is which, nobody knows after an edit.
  const isOne = areArrays || was.isAmbiguous;
  return isOne && inner.length > 0 ? [[]] : inner;
}

/** Whether something that only a restart changes is in a value. */
function needsRestart(value: unknown, place: Annotations | undefined, depth = 0): boolean {
  if (place?.mayNeedRestart !== true || value === undefined || depth > depthMax) return false;
  const { restartRequired, child } = place.fitting(value);
  if (restartRequired) return true;
  if (typeof value !== "object" || value === null) return false;
  return stepsOf(value).some((step) => {
    return needsRestart(valueAt(value, [step]), child(step), depth + 1);
  });
}

function stepsOf(...values: readonly unknown[]): PathStep[] {
  const steps = values.flatMap((value): PathStep[] => {
    return Array.isArray(value) ? [...value.keys()] : Object.keys(value as object);
  });
  return [...new Set(steps)];
}

/** What is stored with the running parts at some places, or why that cannot be. */
async function mix(
  running: Made,
  next: Made,
  places: readonly Path[],
  { validate }: Rules,
): Promise<{ readonly made?: Made; readonly problems: readonly Problem[] }> {
  try {
    const input = withParts(next.input, running.input, places);
    const value = withParts(next.value as Json, running.value, places);
    const validation = await validate(input);
    if (!validation.ok) {
      const { problems } = validation;
      return { problems: problems.length > 0 ? problems : [disagreement([])] };
    }
    // A default, or an option of a union, may depend on what stands beside it.
    const differing = diff(validation.value, value)[0];
    if (differing !== undefined) return { problems: [disagreement(differing.path)] };
    return { made: { input, value }, problems: [] };
  } catch (error) {
    if (!isHoldfastError(error, "INVALID")) throw error;
    return { problems: error.details.problems };
  }
}

function withParts(target: Json, from: unknown, places: readonly Path[]): Json {
  const own = new WeakSet();
  return places.reduce((result, path) => {
    const part = valueAt(from, path);
    return part === undefined ? unsetAt(result, path) : setAt(result, path, part as Json, own);
  }, target);
}

function disagreement(path: Path): Problem {
  return { path, message: "it comes out as something else", severity: "error" };
}

function atRoot([first]: readonly Problem[]): Problem {
  return { ...(first ?? disagreement([])), path: [] };
}

/** The innermost place around both a problem and the place next to it that is held. */
function placeAround(places: readonly Path[], problemPath: Path): Path {
  let around: Path = [];
  for (const path of places) {
    let length = 0;
    const most = Math.min(path.length - 1, problemPath.length);
    while (length < most && path[length] === problemPath[length]) length++;
    if (length > around.length) around = path.slice(0, length);
  }
  return around;
}

/** Without those that lie within others, or are named twice. */
function outermost(places: readonly Path[]): Path[] {
  const sorted = places.toSorted((one, other) => one.length - other.length);
  const kept: Path[] = [];
  for (const path of sorted) {
    if (!kept.some((other) => startsWith(path, other))) kept.push(path);
  }
  return kept;
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, index) => path[index] === step);
}

/** A warning, without the names of what is secret. */
function reasonToWait(
  place: Path,
  { path, message }: Problem,
  annotations: Annotations | undefined,
): Problem {
  const found = describePath(cutAtSecret(annotations, path));
  return {
    path: cutAtSecret(annotations, place),
    message: "waits for a restart as a whole: beside what keeps its running value, the schema " +
      `refuses the rest (at ${found}: ${message})`,
    severity: "warning",
  };
}

/** The members of a value that differ: what waits where the whole does. */
function topPlaces(running: unknown, next: unknown): Path[] {
  if (!isPlainObject(running) || !isPlainObject(next)) return [[]];
  return stepsOf(running, next)
    .filter((step) => diff(running[step], next[step]).length > 0)
    .map((step) => [step]);
}

function held(
  made: Made,
  running: Made,
  next: Made,
  places: readonly Path[],
  reasons: ReadonlyMap<string, Problem>,
): Held {
  const pending = places.map((path) => {
    return { path, running: valueAt(running.value, path), stored: valueAt(next.value, path) };
  });
  // Of those that were tried on the way, the ones that hold more back in the end.
  const around = made === running ? [[]] : places;
  const problems = around.flatMap((path) => reasons.get(JSON.stringify(path)) ?? []);
  return { ...made, pending, problems };
}
