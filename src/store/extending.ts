import { isPlainObject, type Json, type JsonObject } from "../core/document.ts";
import { holdfastError, isHoldfastError } from "../core/error.ts";
import { extendedFilesMax } from "../core/limits.ts";
import { together } from "../core/promise.ts";
import { directoryOf, pathFrom } from "../host/path.ts";
import { arrayRuleOf, composeLayers, type Layer } from "../source/layers.ts";
import { shareLook } from "../source/shared_look.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../source/source.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "./store.ts";

/** What a chain of files is made with. */
export interface Chain {
  /** The file at the end of the chain, which is written. */
  readonly path: string;
  readonly head: OpenStore;
  /** Describes another file. */
  readonly file: (path: string) => Source;
  readonly context: SourceContext;
}

/** A file that is extended. */
interface Parent {
  readonly open: OpenSource;
  watch: SourceWatch | undefined;
}

/**
 * A config file whose document may name others in `extends`, relative to itself: they are below it, and those that they
 * name below them. `extends` itself is no part of the value.
 */
export class OpenExtending implements OpenStore {
  readonly backend = "file";
  readonly #chain: Chain;
  readonly #parents = new Map<string, Parent>();
  #watching: SourceWatchOptions | undefined;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  async load(considered?: number): Promise<Loaded> {
    return await this.#compose(await this.#chain.head.load(considered));
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    return this.#withHead(loaded, await this.#chain.head.adopt(loaded.layers?.head ?? loaded));
  }

  async commit({ base, refused, ...change }: StoreChange): Promise<Loaded> {
    const head = base.layers?.head ?? base;
    const found = refused?.layers?.head ?? refused;
    const stored = await this.#chain.head.commit({
      ...change,
      base: head,
      refused: found?.hash === head.hash ? undefined : found,
    });
    return this.#withHead(base, stored);
  }

  async abandon(): Promise<void> {
    await this.#chain.head.abandon?.();
  }

  generations(): Promise<readonly number[]> {
    return this.#chain.head.generations();
  }

  read(generation: number): Promise<StoredGeneration | undefined> {
    return this.#chain.head.read(generation);
  }

  purge(before: number): Promise<number> {
    return this.#chain.head.purge(before);
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const shared = shareLook(options);
    this.#watching = shared.options;
    const own = await this.#chain.head.watch(shared.options);
    for (const parent of this.#parents.values()) await this.#follow(parent);
    return {
      mode: own.mode,
      close: async () => {
        this.#watching = undefined;
        const watches = [own, ...[...this.#parents.values()].flatMap(({ watch }) => watch ?? [])];
        await shared.close(watches);
      },
    };
  }

  async close(): Promise<void> {
    const parents = [...this.#parents.values()].map(({ open }) => open);
    await together([this.#chain.head, ...parents].map((open) => open.close()));
  }

  async #compose(head: Loaded): Promise<Loaded> {
    const { path, context: { host, shape } } = this.#chain;
    try {
      const parents = await this.#layersOf(head.document, path, [path]);
      if (parents.length === 0) return head;
      const layers = [...parents, { name: path, loaded: head, part: withoutExtends }];
      return composeLayers(host, layers, parents.length, arrayRuleOf(shape));
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      return { ...head, fault: error };
    }
  }

  /** The same again, with something else in the head: what that extends is looked at next time. */
  #withHead(base: Loaded, head: Loaded): Loaded {
    const { path, context: { host, shape } } = this.#chain;
    if (base.layers === undefined) return head;
    const { held, sources } = base.layers;
    const parts = held.map((loaded, index) => ({
      name: sources[index]!.name,
      loaded,
      part: withoutExtends,
    }));
    const layers = parts.with(-1, { name: path, loaded: head, part: withoutExtends });
    return composeLayers(host, layers, layers.length - 1, arrayRuleOf(shape));
  }

  /** The files that a document extends, the lowest first. */
  async #layersOf(
    document: Json | undefined,
    path: string,
    chain: readonly string[],
  ): Promise<Layer[]> {
    const layers: Layer[] = [];
    for (const name of extendedBy(document, path)) {
      const parent = pathFrom(directoryOf(path), name);
      if (chain.includes(parent)) throw cycle([...chain, parent]);
      if (this.#parents.size >= extendedFilesMax) throw tooMany(path);
      const loaded = await (await this.#open(parent)).load();
      if (loaded.fault !== undefined) throw loaded.fault;
      if (loaded.document === undefined) throw missing(parent, path);
      layers.push(...await this.#layersOf(loaded.document, parent, [...chain, parent]));
      layers.push({ name: parent, loaded, part: withoutExtends });
    }
    return layers;
  }

  async #open(path: string): Promise<OpenSource> {
    const known = this.#parents.get(path);
    if (known !== undefined) return known.open;
    const parent = {
      open: await this.#chain.file(path).open(this.#chain.context),
      watch: undefined,
    };
    this.#parents.set(path, parent);
    await this.#follow(parent);
    return parent.open;
  }

  async #follow(parent: Parent): Promise<void> {
    if (this.#watching !== undefined) parent.watch ??= await parent.open.watch(this.#watching);
  }
}

function withoutExtends(document: Json): Json {
  if (!isPlainObject(document)) return document;
  const { extends: _, ...rest } = document as JsonObject;
  return rest;
}

function extendedBy(document: Json | undefined, path: string): readonly string[] {
  const named = isPlainObject(document) ? (document as JsonObject)["extends"] : undefined;
  if (named === undefined) return [];
  const names = Array.isArray(named) ? named as Json[] : [named];
  if (names.every((name) => typeof name === "string" && name !== "")) return names as string[];
  const message =
    `Cannot read ${path}: found something else than names of files in extends; name files there`;
  throw holdfastError("INVALID", message, {
    problems: [{ path: ["extends"], message, severity: "error", source: path }],
  });
}

function cycle(chain: readonly string[]): Error {
  return holdfastError(
    "CYCLE",
    `Cannot read ${chain[0]}: found that it extends itself, by ${
      chain.join(" → ")
    }; take one of them out`,
    { chain },
  );
}

function missing(path: string, from: string): Error {
  return holdfastError(
    "NOT_FOUND",
    `Cannot read ${path}: found no such file, which ${from} extends; make it, or take it out of extends`,
    { source: path },
  );
}

function tooMany(path: string): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found more than ${extendedFilesMax} files that it extends; name fewer`,
    { what: "extended files", limit: extendedFilesMax, found: extendedFilesMax + 1 },
  );
}
