import {
  assertDocument,
  copyDocument,
  type DeepReadonly,
  type Json,
  valueAt,
} from "../core/document.ts";
import { type HoldfastError, holdfastError, type Path } from "../core/error.ts";
import { jsonPatch, type JsonPatchOperation } from "../core/json_patch.ts";
import { mergePatch, setAt, unsetAt } from "../core/patch.ts";
import { describePath } from "../core/pointer.ts";
import { ignoreRejection, isPromise } from "../core/promise.ts";
import { holdsPlaceholder, keepSecrets } from "../core/redact.ts";
import { bounded } from "../host/bounded.ts";
import type { SourceWatch, WatchTiming } from "../source/source.ts";
import { notKept } from "../store/generation_log.ts";
import { isOpenStore, type OpenStore } from "../store/store.ts";
import type { Edit } from "./edit.ts";
import { Engine } from "./engine.ts";
import { Queue } from "./queue.ts";
import { statusOf } from "./status.ts";
import { readSubscription, Subscribers } from "./subscribe.ts";
import { readHistory } from "./history.ts";
import type { ChangeSet, HistoryEntry, Snapshot, Status } from "./reports.ts";
import type { Config, HistoryOptions, WriteOptions, Written } from "./types.ts";
import { Writer } from "./writer.ts";
import type { EngineParts } from "./running.ts";

/** What a live config is made of. */
export interface LiveParts extends Omit<EngineParts, "publish"> {
  readonly actor: string | undefined;
  readonly timeoutMs: number;
  readonly watch: WatchTiming | false;
  readonly seed: Json | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Loads a config for the first time and follows its source from then on. */
export async function startConfig<Input, Output>(
  parts: LiveParts,
): Promise<Config<Input, Output>> {
  const queue = new Queue();
  const published: { to?: LiveConfig<Input, Output> } = {};
  const engine = new Engine({ ...parts, publish: (...news) => published.to?.publish(...news) });
  await queue.run(() => engine.start(parts.seed));
  const config = published.to = new LiveConfig<Input, Output>(parts, engine, queue);
  await config.follow();
  return config;
}

class LiveConfig<Input, Output> implements Config<Input, Output> {
  readonly #parts: LiveParts;
  readonly #queue: Queue;
  readonly #engine: Engine;
  readonly #writer: Writer;
  readonly #subscribers: Subscribers;
  #snapshot: Snapshot<Output>;
  #watch: SourceWatch | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: LiveParts, engine: Engine, queue: Queue) {
    this.#parts = parts;
    this.#queue = queue;
    this.#engine = engine;
    this.#writer = new Writer({ ...parts, engine, queue });
    this.#snapshot = engine.running.snapshot as Snapshot<Output>;
    this.#subscribers = new Subscribers(this.#snapshot, parts.name, parts.reporter);
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

  readonly publish: EngineParts["publish"] = (snapshot, step) => {
    this.#snapshot = snapshot as Snapshot<Output>;
    this.#subscribers.publish(snapshot, step);
  };

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
    const given = privateCopy(document, "set the document");
    const apply: Edit["apply"] = (current) => keepSecrets(given, current);
    return await this.#submit({ apply }, options);
  }

