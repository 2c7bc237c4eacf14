import type { Path, PathStep } from "../core/error.ts";

/** A place that is asked for, or that leads to one. */
interface Wanted {
  offset: number | undefined;
  readonly parts: Map<PathStep, Wanted>;
}

/** Collects the offsets of the values at some paths, or of the nearest things above them, as a reader comes by. */
export interface WantedPlaces {
  /** To be told of each value: its path, needed only during the call, and its offset. */
  readonly visit: (path: readonly PathStep[], offset: number) => void;
  /** One for each path. */
  readonly offsets: () => number[];
}

/** Asks for the places of some paths. */
export function wantedPlaces(paths: readonly Path[]): WantedPlaces {
  const root: Wanted = { offset: undefined, parts: new Map() };
  const lanes = paths.map((path) => {
    return path.reduce<Wanted[]>((lane, step) => [...lane, partOf(lane.at(-1)!, step)], [root]);
  });
  return {
    visit: (path, offset) => {
      let wanted: Wanted | undefined = root;
      for (const step of path) wanted = wanted?.parts.get(step);
      if (wanted !== undefined) wanted.offset = offset;
    },
    offsets: () => {
      return lanes.map((lane) => lane.findLast(({ offset }) => offset !== undefined)?.offset ?? 0);
    },
  };
}

function partOf(parent: Wanted, step: PathStep): Wanted {
  const known = parent.parts.get(step);
  if (known !== undefined) return known;
  const part: Wanted = { offset: undefined, parts: new Map() };
  parent.parts.set(step, part);
  return part;
}

/** A value with its parts, as trees of syntax have them. */
export interface PlacedNode {
  readonly start: number;
  readonly items: readonly { readonly key: string | undefined; readonly node: PlacedNode }[];
}

/** The offsets of the values at some paths of a tree, or of the nearest things above them. */
export function locateIn(root: PlacedNode | undefined, paths: readonly Path[]): number[] {
  return paths.map((path) => {
    let node = root;
    for (const step of path) {
      const part = typeof step === "number"
        ? node?.items[step]?.key === undefined ? node?.items[step]?.node : undefined
        : node?.items.find(({ key }) => key === step)?.node;
      if (part === undefined) break;
      node = part;
    }
    return node?.start ?? 0;
  });
}
