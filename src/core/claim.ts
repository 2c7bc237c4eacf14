import type { Change } from "./change.ts";
import { diff } from "./diff.ts";
import type { Path, PathStep } from "./error.ts";
import { trialsMax, triedPlacesMax } from "./limits.ts";

/** A part of the value that somebody selects, and which differs. */
export interface DifferentPart {
  /** What takes the part; undefined where it throws. */
  readonly take: (value: unknown) => unknown;
  readonly before: unknown;
  readonly after: unknown;
}

/** Two values and what differs. */
export interface Difference {
  readonly before: unknown;
  readonly after: unknown;
  readonly changes: readonly Change[];
}

/** Who claims a change. */
export interface Claim {
  readonly path: Path;
  /** Those who claim the change or something in it, by their index. */
  readonly by: ReadonlySet<number>;
  /** What of it nobody claims. */
  readonly unclaimed: readonly Path[];
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/**
 * Finds whose parts the changes alter. What selects a part is any function, so it is tried: a part depends on a change that lies
 * in a container it is or holds, or else on one that by itself makes another part of it. What was added or removed as a whole
 * counts as claimed where each of its leaves is. In doubt, and beyond a number of trials, nobody claims it.
 */
export function claimsOf(difference: Difference, parts: readonly DifferentPart[]): Claim[] {
  const takers = { before: takersOf(parts, "before"), after: takersOf(parts, "after") };
  const drafts = difference.changes.map((change) => draftOf(change, difference, takers));
  const edits = drafts.flatMap(({ edits }) => edits);
  if (edits.length <= 2 * triedPlacesMax) tryEdits(difference, parts, edits);
  return drafts.map(({ path, by, leaves }) => {
    const places = leaves.length > 0 ? leaves : [{ path, by }];
    const unclaimed = places.filter((place) => place.by.size === 0);
    return {
      path,
      by: new Set([...by, ...leaves.flatMap((leaf) => [...leaf.by])]),
      unclaimed: unclaimed.map((place) => place.path),
      isWhole: unclaimed.length === places.length,
    };
  });
}

type Side = "before" | "after";

/** Those who took a container, by their indices. */
type Takers = ReadonlyMap<unknown, readonly number[]>;

interface Place {
  readonly path: Path;
  readonly by: Set<number>;
}

/** One place of one of the values, given something else to see who notices. */
interface Edit extends Place {
  readonly side: Side;
  readonly replacement: unknown;
}

/** A claim in the making. */
interface Draft extends Place {
  /** The leaves of what was added or removed as a whole, unless somebody takes all of that. */
  readonly leaves: readonly Place[];
  readonly edits: readonly Edit[];
}

/** Finds the containers that are parts, or that parts were built of. */
function takersOf(parts: readonly DifferentPart[], side: Side): Takers {
  const takers = new Map<unknown, number[]>();
  for (const [index, { [side]: part }] of parts.entries()) {
    if (!isContainer(part)) continue;
    // What is frozen was taken as it is from the value, or may as well have been.
    const members = Object.isFrozen(part) ? [] : Object.values(part).filter(isContainer);
    for (const container of [part, ...members]) {
      const others = takers.get(container);
      if (others === undefined) takers.set(container, [index]);
      else others.push(index);
    }
  }
  return takers;
}

function draftOf(change: Change, values: Difference, takers: Record<Side, Takers>): Draft {
  const { path, kind } = change;
  const side = kind === "removed" ? "before" : "after";
  const ownersAt = (on: Side, at: Path) => ownersOf(values[on], at, takers[on]);
  const by = ownersAt(side, path);
  const before = change.kind === "added" ? undefined : change.before;
  const after = change.kind === "removed" ? undefined : change.after;
  const edits: Edit[] = [
    { path, by, side: "before", replacement: after },
    { path, by, side: "after", replacement: before },
  ];
  if (by.size > 0) return { path, by, leaves: [], edits };
  const leaves = [...leavesOf(before, path, "before"), ...leavesOf(after, path, "after")]
    .map((leaf): Edit => ({ ...leaf, by: ownersAt(leaf.side, leaf.path), replacement: undefined }));
  return { path, by, leaves, edits: [...edits, ...leaves] };
}

/** Who takes a container on the way to a place, or at it. */
function ownersOf(value: unknown, path: Path, takers: Takers): Set<number> {
  const owners = new Set<number>();
  let container = value;
  for (let at = 0; isContainer(container); at++) {
    for (const index of takers.get(container) ?? []) owners.add(index);
    const step = path[at];
    if (step === undefined) break;
    container = container[step];
  }
  return owners;
}

/** The places of a container where something stands that has no parts; just enough of them to be too many. */
function leavesOf(
  root: unknown,
  path: Path,
  side: Side,
): { readonly path: Path; readonly side: Side }[] {
  const leaves: { readonly path: Path; readonly side: Side }[] = [];
  const visit = (value: unknown, at: Path): void => {
    const keys = isContainer(value) ? Object.keys(value) : [];
    if (keys.length === 0 && value !== root) leaves.push({ path: at, side });
    for (const key of keys) {
      if (leaves.length > 2 * triedPlacesMax) return;
      const step = Array.isArray(value) ? Number(key) : key;
      visit((value as Container)[step], [...at, step]);
    }
  };
  visit(root, path);
  return leaves;
}

/** Finds who notices which edit. */
function tryEdits(
  values: Difference,
  parts: readonly DifferentPart[],
  edits: readonly Edit[],
): void {
  let trialsLeft = trialsMax;
  for (const side of ["before", "after"] as const) {
    const rehearsed = rehearse(values[side], edits.filter((edit) => edit.side === side));
    for (const [index, part] of parts.entries()) {
      const isNoticed = (some: readonly RehearsedEdit[]) => {
        return rehearsed.run(some, (value) => differs(part.take(value), part[side]));
      };
      // By halves, since most parts notice few of them. An edit that only others hide goes unclaimed.
      const search = (some: readonly RehearsedEdit[]): void => {
        if (some.length === 0 || trialsLeft === 0) return;
        trialsLeft--;
        if (!isNoticed(some)) return;
        if (some.length === 1) return void some[0]!.edit.by.add(index);
        const middle = some.length >> 1;
        search(some.slice(0, middle));
        search(some.slice(middle));
      };
      search(rehearsed.edits.filter(({ edit }) => !edit.by.has(index)));
    }
  }
}

/** What cannot be compared is no sign of anything. */
function differs(one: unknown, other: unknown): boolean {
  try {
    return one !== other && diff(one, other).length > 0;
  } catch {
    return false;
  }
}

interface RehearsedEdit {
  readonly edit: Edit;
  readonly parent: Container;
  readonly step: PathStep;
}

interface Rehearsal {
  readonly edits: readonly RehearsedEdit[];
  /** Makes some of the edits, looks at the value, and takes them back. */
  run(some: readonly RehearsedEdit[], look: (value: unknown) => boolean): boolean;
}

/** Copies of a value what its edits lie in, once, so that any of them can be made and taken back at little cost. */
function rehearse(value: unknown, edits: readonly Edit[]): Rehearsal {
  const holder: Container = { value };
  const copies = new Set<unknown>();
  const placed = edits.map((edit): RehearsedEdit => {
    let parent = holder;
    let step: PathStep = "value";
    for (const next of edit.path) {
      if (!copies.has(parent[step])) {
        copies.add(parent[step] = copyOf(parent[step] as Container));
      }
      parent = parent[step] as Container;
      step = next;
    }
    return { edit, parent, step };
  });
  return {
    edits: placed,
    run: (some, look) => {
      const undo = some.map(({ edit, parent, step }) => put(parent, step, edit.replacement));
      try {
        return look(holder["value"]);
      } finally {
        for (const takeBack of undo.reverse()) takeBack();
      }
    },
  };
}

/**
 * Puts something into a container; the answer takes it out again. Nothing is removed: in an array that would move the elements
 * behind it, and in an object the key would come back as the last one.
 */
function put(container: Container, step: PathStep, value: unknown): () => void {
  const had = Object.hasOwn(container, step);
  const { [step]: old, length } = container;
  container[step] = value;
  return () => {
    if (had) container[step] = old;
    else if (Array.isArray(container)) container.length = length as number;
    else delete container[step];
  };
}

type Container = Record<PathStep, unknown>;

function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}

function copyOf(container: Container): Container {
  return Array.isArray(container) ? container.slice() as unknown as Container : { ...container };
}
