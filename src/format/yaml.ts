import { copyDocument, type Json } from "../core/document.ts";
import { holdfastError, type Path } from "../core/error.ts";
import { aliasedValuesMax, yamlLengthMax } from "../core/limits.ts";
import { isEqual } from "./align.ts";
import { type Fault, faultError } from "./fault.ts";
import type { Decoded, Format, Position } from "./format.ts";
import { markOf, newlineOf, withoutMark } from "./lines.ts";
import { locateIn } from "./locate.ts";
import { assertLength, decodeText, positionAt } from "./text.ts";
import { editYaml, yamlStyleOf } from "./yaml_edit.ts";
import type { YamlNode } from "./yaml_node.ts";
import { readYaml } from "./yaml_read.ts";
import { isContainer, writeBlock, writeScalar } from "./yaml_write.ts";

/**
 * YAML 1.2 with the core schema: one document of plain JSON values. Tags of one's own, merge keys, keys that are no
 * strings and keys twice are refused; aliases are read, within limits.
 */
export const yaml: Format = { name: "yaml", decode, encode, locate };

function decode(bytes: Uint8Array, source: string): Decoded {
  const text = decodeText(bytes, source);
  const body = withoutMark(text);
  assertLength("YAML", body, yamlLengthMax, `read ${source}`);
  const { root, fault } = readYaml(body);
  if (fault !== undefined) throw faultOf(body, source, fault);
  // Values that aliases share are made separate, so that each can change.
  return { document: copyDocument(root!.value), text };
}

function faultOf(text: string, source: string, fault: Fault): Error {
  if (fault.limit !== "aliases") return faultError(text, source, fault);
  const { line, column } = positionAt(text, fault.offset);
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${source}:${line}:${column}: found aliases that stand for more than ${aliasedValuesMax} values; write fewer`,
    { what: "values that aliases stand for", limit: aliasedValuesMax },
  );
}

function locate(text: string, paths: readonly Path[]): Position[] {
  const body = withoutMark(text);
  return locateIn(readYaml(body).root, paths).map((offset) => positionAt(body, offset));
}

function encode(document: Json, previous?: string): string {
  const wanted = copyDocument(document);
  const body = withoutMark(previous ?? "");
  const { root } = readYaml(body);
  const text = (root && edited(body, root, wanted)) ?? formatted(body, root, wanted);
  assertLength("YAML", text, yamlLengthMax, "write the document");
  return markOf(previous) + text;
}

function edited(text: string, root: YamlNode, document: Json): string | undefined {
  const result = editYaml(text, root, document);
  if (result === undefined) return undefined;
  const after = result === text ? root : readYaml(result).root;
  return isEqual(after?.value, document) ? result : undefined;
}

function formatted(previous: string, root: YamlNode | undefined, document: Json): string {
  const style = yamlStyleOf(previous, root);
  const text = isContainer(document) ? writeBlock(document, "", style) : writeScalar(document);
  return `${text}\n`.replaceAll("\n", newlineOf(previous));
}
