import type { Cause } from "../core/cause.ts";
import type { Change } from "../core/change.ts";
import { diff } from "../core/diff.ts";
import type { Json } from "../core/document.ts";
import type { Problem } from "../core/error.ts";
import { formatPointer } from "../core/pointer.ts";
import { holdForRestart, type PendingRestart } from "../core/restart.ts";
import { freeze, share } from "../core/snapshot.ts";
import type { Host } from "../host/host.ts";
import { writtenIn } from "../source/layers.ts";
import type { Loaded, OpenSource } from "../source/source.ts";
import { isOpenStore } from "../store/store.ts";
import { describeSnapshot, type SnapshotDetails } from "./envelope.ts";
import type { Candidate, Pipeline } from "./pipeline.ts";
import type { Reporter } from "./reporter.ts";
import type { ChangeSet, Snapshot, SourceState } from "./reports.ts";

/** Why something is there that nobody of ours brought. */
export const external: Cause = { origin: "external", calls: [] };

/** What the process runs with. */
export interface Running {
  /** What the value was made of. */
  readonly loaded: Loaded;
  /** At the newest version, frozen. */
  readonly document: Json;
  /** What the schema made the value of. */
  readonly input: Json;
  readonly snapshot: Snapshot<unknown>;
  readonly warnings: readonly Problem[];
  readonly pendingRestart: readonly PendingRestart[];
}

/** What an engine works with. */
export interface EngineParts {
  readonly name: string;
  readonly source: OpenSource;
  readonly pipeline: Pipeline;
  readonly host: Host;
  readonly reporter: Reporter;
  readonly migrate: "store" | "memory";
  readonly realm: SnapshotDetails["realm"];
  /** Called with every new snapshot, at once, and with what changed in its value. */
  readonly publish: (snapshot: Snapshot<unknown>, step: ChangeSet) => void;
}

/** A candidate worked out against what runs. */
export interface Prepared {
  /** Frozen, sharing what it can with the running value. */
  readonly value: unknown;
  readonly document: Json;
  readonly input: Json;
  /** Of the document. */
  readonly changes: readonly Change[];
  readonly valueChanges: readonly Change[];
  readonly warnings: readonly Problem[];
  readonly pending: readonly PendingRestart[];
}

/** Whether the source holds what runs, and that came from there. */
export function isSameContent(loaded: Loaded, running: Loaded): boolean {
  return loaded.hash === running.hash && loaded.generation === running.generation &&
    running.isStandIn !== true;
}

/** Whether something else is written than before; where not, its record and document say nothing of what changed. */
export function isOfHead(loaded: Loaded, before: Loaded | undefined): boolean {
  return loaded.layers === undefined || before === undefined ||
    !isSameContent(writtenIn(loaded), writtenIn(before));
}

/** What a document came from; files and stores of which layers are made count for themselves. */
function sourcesOf(
  { generation, hash, layers }: Loaded,
  name: string,
  isStore: boolean,
): SourceState[] {
  const parts = layers?.parts ?? [];
  // What can only be read counts no generations.
  if (parts.length === 0) return [isStore ? { name, generation, hash } : { name, hash }];
  return parts.map(({ name, loaded: { generation, hash } }) => {
    return generation === 0 ? { name, hash } : { name, generation, hash };
  });
}

/** What is to be stored as the next generation: its bytes do not exist yet. */
export function notStored(base: Loaded): Loaded {
  return { ...base, generation: base.generation + 1, hash: "" };
}

/** Describes what runs from now on; the revision tells whether its value is another one than before. */
export function snapshotOf(
  { name, pipeline: { annotations }, realm, source, host }: EngineParts,
  loaded: Loaded,
  { value, document }: Prepared,
  before: Snapshot<unknown> | undefined,
): Snapshot<unknown> {
  const { generation, hash, resolvedPaths, document: stored } = loaded;
  const changed = before !== undefined && value !== before.value;
  const snapshot: Snapshot<unknown> = Object.freeze({
    value: value as Snapshot<unknown>["value"],
    revision: (before?.revision ?? 0) + (changed ? 1 : 0),
    generation,
    hash,
    sources: freeze(sourcesOf(loaded, name, isOpenStore(source))),
    loadedAt: new Date(host.now()).toISOString(),
  });
  describeSnapshot(snapshot, {
    document: stored === undefined ? undefined : document,
    annotations,
    realm,
    backend: source.backend,
    resolvedPaths,
  });
  return snapshot;
}

/**
 * Works a candidate out against what runs: everything about taking it over that can fail, before anything is stored.
 *
 * @throws `UNSUPPORTED` when its value cannot be frozen
 */
export async function prepare(
  running: Running | undefined,
  candidate: Candidate,
  pipeline: Pipeline,
): Promise<Prepared> {
  const document = share(running?.document, candidate.document);
  const { input, warnings, pending, ...held } = await hold(running, candidate, pipeline);
  // Without a schema they are one and the same.
  const isPlain = held.value === candidate.document &&
    running?.snapshot.value === running?.document;
  const value = isPlain ? document : share(running?.snapshot.value, held.value);
  return {
    value: value.value,
    document: document.value,
    input: input === candidate.document ? document.value : input,
    changes: running === undefined ? [] : document.changes,
    valueChanges: running === undefined ? [] : value.changes,
    warnings,
    pending,
  };
}

/** What of a candidate may run without a restart; at first, there is nothing that could be kept. */
async function hold(
  running: Running | undefined,
  { input, value, warnings }: Candidate,
  pipeline: Pipeline,
): Promise<Pick<Prepared, "input" | "value" | "warnings" | "pending">> {
  if (running === undefined) return { input, value, warnings, pending: [] };
  const made = { input: running.input, value: running.snapshot.value };
  const { problems, ...held } = await holdForRestart(made, { input, value }, pipeline);
  return { ...held, warnings: [...warnings, ...problems] };
}

/** What waits for a restart that did not before: a place, or another value there. */
export function newlyPending(
  before: Running | undefined,
  pending: readonly PendingRestart[],
): PendingRestart[] {
  const known = new Map(
    before?.pendingRestart.map(({ path, stored }) => [formatPointer(path), stored]),
  );
  return pending.filter(({ path, stored }) => {
    const pointer = formatPointer(path);
    return !known.has(pointer) || diff(known.get(pointer), stored).length > 0;
  });
}
