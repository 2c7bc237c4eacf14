import { countMembers, type Json, tooDeep } from "../core/document.ts";
import type { Path, PathStep } from "../core/error.ts";
import type { Decoded, Format, Position } from "./format.ts";
import { countWrittenMembers, scanJson } from "./json_scan.ts";
import { decodeText, parseError, positionAt } from "./text.ts";

/** Strict JSON (RFC 8259), with nothing left to a parser's taste: a key twice or a number that rounds is refused. */
export const json: Format = { name: "json", decode, encode, locate };

function decode(bytes: Uint8Array, source: string): Decoded {
  const text = decodeText(bytes, source);
  let document: Json | undefined;
  let sound = false;
  try {
    document = JSON.parse(text) as Json;
    // Text that was UTF-8 can have half a surrogate only by an escape.
    const members = countMembers(document, !text.includes("\\u"));
    // JSON.parse drops the first of two equal keys: the text then has more members than the document.
    sound = members === countWrittenMembers(text);
  } catch {
    // The engines word their errors differently and quote the text; the scan below finds the place itself.
  }
  if (!sound) throw faultOf(text, source);
  return { document: document!, text };
}

function faultOf(text: string, source: string): Error {
  const fault = scanJson(text);
  if (fault === undefined) throw new Error(`JSON.parse and the scan disagree about ${source}`);
  return fault.tooDeep
    ? tooDeep(`read ${source}`)
    : parseError(source, positionAt(text, fault.offset), fault.message);
}

function locate(text: string, paths: readonly Path[]): Position[] {
  const root: Wanted = { offset: 0, parts: new Map() };
  const lanes = paths.map((path) => {
    return path.reduce<Wanted[]>((lane, step) => [...lane, partOf(lane.at(-1)!, step)], [root]);
  });
  scanJson(text, (path, offset) => {
    let wanted: Wanted | undefined = root;
    for (const step of path) wanted = wanted?.parts.get(step);
    if (wanted !== undefined) wanted.offset = offset;
  });
  return lanes.map((lane) => {
    const deepest = lane.findLast(({ offset }) => offset !== undefined);
    return positionAt(text, deepest?.offset ?? 0);
  });
}

/** A place that is asked for, or that leads to one. */
interface Wanted {
  offset: number | undefined;
  readonly parts: Map<PathStep, Wanted>;
}

function partOf(parent: Wanted, step: PathStep): Wanted {
  const known = parent.parts.get(step);
  if (known !== undefined) return known;
  const part: Wanted = { offset: undefined, parts: new Map() };
  parent.parts.set(step, part);
  return part;
}

function encode(document: Json, previous?: string): string {
  const indentation = /^[{[]\r?\n([ \t]+)/.exec(previous?.trimStart() ?? "")?.[1] ?? "  ";
  return JSON.stringify(document, undefined, indentation) + "\n";
}
