import type { Call, Cause, Origin } from "../core/cause.ts";
import { generationMax } from "../core/limits.ts";
import { uniqueId } from "../host/durable.ts";
import { hashOf } from "../host/hash.ts";
import type { Host } from "../host/host.ts";

/** What a record tells of a generation beside its text. No value of the document stands here. */
export interface RecordHeader {
  readonly generation: number;
  /** The generation that it was made from; 0 for none. */
  readonly parent: number;
  /** Over the text of the parent; empty for none. */
  readonly parentHash: string;
  /** Names the attempt that made it. */
  readonly id: string;
  /** `sha256:` and hexadecimal over the text; empty where the document was removed. */
  readonly hash: string;
  /** When it was made, in ISO 8601, by a clock that may be wrong. */
  readonly at: string;
  readonly origin: Origin;
  readonly calls: readonly Call[];
}

/** A generation as it is kept: one file, so that one link makes all of it visible at once. */
export interface GenerationRecord extends RecordHeader {
  /** The very bytes of the published file. */
  readonly text: Uint8Array;
}

/** What a record is begun with. */
export interface NewGeneration {
  readonly generation: number;
  /** What it is made from. */
  readonly parent: Pick<RecordHeader, "generation" | "hash"> | undefined;
  readonly cause: Cause;
  /** Undefined where the document is removed. */
  readonly text: Uint8Array | undefined;
}

/** Begins a record. */
export function newRecord(
  host: Host,
  { generation, parent, cause: { origin, calls }, text }: NewGeneration,
): GenerationRecord {
  return {
    generation,
    parent: parent?.generation ?? 0,
    parentHash: parent?.hash ?? "",
    id: uniqueId(host),
    hash: text === undefined ? "" : hashOf(host, text),
    at: new Date(host.now()).toISOString(),
    origin,
    calls,
    text: text ?? new Uint8Array(),
  };
}

/** The version of records that this program writes, and the newest that it can read. */
export const recordVersion: number = 1;

const magic = `holdfast-record ${recordVersion}`;
const newline = 10;

/** Writes a record: a line with the checksum of the header, the header in one line of JSON, the text. */
export function encodeRecord(host: Host, { text, ...header }: GenerationRecord): Uint8Array {
  const encoder = new TextEncoder();
  const line = encoder.encode(JSON.stringify(header));
  const first = encoder.encode(`${magic} ${host.hash(line)}\n`);
  const bytes = new Uint8Array(first.length + line.length + 1 + text.length);
  bytes.set(first);
  bytes.set(line, first.length);
  bytes[first.length + line.length] = newline;
  bytes.set(text, first.length + line.length + 1);
  return bytes;
}

/**
 * Reads a record. The checksum covers the header and the header's hash the text, so a flipped bit or a missing end anywhere
 * is noticed.
 *
 * @param generation the number that the file's name gives
 * @returns undefined when the bytes are no whole record of that generation
 */
export function decodeRecord(
  host: Host,
  bytes: Uint8Array,
  generation: number,
): GenerationRecord | undefined {
  const parts = partsOf(bytes);
  if (parts === undefined || parts.first !== `${magic} ${host.hash(parts.line)}`) return undefined;
  const header = readHeader(parts.line);
  if (header === undefined) return undefined;
  const text = parts.text.slice();
  const hash = header.hash === "" && text.length === 0 ? "" : hashOf(host, text);
  return header.generation === generation && header.hash === hash ? { ...header, text } : undefined;
}

/** What bytes claim that begin like a record, be it a whole one or not. */
export interface ClaimedRecord {
  readonly version: number;
  /** 0 where no number is to be found. */
  readonly generation: number;
  readonly text: Uint8Array;
}

/** Reads what a record of any version says of itself, such as one that somebody copied or edited. */
export function claimedBy(bytes: Uint8Array): ClaimedRecord | undefined {
  const parts = partsOf(bytes);
  const [, version] = /^holdfast-record (\d+) /.exec(parts?.first ?? "") ?? [];
  if (parts === undefined || version === undefined) return undefined;
  const [, digits] = /"generation":(\d+)/.exec(new TextDecoder().decode(parts.line)) ?? [];
  const generation = Number(digits ?? 0);
  return {
    version: Number(version),
    // Counting on from a greater one would leave the safe integers.
    generation: generation <= generationMax ? generation : 0,
    text: parts.text,
  };
}

/** The lines before the text, and the text. */
function partsOf(
  bytes: Uint8Array,
): { readonly first: string; readonly line: Uint8Array; readonly text: Uint8Array } | undefined {
  const firstEnd = bytes.indexOf(newline);
  const headerEnd = bytes.indexOf(newline, firstEnd + 1);
  if (firstEnd === -1 || headerEnd === -1) return undefined;
  return {
    first: new TextDecoder().decode(bytes.subarray(0, firstEnd)),
    line: bytes.subarray(firstEnd + 1, headerEnd),
    text: bytes.subarray(headerEnd + 1),
  };
}

function readHeader(line: Uint8Array): RecordHeader | undefined {
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(line));
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

const origins = ["commit", "external", "rollback", "migration", "seed"];

function isHeader(header: unknown): header is RecordHeader {
  if (typeof header !== "object" || header === null) return false;
  const { generation, parent, parentHash, id, hash, at, origin, calls } = header as Partial<
    RecordHeader
  >;
  return Number.isSafeInteger(generation) && Number.isSafeInteger(parent) &&
    [parentHash, id, hash, at].every((text) => typeof text === "string") &&
    origins.includes(origin!) && Array.isArray(calls) && calls.every(isCall);
}

function isCall(call: unknown): call is Call {
  return typeof call === "object" && call !== null && "changes" in call &&
    Array.isArray(call.changes) &&
    call.changes.every((change) => Array.isArray((change as { path?: unknown } | null)?.path));
}
