import { assertDocument, copyDocument, type Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { debounceMsDefault, maxWaitMsDefault } from "../core/limits.ts";
import { freeze } from "../core/snapshot.ts";
import type { Host } from "../host/host.ts";
import { settle } from "../host/settle.ts";
import type { Loaded, SourceContext, SourceWatch, SourceWatchOptions } from "../source/source.ts";
import type { OpenStore, Store, StoreChange } from "./store.ts";

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
    document: initial === undefined ? undefined : freeze(copyDocument(initial)),
    generation: initial === undefined ? 0 : 1,
    hints: new Set(),
  };
  return {
    kind: "store",
    name: "memory",
    open: (context) => Promise.resolve(new OpenMemory(shared, context)),
  };
}

interface SharedMemory {
  document: Json | undefined;
  generation: number;
  readonly hints: Set<() => void>;
}

class OpenMemory implements OpenStore {
  readonly backend = "memory";
  readonly #shared: SharedMemory;
  readonly #host: Host;
  readonly #keepAlive: boolean;

  constructor(shared: SharedMemory, context: SourceContext) {
    this.#shared = shared;
    this.#host = context.host;
    this.#keepAlive = context.keepAlive;
  }

  load(): Promise<Loaded> {
    const { document, generation } = this.#shared;
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    return Promise.resolve({
      document,
      hash: document === undefined ? "" : `sha256:${this.#host.hash(bytes)}`,
      generation,
      locate: (paths) => paths.map(() => ({ source: "memory" })),
      warnings: [],
      resolvedPaths: [],
    });
  }

  adopt(loaded: Loaded): Promise<Loaded> {
    return Promise.resolve(loaded);
  }

  commit({ document, base, refused }: StoreChange): Promise<Loaded> {
    const shared = this.#shared;
    const expected = (refused ?? base).generation;
    const current = shared.generation;
    if (expected !== current) {
      return Promise.reject(holdfastError(
        "CONFLICT",
        `Cannot write the memory store: found generation ${current}, expected ${expected}; read it and try again`,
        { expected, current },
      ));
    }
    shared.document = document;
    shared.generation++;
    for (const hint of shared.hints) hint();
    return this.load();
  }

  watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    const settling = settle(this.#host, {
      debounceMs: timing.debounceMs ?? debounceMsDefault,
      maxWaitMs: timing.maxWaitMs ?? maxWaitMsDefault,
      keepAlive: this.#keepAlive,
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
}
