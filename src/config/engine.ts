import type { Cause } from "../core/cause.ts";
import { diff } from "../core/diff.ts";
import type { Json } from "../core/document.ts";
import { type HoldfastError, isHoldfastError } from "../core/error.ts";
import { conflictAttemptsMax } from "../core/limits.ts";
import { writtenIn } from "../source/layers.ts";
import type { Loaded } from "../source/source.ts";
import { isOpenStore, type OpenStore } from "../store/store.ts";
import { outdated } from "../store/store_error.ts";
import { bringBack, staysStored } from "./bring_back.ts";
import type { CommitHooks, Edit } from "./edit.ts";
import { hiddenProblems } from "./hidden.ts";
import { runDefaults } from "./pipeline.ts";
import { isOfOtherLayers, readOnly, type Refusal, refusedContent, removed } from "./refusal.ts";
import { Refusals } from "./refusals.ts";
import type { ChangeSet } from "./reports.ts";
import {
  type EngineParts,
  external,
  isOfHead,
  isSameContent,
  notStored,
  type Prepared,
  type Running,
} from "./running.ts";
import { RunningValue } from "./running_value.ts";

/**
 * The state of a config and the steps that move it forward. State moves only after success: whatever is turned down, the
 * last good value stays. The methods must be called one at a time; the config's queue sees to that.
 */
export class Engine {
  readonly #parts: EngineParts;
  readonly #store: OpenStore | undefined;
  readonly #refusals: Refusals;
  /** What runs. */
  readonly value: RunningValue;
  /** What is being taken over, and whether the store takes it for what runs already. */
  #considered: Loaded | undefined;
  #isAdopted = false;
  /** The generation that is not to be taken for good yet. */
  #onTrial: number | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#refusals = new Refusals(parts);
    this.value = new RunningValue(parts, this.#refusals);
    this.#store = isOpenStore(parts.source) ? parts.source : undefined;
  }

  get running(): Running {
    if (this.value.current === undefined) throw new Error("the engine has not started");
    return this.value.current;
  }

  get refusal(): Refusal | undefined {
    return this.#refusals.current;
  }

  /**
   * Loads for the first time. What is turned down is the caller's failure, unless the source has something older that is good.
   *
   * @param seed what to store when nothing is
   * @param first what the source gave
   */
  async start(seed: Json | undefined, first?: Loaded): Promise<void> {
    const { source, reporter } = this.#parts;
    let newest: unknown;
    for (let attempt = 1, loaded = first ?? await source.load();; attempt++) {
      try {
        return await this.#startFrom(loaded, loaded.more === true ? undefined : seed);
      } catch (error) {
        if (loaded.more === true) reporter.warnOnce((error as Error).message);
        else newest = error;
        const again = await source.load();
        // Somebody was quicker, what was bad is gone, or there is something older.
        const isSame = isSameContent(again, loaded) && again.isStandIn !== true &&
          !isHoldfastError(error, "CONFLICT");
        if (isSame || attempt >= conflictAttemptsMax) throw newest ?? error;
        loaded = again;
      }
    }
  }

