import { cutAtSecret } from "../core/annotation.ts";
import type { Cause } from "../core/cause.ts";
import { diff } from "../core/diff.ts";
import type { Json } from "../core/document.ts";
import { type HoldfastError, isHoldfastError, type Problem } from "../core/error.ts";
import { conflictAttemptsMax } from "../core/limits.ts";
import { describePath } from "../core/pointer.ts";
import type { Loaded } from "../source/source.ts";
import { isOpenStore, type OpenStore, type StoreChange } from "../store/store.ts";
import { auditEventOf } from "./audit.ts";
import { changeSetOf } from "./change_set.ts";
import type { Edit } from "./edit.ts";
import { describeHidden } from "./hidden.ts";
import { type Candidate, describeProblem, runDefaults } from "./pipeline.ts";
import {
  isOfOtherLayers,
  isSameRefusal,
  readOnly,
  type Refusal,
  refusalOf,
  refusedContent,
  removed,
} from "./refusal.ts";
import type { AuditEvent, ChangeSet } from "./reports.ts";
import {
  type EngineParts,
  isOfHead,
  isSameContent,
  newlyPending,
  prepare,
  type Prepared,
  type Running,
  snapshotOf,
} from "./running.ts";

const external: Cause = { origin: "external", calls: [] };

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
   * Loads for the first time: there is no last good value yet, so every failure is the caller's, unless the store has an
   * older generation to start from.
   *
   * @param seed what to store when nothing is
   */
  async start(seed: Json | undefined): Promise<void> {
    const load = () => this.#parts.source.load();
    for (let attempt = 1, loaded = await load();; attempt++) {
      try {
        return await this.#startFrom(loaded, seed);
      } catch (error) {
        if (loaded.isStandIn === true) this.#parts.reporter.warn((error as Error).message);
        const again = await load();
        if (again.more === true) return await this.#startFrom(again, undefined);
        // Somebody was quicker, or what was bad is gone.
        const isSame = again.hash === loaded.hash && again.generation === loaded.generation &&
          !isHoldfastError(error, "CONFLICT");
        if (isSame || attempt >= conflictAttemptsMax) throw error;
        loaded = again;
      }
    }
  }

  async #startFrom(loaded: Loaded, seed: Json | undefined): Promise<void> {
    const { name, pipeline } = this.#parts;
    if (loaded.fault !== undefined) throw loaded.fault;
    if (loaded.document !== undefined) {
      await this.#takeOver(loaded, loaded.document);
      // Tells what is wrong with what is newer.
      return loaded.more === true ? await this.look().catch(() => {}) : undefined;
    }
    if (seed !== undefined && this.#store !== undefined) {
      const base = await this.#store.adopt(loaded);
      const { layers } = loaded;
      const candidate = await pipeline.run(seed, `the seed of ${name}`, { layers });
      const prepared = await this.prepare(candidate);
      const cause: Cause = { origin: "seed", calls: [] };
      const stored = await this.#store
        .commit({ document: prepared.document, base, refused: undefined, cause })
        .catch((error: unknown) => {
          // Another process seeded first; its document counts.
          if (!isHoldfastError(error, "CONFLICT")) throw error;
        });
      return stored === undefined
        ? await this.start(undefined)
        : void this.#apply(stored, prepared, cause);
    }
    await this.#takeOver(loaded, undefined);
  }

  /**
   * Looks at the source and takes over what is new there.
   *
   * @param anew whether to try once more what was turned down before: a rule may depend on more than the document
   * @throws why what is there was turned down; the value is as it was
   */
  async look(anew = false): Promise<void> {
    let loaded: Loaded | undefined;
    let considered: number | undefined;
    try {
      for (let attempt = 1;; attempt++) {
        loaded = await this.#parts.source.load(considered);
        try {
          await this.#consider(loaded, anew);
          if (loaded.more !== true) return;
        } catch (error) {
          // Somebody was quicker with a newer one.
          const isOutdated = isHoldfastError(error, "CONFLICT") && attempt < conflictAttemptsMax;
          if (isOutdated) continue;
          if (loaded.more !== true) throw error;
        }
        considered = loaded.generation;
      }
    } catch (error) {
      throw this.#refuse(error, loaded);
    }
  }

  /**
   * Stores what was prepared as the next generation and runs with it.
   *
   * @throws `CONFLICT` when the store holds something else by now; what the store throws otherwise
   */
  async commit(
    prepared: Prepared,
    cause: Cause,
    how: Edit["alone"],
    waits?: StoreChange["waits"],
  ): Promise<ChangeSet> {
    const { name } = this.#parts;
    if (this.#store === undefined) throw readOnly(name);
    const base = this.running.loaded;
    const refusal = this.#refusal;
    const loaded = await this.#store.commit({
      document: how?.removes === true ? undefined : prepared.document,
      base,
      refused: refusedContent(refusal),
      cause,
      restores: how?.restores,
      waits,
    });
    const changeSet = this.#apply(loaded, prepared, cause);
    const { annotations } = this.#parts.pipeline;
    const hidden = describeHidden(loaded, changeSet.changes, annotations);
    hidden.forEach(this.#parts.reporter.warnOnce);
    await this.#tell(loaded);
    if (isOfOtherLayers(refusal, base)) this.#refusal = refusal;
    // What other layers say is none of the write's: it may be as bad as it was.
    if (refusal?.loaded?.layers !== undefined) await this.look().catch(() => {});
    return changeSet;
  }

  /** Works a candidate out against what runs. */
  async prepare(candidate: Candidate): Promise<Prepared> {
    return await prepare(this.#running, candidate, this.#parts.pipeline);
  }

  /** Makes what was prepared the running value. */
  #apply(loaded: Loaded, prepared: Prepared, cause: Cause): ChangeSet {
    const { name, pipeline, reporter, publish } = this.#parts;
    const { document, input, warnings, pending } = prepared;
    const news = newlyPending(this.#running, pending);
    const before = this.#running?.snapshot;
    const snapshot = snapshotOf(this.#parts, loaded, prepared, before);
    const changeSet = changeSetOf(name, before, snapshot, prepared.changes, cause);
    this.#running = { loaded, document, input, snapshot, warnings, pendingRestart: pending };
    this.#refusal = undefined;
    publish(snapshot, changeSetOf(name, before, snapshot, prepared.valueChanges, cause));
    for (const message of loaded.warnings) reporter.warnOnce(message);
    for (const problem of warnings) reporter.warnOnce(`${name}, ${describeProblem(problem, name)}`);
    for (const { path } of news) {
      const told = cutAtSecret(pipeline.annotations, path);
      reporter.warn(`${describePath(told)} of ${name} changes only with a restart`);
    }
    if (before !== undefined || cause.origin === "seed") this.#audit("applied", changeSet, []);
    return changeSet;
  }

  /** When a commit that was a `CONFLICT` is not tried again. */
  readonly abandon = (): Promise<void> | undefined => this.#store?.abandon?.();

  async #consider(loaded: Loaded, anew: boolean): Promise<void> {
    const { running } = this;
    const { name } = this.#parts;
    if (isSameContent(loaded, running.loaded)) {
      // The bytes that run are there (again): whatever was turned down is gone.
      if (this.#refusal !== undefined) this.#parts.reporter.info(`${name} is good again`);
      this.#refusal = undefined;
      for (const message of loaded.warnings) this.#parts.reporter.warnOnce(message);
      this.#running = { ...running, loaded: { ...running.loaded, warnings: loaded.warnings } };
      return;
    }
    // What failed for another reason, such as a disk, may succeed now.
    const refused = refusedContent(this.#refusal);
    const isKnown = refused?.hash === loaded.hash && refused.generation === loaded.generation;
    if (!anew && isKnown) throw this.#refusal!.error;
    if (loaded.fault !== undefined) throw loaded.fault;
    // Gone without a generation that says so: somebody deleted the file.
    const wasThere = running.loaded.document !== undefined;
    if (wasThere && loaded.document === undefined && loaded.record === undefined) {
      throw removed(name, loaded);
    }
    await this.#takeOver(loaded, loaded.document);
  }

  /** @param document undefined where nothing is stored: then the defaults count */
  async #takeOver(loaded: Loaded, document: Json | undefined): Promise<void> {
    const { name, pipeline, migrate, reporter } = this.#parts;
    const candidate = document === undefined
      ? await runDefaults(pipeline, name, loaded)
      : await pipeline.run(document, name, loaded);
    const prepared = await this.prepare(candidate);
    const adopted = await this.#store?.adopt(loaded) ?? loaded;
    if (isOfHead(adopted, this.#running?.loaded)) {
      this.#apply(adopted, prepared, adopted.record ?? external);
    } else this.#apply(adopted, { ...prepared, changes: prepared.valueChanges }, external);
    await this.#tell(adopted);
    const isToBeStored = document !== undefined && candidate.migrated && migrate === "store";
    if (!isToBeStored || this.#store === undefined) return;
    try {
      const changes = diff(document, prepared.document);
      await this.commit({ ...prepared, changes }, { origin: "migration", calls: [] }, undefined);
    } catch (error) {
      // Somebody was quicker: the next look sees what they wrote.
      if (isHoldfastError(error, "CONFLICT")) return;
      const reason = error instanceof Error ? error.message : String(error);
      reporter.warnOnce(`Runs with ${name} migrated, which cannot be stored: ${reason}`);
    }
  }

  /** Tells the source what runs; that it cannot use that is no reason not to run it. */
  async #tell(loaded: Loaded): Promise<void> {
    const { source, reporter } = this.#parts;
    await source.applied?.(loaded).catch((error: Error) => reporter.warnOnce(error.message));
  }

  #refuse(thrown: unknown, loaded: Loaded | undefined): HoldfastError {
    const { name, reporter, host } = this.#parts;
    const refusal = refusalOf(thrown, name, loaded);
    const isTold = isSameRefusal(this.#refusal, refusal);
    this.#refusal = refusal;
    if (isTold) return refusal.error;
    reporter.warn(`${refusal.error.message}; the last good configuration stays`);
    const { snapshot } = this.running;
    const turnedDown = {
      ...snapshot,
      hash: loaded?.hash ?? "",
      loadedAt: new Date(host.now()).toISOString(),
    };
    const changeSet = changeSetOf(name, snapshot, turnedDown, [], external);
    this.#audit("refused", changeSet, refusal.problems);
    return refusal.error;
  }

  #audit(outcome: AuditEvent["outcome"], changeSet: ChangeSet, problems: readonly Problem[]): void {
    const { pipeline: { annotations }, reporter } = this.#parts;
    reporter.audit(auditEventOf(outcome, changeSet, problems, annotations));
  }
}
