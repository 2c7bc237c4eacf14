import type { Origin } from "../core/cause.ts";
import type { DeepReadonly, Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, type Path } from "../core/error.ts";
import type { JsonPatchOperation } from "../core/json_patch.ts";
import { copyPath } from "../core/pointer.ts";
import { bounded } from "../host/bounded.ts";
import type { SourceWatch, WatchTiming } from "../source/source.ts";
import { isOpenStore, type OpenStore } from "../store/store.ts";
import { notKept } from "../store/store_error.ts";
import { Applier } from "./trial/applier.ts";
import type { ComposeParts } from "./compose.ts";
import type { Edit } from "./edit.ts";
import { merge, patchOf, removalAt, replacement, replacementAt, update } from "./edits.ts";
import type { Engine } from "./engine.ts";
import { explain, type Explanation } from "./explain.ts";
import { needsDefaults, noGeneration } from "./given.ts";
import { readHistory } from "./history.ts";
import { type Module, moduleOf, type ModuleOptions } from "./module.ts";
import { type Plan, planPatch } from "./plan.ts";
import type { Queue } from "./queue.ts";
import { letIn, type Reconfigurer } from "./reconfigurer.ts";
import type { ChangeSet, HistoryEntry, Snapshot, Status } from "./reports.ts";
import type { EngineParts } from "./running.ts";
import { statusOf } from "./status.ts";
import { readSubscription, Subscribers } from "./subscribe/subscribe.ts";
import type { Config } from "./types.ts";
import type { ApplyOptions, HistoryOptions, WriteOptions, Written } from "./write_options.ts";
import { Writer } from "./writer.ts";

/** What a live config is made of. */
export interface LiveParts extends Omit<EngineParts, "publish"> {
  readonly actor: string | undefined;
  readonly timeoutMs: number;
  readonly history: number;
  readonly watch: WatchTiming | false;
  readonly seed: Json | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A config that is open. */
export class LiveConfig<Input, Output> implements Config<Input, Output> {
  readonly #parts: LiveParts;
  readonly #queue: Queue;
  readonly #engine: Engine;
  readonly #writer: Writer;
  readonly #applier: Applier;
  readonly #subscribers: Subscribers;
  #snapshot: Snapshot<Output>;
  #watch: SourceWatch | undefined;
  #closing: Promise<void> | undefined;
  readonly #ending = new AbortController();

  constructor(parts: LiveParts, engine: Engine, queue: Queue) {
    this.#parts = parts;
    this.#queue = queue;
    this.#engine = engine;
    this.#writer = new Writer({ ...parts, engine, queue });
    this.#snapshot = engine.running.snapshot as Snapshot<Output>;
    const { name, host, reporter, pipeline: { annotations } } = parts;
    this.#subscribers = new Subscribers(this.#snapshot, name, reporter, host, annotations);
    const use = (reconfigurer?: Reconfigurer) => {
      engine.value.reloads.reconfigurer = reconfigurer;
    };
    this.#applier = new Applier({
      ...parts,
      engine,
      closing: this.#ending.signal,
      submit: (edit, options) => this.#writer.submit(edit, options),
      revert: ({ generation }, pending) => this.#revert(generation, pending.generation),
      confirmed: () => queue.run(() => engine.confirmed()),
    });
    letIn(this, { name, host, reporter, annotations, closing: this.#ending.signal, use });
  }

  /** Starts watching, with a look right after, so that nothing falls between the first load and the watch. */
  async follow(): Promise<void> {
    const { source, watch, signal } = this.#parts;
    if (watch !== false) {
      // What a look turns down is in the status and in the log.
      const look = () => this.#queue.run(() => this.#engine.look()).catch(() => {});
      this.#watch = await source.watch({ timing: watch, look });
    }
    signal?.addEventListener("abort", this.#closeSoon, { once: true });
    if (signal?.aborted) await this.close();
  }

  publish(...[snapshot, step]: Parameters<EngineParts["publish"]>): void {
    this.#snapshot = snapshot as Snapshot<Output>;
    this.#subscribers.publish(snapshot, step);
    this.#applier.superseded(snapshot.generation);
  }

  get value(): DeepReadonly<Output> {
    return this.#snapshot.value;
  }

  snapshot(): Snapshot<Output> {
    return this.#snapshot;
  }

  async reload(): Promise<Snapshot<Output>> {
    this.#assertOpen("reload");
    const { host, name, timeoutMs } = this.#parts;
    const looked = this.#queue.run(() => this.#engine.look(true));
    await bounded(host, `reload ${name}`, timeoutMs, looked);
    return this.#snapshot;
  }

  async set(document: Input, options?: WriteOptions): Promise<Written<Output>> {
    return await this.#submit(replacement(document), options);
  }

  async setAt(path: Path, value: unknown, options?: WriteOptions): Promise<Written<Output>> {
    return await this.#submit(replacementAt(path, value), options);
  }

  async unset(path: Path, options?: WriteOptions): Promise<Written<Output>> {
    return await this.#submit(removalAt(path), options);
  }

  async patch(patch: unknown, options?: WriteOptions): Promise<Written<Output>> {
    return await this.#submit(merge(patch), options);
  }

  async update(
    change: (draft: Input, value: DeepReadonly<Output>) => void,
    options?: WriteOptions,
  ): Promise<Written<Output>> {
    return await this.#submit(update(change), options);
  }

  async jsonPatch(
    operations: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<Written<Output>> {
    return await this.#submit(patchOf(operations), options);
  }

  async plan(patch: unknown): Promise<Plan> {
    this.#assertOpen("plan a change of");
    const { host, name, timeoutMs } = this.#parts;
    const planned = this.#queue.run(async () => {
      // What is turned down there is no matter here.
      await this.#engine.look().catch(() => {});
      return await planPatch(this.#composing, patch);
    });
    return await bounded(host, `plan a change of ${name}`, timeoutMs, planned);
  }

  async apply(plan: Plan, options: ApplyOptions<Output> = {}): Promise<Written<Output>> {
    this.#assertOpen("apply a plan to");
    return await this.#applier.apply(plan, options) as Written<Output>;
  }

  async confirm(): Promise<number> {
    this.#assertOpen("confirm");
    return await this.#applier.confirm();
  }

  module<Part, Ready>(options: ModuleOptions<Output, Part, Ready>): Module<Output> {
    return moduleOf(options);
  }

  async remove(options?: WriteOptions): Promise<Written<Output>> {
    return await this.#remove("commit", options);
  }

  async history({ limit }: HistoryOptions = {}): Promise<readonly HistoryEntry[]> {
    const { name, pipeline: { annotations, version } } = this.#parts;
    return await this.#read("read the history of", (store) => {
      return readHistory(store, { name, annotations, version }, limit);
    });
  }

