import type { Json } from "../core/document.ts";
import type { Loaded, OpenSource, Source, SourceContext } from "../source/source.ts";

/** A place that holds one document and can be written, with compare-and-swap. */
export interface Store extends Source {
  /** It can be written. */
  readonly kind: "store";
  /** Opens it. */
  open(context: SourceContext): Promise<OpenStore>;
}

/** A store in use. */
export interface OpenStore extends OpenSource {
  /**
   * Takes what somebody else wrote for a generation of its own, after it was found valid.
   *
   * @returns the same content with its final generation
   */
  adopt(loaded: Loaded): Promise<Loaded>;

  /**
   * Stores a document durably as the next generation, if the store still holds what the change was computed from.
   *
   * @throws `CONFLICT` when it holds something else: load, compute again, try again; `COMMIT_UNKNOWN` when it cannot be
   * told whether the document will last; `IO`, `READ_ONLY`, `UNAVAILABLE` with nothing stored
   */
  commit(change: StoreChange): Promise<Loaded>;
}

/** A document to be stored. */
export interface StoreChange {
  /** Frozen: the store may keep it. */
  readonly document: Json;
  /** What the change was computed from. */
  readonly base: Loaded;
  /** What is there instead of the base and was refused, such as a broken edit. It is kept aside, then replaced. */
  readonly refused: Loaded | undefined;
}

/** Tells a store that is open from a source that can only be read. */
export function isOpenStore(opened: OpenSource): opened is OpenStore {
  return "commit" in opened;
}
