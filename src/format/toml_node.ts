import type { Json } from "../core/document.ts";
import type { Path } from "../core/error.ts";

/** A value as it is written in a TOML text. */
export interface TomlValue {
  readonly form: "value";
  readonly value: Json;
  readonly start: number;
  readonly end: number;
  readonly style: TomlStyle;
  /** The elements of an array or the members of an inline table. */
  readonly items: readonly TomlItem[];
  /** Whether members are written as parts of others, with dotted keys. */
  readonly isDotted: boolean;
}

/** How a value is written. */
export type TomlStyle =
  | "basic"
  | "literal"
  | "longBasic"
  | "longLiteral"
  | "integer"
  | "float"
  | "boolean"
  | "date"
  | "array"
  | "inline";

/** A member of an inline table or an element of an array. */
export interface TomlItem {
  /** Undefined in an array. */
  readonly key: string | undefined;
  readonly start: number;
  readonly end: number;
  readonly node: TomlValue;
  readonly comma: number | undefined;
}

/** A table that lines of a text define. */
export interface TomlTable {
  readonly form: "table";
  /** By a header, as an element of an array of tables, by the header of a table in it, or by dotted keys. */
  defined: "root" | "header" | "element" | "implicit" | "dotted";
  /** Where its first line is. */
  readonly start: number;
  readonly members: Map<string, TomlNode>;
  /** The lines of those members that are values. */
  readonly pairs: Map<string, TomlStatement>;
  /** The keys that lead to it, those of arrays of tables without an index. */
  readonly keys: readonly string[];
  /** The section whose dotted keys define it, or itself. */
  readonly section: TomlTable;
  /** The lines that define anything in it, in the order of the text. */
  readonly statements: TomlStatement[];
}

/** An array whose elements have headers in double brackets. */
export interface TomlTables {
  readonly form: "tables";
  readonly start: number;
  readonly elements: TomlTable[];
  readonly keys: readonly string[];
  readonly statements: TomlStatement[];
}

/** Anything that a key can lead to. */
export type TomlNode = TomlValue | TomlTable | TomlTables;

/** The lines of a header or of a key with its value. */
export interface TomlStatement {
  /** Where its first line begins. */
  readonly start: number;
  /** Behind the line break of its last line. */
  readonly end: number;
  /** The section that it opens or is in. */
  readonly section: TomlTable;
  readonly isHeader: boolean;
}

/** The document that a part of the tree says. */
export function valueOf(node: TomlNode): Json {
  if (node.form === "value") return node.value;
  if (node.form === "tables") return node.elements.map(valueOf);
  return Object.fromEntries(Array.from(node.members, ([key, member]) => [key, valueOf(member)]));
}

/** Where the value at a path stands, or the nearest thing above it. */
export function offsetOf(root: TomlNode, path: Path): number {
  let start = root.start;
  let node: TomlNode | undefined = root;
  for (const step of path) {
    node = partOf(node, step);
    if (node === undefined) break;
    start = node.start;
  }
  return start;
}

function partOf(node: TomlNode, step: string | number): TomlNode | undefined {
  if (node.form === "tables") return typeof step === "number" ? node.elements[step] : undefined;
  if (node.form === "table") return node.members.get(String(step));
  return typeof step === "number"
    ? node.style === "array" ? node.items[step]?.node : undefined
    : node.items.find(({ key }) => key === step)?.node;
}
