import { cutAtSecret } from "../core/annotation.ts";
import type { Change } from "../core/change.ts";
import { diff } from "../core/diff.ts";
import type { Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError, type Problem } from "../core/error.ts";
import { describePath } from "../core/pointer.ts";
import { redactBefore, redactChanges } from "../core/redact.ts";
import { holdForRestart, type PendingRestart } from "../core/restart.ts";
import { freeze, share } from "../core/snapshot.ts";
import type { Host } from "../host/host.ts";
import type { Loaded, OpenSource } from "../source/source.ts";
import { isOpenStore, type OpenStore } from "../store/store.ts";
import { type Cause, changeSetOf } from "./change_set.ts";
import { describeSnapshot, type SnapshotDetails } from "./envelope.ts";
import { type Candidate, describeProblem, type Pipeline } from "./pipeline.ts";
import { isSameRefusal, nothingThere, type Refusal, refusalOf, removed } from "./refusal.ts";
import type { Reporter } from "./reporter.ts";
import type { AuditEvent, ChangeSet, Snapshot } from "./types.ts";

/** What the process runs with. */
export interface Running {
  /** What the value was made of. */
  readonly loaded: Loaded;
  /** At the newest version, frozen. */
  readonly document: Json;
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
  /** Of the document. */
  readonly changes: readonly Change[];
  readonly valueChanges: readonly Change[];
  readonly warnings: readonly Problem[];
  readonly pending: readonly PendingRestart[];
}

/**
 * The state of a config and the steps that move it forward. State moves only after success: whatever is turned down, the
 * last good value stays. The methods must be called one at a time; the config's queue sees to that.
 */
