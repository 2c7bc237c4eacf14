import { type HoldfastError, holdfastError, isHoldfastError, type Problem } from "../core/error.ts";
import { freeze } from "../core/snapshot.ts";
import { writtenIn } from "../source/layers.ts";
import type { Loaded } from "../source/source.ts";

/** Something newer than what runs, turned down. */
export interface Refusal {
  readonly error: HoldfastError;
  readonly problems: readonly Problem[];
  /** What was turned down; undefined when it could not even be read. */
  readonly loaded: Loaded | undefined;
  /** Whether the store had taken it for what runs by then: what is written next comes after it. */
  readonly isAdopted: boolean;
}

/** Words why something was turned down. */
export function refusalOf(
  thrown: unknown,
  source: string,
  loaded: Loaded | undefined,
  isAdopted = false,
): Refusal {
  const error = isHoldfastError(thrown) ? thrown : unexpected(source, thrown);
  const others = loaded?.layers?.parts.flatMap(({ name, fault }) => {
    return fault === undefined || fault === error ? [] : problemsOf(fault, name);
  }) ?? [];
  return { error, problems: freeze([...problemsOf(error, source), ...others]), loaded, isAdopted };
}

/** Tells whether the same thing is turned down again, for the same reason. */
export function isSameRefusal(one: Refusal | undefined, other: Refusal): boolean {
  return one !== undefined && contentOf(one) === contentOf(other) &&
    kindOf(one.error) === kindOf(other.error);
}

/** What is at fault: of several layers, the bytes of those that hold no document. */
function contentOf({ loaded }: Refusal): string | undefined {
  const faulty = loaded?.layers?.parts.filter(({ fault }) => fault !== undefined) ?? [];
  return faulty.length === 0 ? loaded?.hash : faulty.map(({ loaded }) => loaded.hash).join();
}

/**
 * What a write may replace: content that was read and found bad. What could not be taken over for another reason, such as a
 * failing disk or another layer that is broken, may be as good as any.
 */
export function refusedContent(refusal: Refusal | undefined): Loaded | undefined {
  const { code } = refusal?.error ?? {};
  const isOfContent = code === "PARSE" || code === "INVALID" || code === "NOT_FOUND" ||
    code === "UNSUPPORTED_VERSION" || code === "MIGRATION" || code === "TOO_LARGE" ||
    code === "UNSUPPORTED" || code === "CYCLE" || code === "RELOAD_REFUSED";
  const loaded = refusal?.loaded;
  return isOfContent && loaded !== undefined && !isFaultOfOthers(loaded) ? loaded : undefined;
}

/** Whether only layers that are not written hold no document. */
function isFaultOfOthers({ fault, layers }: Loaded): boolean {
  const written = layers?.written;
  return fault !== undefined && written !== undefined && written.fault === undefined;
}

/**
 * Whether what was turned down has in it what is written, as it runs, so that another layer was. Where the layers could not
 * even be read, a write to one of them says nothing of the others.
 */
export function isOfOtherLayers(refusal: Refusal | undefined, running: Loaded): boolean {
  if (refusal === undefined) return false;
  const refused = refusal.loaded;
  if (refused === undefined) return running.layers !== undefined;
  return refused.layers !== undefined && writtenIn(refused).hash === writtenIn(running).hash;
}

// Not by the message: that of a file which is too large and grows has another number at every look.
function kindOf(error: HoldfastError): string {
  return error.code === "IO" ? `${error.code} ${error.details.errno}` : error.code;
}

function problemsOf(error: HoldfastError, source: string): readonly Problem[] {
  if (error.code === "INVALID") return error.details.problems;
  const place = error.code === "PARSE"
    ? error.details
    : { source: "source" in error.details ? error.details.source : source };
  return [{ path: [], message: error.message, severity: "error", ...place }];
}

function unexpected(source: string, thrown: unknown): HoldfastError {
  const name = thrown instanceof Error ? thrown.name : "error";
  return holdfastError(
    "UNAVAILABLE",
    `Cannot take over ${source}: found an unexpected ${name}; see its cause`,
    { source },
    thrown,
  );
}

/** The error for a store that is empty, with nothing to start from. */
export function nothingThere(source: string, cause?: unknown): HoldfastError {
  return holdfastError(
    "NOT_FOUND",
    `Cannot open ${source}: found nothing there, and no schema whose defaults make a whole; ` +
      "store a document, or give a seed",
    { source },
    cause,
  );
}

/** The error for a write to what is no store. */
export function readOnly(source: string): HoldfastError {
  return holdfastError(
    "READ_ONLY",
    `Cannot write ${source}: found a source that can only be read; write where it comes from`,
    { source },
  );
}

/** The error for a document that was there and is gone; of several sources, that which is written held it. */
export function removed(source: string, { layers }: Loaded): HoldfastError {
  const name = layers?.written?.name ?? source;
  return holdfastError(
    "NOT_FOUND",
    `Cannot read ${name}: found that it was removed; put it back, or write it anew`,
    { source: name },
  );
}