  async #startFrom(loaded: Loaded, seed: Json | undefined): Promise<void> {
    const { name, pipeline } = this.#parts;
    if (loaded.fault !== undefined) throw loaded.fault;
    const { document } = loaded;
    if (document === undefined && seed !== undefined && this.#store !== undefined) {
      const base = await this.#store.adopt(loaded);
      const around = { layers: loaded.layers };
      const candidate = await pipeline.run(seed, `the seed of ${name}`, around);
      const prepared = await this.value.prepare(candidate);
      const cause: Cause = { origin: "seed", calls: [] };
      const stored = await this.#store
        .commit({ document: prepared.document, base, refused: undefined, cause })
        .catch((error: unknown) => {
          // Another process seeded first; its document counts.
          if (!isHoldfastError(error, "CONFLICT")) throw error;
        });
      if (stored === undefined) return await this.start(undefined);
      const ready = await this.value.ready(prepared, stored);
      await this.value.carryOut(ready, stored, prepared, cause);
      return await this.#tell(stored);
    }
    await this.#takeOver(loaded, document);
    // Tells what is wrong with what is newer.
    if (loaded.more === true) await this.look().catch(() => {});
  }

  /**
   * Looks at the source and takes over what is new there.
   *
   * @param anew whether to try once more what was turned down before: a rule may depend on more than the document
   * @throws why what is there was turned down; the value is as it was
   */
  async look(anew = false): Promise<void> {
    this.#considered = undefined;
    let considered: number | undefined;
    try {
      for (let attempt = 1;; attempt++) {
        this.#isAdopted = false;
        const loaded = this.#considered = await this.#parts.source.load(considered);
        try {
          await this.#consider(loaded, anew);
          if (loaded.more !== true) return;
        } catch (error) {
          // Somebody was quicker with a newer one.
          if (isHoldfastError(error, "CONFLICT") && attempt < conflictAttemptsMax) continue;
          if (loaded.more !== true) throw error;
        }
        considered = loaded.generation;
      }
    } catch (error) {
      throw this.#refusals.refuse(error, this.#considered, this.running.snapshot, this.#isAdopted);
    }
  }

  /**
   * Stores what was prepared as the next generation and runs with it.
   *
   * @throws `CONFLICT` when the store holds something else by now; `RELOAD_REFUSED` when a part of the program cannot run
   * with it: then nothing is stored, or what was there came back; what the store throws otherwise
   */
  async commit(
    prepared: Prepared,
    cause: Cause,
    how: Edit["alone"],
    hooks?: CommitHooks,
  ): Promise<ChangeSet> {
    const { source: store, name, reporter, pipeline: { annotations } } = this.#parts;
    if (!isOpenStore(store)) throw readOnly(name);
    const { refusal, running } = this;
    const adopted = refusal?.isAdopted === true ? refusal.loaded : undefined;
    const isBeside = isOfOtherLayers(refusal, running.loaded);
    const base = adopted ?? running.loaded;
    hooks?.waits(true);
    const ready = await this.value.ready(prepared, notStored(base));
    let loaded: Loaded;
    const pledge = how?.pledge;
    const document = how?.removes === true ? undefined : prepared.document;
    try {
      await pledge?.begin({ generation: base.generation, hash: writtenIn(base).hash }, document);
      if (hooks?.waits(false) === false) {
        throw outdated(name, { expected: base.generation, current: base.generation });
      }
      loaded = await store.commit({
        document,
        base,
        refused: adopted === undefined ? refusedContent(refusal) : undefined,
        beside: isBeside ? running.loaded : undefined,
        cause,
        restores: how?.restores,
        waits: hooks?.waits,
      });
    } catch (error) {
      ready.abandon();
      // What may have landed waits all the same.
      if (!isHoldfastError(error, "COMMIT_UNKNOWN")) await pledge?.drop();
      throw error;
    }
    hooks?.stored();
    const carriedOut = this.value.carryOut(ready, loaded, prepared, cause);
    const changeSet = await carriedOut.catch(async (error: unknown) => {
      const reason = await this.#takeBack(store, loaded, error);
      // What could not be brought back now is to be, here or at the next open.
      const isBack = this.running.loaded.generation > loaded.generation;
      await (isBack ? pledge?.drop() : pledge?.arm(loaded.generation));
      throw reason;
    });
    this.#onTrial = pledge === undefined ? undefined : loaded.generation;
    await pledge?.arm(loaded.generation);
    const hidden = hiddenProblems(loaded, changeSet.changes, annotations);
    for (const { message } of hidden) reporter.warnOnce(message);
    await this.#tell(loaded);
    if (isBeside) this.#refusals.replace(refusal);
    // What other layers say is none of the write's: it may be as bad as it was.
    if (refusal?.loaded?.layers !== undefined) await this.look().catch(() => {});
    return changeSet;
  }

  /**
   * What is stored cannot run: what runs is stored again.
   *
   * @returns why it cannot run
   */
  async #takeBack(store: OpenStore, stored: Loaded, reason: unknown): Promise<HoldfastError> {
    const { loaded, snapshot } = this.running;
    const error = this.#refusals.refuse(reason, stored, snapshot, true);
    const back = await bringBack(store, loaded, stored, error);
    if (back === undefined) return staysStored(error, stored);
    this.value.restate(back.loaded, back.cause, back.problem);
    await this.#tell(back.loaded);
    return error;
  }

  /** What runs has proved good. */
  async confirmed(): Promise<void> {
    this.#onTrial = undefined;
    await this.#tell(this.running.loaded);
  }

  /** When a commit that was a `CONFLICT` is not tried again. */
  readonly abandon = (): Promise<void> | undefined => this.#store?.abandon?.();

  async #consider(loaded: Loaded, anew: boolean): Promise<void> {
    const { running } = this;
    if (isSameContent(loaded, running.loaded)) {
      if (this.value.reloads.isUnsettled) await this.#settle(anew);
      // The bytes that run are there (again): whatever was turned down is gone.
      const { name, reporter } = this.#parts;
      if (this.refusal !== undefined) reporter.info(`${name} is good again`);
      this.#refusals.replace(undefined);
      this.value.warnOf(loaded.warnings);
      return;
    }
    const known = this.#refusals.known(loaded);
    if (!anew && known !== undefined) throw known;
    if (loaded.fault !== undefined) throw loaded.fault;
    // Gone without a generation that says so: somebody deleted the file.
    const wasThere = running.loaded.document !== undefined;
    if (wasThere && loaded.document === undefined && loaded.record === undefined) {
      throw removed(this.#parts.name, loaded);
    }
    await this.#takeOver(loaded, loaded.document);
  }

  /** What runs is what is there; that a part of the program may have something else is not to stay so. */
  async #settle(anew: boolean): Promise<void> {
    this.#considered = undefined;
    const known = this.#refusals.known(undefined);
    if (!anew && known !== undefined) throw known;
    await this.value.settle();
  }

  /** @param document undefined where nothing is stored: then the defaults count */
  async #takeOver(loaded: Loaded, document: Json | undefined): Promise<void> {
    const { name, pipeline, migrate, reporter } = this.#parts;
    const candidate = document === undefined
      ? await runDefaults(pipeline, name, loaded)
      : await pipeline.run(document, name, loaded);
    const prepared = await this.value.prepare(candidate);
    const ready = await this.value.ready(prepared, loaded);
    let adopted = loaded;
    try {
      this.#considered = adopted = await this.#store?.adopt(loaded) ?? loaded;
      this.#isAdopted = true;
    } catch (error) {
      ready.abandon();
      throw error;
    }
    const isHead = isOfHead(adopted, this.value.current?.loaded);
    await this.value.carryOut(
      ready,
      adopted,
      isHead ? prepared : { ...prepared, changes: prepared.valueChanges },
      isHead ? adopted.record ?? external : external,
    );
    await this.#tell(adopted);
    const isToBeStored = document !== undefined && candidate.migrated && migrate === "store";
    if (!isToBeStored || this.#store === undefined) return;
    try {
      const changes = diff(document, prepared.document);
      const again = { ...prepared, changes, valueChanges: [] };
      await this.commit(again, { origin: "migration", calls: [] }, undefined);
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
    if (loaded.generation === this.#onTrial) return;
    await source.applied?.(loaded).catch((error: Error) => reporter.warnOnce(error.message));
  }
}
