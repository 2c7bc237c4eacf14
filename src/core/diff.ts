import type { Change } from "./change.ts";
import { share } from "./snapshot.ts";

/**
 * Lists every difference between two plain values: objects by key whatever the order, arrays by index.
 *
 * @returns the changes that turn `before` into `after`; none exactly when they are deeply equal
 *
 * @example
 * ```ts
 * import { diff } from "holdfast";
 *
 * diff({ rate: 1, name: "a" }, { rate: 2, name: "a" });
 * // [{ path: ["rate"], kind: "changed", before: 1, after: 2 }]
 * ```
 */
export function diff(before: unknown, after: unknown): readonly Change[] {
  return share(before, after).changes;
}
