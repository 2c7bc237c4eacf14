/** What reached a disk, in order, and the states in which a power cut may leave it. */
import type { Random } from "./random.ts";

/** A write, or a flush: what was written before a flush is on the disk for good when it is answered. */
export type BlockEntry =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "flush" };

/** An entry and where the log ends behind it. */
export interface PlacedEntry {
  readonly entry: BlockEntry;
  readonly end: number;
}

const headerLength = 16;

/** For the end of a log. */
export function encodeEntry(entry: BlockEntry): Uint8Array {
  const bytes = entry.kind === "write" ? entry.bytes : new Uint8Array();
  const encoded = new Uint8Array(headerLength + bytes.length);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, entry.kind === "write" ? 1 : 2);
  view.setUint32(4, bytes.length);
  view.setFloat64(8, entry.kind === "write" ? entry.offset : 0);
  encoded.set(bytes, headerLength);
  return encoded;
}

/** Reads a whole log. */
export function decodeLog(log: Uint8Array): PlacedEntry[] {
  const entries: PlacedEntry[] = [];
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  for (let at = 0; at + headerLength <= log.length;) {
    const length = view.getUint32(at + 4);
    const end = at + headerLength + length;
    const bytes = log.subarray(at + headerLength, end);
    const entry: BlockEntry = view.getUint32(at) === 1
      ? { kind: "write", offset: view.getFloat64(at + 8), bytes }
      : { kind: "flush" };
    entries.push({ entry, end });
    at = end;
  }
  return entries;
}

/** A state in which a power cut may leave the disk. */
export interface Cut {
  /** In few words. */
  readonly name: string;
  /** So many entries of the log are on the disk for certain. */
  readonly certain: number;
  /** Further writes that made it. */
  readonly survivors: readonly BlockEntry[];
  /** Where in the log the power was cut: what was acknowledged up to there has to be there. */
  readonly position: number;
}

/**
 * The cuts behind each entry: once with all that was written up to there, and, where some of that was not flushed, once
 * with a random part of it.
 *
 * @param from where in the log to begin
 */
export function* cutsOf(
  entries: readonly PlacedEntry[],
  from: number,
  random: Random,
): Generator<Cut> {
  let certain = 0;
  for (const [index, { entry, end }] of entries.entries()) {
    if (entry.kind === "flush") certain = index + 1;
    if (end < from) continue;
    const open = entries.slice(certain, index + 1).map(({ entry }) => entry);
    yield { name: `after ${index + 1}`, certain, survivors: open, position: end };
    if (open.length === 0) continue;
    const survivors = open.filter(() => random.below(2) === 0);
    const name = `after ${index + 1}, ${survivors.length} of the last ${open.length} survive`;
    if (survivors.length < open.length) yield { name, certain, survivors, position: end };
  }
}