  async setAt(path: Path, value: unknown, options?: WriteOptions): Promise<Written<Output>> {
    const steps = [...path];
    const given = privateCopy(value, `set ${describePath(steps)}`);
    const mayKeep = holdsPlaceholder(given);
    return await this.#submit({
      path: steps,
      apply: (document, _value, own) => {
        const part = mayKeep ? keepSecrets(given, valueAt(document, steps) as Json) : given;
        return setAt(document, steps, part, own);
      },
    }, options);
  }

  async unset(path: Path, options?: WriteOptions): Promise<Written<Output>> {
    const steps = [...path];
    // What is taken out of an array moves the elements behind it, which other calls may mean.
    const mayShift = /^\d+$/.test(String(steps.at(-1)));
    return await this.#submit(
      { ...(mayShift ? {} : { path: steps }), apply: (document) => unsetAt(document, steps) },
      options,
    );
  }

  async patch(patch: unknown, options?: WriteOptions): Promise<Written<Output>> {
    const given = privateCopy(patch, "apply the merge patch");
    // Before the merge, since a placeholder stands for a whole and would merge with what it stands for.
    const apply: Edit["apply"] = (document) => mergePatch(document, keepSecrets(given, document));
    return await this.#submit({ apply }, options);
  }

  async update(
    change: (draft: Input, value: DeepReadonly<Output>) => void,
    options?: WriteOptions,
  ): Promise<Written<Output>> {
    const apply: Edit["apply"] = (document, value) => {
      const draft = copyDocument(document);
      const answer: unknown = change(draft as Input, value as DeepReadonly<Output>);
      ignoreRejection(answer);
      if (isPromise(answer)) throw asynchronous();
      return keepSecrets(privateCopy(draft, "update the document"), document);
    };
    return await this.#submit({ apply }, options);
  }

  async jsonPatch(
    operations: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<Written<Output>> {
    const given = structuredClone(operations);
    const apply: Edit["apply"] = (document) => keepSecrets(jsonPatch(document, given), document);
    return await this.#submit({ apply }, options);
  }

  async remove(options?: WriteOptions): Promise<Written<Output>> {
    const { pipeline: { emptyDocument }, name } = this.#parts;
    if (emptyDocument === undefined) throw needsDefaults(name);
    const alone = { origin: "commit", removes: true } as const;
    return await this.#submit({ apply: () => emptyDocument, alone }, options);
  }

  async history({ limit }: HistoryOptions = {}): Promise<readonly HistoryEntry[]> {
    this.#assertOpen("read the history of");
    const { name, pipeline: { annotations, version } } = this.#parts;
    return await readHistory(
      this.#store("read the history of"),
      { name, annotations, version },
      limit,
    );
  }

  async rollback(generation: number, options?: WriteOptions): Promise<Written<Output>> {
    this.#assertOpen("roll back");
    const { name } = this.#parts;
    const stored = await this.#store("roll back").read(generation);
    if (stored === undefined) throw notKept(name, generation);
    const { document, hash } = stored;
    if (document === undefined) return await this.remove(options);
    const alone = { origin: "rollback", restores: { generation, hash } } as const;
    return await this.#submit({ apply: () => document, alone }, options);
  }

  async purge({ before }: { readonly before: number }): Promise<number> {
    this.#assertOpen("purge");
    const store = this.#store("purge");
    if (!Number.isInteger(before) && before !== Infinity) throw noGeneration(before);
    return await this.#queue.run(() => store.purge(before));
  }

  subscribe(...parameters: unknown[]): () => void {
    return this.#subscribers.add(readSubscription(parameters));
  }

  changes(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ChangeSet> {
    return this.#subscribers.changes(options.signal);
  }

  status(): Status {
    return statusOf(this.#engine, this.#watch, this.#parts.pipeline.annotations);
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
    this.#subscribers.close();
    this.#writer.close(this.#closedError("write"));
    const ended = Promise.all([this.#watch?.close(), this.#queue.idle()]);
    await bounded(host, `close ${name}`, timeoutMs, ended).catch((error: Error) => {
      reporter.warn(`${error.message}; it is closed all the same`);
    });
    reporter.close();
    await source.close();
  }

  readonly #closeSoon = (): void => void this.close();

  async #submit(edit: Edit, options: WriteOptions = {}): Promise<Written<Output>> {
    this.#assertOpen("write");
    return await this.#writer.submit(edit, options) as Written<Output>;
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

/** What a caller does to its document later does not matter. */
function privateCopy(given: unknown, attempt: string): Json {
  assertDocument(given, attempt);
  return copyDocument(given);
}

function needsDefaults(name: string): HoldfastError {
  const message =
    `Cannot remove ${name}: found no schema whose defaults could take its place; give one`;
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}

function noGeneration(given: number): HoldfastError {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot purge before generation ${given}: found no whole number; give that of the oldest to keep`,
    { what: `generation ${given}` },
  );
}

function asynchronous(): HoldfastError {
  const message = "Cannot update: found that the change function returns a promise; " +
    "compute what it needs first, then change the draft at once";
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}
