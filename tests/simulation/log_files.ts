import { createHash } from "node:crypto";
import type { OutsideProgram } from "../../adapters/memory.ts";
import type { RecordHeader } from "../support/history_checker.ts";

/** Where the config of a world stands. */
export const configPath = "/c/config.json";

/** Where its generations are kept. */
export const logPath = "/c/.config.json.d";

/** A record as it stands on the disk. */
export interface LogRecord extends RecordHeader {
  readonly id: string;
  readonly origin: string;
  /** Undefined where the document was removed. */
  readonly text: string | undefined;
}

/** The log as it stands on the disk. */
export interface LogFiles {
  readonly records: ReadonlyMap<number, LogRecord>;
  /** The numbers of records that are not whole. */
  readonly torn: readonly number[];
  readonly floor: number;
}

/** The hash of a text as snapshots and records give it. */
export function hashOf(text: string): string {
  return `sha256:${sha256(text)}`;
}

/** SHA-256 in hexadecimal. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The number that the name of a record gives, if it is one. */
export function recordNumber(path: string): number | undefined {
  const found = /^\/c\/\.config\.json\.d\/g\.(\d+)$/.exec(path)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Reads a record by itself, without the code that is on trial; undefined when it is not whole. */
export function parseRecord(content: string): LogRecord | undefined {
  const [, checksum, line = "", text = ""] =
    /^holdfast-record 1 ([0-9a-f]{64})\n([^\n]*)\n([^]*)$/.exec(content) ?? [];
  if (checksum === undefined || sha256(line) !== checksum) return undefined;
  const header = JSON.parse(line) as Omit<LogRecord, "text">;
  const isRemoval = header.hash === "";
  if (isRemoval ? text !== "" : hashOf(text) !== header.hash) return undefined;
  return { ...header, text: isRemoval ? undefined : text };
}

/**
 * Reads the log.
 *
 * @param isWanted tells which records; all when left out
 */
export function readLog(
  outside: OutsideProgram,
  isWanted: (generation: number) => boolean = () => true,
): LogFiles {
  const records = new Map<number, LogRecord>();
  const torn: number[] = [];
  let floor = 0;
  for (const path of outside.list()) {
    const mark = /^\/c\/\.config\.json\.d\/floor\.(\d+)$/.exec(path)?.[1];
    if (mark !== undefined) floor = Math.max(floor, Number(mark));
    const generation = recordNumber(path);
    if (generation === undefined || !isWanted(generation)) continue;
    const record = parseRecord(outside.readFile(path));
    if (record === undefined) torn.push(generation);
    else records.set(generation, record);
  }
  return { records, torn, floor };
}

/**
 * The records that count: what a writer that stood still linked below the floor does not. Where a power cut left nothing
 * but the mark of a log, the numbers begin behind it.
 */
export function countedRecords(
  { records, floor }: LogFiles,
): { readonly records: readonly LogRecord[]; readonly floor: number } {
  const counted = [...records.values()].filter(({ generation }) => generation > floor);
  const first = counted.find(({ parent }) => parent === 0);
  return { records: counted, floor: Math.max(floor, (first?.generation ?? 1) - 1) };
}

/** What stands in the published file; undefined when nothing does. */
export function readPublished(outside: OutsideProgram): string | undefined {
  try {
    return outside.readFile(configPath);
  } catch {
    return undefined;
  }
}
