import type { Json } from "../core/document.ts";
import { alignElements, alignMembers, isEqual, isObject, isSameParts } from "./align.ts";
import { type BracketedPart, type BracketedStyle, editBracketed } from "./bracketed.ts";
import { applyEdits, type Edit } from "./edits.ts";
import type { JsonDialect, JsonNode } from "./json_node.ts";
import { beginsLine, indentationAt, newlineOf } from "./lines.ts";

/** How a JSON text is written. */
interface JsonStyle extends BracketedStyle {
  /** Behind the colon of a member. */
  readonly space: string;
}

/** Gives a JSON text another document and changes only what differs, or says undefined where that is not possible. */
export function editJson(
  text: string,
  root: JsonNode,
  document: Json,
  dialect: JsonDialect,
): string | undefined {
  const edits: Edit[] = [];
  change(text, root, document, styleOf(text, root, dialect), edits);
  return applyEdits(text, edits);
}

/** What the lines of a JSON text are indented by. */
export function indentationUnit(text: string): string | undefined {
  return /^[{[][^\n]*\n(?:[ \t]*(?:\/\/[^\n]*)?\r?\n)*([ \t]+)/.exec(text.trimStart())?.[1];
}

function styleOf(text: string, root: JsonNode, dialect: JsonDialect): JsonStyle {
  const first = root.items?.[0];
  const list = first !== undefined && !beginsLine(text, first.start);
  const spaced = first?.key === undefined ||
    /\s/.test(text[first.node.start - 1] ?? "") || text.includes("\n");
  return {
    restOfLine: dialect.comments
      ? /[ \t]*(?:\/\*(?:[^*\n]|\*(?!\/))*\*\/[ \t]*)*(?:\/\/[^\r\n]*)?(?=\r?\n)/y
      : /[ \t]*(?=\r?\n)/y,
    newline: newlineOf(text),
    indentation: indentationUnit(text.slice(root.start)) ?? "  ",
    padding: list ? (text[root.start + 1] === " " ? " " : "") : undefined,
    gap: spaced ? " " : "",
    space: spaced ? " " : "",
  };
}

function change(text: string, node: JsonNode, value: Json, style: JsonStyle, edits: Edit[]): void {
  if (isEqual(node.value, value)) return;
  const { items, start, end } = node;
  const isArray = Array.isArray(node.value);
  if (items === undefined || (isArray ? !Array.isArray(value) : !isObject(value))) {
    const lines = style.padding === undefined ? indentationAt(text, start) : undefined;
    edits.push({ start, end, text: write(value, lines, style) });
    return;
  }
  const aligned = isArray
    ? alignElements(items.map((item) => item.node.value), value as readonly Json[])
    : alignMembers(items.map(({ key }) => key!), value as Record<string, Json>);
  const parts = aligned.map(({ from, key, value }): BracketedPart => {
    if (from === undefined) {
      const name = key === undefined ? "" : `${JSON.stringify(key)}:${style.space}`;
      return { write: (indentation) => name + write(value, indentation, style) };
    }
    change(text, items[from]!.node, value, style, edits);
    return { from };
  });
  if (isSameParts(aligned, items.length)) return;
  const list = { open: start + 1, close: end - 1, items };
  editBracketed(text, list, parts, style, edits);
}

/** @param indentation of the line it begins on; undefined to keep it on that line */
function write(value: Json, indentation: string | undefined, style: JsonStyle): string {
  if (indentation !== undefined) {
    const lines = JSON.stringify(value, undefined, style.indentation);
    return lines.replaceAll("\n", style.newline + indentation);
  }
  if (style.space === "") return JSON.stringify(value);
  if (Array.isArray(value)) {
    return `[${value.map((element) => write(element, undefined, style)).join(", ")}]`;
  }
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => {
    return `${JSON.stringify(key)}: ${write(member, undefined, style)}`;
  });
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
