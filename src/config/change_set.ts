import type { Change } from "../core/change.ts";
import type { ChangeSet, Origin, Snapshot } from "./types.ts";

/** Who changes the document, and why. */
export interface Cause {
  readonly origin: Origin;
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** The record of one step from a snapshot, or from nothing, to another. */
export function changeSetOf(
  source: string,
  before: Snapshot<unknown> | undefined,
  after: Snapshot<unknown>,
  changes: readonly Change[],
  { origin, actor, reason }: Cause,
): ChangeSet {
  return Object.freeze({
    from: before?.generation ?? 0,
    to: after.generation,
    changes: Object.freeze(changes),
    source,
    oldHash: before?.hash ?? "",
    newHash: after.hash,
    at: after.loadedAt,
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    origin,
  });
}
