import type { Json, JsonObject } from "../core/document.ts";
import { alignElements, alignMembers, isEqual, isObject, isSameParts } from "./align.ts";
import { editBracketed, hashComment } from "./bracketed.ts";
import { applyEdits, type Edit } from "./edits.ts";
import { indentationAt, newlineOf } from "./lines.ts";
import {
  type TomlNode,
  type TomlStatement,
  type TomlTable,
  type TomlTables,
  type TomlValue,
  valueOf,
} from "./toml_node.ts";
import {
  hasHeaders,
  writeKeys,
  writePair,
  writeSection,
  writeTablesElement,
  writeValue,
} from "./toml_write.ts";

/** Gives a TOML text another document and changes only what differs, or says undefined where that is not possible. */
export function editToml(text: string, root: TomlTable, document: JsonObject): string | undefined {
  return new TomlEdit(text).edit(root, document);
}

class TomlEdit {
  readonly #text: string;
  readonly #newline: string;
  readonly #edits: Edit[] = [];
  readonly #removed = new Set<TomlStatement>();
  /** Those that got new lines. */
  readonly #extended = new Set<TomlNode>();

  constructor(text: string) {
    this.#text = text;
    this.#newline = newlineOf(text);
  }

  edit(root: TomlTable, document: JsonObject): string | undefined {
    this.#changeTable(root, document);
    return applyEdits(this.#text, this.#edits);
  }

  #changeTable(table: TomlTable, value: JsonObject): void {
    const { members } = table;
    const sections: [string, Json][] = [];
    const lines: { after: TomlStatement | undefined; key: string; value: Json }[] = [];
    let after: TomlStatement | undefined;
    const add = (key: string, part: Json) => {
      const isSection = table.defined !== "dotted" && hasHeaders(part);
      if (isSection) sections.push([key, part]);
      else lines.push({ after, key, value: part });
    };
    for (const [key, member] of members) {
      if (!Object.hasOwn(value, key)) this.#removeMember(table, key, member);
    }
    for (const { from, key, value: part } of alignMembers([...members.keys()], value)) {
      const member = from === undefined ? undefined : members.get(key!)!;
      if (member === undefined) add(key!, part);
      else if (!this.#change(member, part)) {
        this.#removeMember(table, key!, member);
        add(key!, part);
      } else after = table.pairs.get(key!) ?? after;
    }
    if (lines.length + sections.length > 0) this.#extended.add(table);
    this.#addLines(table, lines);
    for (const [key, part] of sections) {
      this.#addSection(table, writeSection([...table.keys, key], part));
    }
    this.#keepDefined(table);
  }

