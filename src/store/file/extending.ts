import { isPlainObject, type Json, type JsonObject } from "../../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError } from "../../core/error.ts";
import { extendedFilesMax } from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import { directoryOf, pathFrom } from "../../host/path.ts";
import { composeLayers, type Layer, loadAgreeing, loadNewest } from "../../source/layers.ts";
import { modeOf, shareLook } from "../../source/shared_look.ts";
import type {
  Loaded,
  LoadedLayers,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../../source/source.ts";
import { headChangeOf } from "../head_change.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "../store.ts";
import { outdated } from "../store_error.ts";
import { cycle, missing, tooMany } from "./extending_error.ts";

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

/** What is known while a chain is followed: a file that is named twice is read once. */
interface Way {
  readonly loaded: Map<string, Promise<Loaded>>;
  count: number;
}

/**
 * A config file whose document may name others in `extends`, relative to itself: they are below it, and those that they
 * name below them. `extends` itself is no part of the value.
 */
export class OpenExtending implements OpenStore {
  readonly backend = "file";
  readonly #chain: Chain;
  readonly #parents = new Map<string, Parent>();
  /** What is being closed since nothing extends it any more. */
  readonly #leaving = new Set<Promise<void>>();
  /** What would be below documents that extend something else than what runs, as it was found since the last look. */
  readonly #tried = new Map<string, Loaded>();
  #watching: SourceWatchOptions | undefined;
  /** At the last look. */
  #loaded: Loaded | undefined;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  async load(considered?: number): Promise<Loaded> {
    this.#tried.clear();
    const load = async (considered: number | undefined) => {
      const way = newWay();
      const loaded = await this.#compose(await this.#chain.head.load(considered), way);
      this.#leave(way);
      return loaded;
    };
    this.#loaded = await loadAgreeing(load, considered, this.#loaded);
    return this.#loaded;
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    return this.#withHead(loaded, await this.#chain.head.adopt(headOf(loaded)!));
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const { document, base, beside = base } = change;
    const around = keyOf(document) === keyOf(headOf(base)!.document)
      ? beside
      : this.#tried.get(keyOf(document));
    if (around === undefined) {
      const { generation } = base;
      throw outdated(this.#chain.path, { expected: generation, current: generation });
    }
    return this.#withHead(around, await this.#chain.head.commit(headChangeOf(change, headOf)));
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

  readIntent(): Promise<Json | undefined> {
    return this.#chain.head.readIntent();
  }

  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return this.#chain.head.writeIntent(next, expected);
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const shared = shareLook(options);
    this.#watching = shared.options;
    const own = await this.#chain.head.watch(shared.options);
    for (const parent of this.#parents.values()) await this.#follow(parent);
    const watches = () => [own, ...[...this.#parents.values()].flatMap(({ watch }) => watch ?? [])];
    return {
      get mode() {
        return modeOf(watches());
      },
      close: async () => {
        this.#watching = undefined;
        await together([shared.close(watches()), ...this.#leaving]);
      },
    };
  }

  async close(): Promise<void> {
    const parents = [...this.#parents.values()].map(({ open }) => open);
    await together([this.#chain.head, ...parents].map((open) => open.close()));
    await together([...this.#leaving]);
  }

  async #compose(head: Loaded, way: Way): Promise<Loaded> {
    const { path } = this.#chain;
    return this.#layOver(await this.#layersOf({ name: path, loaded: head }, [path], way));
  }

  /** The same again, with something else in the head: what that extends is looked at next time. */
  #withHead(base: Loaded, head: Loaded): Loaded {
    return this.#layOver(
      base.layers!.parts.with(-1, { ...base.layers!.parts.at(-1)!, loaded: head }),
    );
  }

  #layOver(given: readonly Layer[]): Loaded {
    const parts = given.map(({ name, loaded }) => ({ name, loaded, part: withoutExtends }));
    const composed = composeLayers(this.#chain.context, parts, parts.length - 1);
    const head = parts.at(-1)!.loaded;
    const layers: LoadedLayers = {
      ...composed.layers!,
      around: (document) => this.#around(layers, document),
      carry: carryExtends,
    };
    // As long as it extends nothing, it is a file like any other.
    return { ...composed, layers, hash: parts.length > 1 ? composed.hash : head.hash };
  }

  async #around(layers: LoadedLayers, document: Json): Promise<LoadedLayers> {
    const { fault: _, ...head } = layers.held.at(-1)!;
    if (keyOf(document) === keyOf(head.document)) return layers;
    const tried = await this.#compose({ ...head, document }, newWay());
    if (tried.fault !== undefined) throw tried.fault;
    // What is stored is to be what was tried, though those files change meanwhile.
    this.#tried.set(keyOf(document), tried);
    return tried.layers!;
  }

  /** A file, and before it those that it extends, the lowest first. What is wrong with what it names is its own fault. */
  async #layersOf(layer: Layer, chain: readonly string[], way: Way): Promise<Layer[]> {
    const layers: Layer[] = [];
    const faulty = (fault: HoldfastError): Layer[] => {
      return [...layers, { ...layer, loaded: { ...layer.loaded, fault } }];
    };
    const names = extendedBy(layer);
    if (isHoldfastError(names)) return faulty(names);
    for (const name of names) {
      const path = pathFrom(directoryOf(chain.at(-1)!), name);
      if (chain.includes(path)) return faulty(cycle([...chain, path]));
      way.count += 1;
      if (way.count > extendedFilesMax) return faulty(tooMany(layer.name));
      const loaded = await this.#load(path, way);
      layers.push(...await this.#layersOf({ name: path, loaded }, [...chain, path], way));
      const isThere = loaded.document !== undefined || loaded.fault !== undefined;
      if (!isThere) return faulty(missing(path, layer.name));
    }
    return [...layers, layer];
  }

  async #load(path: string, way: Way): Promise<Loaded> {
    const loading = way.loaded.get(path) ?? this.#open(path).then(loadNewest);
    way.loaded.set(path, loading);
    return await loading;
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
    const watching = this.#watching;
    if (watching === undefined || parent.watch !== undefined) return;
    parent.watch = await parent.open.watch(watching);
    if (this.#watching === undefined) this.#end(parent.watch.close());
  }

  /** Lets go of what is not extended any more. */
  #leave({ loaded }: Way): void {
    for (const [path, { open, watch }] of this.#parents) {
      if (loaded.has(path)) continue;
      this.#parents.delete(path);
      // Not waited for: a watch ends when the look that is under way does.
      this.#end(Promise.resolve(watch?.close()).then(() => open.close()));
    }
  }

  #end(closing: Promise<void>): void {
    const ended = closing.catch(() => {}).finally(() => this.#leaving.delete(ended));
    this.#leaving.add(ended);
  }
}

/** What the file holds that extends the others. */
function headOf({ layers }: Loaded): Loaded | undefined {
  return layers?.held.at(-1);
}

function newWay(): Way {
  return { loaded: new Map(), count: 0 };
}

function withoutExtends(document: Json): Json {
  if (!isPlainObject(document)) return document;
  const { extends: _, ...rest } = document as JsonObject;
  return rest;
}

function extendsOf(document: Json | undefined): Json | undefined {
  return isPlainObject(document) ? (document as JsonObject)["extends"] : undefined;
}

/** A migration may know nothing of it. */
function carryExtends(from: Json, to: Json): Json {
  const named = extendsOf(from);
  if (named === undefined || extendsOf(to) !== undefined || !isPlainObject(to)) return to;
  return { extends: named, ...to as JsonObject };
}

/** Tells what one document extends from what another does. */
function keyOf(document: Json | undefined): string {
  return JSON.stringify([extendsOf(document)]);
}

function extendedBy({ name: path, loaded }: Layer): readonly string[] | HoldfastError {
  const named = extendsOf(loaded.document);
  if (named === undefined) return [];
  const names = Array.isArray(named) ? named as Json[] : [named];
  if (names.every((name) => typeof name === "string" && name !== "")) return names as string[];
  const message =
    `Cannot read ${path}: found something else than names of files in extends; name files there`;
  const [place] = loaded.locate([["extends"]]);
  return holdfastError("INVALID", message, {
    problems: [{ path: ["extends"], message, severity: "error", source: path, ...place }],
  });
}
