import type { Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { together } from "../core/promise.ts";
import { composeLayers, loadAgreeing, loadNewest } from "../source/layers.ts";
import { modeOf, shareLook } from "../source/shared_look.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../source/source.ts";
import { headChangeOf } from "./head_change.ts";
import type { OpenStore, Store, StoreChange, StoredGeneration } from "./store.ts";

/** Several sources as one, the later over the earlier. */
export interface Layers {
  /** At least one, from the lowest to the one that wins. */
  readonly layers: readonly Source[];
  /** The index of the layer that is written, which must be a store; without it, the whole can only be read. */
  readonly head?: number | undefined;
}

/**
 * Lays sources over one another: objects merge by key, arrays of entries that all have a `name` by that, other arrays
 * and empty ones replace, and `{ "$default": true }` takes back what a lower layer says. A layer that is absent says
 * nothing, and one that is no object beside others that are is refused. One that names a `version` is migrated in memory; one
 * that names none is of the newest.
 *
 * Writes go to the head alone: its document is the document, and what the other layers give is not copied into it. What a
 * layer above hides is written all the same, with a warning. While one of them is broken, the last good value stays.
 *
 * @throws `UNSUPPORTED` without layers, and for a head that is no store
 *
 * @example
 * ```ts
 * import { env, layered, memory, openConfig } from "holdfast";
 *
 * const layers = [memory({ port: 80, host: "a" }), memory({ port: 8080 }), env({ prefix: "APP_" })];
 * const config = await openConfig(layered({ layers, head: 1 }));
 * console.log(config.value); // { port: 8080, host: "a" }
 * await config.close();
 * ```
 */
export function layered(options: Layers & { readonly head: number }): Store;
/** Lays sources over one another, to be read only. */
export function layered(options: Layers & { readonly head?: undefined }): Source;
export function layered(options: Layers): Store | Source {
  const { layers: given, head } = options ?? {};
  if (!Array.isArray(given)) throw unusable("no list of them; give it as { layers: [ … ] }");
  const layers: readonly Source[] = [...given];
  if (layers.length === 0) throw unusable("no layers; give at least one source");
  const wrong = layers.findIndex((layer) => typeof layer?.open !== "function");
  if (wrong !== -1) throw unusable(`no source at ${wrong}; give a file as file(path)`);
  if (head !== undefined && layers[head]?.kind !== "store") {
    throw unusable(
      `${layers[head]?.name ?? "nothing"} as the head (${head}); give the index of a store`,
    );
  }
  return {
    kind: head === undefined ? "source" : "store",
    name: `layers (${layers.map(({ name }) => name).join(", ")})`,
    open: async (context: SourceContext) => {
      const opened = await openAll(layers, context);
      const parts = { layers, opened, head, context };
      return head === undefined
        ? new OpenLayers(parts)
        : new OpenLayeredStore(parts, opened[head] as OpenStore);
    },
  } as Store | Source;
}

interface Parts {
  readonly layers: readonly Source[];
  readonly opened: readonly OpenSource[];
  readonly head: number | undefined;
  readonly context: SourceContext;
}

class OpenLayers implements OpenSource {
  readonly backend = "layered";
  readonly #parts: Parts;
  /** At the last look. */
  #loaded: Loaded | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async load(considered?: number): Promise<Loaded> {
    const { opened, head } = this.#parts;
    const load = async (considered: number | undefined) => {
      const held = opened.map((layer, index) => {
        return index === head ? layer.load(considered) : loadNewest(layer);
      });
      return this.compose(await together(held));
    };
    this.#loaded = await loadAgreeing(load, considered, this.#loaded);
    return this.#loaded;
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const watches: SourceWatch[] = [];
    const shared = shareLook(options);
    const close = () => shared.close(watches);
    try {
      for (const layer of this.#parts.opened) watches.push(await layer.watch(shared.options));
    } catch (error) {
      await close();
      throw error;
    }
    return {
      get mode() {
        return modeOf(watches);
      },
      close,
    };
  }

  async applied({ layers }: Loaded): Promise<void> {
    const { opened } = this.#parts;
    await together(opened.map(async (layer, index) => await layer.applied?.(layers!.held[index]!)));
  }

  async close(): Promise<void> {
    await together(this.#parts.opened.map((layer) => layer.close()));
  }

  protected compose(held: readonly Loaded[]): Loaded {
    const { layers, head, context } = this.#parts;
    const named = held.map((loaded, index) => ({ name: layers[index]!.name, loaded }));
    return composeLayers(context, named, head);
  }

  /** What the head holds. */
  protected headOf({ layers }: Loaded): Loaded | undefined {
    return layers?.held[this.#parts.head!];
  }

  /** The same again, with something else in the head. */
  protected withHead(base: Loaded, head: Loaded): Loaded {
    return this.compose(base.layers!.held.with(this.#parts.head!, head));
  }
}

class OpenLayeredStore extends OpenLayers implements OpenStore {
  readonly #head: OpenStore;

  constructor(parts: Parts, head: OpenStore) {
    super(parts);
    this.#head = head;
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    return this.withHead(loaded, await this.#head.adopt(this.headOf(loaded)!));
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const own = headChangeOf(change, (loaded) => this.headOf(loaded));
    return this.withHead(change.beside ?? change.base, await this.#head.commit(own));
  }

  async abandon(): Promise<void> {
    await this.#head.abandon?.();
  }

  generations(): Promise<readonly number[]> {
    return this.#head.generations();
  }

  read(generation: number): Promise<StoredGeneration | undefined> {
    return this.#head.read(generation);
  }

  purge(before: number): Promise<number> {
    return this.#head.purge(before);
  }

  readIntent(): Promise<Json | undefined> {
    return this.#head.readIntent();
  }

  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return this.#head.writeIntent(next, expected);
  }
}

async function openAll(layers: readonly Source[], context: SourceContext): Promise<OpenSource[]> {
  const opened = await Promise.allSettled(layers.map((layer) => layer.open(context)));
  const failed = opened.find((one) => one.status === "rejected");
  const open = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  if (failed === undefined) return open;
  await together(open.map((layer) => layer.close()));
  throw failed.reason;
}

function unusable(found: string): Error {
  return holdfastError("UNSUPPORTED", `Cannot lay sources over one another: found ${found}`, {
    what: "layers",
  });
}
