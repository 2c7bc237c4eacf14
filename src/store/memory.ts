import { type Cause, joinCauses } from "../core/cause.ts";
import { assertDocument, copyDocument, type Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { freeze } from "../core/snapshot.ts";
import { hashOf } from "../host/hash.ts";
import { settle } from "../host/settle.ts";
import { unlocated } from "../source/content.ts";
import type { Loaded, SourceContext, SourceWatch, SourceWatchOptions } from "../source/source.ts";
import { encodeIntent, isSameIntent } from "./intent.ts";
import type { OpenStore, Store, StoreChange, StoredGeneration } from "./store.ts";
import { tooFar } from "./store_error.ts";

/**
 * A store in the memory of this process: for tests, and for programs whose configuration nobody keeps. Every config that
 * opens the same store shares its document and sees the others' writes.
 *
 * @param initial the document at generation 1; nothing is stored when left out
 * @throws `INVALID` when the document is not plain JSON
 *
 * @example
 * ```ts
 * import { memory, openConfig } from "holdfast";
 *
 * const config = await openConfig(memory({ rate: 1 }));
 * await config.setAt(["rate"], 2);
 * console.log(config.snapshot().generation); // 2
 * await config.close();
 * ```
 */
export function memory(initial?: unknown): Store {
  if (initial !== undefined) assertDocument(initial, "make a memory store");
  const shared: SharedMemory = {
    initial: initial === undefined ? undefined : freeze(copyDocument(initial)),
    history: [],
    generation: 0,
    intent: undefined,
    hints: new Set(),
  };
  return {
    kind: "store",
    name: "memory",
    open: (context) => Promise.resolve(new OpenMemory(shared, context)),
  };
}

interface SharedMemory {
  /** Becomes generation 1 when the store is first opened, since only then there is a clock. */
  initial: Json | undefined;
  /** The oldest first. */
  readonly history: StoredGeneration[];
  generation: number;
  intent: Json | undefined;
  readonly hints: Set<() => void>;
}

class OpenMemory implements OpenStore {
  readonly backend = "memory";
  readonly #shared: SharedMemory;
  readonly #context: SourceContext;
  /** The generation that runs here; 0 before there is one. */
  #ran = 0;

  constructor(shared: SharedMemory, context: SourceContext) {
    this.#shared = shared;
    this.#context = context;
    if (shared.initial === undefined) return;
    this.#append(shared.initial, { origin: "external", calls: [] });
    shared.initial = undefined;
  }

  load(): Promise<Loaded> {
    const newest = this.#shared.history.at(-1);
    const { document, hash = "", generation = 0, at } = newest ?? {};
    const since = this.#ran === 0 || this.#ran >= generation ? generation - 1 : this.#ran;
    const steps = this.#shared.history.filter((step) => step.generation > since);
    const cause = joinCauses(steps, generation - since);
    return Promise.resolve({
      document,
      hash,
      generation,
      ...(newest === undefined ? {} : { record: { ...cause, at: at! } }),
      locate: unlocated("memory"),
      warnings: [],
      resolvedPaths: [],
    });
  }

  adopt(loaded: Loaded): Promise<Loaded> {
    this.#ran = loaded.generation;
    return Promise.resolve(loaded);
  }

  commit({ document, base, refused, cause }: StoreChange): Promise<Loaded> {
    const expected = (refused ?? base).generation;
    const current = this.#shared.generation;
    if (expected !== current) {
      return Promise.reject(outdated(expected, current));
    }
    this.#append(document, cause);
    this.#ran = current;
    for (const hint of this.#shared.hints) hint();
    return this.load().then((loaded) => this.adopt(loaded));
  }

  generations(): Promise<readonly number[]> {
    return Promise.resolve(this.#shared.history.map(({ generation }) => generation).toReversed());
  }

  read(generation: number): Promise<StoredGeneration | undefined> {
    return Promise.resolve(this.#shared.history.find((kept) => kept.generation === generation));
  }

  purge(before: number): Promise<number> {
    const { history, generation: current } = this.#shared;
    if (history.length > 0 && before > current) {
      return Promise.reject(tooFar("the memory store", before, current));
    }
    const kept = history.filter(({ generation }) => generation >= before);
    return Promise.resolve(history.splice(0, history.length - kept.length).length);
  }

  readIntent(): Promise<Json | undefined> {
    return Promise.resolve(this.#shared.intent);
  }

  // deno-lint-ignore require-await -- what is too large is to reject.
  async writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    encodeIntent(next);
    if (!isSameIntent(this.#shared.intent, expected)) return false;
    this.#shared.intent = freeze(copyDocument(next));
    return true;
  }

  watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    const settling = settle(this.#context.host, {
      ...timing,
      keepAlive: this.#context.keepAlive,
      look,
    });
    this.#shared.hints.add(settling.hint);
    // Whatever was written since the load is seen too.
    settling.hint();
    return Promise.resolve({
      mode: "events" as const,
      close: async () => {
        this.#shared.hints.delete(settling.hint);
        await settling.close();
      },
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #append(document: Json | undefined, cause: Cause): void {
    const { host, history: kept } = this.#context;
    const { history } = this.#shared;
    const parent = history.at(-1);
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    history.push({
      generation: ++this.#shared.generation,
      parent: parent?.generation ?? 0,
      parentHash: parent?.hash ?? "",
      hash: document === undefined ? "" : hashOf(host, bytes),
      at: new Date(host.now()).toISOString(),
      origin: cause.origin,
      calls: cause.calls,
      document,
    });
    history.splice(0, history.length - kept);
  }
}

function outdated(expected: number, current: number): Error {
  return holdfastError(
    "CONFLICT",
    `Cannot write the memory store: found generation ${current}, expected ${expected}; read it and try again`,
    { expected, current },
  );
}