export class Engine {
  readonly #parts: EngineParts;
  readonly #store: OpenStore | undefined;
  #running: Running | undefined;
  #refusal: Refusal | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#store = isOpenStore(parts.source) ? parts.source : undefined;
  }

  get running(): Running {
    if (this.#running === undefined) throw new Error("the engine has not started");
    return this.#running;
  }

  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /**
   * Loads for the first time: there is no last good value yet, so every failure is the caller's.
   *
   * @param seed what to store when nothing is
   */
  async start(seed: Json | undefined): Promise<void> {
    const { name, source, pipeline } = this.#parts;
    const loaded = await source.load();
    if (loaded.fault !== undefined) throw loaded.fault;
    if (loaded.document !== undefined) {
      return await this.#takeOver(loaded, loaded.document, { origin: "external" });
    }
    if (seed !== undefined && this.#store !== undefined) {
      const candidate = await pipeline.run(seed, `the seed of ${name}`);
      const prepared = this.prepare(candidate);
      const stored = await this.#store
        .commit({ document: prepared.document, base: loaded, refused: undefined })
        .catch((error: unknown) => {
          // Another process seeded first; its document counts.
          if (!isHoldfastError(error, "CONFLICT")) throw error;
        });
      return stored === undefined
        ? await this.start(undefined)
        : void this.#apply(stored, prepared, { origin: "seed" });
    }
    const empty = pipeline.emptyDocument;
    if (empty === undefined) throw nothingThere(name);
    const candidate = await pipeline.run(empty, name).catch((error: unknown) => {
      throw nothingThere(name, error);
    });
    this.#apply(loaded, this.prepare(candidate), { origin: "external" });
  }

  /**
   * Looks at the source and takes over what is new there.
   *
   * @param anew whether to try once more what was turned down before: a rule may depend on more than the document
   * @throws why what is there was turned down; the value is as it was
   */
  async look(anew = false): Promise<void> {
    let loaded: Loaded | undefined;
    try {
      loaded = await this.#parts.source.load();
      await this.#consider(loaded, anew);
    } catch (error) {
      throw this.#refuse(error, loaded);
    }
  }

  /**
   * Stores what was prepared as the next generation and runs with it.
   *
   * @throws `CONFLICT` when the store holds something else by now; what the store throws otherwise
   */
  async commit(prepared: Prepared, cause: Cause): Promise<ChangeSet> {
    const { name } = this.#parts;
    if (this.#store === undefined) {
      throw holdfastError(
        "READ_ONLY",
        `Cannot write ${name}: found a source that can only be read; write where it comes from`,
        { source: name },
      );
    }
    const { document } = prepared;
    const base = this.running.loaded;
    const loaded = await this.#store.commit({ document, base, refused: this.#refusal?.loaded });
    return this.#apply(loaded, prepared, cause);
  }

  /**
   * Works a candidate out against what runs: everything about taking it over that can fail, before anything is stored.
   *
   * @throws `UNSUPPORTED` when its value cannot be frozen
   */
  prepare(candidate: Candidate): Prepared {
    const { annotations } = this.#parts.pipeline;
    const before = this.#running;
    const { value: held, pending } = before === undefined
      ? { value: candidate.value, pending: [] }
      : holdForRestart(before.snapshot.value, candidate.value, annotations);
    const document = share(before?.document, candidate.document);
    // Without a schema they are one and the same.
    const isPlain = held === candidate.document && before?.snapshot.value === before?.document;
    const value = isPlain ? document : share(before?.snapshot.value, held);
    return {
      value: value.value,
      document: document.value,
      changes: before === undefined ? [] : document.changes,
      valueChanges: before === undefined ? [] : value.changes,
      warnings: candidate.warnings,
      pending,
    };
  }

  /** Makes what was prepared the running value. */
  #apply(loaded: Loaded, prepared: Prepared, cause: Cause): ChangeSet {
    const { name, pipeline, reporter, publish } = this.#parts;
    const { document, warnings, pending } = prepared;
    const before = this.#running?.snapshot;
    const snapshot = this.#snapshot(loaded, prepared, before);
    const changeSet = changeSetOf(name, before, snapshot, prepared.changes, cause);
    this.#running = { loaded, document, snapshot, warnings, pendingRestart: pending };
    this.#refusal = undefined;
    publish(snapshot, changeSetOf(name, before, snapshot, prepared.valueChanges, cause));
    for (const message of loaded.warnings) reporter.warnOnce(message);
    for (const problem of warnings) reporter.warnOnce(`${name}, ${describeProblem(problem)}`);
    for (const { path } of pending) {
      const told = cutAtSecret(pipeline.annotations, path);
      reporter.warnOnce(`${describePath(told)} of ${name} changes only with a restart`);
    }
    if (before !== undefined || cause.origin === "seed") this.#audit("applied", changeSet, []);
    return changeSet;
  }

  /** The change set of a write that found everything as it was to be. */
  unchanged(cause: Cause): ChangeSet {
    const { snapshot } = this.running;
    return changeSetOf(this.#parts.name, snapshot, snapshot, [], cause);
  }

  async #consider(loaded: Loaded, anew: boolean): Promise<void> {
    const { running } = this;
    if (loaded.hash === running.loaded.hash && loaded.generation === running.loaded.generation) {
      // The bytes that run are there (again): whatever was turned down is gone.
      if (this.#refusal !== undefined) {
        this.#parts.reporter.info(`${this.#parts.name} is good again`);
      }
      this.#refusal = undefined;
      for (const message of loaded.warnings) this.#parts.reporter.warnOnce(message);
      this.#running = { ...running, loaded: { ...running.loaded, warnings: loaded.warnings } };
      return;
    }
    const refused = this.#refusal?.loaded;
    const isKnown = refused?.hash === loaded.hash && refused.generation === loaded.generation;
    if (!anew && isKnown) throw this.#refusal!.error;
    if (loaded.fault !== undefined) throw loaded.fault;
    if (loaded.document === undefined) throw removed(this.#parts.name);
    await this.#takeOver(loaded, loaded.document, { origin: "external" });
  }

  async #takeOver(loaded: Loaded, document: Json, cause: Cause): Promise<void> {
    const { name, pipeline, migrate, reporter } = this.#parts;
    const candidate = await pipeline.run(document, name, loaded.locate);
    const prepared = this.prepare(candidate);
    this.#apply(await this.#store?.adopt(loaded) ?? loaded, prepared, cause);
    if (!candidate.migrated || migrate === "memory" || this.#store === undefined) return;
    try {
      const changes = diff(document, prepared.document);
      await this.commit({ ...prepared, changes }, { origin: "migration" });
    } catch (error) {
      // Somebody was quicker: the next look sees what they wrote.
      if (isHoldfastError(error, "CONFLICT")) return;
      const reason = error instanceof Error ? error.message : String(error);
      reporter.warnOnce(`Runs with ${name} migrated, which cannot be stored: ${reason}`);
    }
  }

  #refuse(thrown: unknown, loaded: Loaded | undefined): HoldfastError {
    const { name, reporter } = this.#parts;
    const refusal = refusalOf(thrown, name, loaded);
    const isTold = isSameRefusal(this.#refusal, refusal);
    this.#refusal = refusal;
    if (isTold) return refusal.error;
    reporter.warn(`${refusal.error.message}; the last good configuration stays`);
    const { snapshot } = this.running;
    const turnedDown = { ...snapshot, hash: loaded?.hash ?? "", loadedAt: this.#now() };
    const changeSet = changeSetOf(name, snapshot, turnedDown, [], { origin: "external" });
    this.#audit("refused", changeSet, refusal.problems);
    return refusal.error;
  }

  #snapshot(
    { generation, hash, resolvedPaths }: Loaded,
    { value, document }: Prepared,
    before: Snapshot<unknown> | undefined,
  ): Snapshot<unknown> {
    const { name, pipeline: { annotations }, realm, source: { backend } } = this.#parts;
    const changed = before !== undefined && value !== before.value;
    const snapshot: Snapshot<unknown> = Object.freeze({
      value: value as Snapshot<unknown>["value"],
      revision: (before?.revision ?? 0) + (changed ? 1 : 0),
      generation,
      hash,
      sources: freeze([{ name, generation, hash }]),
      loadedAt: this.#now(),
    });
    describeSnapshot(snapshot, { document, annotations, realm, backend, resolvedPaths });
    return snapshot;
  }

  #audit(outcome: AuditEvent["outcome"], changeSet: ChangeSet, problems: readonly Problem[]): void {
    const { annotations } = this.#parts.pipeline;
    const told = redactChanges(changeSet.changes, annotations);
    // What was secret in the old version of a document, the new schema does not say.
    const isBlind = changeSet.origin === "migration" && annotations?.mayHoldSecret === true;
    const changes = isBlind ? redactBefore(told) : told;
    this.#parts.reporter.audit({ ...changeSet, outcome, changes, problems });
  }

  #now(): string {
    return new Date(this.#parts.host.now()).toISOString();
  }
}
