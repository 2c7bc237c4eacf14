import { type Annotations, cutAtSecret } from "../core/annotation.ts";
import type { Change } from "../core/change.ts";
import type { Path, Problem } from "../core/error.ts";
import { hiddenValuesMax } from "../core/limits.ts";
import { describePath } from "../core/pointer.ts";
import type { Loaded } from "../source/source.ts";

/** Warns, for each part of the head that is written and does not count, which layer above says something else. */
export function hiddenProblems(
  { layers }: Loaded,
  changes: readonly Change[],
  annotations: Annotations | undefined,
): Problem[] {
  if (layers?.written === undefined || layers.written === layers.parts.at(-1)) return [];
  const problems: Problem[] = [];
  const written = changes.flatMap((change) => {
    return leavesOf(change.path, change.kind === "removed" ? change.before : change.after);
  });
  for (const path of written.slice(0, hiddenValuesMax)) {
    const place = layers.hiding(path);
    if (place === undefined) continue;
    const shown = cutAtSecret(annotations, path);
    const by = place.variable === undefined ? place.source : `${place.source}, ${place.variable}`;
    const message = `What is written at ${describePath(shown)} does not count: ` +
      `found a layer above it, ${by}, that says it too; change it there`;
    problems.push({ path: shown, message, severity: "warning", ...place });
  }
  return problems;
}

/** The paths of all that is no container. */
function leavesOf(path: Path, value: unknown): Path[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, part]) => leavesOf([...path, key], part));
}
