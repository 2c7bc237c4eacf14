import { assertDocument, copyDocument, type DeepReadonly, type Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, type Path } from "../core/error.ts";
import { mergePatch, setAt, unsetAt } from "../core/patch.ts";
import { describePath } from "../core/pointer.ts";
import { holdsPlaceholder, keepSecrets } from "../core/redact.ts";
import type { SourceWatch, WatchTiming } from "../source/source.ts";
import { Engine, type EngineParts } from "./engine.ts";
import { Queue } from "./queue.ts";
import { statusOf } from "./status.ts";
import { readSubscription, Subscribers } from "./subscribe.ts";
import type { ChangeSet, Config, Snapshot, Status, WriteOptions, Written } from "./types.ts";
import { type Edit, Writer } from "./writer.ts";

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

  readonly publish: EngineParts["publish"] = (snapshot, cause) => {
    this.#snapshot = snapshot as Snapshot<Output>;
    this.#subscribers.publish(snapshot, cause);
  };

  get value(): DeepReadonly<Output> {
    return this.#snapshot.value;
  }

  snapshot(): Snapshot<Output> {
    return this.#snapshot;
  }

  async reload(): Promise<Snapshot<Output>> {
    this.#assertOpen("reload");
    await this.#bounded("reload", this.#queue.run(() => this.#engine.look()));
    return this.#snapshot;
  }

  set(document: Input, options?: WriteOptions): Promise<Written<Output>> {
    return this.#write("set the document", document, options, (given) => () => given);
  }

  setAt(path: Path, value: unknown, options?: WriteOptions): Promise<Written<Output>> {
    const steps = [...path];
    const attempt = `set ${describePath(steps)}`;
    return this.#write(
      attempt,
      value,
      options,
      (given) => (document, _value, own) => setAt(document, steps, given, own),
    );
  }

  unset(path: Path, options?: WriteOptions): Promise<Written<Output>> {
    const steps = [...path];
    return this.#submit((document) => unsetAt(document, steps), options);
  }

  patch(patch: unknown, options?: WriteOptions): Promise<Written<Output>> {
    const attempt = "apply the merge patch";
    return this.#write(
      attempt,
      patch,
      options,
      (given) => (document) => mergePatch(document, given),
    );
  }

  update(
    change: (draft: Input, value: DeepReadonly<Output>) => void,
    options?: WriteOptions,
  ): Promise<Written<Output>> {
    return this.#submit((document, value) => {
      const draft = copyDocument(document);
      const answer: unknown = change(draft as Input, value as DeepReadonly<Output>);
      if (typeof (answer as { then?: unknown } | undefined)?.then === "function") {
        throw asynchronous();
      }
      assertDocument(draft, "update the document");
      return holdsPlaceholder(draft) ? keepSecrets(draft, document) : draft;
    }, options);
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
    const { signal, source, reporter } = this.#parts;
    signal?.removeEventListener("abort", this.#closeSoon);
    this.#subscribers.close();
    this.#writer.close(this.#closedError("write"));
    await this.#watch?.close();
    await this.#queue.idle();
    reporter.close();
    await source.close();
  }

  readonly #closeSoon = (): void => void this.close();

  /** Takes a private copy of what the caller gave, so that what it does to it later does not matter. */
  async #write(
    attempt: string,
    given: unknown,
    options: WriteOptions | undefined,
    edit: (given: Json) => Edit,
  ): Promise<Written<Output>> {
    assertDocument(given, attempt);
    const change = edit(copyDocument(given));
    if (!holdsPlaceholder(given)) return await this.#submit(change, options);
    return await this.#submit((document, value) => {
      return keepSecrets(change(document, value), document);
    }, options);
  }

  async #submit(edit: Edit, options: WriteOptions = {}): Promise<Written<Output>> {
    this.#assertOpen("write");
    return await this.#writer.submit(edit, options) as Written<Output>;
  }

  async #bounded<T>(operation: string, work: Promise<T>): Promise<T> {
    const { host, name, timeoutMs } = this.#parts;
    const done = new AbortController();
    const expired = host.sleep(timeoutMs, { signal: done.signal, keepAlive: false }).then(
      (late) => {
        if (!late) return work;
        throw holdfastError(
          "TIMEOUT",
          `Cannot ${operation} ${name} within ${timeoutMs} ms: found it still under way; allow more time`,
          { operation, timeoutMs },
        );
      },
    );
    try {
      return await Promise.race([work, expired]);
    } finally {
      done.abort();
    }
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

function asynchronous(): HoldfastError {
  const message = "Cannot update: found that the change function returns a promise; " +
    "compute what it needs first, then change the draft at once";
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}
