import type { Cause } from "../core/cause.ts";
import type { Json } from "../core/document.ts";
import type { HoldfastError, Path } from "../core/error.ts";
import type { Shape } from "../core/shape.ts";
import type { Host } from "../host/host.ts";

/**
 * A place that a document comes from: anything that can be loaded and watched. It is a description, without any
 * resource, until it is opened; it can be opened more than once.
 */
export interface Source {
  /** Whether it can be written. */
  readonly kind: "source" | "store";
  /** How messages and snapshots call it, such as the path of a file. */
  readonly name: string;
  /**
   * Opens it.
   *
   * @throws `IO`, `UNAVAILABLE` when it cannot be reached at all
   */
  open(context: SourceContext): Promise<OpenSource>;
}

/** What a source gets from the config that opens it. */
export interface SourceContext {
  /** The runtime to work on. */
  readonly host: Host;
  /** Tells the person in charge of something dubious that does not stop the source. */
  readonly warn: (message: string) => void;
  /** Whether watching alone keeps the process running. */
  readonly keepAlive: boolean;
  /** What the schema expects of the value; undefined where it does not say. */
  readonly shape?: Shape | undefined;
  /**
   * Brings the document of a layer to the newest version, in memory alone; one that names no version is of the newest.
   *
   * @throws `UNSUPPORTED_VERSION`, `MIGRATION`
   */
  readonly upgrade?: ((document: Json, name: string) => Json) | undefined;
  /** How many generations a store that is written keeps. */
  readonly history: number;
}

/** A source in use. Its methods may be called concurrently. */
export interface OpenSource {
  /** The kind of source, such as `file`. */
  readonly backend: string;

  /**
   * Reads the document once: everything in the answer comes from that one read.
   *
   * @param considered the newest generation that was applied or turned down: what is stored up to there is passed over
   * @throws `IO`, `UNSAFE_FILE`, `TOO_LARGE`, `UNAVAILABLE` when it cannot be read
   */
  load(considered?: number): Promise<Loaded>;

  /** Calls `look` whenever the document may have changed, never twice at once, until closed. */
  watch(options: SourceWatchOptions): Promise<SourceWatch>;

  /** Told what was found good and runs from now on. */
  applied?(loaded: Loaded): Promise<void>;

  /** Lets go of every resource. */
  close(): Promise<void>;
}

/** What one read of a source gave. */
export interface Loaded {
  /** The document; undefined when nothing is stored, or when `fault` says why the bytes are none. */
  readonly document: Json | undefined;
  /** Why the bytes that were found are no document. */
  readonly fault?: HoldfastError;
  /** `sha256:` and hexadecimal over the bytes; empty when nothing is stored. */
  readonly hash: string;
  /** The store's newest generation. Bytes that somebody else wrote into a file get one only when they are adopted. */
  readonly generation: number;
  /** How that generation came to be; undefined while what was found has none of its own. */
  readonly record?: (Cause & { readonly at: string }) | undefined;
  /** Something newer, which has no generation yet, is there as well: load again once this is dealt with. */
  readonly more?: boolean;
  /** It is not from the source, which cannot be reached or holds nothing good, but what was kept of it. */
  readonly isStandIn?: boolean;
  /** Where the values at some paths were written, one place for each path; it reads the text once more. */
  readonly locate: (paths: readonly Path[]) => readonly Place[];
  /** What is dubious about the place, though not wrong. */
  readonly warnings: readonly string[];
  /** The filesystem paths read. */
  readonly resolvedPaths: readonly string[];
  /** What gives the value at a path, the winner first, where it is of several sources, files or variables. */
  readonly given?: (path: Path) => readonly Given[];
  /** What it was put together of; undefined where it is of one source. */
  readonly layers?: LoadedLayers;
}

/** What several sources gave. */
export interface LoadedLayers {
  /** What each holds, from the lowest to the one that wins. */
  readonly held: readonly Loaded[];
  /** Those, and where one is made of layers itself, what that is made of; none where they cannot be told apart any more. */
  readonly parts: readonly LayerPart[];
  /** The part that is written, whose document is the document; undefined where none is. */
  readonly written: LayerPart | undefined;
  /** Merges the others around another document of the head. */
  readonly compose: (document: Json | undefined) => Json | undefined;
  /**
   * What there would be around another document of the head, which may name other layers.
   *
   * @throws why those cannot be read
   */
  readonly around?: ((document: Json) => Promise<LoadedLayers>) | undefined;
  /** Carries what is no part of the value from a document of the head over to one that was made of it. */
  readonly carry?: ((from: Json, to: Json) => Json) | undefined;
  /** What hides whatever the head says at a path, if anything does. */
  readonly hiding: (path: Path) => Place | undefined;
}

/** One of several sources, with what of it counts. */
export interface LayerPart {
  /** As messages call it. */
  readonly name: string;
  /** What it holds. */
  readonly loaded: Loaded;
  /** What counts, at the newest version; undefined where it has none. */
  readonly document: Json | undefined;
  /** Whether that is another document than the one it holds, in whose text its parts stand elsewhere. */
  readonly isUpgraded: boolean;
  /** Why what it holds is no document. */
  readonly fault: HoldfastError | undefined;
  /** What would count of another document. */
  readonly read: (document: Json | undefined) => Json | undefined;
}

/** A value as one source gives it. */
export interface Given {
  /** As it stands there. */
  readonly value: Json;
  /** Where it stands. */
  readonly place: Place;
}

/** Where something was written, as a person would look for it. Lines and columns count from 1. */
export interface Place {
  /** The source's name. */
  readonly source: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 code units. */
  readonly column?: number;
  /** The name of the environment's variable that gives it, or would if it were not missing. */
  readonly variable?: string;
}

/** How quickly changes are noticed. */
export interface WatchTiming {
  /** How long hints must be quiet before the source is read, in milliseconds; 250 when left out. */
  readonly debounceMs?: number | undefined;
  /** How long hints that never fall quiet can put the read off, in milliseconds; 750 when left out. */
  readonly maxWaitMs?: number | undefined;
  /** How often to look where no hint came, in milliseconds; 500 when left out. */
  readonly pollMs?: number | undefined;
}

/** How a source is watched. */
export interface SourceWatchOptions {
  /** How quickly changes are to be noticed. */
  readonly timing: WatchTiming;
  /** Reads and applies. Never rejects; the next look waits for it. */
  readonly look: () => Promise<void>;
}

/** A source being watched. */
export interface SourceWatch {
  /** `events` when changes are told by the platform, `polling` when they are only looked for. */
  readonly mode: "events" | "polling";
  /** Ends it. Resolves when no look is under way any more and none will come. */
  close(): Promise<void>;
}
