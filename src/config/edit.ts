import type { Origin } from "../core/cause.ts";
import type { Json } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { formatPointer } from "../core/pointer.ts";
import type { StoreChange, StoredGeneration } from "../store/store.ts";
import type { BaseGeneration } from "./trial/intent.ts";
import type { Prepared } from "./running.ts";

/** A change that is still to be made. */
export interface Edit {
  /**
   * Computes a new document from the newest one; may be called again on a newer one.
   *
   * @param own the containers that edits of the same commit made: they may be changed in place
   */
  readonly apply: (document: Json, value: unknown, own?: WeakSet<object>) => Json;
  /** The document that it gives whatever was there before, if that was checked to be JSON already. */
  readonly checked?: Json;
  /** The only part that it touches, if that is known. */
  readonly path?: Path;
  /** Set when it shares its generation with no other. */
  readonly alone?: {
    readonly origin: Origin;
    /** The kept generation whose content it brings back. */
    readonly restores?: StoredGeneration;
    /** Whether it takes the document away. */
    readonly removes?: boolean;
    /** Looks at what it comes to, before anything is stored; throws to refuse it. */
    readonly check?: (prepared: Prepared) => void;
    /** Keeps durably that it is to be confirmed. */
    readonly pledge?: Pledge;
  };
}

/** That a change is taken back unless it is confirmed. */
export interface Pledge {
  /** Before it is stored. */
  readonly begin: (base: BaseGeneration, document: Json | undefined) => Promise<void>;
  /** It runs. */
  readonly arm: (generation: number) => Promise<void>;
  /** Nothing comes of it. */
  readonly drop: () => Promise<void>;
}

/** What a commit tells while it is under way. */
export interface CommitHooks {
  /** As in `StoreChange`. */
  readonly waits: NonNullable<StoreChange["waits"]>;
  /** It is stored. */
  readonly stored: () => void;
}

/** Whether each edit touches a part of its own, so that none can cover up what another did. */
export function areApart(edits: readonly Edit[]): boolean {
  const pointers: string[] = [];
  for (const { path } of edits) {
    if (path === undefined) return false;
    pointers.push(`${formatPointer(path)}/`);
  }
  // What lies below a path comes right behind it.
  pointers.sort();
  return pointers.slice(1).every((pointer, index) => !pointer.startsWith(pointers[index]!));
}
