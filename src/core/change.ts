import { valueAt } from "./document.ts";
import type { Path } from "./error.ts";
import { replaceAt } from "./patch.ts";

/** One difference between two values. A part that was added or removed stands as a whole, at its root. */
export type Change =
  | { readonly path: Path; readonly kind: "added"; readonly after: unknown }
  | { readonly path: Path; readonly kind: "removed"; readonly before: unknown }
  | {
    readonly path: Path;
    readonly kind: "changed";
    readonly before: unknown;
    readonly after: unknown;
  };

/**
 * Turns changes round, so that they lead from the new value back to the old one.
 *
 * @param changes as `diff` lists them
 */
export function invertChanges(changes: readonly Change[]): Change[] {
  return changes.toReversed().map((change): Change => {
    const { path } = change;
    if (change.kind === "added") return { path, kind: "removed", before: change.after };
    if (change.kind === "removed") return { path, kind: "added", after: change.before };
    return { path, kind: "changed", before: change.after, after: change.before };
  });
}

/**
 * Applies changes in order.
 *
 * @param value what the changes start from; left as it is
 * @returns the value they lead to, sharing what they do not touch
 */
export function applyChanges(value: unknown, changes: readonly Change[]): unknown {
  return changes.reduce((current, change) => {
    if (change.kind !== "removed") return replaceAt(current, change.path, change.after);
    const parentPath = change.path.slice(0, -1);
    const step = change.path.at(-1)!;
    const parent = valueAt(current, parentPath);
    if (Array.isArray(parent)) {
      return replaceAt(current, parentPath, parent.toSpliced(Number(step), 1));
    }
    const { [step]: _, ...rest } = parent as Record<string, unknown>;
    return replaceAt(current, parentPath, rest);
  }, value);
}
