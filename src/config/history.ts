import type { Annotations } from "../core/annotation.ts";
import { namedIn } from "../core/cause.ts";
import type { Change } from "../core/change.ts";
import { diff } from "../core/diff.ts";
import { type Json, valueAt } from "../core/document.ts";
import { hideChanges, redactCalls, redactChanges } from "../core/redact.ts";
import type { OpenStore, StoredGeneration } from "../store/store.ts";
import type { HistoryEntry } from "./reports.ts";

/** What a history is read with. */
export interface HistoryParts {
  readonly name: string;
  readonly annotations: Annotations | undefined;
  /** The version of documents that the annotations fit; undefined where documents have none. */
  readonly version: number | undefined;
}

/** The newest generation of a store that is kept; undefined where none is. */
export async function newestOf(store: OpenStore): Promise<StoredGeneration | undefined> {
  const [newest] = await store.generations();
  return newest === undefined ? undefined : await store.read(newest);
}

/** Reads the generations that a store keeps, the newest first. */
export async function readHistory(
  store: OpenStore,
  parts: HistoryParts,
  limit: number = Infinity,
): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  let ahead: StoredGeneration | undefined;
  for (const generation of (await store.generations()).slice(0, Math.max(0, limit))) {
    const stored = ahead?.generation === generation ? ahead : await store.read(generation);
    // It was collected meanwhile.
    if (stored === undefined) continue;
    ahead = stored.parent === 0 ? undefined : await store.read(stored.parent);
    entries.push(entryOf(stored, ahead, parts));
  }
  return entries;
}

function entryOf(
  stored: StoredGeneration,
  parent: StoredGeneration | undefined,
  parts: HistoryParts,
): HistoryEntry {
  const { generation, hash, at, origin } = stored;
  const isBlind = holdsUnknownSecrets(stored.document, parts) ||
    holdsUnknownSecrets(parent?.document, parts);
  const calls = isBlind
    ? stored.calls.map((call) => ({ ...call, changes: [] }))
    : redactCalls(stored.calls, parts.annotations);
  const changes = parent === undefined ? [] : changesBetween(parent.document, stored.document);
  return Object.freeze({
    generation,
    from: stored.parent,
    to: generation,
    changes: isBlind ? hideChanges(changes) : redactChanges(changes, parts.annotations),
    source: parts.name,
    oldHash: stored.parentHash,
    newHash: hash,
    at,
    ...namedIn(calls),
    origin,
    ...(calls.length === 0 ? {} : { calls }),
  });
}

function changesBetween(before: Json | undefined, after: Json | undefined): readonly Change[] {
  if (before === undefined) return after === undefined ? [] : [{ path: [], kind: "added", after }];
  if (after === undefined) return [{ path: [], kind: "removed", before }];
  return diff(before, after);
}

/** What is secret in a document of another version, the annotations do not say. */
function holdsUnknownSecrets(
  document: Json | undefined,
  { annotations, version }: HistoryParts,
): boolean {
  if (document === undefined || version === undefined) return false;
  return annotations?.mayHoldSecret === true && valueAt(document, ["version"]) !== version;
}
