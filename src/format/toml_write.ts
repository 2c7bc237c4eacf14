import { type Json, type JsonObject, problemOf } from "../core/document.ts";
import { holdfastError, type Path } from "../core/error.ts";
import { describePath } from "../core/pointer.ts";
import { isObject } from "./align.ts";
import { isDateTime } from "./toml_date.ts";
import type { TomlStyle } from "./toml_node.ts";

/** Makes sure that TOML can carry a document. */
export function assertToml(document: Json): asserts document is JsonObject {
  const path = isObject(document) ? pathOfNull(document) : [];
  if (path === undefined) return;
  const message = path.length > 0
    ? "null, which TOML cannot carry; remove the key"
    : "a document that is no object, which TOML cannot carry; put it into one";
  throw holdfastError(
    "INVALID",
    `Cannot write the document as TOML: found at ${describePath(path)}: ${message}`,
    { problems: [problemOf(document) ?? { path, message, severity: "error" }] },
  );
}

function pathOfNull(value: Json): Path | undefined {
  if (value === null) return [];
  if (typeof value !== "object") return undefined;
  for (const [key, part] of Object.entries(value)) {
    const path = pathOfNull(part);
    if (path !== undefined) return [Array.isArray(value) ? Number(key) : key, ...path];
  }
  return undefined;
}

/** Writes a document: first what has no header, then table after table. */
export function writeDocument(document: JsonObject): string {
  const lines = writeTable([], document);
  return lines.length === 0 ? "# Nothing is set.\n" : `${lines.join("\n")}\n`;
}

/** Whether a value gets headers of its own rather than a line in its table. */
export function hasHeaders(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isObject);
  return isObject(value) && Object.keys(value).length > 0;
}

/** Writes a value that gets headers of its own. */
export function writeSection(keys: readonly string[], value: Json): string[] {
  const name = writeKeys(keys);
  if (!Array.isArray(value)) return [`[${name}]`, ...writeTable(keys, value as JsonObject)];
  return value.flatMap((element, index) => {
    return [...index > 0 ? [""] : [], ...writeTablesElement(keys, element)];
  });
}

/** Writes an element of an array of tables. */
export function writeTablesElement(keys: readonly string[], value: Json): string[] {
  return [`[[${writeKeys(keys)}]]`, ...writeTable(keys, value as JsonObject)];
}

function writeTable(keys: readonly string[], table: JsonObject): string[] {
  const members = Object.entries(table);
  const lines = members.filter(([, value]) => !hasHeaders(value))
    .map(([key, value]) => writePair([key], value));
  for (const [key, value] of members) {
    if (!hasHeaders(value)) continue;
    if (keys.length > 0 || lines.length > 0) lines.push("");
    for (const line of writeSection([...keys, key], value)) lines.push(line);
  }
  return lines;
}

/** Writes a key with its value. */
export function writePair(keys: readonly string[], value: Json): string {
  return `${writeKeys(keys)} = ${writeValue(value)}`;
}

/** Writes a key, dotted if it has several parts. */
export function writeKeys(keys: readonly string[]): string {
  return keys.map((key) => /^[A-Za-z0-9_-]+$/.test(key) ? key : writeBasic(key)).join(".");
}

/** Writes a value on one line, or as a text of several lines in the way another was written. */
export function writeValue(value: Json, style?: TomlStyle): string {
  if (typeof value === "string") return writeString(value, style);
  if (typeof value === "number") {
    const text = JSON.stringify(value);
    return style === "float" && /^-?\d+$/.test(text) ? `${text}.0` : text;
  }
  if (Array.isArray(value)) return `[${value.map((element) => writeValue(element)).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, part]) => writePair([key], part));
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

// deno-lint-ignore no-control-regex -- those that only an escape can write
const needsEscape = /[\u0000-\u0008\u000b-\u001f\u007f]/;

function writeString(value: string, style: TomlStyle | undefined): string {
  const isOneLine = !value.includes("\n");
  const isSimple = !needsEscape.test(value);
  if (style === "date" && isDateTime(value)) return value;
  if (style === "literal" && isSimple && isOneLine && !value.includes("'")) return `'${value}'`;
  if (style === "longLiteral" && isSimple && !isOneLine && !value.includes("'''")) {
    if (!value.endsWith("'")) return `'''\n${value}'''`;
  }
  if ((style === "longBasic" || style === "longLiteral") && !isOneLine) {
    const lines = value.split("\n").map((line) => writeBasic(line).slice(1, -1));
    return `"""\n${lines.join("\n")}"""`;
  }
  return writeBasic(value);
}

function writeBasic(value: string): string {
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}
