import type { PathStep } from "../core/error.ts";
import type { Shape } from "../core/shape.ts";

/** Which path a variable means, or which name was most likely meant. */
export type VariablePath =
  | { readonly path: readonly PathStep[]; readonly shape: Shape | undefined }
  | { readonly path?: undefined; readonly nearest: string | undefined };

/** How names of variables are made. */
export interface Naming {
  readonly prefix: string;
  readonly separator: string;
}

/**
 * Finds the path that a variable means: `APP_POOL__MAX_SIZE` is `pool.maxSize` where the schema has that, and `pool.max_size`
 * where it says nothing.
 */
export function pathOfVariable(
  name: string,
  naming: Naming,
  root: Shape | undefined,
): VariablePath {
  const path: PathStep[] = [];
  let shape = root;
  for (const segment of name.slice(naming.prefix.length).split(naming.separator)) {
    const step = stepOf(segment, shape);
    const next = step === undefined ? undefined : shape?.child(step);
    const isKnown = step !== undefined &&
      (shape === undefined || next !== undefined || shape.isOpen);
    if (!isKnown) return { nearest: nearestName(name, naming, root) };
    path.push(step);
    shape = next;
  }
  return { path, shape };
}

/** The names of all variables that a schema knows, as far as they can be listed. */
export function variableNamesOf(naming: Naming, root: Shape | undefined): string[] {
  const names: string[] = [];
  const visit = (shape: Shape | undefined, name: string, seen: readonly string[]): void => {
    for (const key of shape?.names ?? []) {
      // A recursive schema has no end.
      if (seen.length > 8) continue;
      const own = seen.length === 0
        ? naming.prefix + spelled(key)
        : `${name}${naming.separator}${spelled(key)}`;
      names.push(own);
      visit(shape!.child(key), own, [...seen, key]);
    }
  };
  visit(root, "", []);
  return names;
}

function stepOf(segment: string, shape: Shape | undefined): PathStep | undefined {
  if (segment === "") return undefined;
  if (shape?.kinds.has("array") === true && /^(0|[1-9]\d{0,8})$/.test(segment)) {
    return Number(segment);
  }
  const wanted = plain(segment);
  const fitting = shape?.names.filter((name) => plain(name) === wanted) ?? [];
  // Where several are spelled alike but for their case, the exact one counts.
  return fitting.find((name) => name === segment) ?? fitting[0] ?? segment.toLowerCase();
}

/** `maxSize`, `max_size` and `MAX-SIZE` are one name in the environment. */
function plain(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

function spelled(key: string): string {
  return key.replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1_$2").replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .toUpperCase();
}

function nearestName(name: string, naming: Naming, root: Shape | undefined): string | undefined {
  let [nearest, least] = [undefined as string | undefined, Math.max(2, name.length / 3)];
  for (const known of variableNamesOf(naming, root)) {
    const distance = distanceOf(name, known);
    if (distance < least) [nearest, least] = [known, distance];
  }
  return nearest;
}

/** How many characters have to be added, removed or replaced to make one text of the other. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let at = 1; at <= one.length; at++) {
    const next = [at];
    for (let to = 1; to <= other.length; to++) {
      const replaced = row[to - 1]! + (one[at - 1] === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[to]! + 1, next[to - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
