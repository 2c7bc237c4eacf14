import { copyDocument, countMembers, type Json } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { editedLengthMax, jsoncLengthMax } from "../core/limits.ts";
import { isEqual } from "./align.ts";
import { faultError } from "./fault.ts";
import type { Decoded, Format, Position } from "./format.ts";
import { editJson, indentationUnit } from "./json_edit.ts";
import { type JsonDialect, strictJson } from "./json_node.ts";
import { countWrittenMembers, parseJson, readJson, scanJson } from "./json_scan.ts";
import { markOf, newlineOf, withoutMark } from "./lines.ts";
import { wantedPlaces } from "./locate.ts";
import { assertLength, decodeText, positionAt } from "./text.ts";

/** Strict JSON (RFC 8259), with nothing left to a parser's taste: a key twice or a number that rounds is refused. */
export const json: Format = jsonFormat("json", strictJson);

/** JSON in one of its dialects. */
export function jsonFormat(name: string, dialect: JsonDialect): Format {
  return {
    name,
    decode: (bytes, source) => decode(bytes, source, dialect),
    encode: (document, previous) => encode(document, previous, dialect),
    locate: (text, paths) => locate(text, paths, dialect),
  };
}

function decode(bytes: Uint8Array, source: string, dialect: JsonDialect): Decoded {
  const text = decodeText(bytes, source);
  const body = withoutMark(text);
  // With comments it has to be edited in place, which takes many times its memory.
  if (dialect.comments) assertLength("JSONC", body, jsoncLengthMax, `read ${source}`);
  const fast = parseFast(body);
  if (fast !== undefined) return { document: fast, text };
  const { document, fault } = dialect.comments
    ? readJson(body, dialect)
    : { document: undefined, fault: scanJson(body) };
  if (fault !== undefined) throw faultError(body, source, fault);
  if (document === undefined) throw new Error(`JSON.parse and the scan disagree about ${source}`);
  return { document, text };
}

/** What strict JSON says, unless there is anything to object to. */
function parseFast(text: string): Json | undefined {
  let document: Json | undefined;
  let sound = false;
  try {
    document = JSON.parse(text) as Json;
    // Text that was UTF-8 can have half a surrogate only by an escape.
    const members = countMembers(document, !text.includes("\\u"));
    // JSON.parse drops the first of two equal keys: the text then has more members than the document.
    sound = members === countWrittenMembers(text);
  } catch {
    // The engines word their errors differently and quote the text; the scan finds the place itself.
  }
  return sound ? document : undefined;
}

function locate(text: string, paths: readonly Path[], dialect: JsonDialect): Position[] {
  const body = withoutMark(text);
  const wanted = wantedPlaces(paths);
  scanJson(body, wanted.visit, dialect);
  return wanted.offsets().map((offset) => positionAt(body, offset));
}

function encode(document: Json, previous: string | undefined, dialect: JsonDialect): string {
  const body = withoutMark(previous ?? "");
  const text = edited(body, document, dialect) ?? formatted(document, body);
  if (dialect.comments) assertLength("JSONC", text, jsoncLengthMax, "write the document");
  return markOf(previous) + text;
}

function edited(text: string, document: Json, dialect: JsonDialect): string | undefined {
  // What strict JSON loses then is the way its lines were broken, but no comment.
  if (text === "" || (!dialect.comments && text.length > editedLengthMax)) return undefined;
  const { root } = parseJson(text, dialect);
  if (root === undefined) return undefined;
  const wanted = copyDocument(document);
  const result = editJson(text, root, wanted, dialect);
  if (result === undefined) return undefined;
  const after = parseFast(result) ?? readJson(result, dialect).document;
  return isEqual(after, wanted) ? result : undefined;
}

function formatted(document: Json, previous: string): string {
  const lines = JSON.stringify(document, undefined, indentationUnit(previous) ?? "  ") + "\n";
  return lines.replaceAll("\n", newlineOf(previous));
}
