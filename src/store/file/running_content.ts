import type { Loaded } from "../../source/source.ts";
import type { StoredGeneration } from "../store.ts";

/** Content that runs without a record: found where there is no log, or where none can be kept. */
export interface Uncounted {
  readonly stored: StoredGeneration;
  readonly bytes: Uint8Array;
}

/** What runs of a config file, as its store knows it. */
export class RunningContent {
  #current: Loaded | undefined;
  #uncounted: Uncounted | undefined;

  /** Undefined while nothing runs that was stored. */
  get current(): Loaded | undefined {
    return this.#current;
  }

  /** What runs, if it has a record. */
  get recorded(): Loaded | undefined {
    return this.#current?.record === undefined ? undefined : this.#current;
  }

  /** What runs, if it has none. */
  get uncounted(): Uncounted | undefined {
    return this.#uncounted;
  }

  /** Runs what has a record. */
  take(loaded: Loaded): Loaded {
    this.#uncounted = undefined;
    return this.#current = loaded;
  }

  /** Runs what has none, under a number of this process alone. */
  takeUncounted({ record: _, ...loaded }: Loaded, bytes: Uint8Array, at: string): Loaded {
    const { generation, hash, document } = loaded;
    const origin = { parent: 0, parentHash: "", origin: "external", calls: [] } as const;
    this.#uncounted = { bytes, stored: { generation, hash, document, at, ...origin } };
    return this.#current = loaded;
  }

  /** Runs nothing that was stored. */
  forget(): void {
    this.#current = undefined;
    this.#uncounted = undefined;
  }
}