  /** Gives a part another value; false when it has to go and come back in another form. */
  #change(node: TomlNode, value: Json): boolean {
    if (node.form === "value") {
      this.#changeValue(node, value);
      return true;
    }
    if (isEqual(valueOf(node), value)) return true;
    if (node.form === "table") {
      if (!isObject(value)) return false;
      this.#changeTable(node, value);
      return true;
    }
    return Array.isArray(value) && this.#changeTables(node, value);
  }

  #changeValue(node: TomlValue, value: Json): void {
    if (isEqual(node.value, value)) return;
    const { style, items, start, end } = node;
    const isKept = style === "array"
      ? Array.isArray(value)
      : style === "inline" && isObject(value) && !node.isDotted;
    if (!isKept) {
      this.#put(start, writeValue(value, style), end);
      return;
    }
    const aligned = style === "array"
      ? alignElements(items.map((item) => item.node.value), value as readonly Json[])
      : alignMembers(items.map(({ key }) => key!), value as JsonObject);
    const parts = aligned.map(({ from, key, value }) => {
      if (from !== undefined) {
        this.#changeValue(items[from]!.node, value);
        return { from };
      }
      const text = key === undefined ? writeValue(value) : writePair([key], value);
      return { write: () => text };
    });
    if (isSameParts(aligned, items.length)) return;
    const list = { open: start + 1, close: end - 1, items };
    editBracketed(this.#text, list, parts, {
      restOfLine: hashComment,
      newline: this.#newline,
      padding: style === "array" ? "" : " ",
      indentation: "  ",
      gap: " ",
    }, this.#edits);
  }

  #changeTables(tables: TomlTables, value: readonly Json[]): boolean {
    if (!hasHeaders(value)) return false;
    const { elements } = tables;
    const aligned = alignElements(elements.map(valueOf), value);
    if (aligned.every(({ from }) => from === undefined)) return false;
    const kept = new Set(aligned.map(({ from }) => from));
    for (const [index, element] of elements.entries()) {
      if (!kept.has(index)) this.#removeAll(element.statements);
    }
    let anchor: TomlTable | undefined;
    for (const { from, value: part } of aligned) {
      if (from !== undefined) {
        anchor = elements[from]!;
        if (!isEqual(valueOf(anchor), part)) this.#changeTable(anchor, part as JsonObject);
        continue;
      }
      const lines = writeTablesElement(tables.keys, part);
      if (anchor !== undefined) this.#addSection(anchor, lines);
      else this.#put(elements[0]!.statements[0]!.start, `${lines.join("\n")}\n\n`);
    }
    return true;
  }

  #addLines(
    table: TomlTable,
    lines: readonly { after: TomlStatement | undefined; key: string; value: Json }[],
  ): void {
    if (lines.length === 0) return;
    const { section, defined, keys } = table;
    if (defined === "implicit") {
      const pairs = lines.map(({ key, value }) => writePair([key], value));
      this.#addSection(table, [`[${writeKeys(keys)}]`, ...pairs]);
      return;
    }
    const prefix = defined === "dotted" ? keys.slice(section.keys.length) : [];
    const own = table.statements.filter((statement) => statement.section === section);
    const last = own.findLast(({ isHeader }) => !isHeader) ?? own[0];
    const first: string[] = [];
    for (const { after, key, value } of lines) {
      const line = writePair([...prefix, key], value);
      const anchor = after ?? last;
      if (anchor === undefined) first.push(line);
      else this.#addBehind(anchor, indentationAt(this.#text, anchor.start) + line);
    }
    if (first.length > 0) this.#addFirst(first.join("\n"), table);
  }

  /** Puts lines in front of all headers. */
  #addFirst(lines: string, { statements }: TomlTable): void {
    // What a file says about itself at the top stays there.
    const head = /^(?:#[^\n]*\n)+[ \t]*\r?\n/.exec(this.#text)?.[0].length ?? 0;
    const isAlone = statements.every((statement) => this.#removed.has(statement));
    this.#put(head, isAlone ? `${lines}\n` : `${lines}\n\n`);
  }

  #addBehind({ end }: TomlStatement, line: string): void {
    const isOpen = end === this.#text.length && !this.#text.endsWith("\n");
    this.#put(end, isOpen ? `\n${line}` : `${line}\n`);
  }

  /** Puts lines with headers behind all that belongs to a table. */
  #addSection(table: TomlTable, lines: readonly string[]): void {
    const last = table.statements.at(-1);
    const end = last?.end ?? this.#text.length;
    const isOpen = end === this.#text.length && end > 0 && !this.#text.endsWith("\n");
    const text = lines.join("\n");
    this.#put(end, isOpen ? `\n\n${text}` : `\n${text}\n`);
  }

  /** A table all of whose lines went is there no more, unless it is written as empty. */
  #keepDefined(table: TomlTable): void {
    const { defined, statements, keys, section } = table;
    const isDefined = this.#extended.has(table) || defined === "root" ||
      statements.some((statement) => !this.#removed.has(statement));
    if (isDefined) return;
    const { start } = statements[0]!;
    const line = defined === "dotted"
      ? writePair(keys.slice(section.keys.length), {})
      : `[${writeKeys(keys)}]`;
    this.#put(start, `${indentationAt(this.#text, start)}${line}\n`);
    this.#extended.add(table);
  }

  #removeMember(table: TomlTable, key: string, member: TomlNode): void {
    this.#removeAll(member.form === "value" ? [table.pairs.get(key)!] : member.statements);
  }

  #removeAll(statements: readonly TomlStatement[]): void {
    for (const statement of statements) {
      if (this.#removed.has(statement)) continue;
      this.#removed.add(statement);
      this.#put(statement.start, "", statement.end);
    }
  }

  #put(start: number, text: string, end: number = start): void {
    this.#edits.push({ start, end, text: text.replaceAll("\n", this.#newline) });
  }
}
