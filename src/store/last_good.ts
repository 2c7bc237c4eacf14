import type { Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError } from "../core/error.ts";
import { pollMsDefault } from "../core/limits.ts";
import { together } from "../core/promise.ts";
import { bounded } from "../host/bounded.ts";
import { absolutePath } from "../host/path.ts";
import { shareLook } from "../source/shared_look.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../source/source.ts";
import { KeptFile } from "./kept_file.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "./store.ts";
import { outdated } from "./store_error.ts";

/**
 * Keeps the last good document of a source in a file, and starts from it where the source cannot be reached.
 *
 * @param path of the file
 * @param timeoutMs how long the source may take to be reached at the start
 */
export function withLastGood(source: Source, path: string, timeoutMs: number): Source {
  return {
    ...source,
    open: async (context) => {
      const file = await absolutePath(context.host, path);
      const parts = { source, file: new KeptFile(file, source.name, context), context, timeoutMs };
      return source.kind === "store" ? new OpenKeptStore(parts) : new OpenKept(parts);
    },
  };
}

interface Parts {
  readonly source: Source;
  readonly file: KeptFile;
  readonly context: SourceContext;
  readonly timeoutMs: number;
}

class OpenKept implements OpenSource {
  readonly #parts: Parts;
  #opening: Promise<OpenSource> | undefined;
  /** The source, once it is open. */
  protected open: OpenSource | undefined;
  /** Whether the source itself gave a document, or told that there is none. */
  #hasAnswered = false;
  #hasLoaded = false;
  #keptHash: string | undefined;
  #toKeep: Loaded | undefined;
  #keeping: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get backend(): string {
    return this.open?.backend ?? "last good";
  }

  async load(considered?: number): Promise<Loaded> {
    const loading = this.opened().then((open) => open.load(considered));
    if (this.#hasAnswered) return this.#apart(await loading);
    try {
      const loaded = await this.reach(loading);
      this.#hasAnswered = this.#hasLoaded = true;
      return this.#apart(loaded);
    } catch (error) {
      if (this.#hasLoaded || !isHoldfastError(error) || !isOutOfReach(error)) throw error;
      const kept = await this.#parts.file.read(error);
      if (kept === undefined) throw error;
      this.#hasLoaded = true;
      return kept;
    }
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const { host, keepAlive } = this.#parts.context;
    const closing = new AbortController();
    const shared = shareLook(options);
    const { look } = shared.options;
    let own: SourceWatch | undefined;
    let arming: Promise<void> | undefined;
    const arm = async () => {
      const open = await this.opened();
      if (closing.signal.aborted) return;
      const watch = await open.watch(shared.options);
      if (closing.signal.aborted) await watch.close();
      else own = watch;
    };
    const ended = (async () => {
      // As long as it is out of reach, it is asked for again and again.
      while (own === undefined && !closing.signal.aborted) {
        // One that never answers is not waited for at the end.
        const answered = new AbortController();
        const aborted = new Promise<void>((resolve) => {
          const how = { once: true, signal: answered.signal };
          closing.signal.addEventListener("abort", () => resolve(), how);
        });
        arming = arm().catch(() => {});
        await Promise.race([arming, aborted]);
        answered.abort();
        if (own !== undefined) return await look();
        const pollMs = options.timing.pollMs ?? pollMsDefault;
        await host.sleep(pollMs, { signal: closing.signal, keepAlive });
        if (!closing.signal.aborted) await look();
      }
    })();
    return {
      get mode() {
        return own?.mode ?? "polling";
      },
      close: async () => {
        closing.abort();
        await ended;
        if (this.open !== undefined) await arming;
        await shared.close(own === undefined ? [] : [own]);
      },
    };
  }

  async applied(loaded: Loaded): Promise<void> {
    if (loaded.isStandIn === true) return;
    await together([
      this.opened().then((open) => open.applied?.(loaded)),
      this.#keep(loaded),
    ]);
  }

  async close(): Promise<void> {
    const closed = this.#opening?.then((open) => open.close());
    if (this.open !== undefined) await closed;
    // Nor is one waited for that was never reached: should it still open, it is closed then.
    else closed?.catch(() => {});
  }

  /** Waits for the source, but not for ever. */
  protected async reach<T>(answer: Promise<T>): Promise<T> {
    const { context: { host }, source, timeoutMs } = this.#parts;
    return await bounded(host, `reach ${source.name}`, timeoutMs, answer);
  }

  protected unseen(generation: number): Error {
    return outdated(this.#parts.source.name, { expected: generation, current: generation });
  }

  /** The source itself. */
  protected async opened(): Promise<OpenSource> {
    const { source, context } = this.#parts;
    this.#opening ??= source.open(context);
    try {
      return this.open = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  /** What is read must not be written over, nor what is written be read. */
  #apart(loaded: Loaded): Loaded {
    const { path } = this.#parts.file;
    if (!loaded.resolvedPaths.includes(path)) return loaded;
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot keep the last good document in ${path}: found that it is read as configuration; name another file`,
      { what: "lastGood within the configuration" },
    );
  }

  async #keep(loaded: Loaded): Promise<void> {
    if (loaded.hash === this.#keptHash) return;
    const { file, context: { host }, timeoutMs } = this.#parts;
    this.#toKeep = loaded;
    // The one before is still being written, and this one comes after it.
    if (this.#keeping !== undefined) return;
    this.#keeping = this.#keepNewest().finally(() => {
      this.#keeping = undefined;
    });
    // A disk that hangs is not to hold up what runs.
    await bounded(host, `keep the last good document in ${file.path}`, timeoutMs, this.#keeping);
  }

  async #keepNewest(): Promise<void> {
    for (let next = this.#toKeep; next !== undefined; next = this.#toKeep) {
      this.#toKeep = undefined;
      await this.#parts.file.keep(next);
      this.#keptHash = next.hash;
    }
  }
}

class OpenKeptStore extends OpenKept implements OpenStore {
  async adopt(loaded: Loaded): Promise<Loaded> {
    // What was kept is of a store that cannot be asked.
    return loaded.isStandIn === true ? loaded : await (await this.#store()).adopt(loaded);
  }

  async commit(change: StoreChange): Promise<Loaded> {
    // What is in the store now is to be seen first.
    const { isStandIn, generation } = change.base;
    if (isStandIn === true) throw this.unseen(generation);
    return await (await this.#store()).commit(change);
  }

  async abandon(): Promise<void> {
    await (this.open as OpenStore | undefined)?.abandon?.();
  }

  async generations(): Promise<readonly number[]> {
    return await (await this.#store()).generations();
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    return await (await this.#store()).read(generation);
  }

  async purge(before: number): Promise<number> {
    return await (await this.#store()).purge(before);
  }

  async readIntent(): Promise<Json | undefined> {
    return await (await this.#store()).readIntent();
  }

  async writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return await (await this.#store()).writeIntent(next, expected);
  }

  async #store(): Promise<OpenStore> {
    return (this.open ?? await this.reach(this.opened())) as OpenStore;
  }
}

function isOutOfReach({ code }: HoldfastError): boolean {
  return code === "UNAVAILABLE" || code === "TIMEOUT" || code === "IO";
}
