import { type Annotations, cutAtSecret } from "../core/annotation.ts";
import type { Change } from "../core/change.ts";
import type { Path } from "../core/error.ts";
import { hiddenValuesMax } from "../core/limits.ts";
import { describePath } from "../core/pointer.ts";
import type { Loaded } from "../source/source.ts";

/** Words, for each part of the head that was written and does not count, which layer above says something else. */
export function describeHidden(
  { layers }: Loaded,
  changes: readonly Change[],
  annotations: Annotations | undefined,
): string[] {
  if (layers?.written === undefined || layers.written === layers.parts.at(-1)) return [];
  const described: string[] = [];
  const written = changes.flatMap((change) => {
    return leavesOf(change.path, change.kind === "removed" ? change.before : change.after);
  });
  for (const path of written.slice(0, hiddenValuesMax)) {
    const place = layers.hiding(path);
    if (place === undefined) continue;
    const told = describePath(cutAtSecret(annotations, path));
    const by = place.variable === undefined ? place.source : `${place.source}, ${place.variable}`;
    described.push(
      `What is written at ${told} does not count: found a layer above it, ${by}, that says it too; change it there`,
    );
  }
  return described;
}

/** The paths of all that is no container. */
function leavesOf(path: Path, value: unknown): Path[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, part]) => leavesOf([...path, key], part));
}
