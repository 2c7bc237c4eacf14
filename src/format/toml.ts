import { copyDocument, type Json, type JsonObject } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { tomlLengthMax } from "../core/limits.ts";
import { isEqual } from "./align.ts";
import { faultError } from "./fault.ts";
import type { Decoded, Format, Position } from "./format.ts";
import { markOf, newlineOf, withoutMark } from "./lines.ts";
import { assertLength, decodeText, positionAt } from "./text.ts";
import { editToml } from "./toml_edit.ts";
import { offsetOf, valueOf } from "./toml_node.ts";
import { readToml } from "./toml_read.ts";
import { assertToml, writeDocument } from "./toml_write.ts";

/**
 * TOML 1.1, written such that readers of 1.0 understand it. Dates and times are read as their text. What TOML cannot
 * carry, null and a document that is no object, is refused as `INVALID` when it is to be written.
 */
export const toml: Format = { name: "toml", decode, encode, locate };

function decode(bytes: Uint8Array, source: string): Decoded {
  const text = decodeText(bytes, source);
  const body = withoutMark(text);
  assertLength("TOML", body, tomlLengthMax, `read ${source}`);
  const { root, fault } = readToml(body);
  if (fault !== undefined) throw faultError(body, source, fault);
  return { document: valueOf(root!), text };
}

function locate(text: string, paths: readonly Path[]): Position[] {
  const body = withoutMark(text);
  const { root } = readToml(body);
  return paths.map((path) => positionAt(body, root === undefined ? 0 : offsetOf(root, path)));
}

function encode(document: Json, previous?: string): string {
  const wanted = copyDocument(document);
  assertToml(wanted);
  const body = withoutMark(previous ?? "");
  const text = edited(body, wanted) ?? writeDocument(wanted).replaceAll("\n", newlineOf(body));
  assertLength("TOML", text, tomlLengthMax, "write the document");
  return markOf(previous) + text;
}

function edited(text: string, document: JsonObject): string | undefined {
  const { root } = readToml(text);
  if (root === undefined) return undefined;
  const result = editToml(text, root, document);
  if (result === undefined) return undefined;
  const after = result === text ? root : readToml(result).root;
  return after !== undefined && isEqual(valueOf(after), document) ? result : undefined;
}
