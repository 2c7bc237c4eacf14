import type { Path, PathStep } from "../core/error.ts";
import { depthMax, variableNamesMax } from "../core/limits.ts";
import type { Shape } from "../core/shape.ts";

/** Which path a variable means, or which name was most likely meant. */
export type VariablePath =
  | { readonly path: Path; readonly shape: Shape | undefined }
  | { readonly path?: undefined; readonly nearest: string | undefined };

/** How names of variables are made. */
export interface Naming {
  readonly prefix: string;
  readonly separator: string;
}

/** A path of a schema, with the variable that means it. */
interface Known {
  readonly path: Path;
  readonly shape: Shape | undefined;
}

/** The variables that a schema knows, and what those mean that it does not list. */
export class VariableNames {
  readonly #naming: Naming;
  readonly #root: Shape | undefined;
  readonly #known: ReadonlyMap<string, Known>;

  constructor(naming: Naming, root: Shape | undefined) {
    this.#naming = naming;
    this.#root = root;
    this.#known = knownNames(naming, root);
  }

  /** As many as can be listed: a recursive schema has no end. */
  get listed(): readonly string[] {
    return [...this.#known.keys()];
  }

  /**
   * Finds the path that a variable means: `APP_POOL__MAX_SIZE` is `pool.maxSize` where the schema has that, and
   * `pool.max_size` where it says nothing.
   */
  pathOf(name: string): VariablePath {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const segments = name.slice(this.#naming.prefix.length).split(this.#naming.separator);
    const path: PathStep[] = [];
    let shape = this.#root;
    for (const segment of segments) {
      const step = segments.length > depthMax ? undefined : stepOf(segment, shape);
      const next = step === undefined ? undefined : shape?.child(step);
      const isKnown = step !== undefined &&
        (shape === undefined || next !== undefined || shape.isOpen);
      if (!isKnown) return { nearest: this.#nearest(name) };
      path.push(step);
      shape = next;
    }
    return { path, shape };
  }

  /** The variable that gives the value at a path, where the schema lists that. */
  nameOf(path: Path): string | undefined {
    for (const [name, known] of this.#known) {
      const isSame = known.path.length === path.length &&
        path.every((step, at) => step === known.path[at]);
      if (isSame) return name;
    }
    return undefined;
  }

  #nearest(name: string): string | undefined {
    let [nearest, least] = [undefined as string | undefined, Math.max(2, name.length / 3)];
    for (const known of this.#known.keys()) {
      if (Math.abs(known.length - name.length) >= least) continue;
      const distance = distanceOf(name, known);
      if (distance < least) [nearest, least] = [known, distance];
    }
    return nearest;
  }
}

function knownNames({ prefix, separator }: Naming, root: Shape | undefined): Map<string, Known> {
  const known = new Map<string, Known>();
  // In breadth, so that a recursive schema cannot crowd out what stands beside it.
  const queue = [{ name: prefix, path: [] as Path, shape: root }];
  for (const { name, path, shape } of queue) {
    for (const key of shape?.names ?? []) {
      if (known.size >= variableNamesMax) return known;
      const own = name + (path.length === 0 ? "" : separator) + spelled(key);
      const child = { path: [...path, key], shape: shape!.child(key) };
      if (!known.has(own)) known.set(own, child);
      queue.push({ name: own, ...child });
    }
  }
  return known;
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
