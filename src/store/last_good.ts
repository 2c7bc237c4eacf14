import { assertDocument, isPlainObject, type Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError } from "../core/error.ts";
import { documentBytesMax } from "../core/limits.ts";
import { bounded } from "../host/bounded.ts";
import { makeDirectoryDurably } from "../host/durable.ts";
import { together } from "../core/promise.ts";
import { absolutePath, directoryOf } from "../host/path.ts";
import { writeCompiled } from "../source/compiled.ts";
import { shareLook } from "../source/shared_look.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../source/source.ts";
import { isOpenStore, type OpenStore, type StoreChange, type StoredGeneration } from "./store.ts";

/** What is kept of a document that was good. */
interface Kept {
  readonly source: string;
  readonly generation: number;
  readonly hash: string;
  readonly at: string;
  readonly document: Json;
}

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
      const parts = { source, file, context, timeoutMs };
      return source.kind === "store" ? new OpenKeptStore(parts) : new OpenKept(parts);
    },
  };
}

interface Parts {
  readonly source: Source;
  readonly file: string;
  readonly context: SourceContext;
  readonly timeoutMs: number;
}

class OpenKept implements OpenSource {
  readonly #parts: Parts;
  #opening: Promise<OpenSource> | undefined;
  #backend: string | undefined;
  /** Whether the source itself answered. */
  #isReached = false;
  #hasLoaded = false;
  #keptHash: string | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get backend(): string {
    return this.#backend ?? "last good";
  }

  async load(considered?: number): Promise<Loaded> {
    const { context: { host }, source, timeoutMs } = this.#parts;
    const loading = this.opened().then((open) => open.load(considered));
    if (this.#isReached) return await loading;
    try {
      const loaded = await bounded(host, `reach ${source.name}`, timeoutMs, loading);
      this.#isReached = this.#hasLoaded = true;
      return loaded;
    } catch (error) {
      if (this.#hasLoaded || !isHoldfastError(error) || !isOutOfReach(error)) throw error;
      const kept = await this.#read();
      if (kept === undefined) throw error;
      this.#hasLoaded = true;
      return this.#loadedFrom(kept, error);
    }
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const { host, keepAlive } = this.#parts.context;
    const closing = new AbortController();
    const shared = shareLook(options);
    const { look } = shared.options;
    let own: SourceWatch | undefined;
    const ended = (async () => {
      // As long as it is out of reach, it is asked for again and again.
      while (own === undefined && !closing.signal.aborted) {
        own = await this.opened().then((open) => open.watch(shared.options)).catch(() => undefined);
        if (own !== undefined) return await look();
        const pollMs = options.timing.pollMs ?? 500;
        await host.sleep(pollMs, { signal: closing.signal, keepAlive });
        await look();
      }
    })();
    return {
      get mode() {
        return own?.mode ?? "polling";
      },
      close: async () => {
        closing.abort();
        await ended;
        await shared.close(own === undefined ? [] : [own]);
      },
    };
  }

  async applied(loaded: Loaded): Promise<void> {
    const telling = this.#opening?.then((open) => open.applied?.(loaded));
    await together([this.#keep(loaded), telling ?? Promise.resolve()]);
  }

  async #keep({ document, hash, generation }: Loaded): Promise<void> {
    const { source, file, context: { host } } = this.#parts;
    if (document === undefined || hash === this.#keptHash) return;
    const kept: Kept = {
      source: source.name,
      generation,
      hash,
      at: new Date(host.now()).toISOString(),
      document,
    };
    await makeDirectoryDurably(host, directoryOf(file), 0o700);
    await writeCompiled(host, file, {
      checksum: this.#checksum(kept),
      kept: kept as unknown as Json,
    });
    this.#keptHash = hash;
  }

  async close(): Promise<void> {
    await (await this.#opening?.catch(() => undefined))?.close();
  }

  /** The source itself. */
  protected async opened(): Promise<OpenSource> {
    const { source, context } = this.#parts;
    this.#opening ??= source.open(context);
    try {
      const open = await this.#opening;
      this.#backend = open.backend;
      return open;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #read(): Promise<Kept | undefined> {
    const { file, source, context: { host, warn } } = this.#parts;
    try {
      const { bytes } = await host.read(file, documentBytesMax);
      const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (!isPlainObject(found) || !isPlainObject(found["kept"])) {
        throw new Error("no document in it");
      }
      const kept = found["kept"] as unknown as Kept;
      if (found["checksum"] !== this.#checksum(kept)) {
        throw new Error("a checksum that does not fit");
      }
      if (kept.source !== source.name) throw new Error(`a document of ${kept.source}`);
      assertDocument(kept.document, `start from ${file}`);
      return kept;
    } catch (error) {
      if (!isHoldfastError(error, "IO") || error.details.errno !== "ENOENT") {
        warn(`Cannot start from ${file}: found ${(error as Error).message}; remove it`);
      }
      return undefined;
    }
  }

  #checksum(kept: Kept): string {
    return this.#parts.context.host.hash(new TextEncoder().encode(JSON.stringify(kept)));
  }

  #loadedFrom({ document, hash, generation, at }: Kept, error: HoldfastError): Loaded {
    const { file, source } = this.#parts;
    this.#keptHash = hash;
    return {
      document,
      hash,
      generation,
      more: true,
      locate: (paths) => paths.map(() => ({ source: file })),
      warnings: [
        `Started ${source.name} from ${file}, as it was at ${at}, since it cannot be reached: ${error.message}`,
      ],
      resolvedPaths: [file],
    };
  }
}

class OpenKeptStore extends OpenKept implements OpenStore {
  async adopt(loaded: Loaded): Promise<Loaded> {
    // What was kept is of a store that cannot be asked.
    return loaded.more === true ? loaded : await (await this.#store()).adopt(loaded);
  }

  async commit(change: StoreChange): Promise<Loaded> {
    return await (await this.#store()).commit(change);
  }

  async abandon(): Promise<void> {
    await (await this.opened().catch(() => undefined) as OpenStore | undefined)?.abandon?.();
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

  async #store(): Promise<OpenStore> {
    const open = await this.opened();
    if (isOpenStore(open)) return open;
    throw holdfastError("UNSUPPORTED", "Cannot write: found a source that is no store", {
      what: "store",
    });
  }
}

function isOutOfReach({ code }: HoldfastError): boolean {
  return code === "UNAVAILABLE" || code === "TIMEOUT" || code === "IO";
}
