import { depthMax } from "../core/limits.ts";
import { type Fault, readUntilFault, stop } from "./fault.ts";
import { lineStart } from "./lines.ts";
import type { TomlNode, TomlStatement, TomlTable, TomlTables } from "./toml_node.ts";
import { type TomlKey, TomlValues } from "./toml_value.ts";

/** Reads the tables of a TOML text with their places, or finds the first fault in it. */
export function readToml(text: string): { root?: TomlTable; fault?: Fault } {
  return readUntilFault(() => new TomlReader(text).read());
}

class TomlReader {
  readonly #values: TomlValues;
  readonly #root: TomlTable = newTable("root", 0, []);
  #section: TomlTable = this.#root;
  /** The tables from the root to the section. */
  #chain: readonly (TomlTable | TomlTables)[] = [this.#root];

  constructor(text: string) {
    this.#values = new TomlValues(text);
  }

  read(): TomlTable {
    const values = this.#values;
    if (values.text.trim() === "") {
      throw stop(0, "nothing but white space; write a document or remove the file");
    }
    for (;;) {
      values.blank();
      if (values.at === values.text.length) return this.#root;
      if (values.text.startsWith("[[", values.at)) this.#element();
      else if (values.text[values.at] === "[") this.#header();
      else this.#pair();
    }
  }

  #header(): void {
    const start = this.#values.at++;
    const key = this.#closed("]");
    const { parent, chain } = this.#parentOf(key);
    const { name, start: at } = key.at(-1)!;
    const known = parent.members.get(name);
    if (known !== undefined && (known.form !== "table" || known.defined !== "implicit")) {
      throw stop(at, "a table that is already defined; keep one of them");
    }
    const table = known ?? newTable("header", start, key.map((part) => part.name));
    table.defined = "header";
    parent.members.set(name, table);
    this.#open(table, [...chain, table], start);
  }

  #element(): void {
    const start = this.#values.at;
    this.#values.at += 2;
    const key = this.#closed("]]");
    const { parent, chain } = this.#parentOf(key);
    const { name, start: at } = key.at(-1)!;
    const keys = key.map((part) => part.name);
    const known = parent.members.get(name);
    if (known !== undefined && known.form !== "tables") {
      throw stop(
        at,
        "a key that is already defined, as no array of tables; rename it",
      );
    }
    const tables = known ?? { form: "tables", start, elements: [], keys, statements: [] };
    const table = newTable("element", start, keys);
    parent.members.set(name, tables);
    tables.elements.push(table);
    this.#open(table, [...chain, tables, table], start);
  }

  #closed(closing: string): TomlKey {
    const start = this.#values.at;
    const key = this.#values.key();
    if (!this.#values.take(closing)) throw this.#values.unexpected(`a ${closing}`);
    this.#limit(key.length, start);
    return key;
  }

  #open(table: TomlTable, chain: readonly (TomlTable | TomlTables)[], start: number): void {
    this.#section = table;
    this.#chain = chain;
    this.#limit(chain.length, start);
    this.#end(start, true, chain);
  }

  /** The table that a header's last key belongs to; tables on the way that are missing are made. */
  #parentOf(key: TomlKey): { parent: TomlTable; chain: (TomlTable | TomlTables)[] } {
    const chain: (TomlTable | TomlTables)[] = [this.#root];
    let parent = this.#root;
    for (const [index, { name, start }] of key.slice(0, -1).entries()) {
      let next: TomlNode | undefined = parent.members.get(name);
      if (next === undefined) {
        next = newTable("implicit", start, key.slice(0, index + 1).map((part) => part.name));
        parent.members.set(name, next);
      }
      if (next.form === "value") {
        throw stop(start, "a key that already has a value; rename one of them");
      }
      chain.push(next);
      if (next.form === "tables") chain.push(next.elements.at(-1)!);
      parent = next.form === "tables" ? next.elements.at(-1)! : next;
    }
    return { parent, chain };
  }

  #pair(): void {
    const start = this.#values.at;
    const key = this.#values.key();
    const depth = this.#chain.length - 1 + key.length;
    this.#limit(depth, start);
    this.#values.assignment();
    const value = this.#values.value(depth);
    const section = this.#section;
    const chain = [...this.#chain];
    let parent = section;
    for (const [index, { name, start }] of key.slice(0, -1).entries()) {
      const keys = () => [...section.keys, ...key.slice(0, index + 1).map((part) => part.name)];
      const next = parent.members.get(name) ?? newTable("dotted", start, keys(), section);
      if (next.form !== "table" || next.defined !== "dotted" || next.section !== section) {
        throw stop(
          start,
          "a key that is already defined elsewhere; rename one of them",
        );
      }
      parent.members.set(name, next);
      chain.push(next);
      parent = next;
    }
    const { name, start: at } = key.at(-1)!;
    if (parent.members.has(name)) {
      throw stop(at, "a key that the table already has; keep one of them");
    }
    parent.members.set(name, value);
    parent.pairs.set(name, this.#end(start, false, chain));
  }

  /** Ends a header or a pair with its line. */
  #end(
    first: number,
    isHeader: boolean,
    chain: readonly (TomlTable | TomlTables)[],
  ): TomlStatement {
    const values = this.#values;
    values.spaces();
    values.comment();
    if (values.at < values.text.length && !values.take("\n") && !values.take("\r\n")) {
      throw values.unexpected("the end of the line");
    }
    const start = lineStart(values.text, first);
    const statement = { start, end: values.at, section: this.#section, isHeader };
    for (const node of chain) node.statements.push(statement);
    return statement;
  }

  #limit(depth: number, offset: number): void {
    if (depth > depthMax) throw stop(offset, "nesting that is too deep", "depth");
  }
}

function newTable(
  defined: TomlTable["defined"],
  start: number,
  keys: readonly string[],
  section?: TomlTable,
): TomlTable {
  const parts = { members: new Map(), pairs: new Map(), statements: [] };
  const table = { form: "table", defined, start, keys, ...parts } as unknown as TomlTable;
  return Object.assign(table, { section: section ?? table });
}
