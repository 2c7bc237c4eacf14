import type { Json } from "../core/document.ts";
import { holdfastError, isHoldfastError } from "../core/error.ts";
import { pollMsDefault } from "../core/limits.ts";
import { together } from "../core/promise.ts";
import { bounded } from "../host/bounded.ts";
import { absolutePath } from "../host/path.ts";
import { shareLook } from "../source/shared_look.ts";
import type {
  Loaded,
  LoadedLayers,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../source/source.ts";
import { KeptFile } from "./kept_file.ts";
import { replacementBase } from "./replacement_base.ts";
import { notGiven, turnedDown } from "./stand_in_reason.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "./store.ts";
import { outdated } from "./store_error.ts";

/**
 * Keeps the last good document of a source in a file, and starts from it where the source cannot be reached, or where what
 * it holds, and whatever older it offers itself, is turned down.
 *
 * @param path of the file
 * @param timeoutMs how long the source may take to be reached at the start
 */
export function withLastGood(source: Source, path: string, timeoutMs: number): Source {
  return {
    ...source,
    open: async (context) => {
      const absolute = await absolutePath(context.host, path);
      const file = new KeptFile({ path: absolute, source: source.name, context, timeoutMs });
      const parts = { source, file, context, timeoutMs };
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
  #hasAnswered = false;
  /** Until something runs: whoever loads again meanwhile has turned down what was given last. */
  #isStarting = true;
  /** What the source itself gave last while nothing ran. */
  #given: Loaded | undefined;
  #isKeptGiven = false;
  /** What the source itself gave last since something runs; undefined where it could not be asked. */
  #seen: Loaded | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get backend(): string {
    return this.open?.backend ?? "last good";
  }

  async load(considered?: number): Promise<Loaded> {
    if (this.#isStarting) return await this.#loadFirst();
    this.#seen = undefined;
    return this.#seen = await this.#ask(considered);
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
    this.started();
    if (loaded.isStandIn === true) return;
    await together([
      this.opened().then((open) => open.applied?.(loaded)),
      this.#parts.file.keep(loaded),
    ]);
  }

  async close(): Promise<void> {
    const closed = this.#opening?.then((open) => open.close());
    if (this.open !== undefined) await closed;
    // Nor is one waited for that was never reached: should it still open, it is closed then.
    else closed?.catch(() => {});
  }

  /** Told that something runs. */
  protected started(): void {
    this.#isStarting = false;
    this.#given = undefined;
  }

  /** Told that what was given is not to blame for being turned down. */
  protected giveAgain(): void {
    this.#given = undefined;
  }

  /** Waits for the source, but not for ever. */
  protected async reach<T>(answer: Promise<T>): Promise<T> {
    const { context: { host }, source, timeoutMs } = this.#parts;
    return await bounded(host, `reach ${source.name}`, timeoutMs, answer);
  }

  /** Whether something is what the source held when it was last asked. */
  protected isSeen(loaded: Loaded | undefined): loaded is Loaded {
    return loaded !== undefined && loaded.hash === this.#seen?.hash;
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

  /** What the source itself holds. */
  async #ask(considered?: number): Promise<Loaded> {
    const loading = this.opened().then((open) => open.load(considered));
    const loaded = await (this.#hasAnswered ? loading : this.reach(loading));
    this.#hasAnswered = true;
    return this.#apart(loaded);
  }

  /** The source goes first, and all that it offers; what was kept is tried once. */
  async #loadFirst(): Promise<Loaded> {
    const before = this.#given;
    try {
      const loaded = this.#given = await this.#ask();
      const isTurnedDown = before?.hash === loaded.hash && before.generation === loaded.generation;
      if (!isTurnedDown || !holdsAnything(loaded)) return loaded;
      return await this.#kept(turnedDown(loaded.fault)) ?? loaded;
    } catch (error) {
      const reason = notGiven(error);
      const kept = reason === undefined ? undefined : await this.#kept(reason);
      if (kept === undefined) throw error;
      return kept;
    }
  }

  async #kept(reason: string): Promise<Loaded | undefined> {
    if (this.#isKeptGiven) return undefined;
    this.#isKeptGiven = true;
    const kept = await this.#parts.file.read(reason);
    if (kept?.layers === undefined) return kept;
    const { layers } = kept;
    const around = async (document: Json) => await this.#around(document) ?? layers;
    return { ...kept, layers: { ...layers, around } };
  }

  /** What is written beside what was kept is checked with the other layers as they are by now. */
  async #around(document: Json): Promise<LoadedLayers | undefined> {
    const before = this.#seen;
    if (before === undefined) return undefined;
    const { hash, layers } = this.#seen = await this.#ask(before.generation);
    // What changed is to be looked at first: the commit finds that out.
    return hash === before.hash ? await layers?.around?.(document) ?? layers : undefined;
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
}

class OpenKeptStore extends OpenKept implements OpenStore {
  async adopt(loaded: Loaded): Promise<Loaded> {
    try {
      // What was kept is not in the store, or not the newest there.
      const adopted = loaded.isStandIn === true
        ? loaded
        : await (await this.#store()).adopt(loaded);
      this.started();
      return adopted;
    } catch (error) {
      // There is something newer, or somebody else gave it its number.
      if (isHoldfastError(error, "CONFLICT")) this.giveAgain();
      throw error;
    }
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const { base, refused } = change;
    if (base.isStandIn !== true) return await (await this.#store()).commit(change);
    // What is in the store now is to be seen first.
    if (!this.isSeen(refused)) throw this.unseen(base.generation);
    const store = await this.#store();
    return await store.commit({ ...change, base: await replacementBase(store, refused) });
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

/** Whether there is something that can be bad; where there is nothing, the defaults count, or a seed. */
function holdsAnything({ document, fault, layers }: Loaded): boolean {
  return document !== undefined || fault !== undefined || layers?.compose(undefined) !== undefined;
}