  async rollback(generation: number, options?: WriteOptions): Promise<Written<Output>> {
    const stored = await this.#read("roll back", (store) => {
      return this.#queue.run(async () => {
        // What is turned down there is no matter here.
        await this.#engine.look().catch(() => {});
        const isKept = (await store.generations()).includes(generation);
        return isKept ? await store.read(generation) : undefined;
      });
    });
    if (stored === undefined) throw notKept(this.#parts.name, generation);
    const { document } = stored;
    if (document === undefined) return await this.#remove("rollback", options);
    const alone = { origin: "rollback", restores: stored } as const;
    return await this.#submit({ apply: () => document, alone }, options);
  }

  async purge({ before }: { readonly before: number }): Promise<number> {
    if (!Number.isInteger(before) && before !== Infinity) throw noGeneration(before);
    return await this.#read("purge", (store) => {
      return this.#queue.run(async () => {
        await this.#applier.assertNotNeeded(before);
        // What a person saved last is to be a generation, and not in the way.
        await this.#engine.look().catch(() => {});
        return await store.purge(before);
      });
    });
  }

  subscribe(...parameters: unknown[]): () => void {
    return this.#subscribers.add(readSubscription(parameters));
  }

  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ChangeSet> {
    return this.#subscribers.changes(options.signal);
  }

  explain(path: Path): Explanation {
    const steps = copyPath(path, "explain a value");
    return explain(this.#engine.running, this.#parts.pipeline.annotations, steps);
  }

  status(): Status {
    return statusOf(this.#engine, this.#watch, this.#parts, this.#applier.pending);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { host, name, signal, source, reporter, timeoutMs } = this.#parts;
    signal?.removeEventListener("abort", this.#closeSoon);
    this.#ending.abort();
    this.#subscribers.close();
    this.#writer.close(this.#closedError("write"));
    const ended = Promise.all([this.#watch?.close(), this.#applier.close(), this.#queue.idle()])
      .then(() => source.close());
    await bounded(host, `close ${name}`, timeoutMs, ended).catch((error: Error) => {
      reporter.warn(`${error.message}; it is closed all the same`);
    });
    reporter.close();
  }

  readonly #closeSoon = (): void => void this.close();

  async #revert(generation: number, unconfirmed: number): Promise<void> {
    const reason = `generation ${unconfirmed} was not confirmed`;
    const options = { reason, expectedGeneration: unconfirmed };
    if (generation === 0) await this.#remove("rollback", options);
    else await this.rollback(generation, options);
  }

  async #remove(origin: Origin, options?: WriteOptions): Promise<Written<Output>> {
    const { pipeline: { emptyDocument }, name } = this.#parts;
    if (emptyDocument === undefined) throw needsDefaults(name);
    const alone = { origin, removes: true };
    return await this.#submit({ apply: () => emptyDocument, alone }, options);
  }

  async #submit(edit: Edit, options?: WriteOptions): Promise<Written<Output>> {
    this.#assertOpen("write");
    return await this.#writer.submit(edit, options ?? {}) as Written<Output>;
  }

  /** Reads from the store, but not for ever. */
  async #read<T>(operation: string, read: (store: OpenStore) => Promise<T>): Promise<T> {
    this.#assertOpen(operation);
    const { host, name, timeoutMs } = this.#parts;
    return await bounded(host, `${operation} ${name}`, timeoutMs, read(this.#store(operation)));
  }

  #store(operation: string): OpenStore {
    const { source, name } = this.#parts;
    if (isOpenStore(source)) return source;
    throw holdfastError(
      "READ_ONLY",
      `Cannot ${operation} ${name}: found a source without a history; ask where it comes from`,
      { source: name },
    );
  }

  get #composing(): ComposeParts {
    return { ...this.#parts, engine: this.#engine };
  }

  #assertOpen(operation: string): void {
    if (this.#closing !== undefined) throw this.#closedError(operation);
  }

  #closedError(operation: string): HoldfastError {
    return holdfastError(
      "CLOSED",
      `Cannot ${operation} ${this.#parts.name}: found the config closed; open it again`,
      { operation },
    );
  }
}
