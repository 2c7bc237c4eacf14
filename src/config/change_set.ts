import { type Cause, namedIn } from "../core/cause.ts";
import type { Change } from "../core/change.ts";
import type { ChangeSet, Snapshot } from "./reports.ts";

/** The record of one step from a snapshot, or from nothing, to another. */
export function changeSetOf(
  source: string,
  before: Pick<Snapshot<unknown>, "generation" | "hash"> | undefined,
  after: Pick<Snapshot<unknown>, "generation" | "hash" | "loadedAt">,
  changes: readonly Change[],
  { origin, calls }: Cause,
): ChangeSet {
  return Object.freeze({
    from: before?.generation ?? 0,
    to: after.generation,
    changes: Object.freeze(changes),
    source,
    oldHash: before?.hash ?? "",
    newHash: after.hash,
    at: after.loadedAt,
    ...namedIn(calls),
    origin,
    ...(calls.length === 0 ? {} : { calls }),
  });
}
