import type { Cause } from "../core/cause.ts";
import type { Json } from "../core/document.ts";
import type { Loaded, OpenSource, Source, SourceContext } from "../source/source.ts";

/** A place that holds one document and can be written, with compare-and-swap and a history. */
export interface Store extends Source {
  /** It can be written. */
  readonly kind: "store";
  /** Opens it. */
  open(context: SourceContext): Promise<OpenStore>;
}

/** A store in use. */
export interface OpenStore extends OpenSource {
  /**
   * Takes what was loaded for what runs from now on. What somebody else wrote past the store gets a generation of its own.
   *
   * @param loaded found valid
   * @returns the same content with its final generation, durable
   * @throws `CONFLICT` when the store holds something newer by now: load again
   */
  adopt(loaded: Loaded): Promise<Loaded>;

  /**
   * Stores a document durably as the next generation, if the store still holds what the change was computed from.
   *
   * @throws `CONFLICT` when it holds something else: load, compute again, try again; `COMMIT_UNKNOWN` when it cannot be
   * told whether the document will last; `IO`, `READ_ONLY`, `UNAVAILABLE`, `UNSUPPORTED` with nothing stored
   */
  commit(change: StoreChange): Promise<Loaded>;

  /** Told when a change that was a `CONFLICT` is not tried again. */
  abandon?(): Promise<void>;

  /** The numbers of the generations that are kept, the newest first. */
  generations(): Promise<readonly number[]>;

  /** A generation that is kept; undefined when it is not, or not any more. */
  read(generation: number): Promise<StoredGeneration | undefined>;

  /**
   * Deletes the generations before one, and whatever else is left of their content.
   *
   * @param before at most the newest
   * @returns how many were deleted
   */
  purge(before: number): Promise<number>;

  /**
   * What is kept durably beside the document, apart from its history: what somebody is about to do with it, for whoever comes
   * after a crash. One that cannot be read is told about and counts as none.
   *
   * @returns undefined where nothing is kept
   */
  readIntent(): Promise<Json | undefined>;

  /**
   * Replaces durably what is kept beside the document, if that is what is expected. No watcher is told.
   *
   * @param next at most 1 KiB of JSON, another one each time; undefined to keep nothing
   * @param expected undefined for nothing
   * @returns whether it did; false where something else was there, and may be where somebody replaced `next` at once
   * @throws `READ_ONLY`, `IO`, `UNAVAILABLE`, `UNSAFE_FILE`, `UNSUPPORTED`, `TOO_LARGE` with nothing replaced; `COMMIT_UNKNOWN`
   * and `TIMEOUT` when that cannot be told
   */
  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean>;
}

/** A document to be stored. */
export interface StoreChange {
  /** Frozen: the store may keep it. Undefined to remove what is stored. */
  readonly document: Json | undefined;
  /** What the change was computed from. */
  readonly base: Loaded;
  /** What is there instead of the base and was refused, such as a broken edit. It is kept aside, then replaced. */
  readonly refused: Loaded | undefined;
  /** What the document was checked beside, where the base is of other layers: the outcome is made of these. */
  readonly beside?: Loaded | undefined;
  /** Why, and at whose request. */
  readonly cause: Cause;
  /**
   * Told when the store begins to wait for its turn, and when it goes on: meanwhile nothing of the change is stored.
   *
   * @returns whether the change is still wanted; where not, it must not be stored, and is a `CONFLICT`
   */
  readonly waits?: ((isWaiting: boolean) => boolean) | undefined;
  /** The kept generation whose content the document is: then it is stored the very way it was written. */
  readonly restores?: { readonly generation: number; readonly hash: string } | undefined;
}

/** A generation out of the history. */
export interface StoredGeneration extends Cause {
  /** Its number. */
  readonly generation: number;
  /** The generation that it was made from; 0 for none. */
  readonly parent: number;
  /** Over the content of the parent; empty for none. */
  readonly parentHash: string;
  /** Over its content; empty where the document was removed. */
  readonly hash: string;
  /** When it was made, in ISO 8601. */
  readonly at: string;
  /** Undefined where it was removed. */
  readonly document: Json | undefined;
}

/** Tells a store that is open from a source that can only be read. */
export function isOpenStore(opened: OpenSource): opened is OpenStore {
  return "commit" in opened;
}
