/** Reads the history of a config from its directory, by what the format is said to be and with none of the library's code. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RecordHeader } from "./history_checker.ts";

/** All that lies there. */
export interface LogOnDisk {
  readonly records: readonly RecordHeader[];
  /** Numbers whose record is not whole. */
  readonly unreadable: readonly number[];
  readonly floor: number;
  /** Every name in the log's directory; none where there is no log. */
  readonly names: readonly string[];
  /** Over the text of the config file; empty when there is none. */
  readonly publishedHash: string;
  /** Names, in either directory, that the format does not know. */
  readonly strangers: readonly string[];
}

const logNames =
  /^(?:(?:g|floor)\.[1-9]\d*|rec\.[0-9a-f]{32}|(?:pub|gone|turn|img|ext|txt)\.\d+(?:\.[0-9a-f]{32}){1,2}|refused\.[0-9a-f]{16})$/;

/** Looks at everything. Only at rest is it one state. */
export function readLog(path: string): LogOnDisk {
  const beside = `.${basename(path)}`;
  const directory = join(dirname(path), `${beside}.d`);
  const names = namesIn(directory);
  const records: RecordHeader[] = [];
  const unreadable: number[] = [];
  for (const name of names) {
    const generation = Number(/^g\.(\d+)$/.exec(name)?.[1] ?? 0);
    if (generation === 0) continue;
    const record = readRecord(join(directory, name), generation);
    if (record === undefined) unreadable.push(generation);
    else records.push(record);
  }
  // What a probe of the first write left behind goes with the next write.
  const isProbe = (name: string) => /^\.[0-9a-f]{32}\.tmp$/.test(name.split(beside)[1] ?? "");
  const isKnown = (name: string) =>
    name === basename(path) || name === `${beside}.d` || isProbe(name) ||
    /^\d+$/.test(name.split(`${beside}.mark.`)[1] ?? "");
  return {
    records: records.sort((one, other) => one.generation - other.generation),
    unreadable,
    floor: Math.max(0, ...names.map((name) => Number(/^floor\.(\d+)$/.exec(name)?.[1] ?? 0))),
    names,
    publishedHash: hashOfFile(path),
    strangers: [
      ...namesIn(dirname(path)).filter((name) => !isKnown(name)),
      ...names.filter((name) => !logNames.test(name)),
    ],
  };
}

/** Undefined when it is not whole. */
function readRecord(path: string, generation: number): RecordHeader | undefined {
  const bytes = readFileSync(path);
  const lineEnd = bytes.indexOf(10);
  const headerEnd = bytes.indexOf(10, lineEnd + 1);
  if (lineEnd < 0 || headerEnd < 0) return undefined;
  const header = bytes.subarray(lineEnd + 1, headerEnd);
  if (bytes.subarray(0, lineEnd).toString() !== `holdfast-record 1 ${sha256(header)}`) {
    return undefined;
  }
  const record = JSON.parse(header.toString()) as RecordHeader;
  const text = bytes.subarray(headerEnd + 1);
  const hash = record.hash === "" && text.length === 0 ? "" : `sha256:${sha256(text)}`;
  return record.generation === generation && record.hash === hash ? record : undefined;
}

/** As snapshots give it; empty when there is no such file. */
export function hashOfFile(path: string): string {
  try {
    return `sha256:${sha256(readFileSync(path))}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
