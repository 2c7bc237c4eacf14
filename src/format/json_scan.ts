import { isForbiddenKey, type Json } from "../core/document.ts";
import type { PathStep } from "../core/error.ts";
import { depthMax } from "../core/limits.ts";
import type { Changeable } from "./bracketed.ts";
import { type Fault, readUntilFault, type Stop, stop } from "./fault.ts";
import {
  type JsonDialect,
  type JsonItem,
  type JsonNode,
  strictJson,
  type ValueVisitor,
} from "./json_node.ts";
import { nameSymbol } from "./symbols.ts";

/**
 * Reads JSON slowly and strictly, to find the place of a fault or of a value. `JSON.parse` does the fast reading.
 *
 * @returns the first fault, or undefined when the text is sound
 */
export function scanJson(
  text: string,
  visitor?: ValueVisitor,
  dialect: JsonDialect = strictJson,
): Fault | undefined {
  return scan(new Scan(text, dialect, visitor, "nothing")).fault;
}

/** Reads the document that a text says, without the places of its values, which take many times the memory. */
export function readJson(
  text: string,
  dialect: JsonDialect,
): { document?: Json; fault?: Fault } {
  const { root, fault } = scan(new Scan(text, dialect, undefined, "values"));
  return fault === undefined ? { document: root!.value } : { fault };
}

/** Reads the values of a text with their places. */
export function parseJson(text: string, dialect: JsonDialect): { root?: JsonNode; fault?: Fault } {
  return scan(new Scan(text, dialect, undefined, "places"));
}

function scan(work: Scan): { root?: JsonNode; fault?: Fault } {
  return readUntilFault(() => work.document());
}

/** Counts the object members written in a text that `JSON.parse` accepted, by hopping from string to string. */
export function countWrittenMembers(text: string): number {
  let count = 0;
  let start = text.indexOf('"');
  while (start !== -1) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let after = end + 1;
    while (isSpace(text.charCodeAt(after))) after++;
    if (text.charCodeAt(after) === colon) count++;
    start = text.indexOf('"', after);
  }
  return count;
}

const colon = 0x3a;
const backslash = 0x5c;
const slash = 0x2f;
const lineBreak = /[\r\n]/g;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
// deno-lint-ignore no-control-regex -- JSON forbids raw control characters in strings
const special = /["\\\u0000-\u001f]/g;

const words: readonly (readonly [string, Json])[] = [["true", true], ["false", false], [
  "null",
  null,
]];

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === backslash) before--;
  return (quote - before) % 2 === 0;
}

/** What a scan remembers: each takes more memory than the one before. */
type Kept = "nothing" | "values" | "places";

class Scan {
  readonly #text: string;
  readonly #dialect: JsonDialect;
  readonly #visitor: ValueVisitor | undefined;
  readonly #keeps: Kept;
  readonly #path: PathStep[] = [];
  #at = 0;

  constructor(
    text: string,
    dialect: JsonDialect,
    visitor: ValueVisitor | undefined,
    keeps: Kept,
  ) {
    this.#text = text;
    this.#dialect = dialect;
    this.#visitor = visitor;
    this.#keeps = keeps;
  }

  document(): JsonNode {
    this.#space();
    if (this.#at === this.#text.length) {
      const found = this.#dialect.comments ? "white space and comments" : "white space";
      throw stop(0, `nothing but ${found}; write a document or remove the file`);
    }
    const root = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
    return root;
  }

  #value(): JsonNode {
    this.#space();
    const start = this.#at;
    this.#visitor?.(this.#path, start);
    const first = this.#text[start];
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"') return this.#scalar(start, this.#string());
    if (first === "-" || (first !== undefined && first >= "0" && first <= "9")) {
      return this.#scalar(start, this.#number());
    }
    for (const [word, value] of words) {
      if (this.#take(word)) return this.#scalar(start, value);
    }
    throw this.#unexpected("a value");
  }

  #scalar(start: number, value: Json): JsonNode {
    return { start, end: this.#at, value, items: undefined };
  }

  #object(): JsonNode {
    const seen = new Set<string>();
    const members: [string, Json][] = [];
    return this.#list("}", "brace", (items) => {
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected("a key in double quotes");
      const key = this.#string();
      if (seen.has(key)) {
        throw stop(start, "a key that the object already has; keep one of them");
      }
      if (isForbiddenKey(key)) {
        throw stop(start, `the key "${key}", which is not allowed; rename it`);
      }
      seen.add(key);
      this.#space();
      if (!this.#take(":")) throw this.#unexpected("a colon");
      this.#path.push(key);
      const node = this.#value();
      this.#path.pop();
      if (this.#keeps !== "nothing") members.push([key, node.value]);
      if (this.#keeps === "places") {
        items.push({ key, start, end: this.#at, node, comma: undefined });
      }
    }, () => Object.fromEntries(members));
  }

  #array(): JsonNode {
    const elements: Json[] = [];
    let index = 0;
    return this.#list("]", "bracket", (items) => {
      this.#path.push(index++);
      const node = this.#value();
      this.#path.pop();
      if (this.#keeps !== "nothing") elements.push(node.value);
      if (this.#keeps === "places") {
        items.push({ key: undefined, start: node.start, end: node.end, node, comma: undefined });
      }
    }, () => elements);
  }

  #list(
    closing: string,
    kind: string,
    readItem: (items: Changeable<JsonItem>[]) => void,
    value: () => Json,
  ): JsonNode {
    const start = this.#at;
    if (this.#path.length >= depthMax) {
      throw stop(start, "nesting that is too deep", "depth");
    }
    const items: Changeable<JsonItem>[] = [];
    this.#at++;
    this.#space();
    if (!this.#take(closing)) {
      for (;;) {
        readItem(items);
        this.#space();
        const comma = this.#at;
        if (!this.#take(",")) break;
        if (this.#keeps === "places") items.at(-1)!.comma = comma;
        this.#space();
        if (this.#dialect.comments && this.#text[this.#at] === closing) break;
      }
      if (!this.#take(closing)) throw this.#unexpected(`a comma or a closing ${kind}`);
    }
    return { start, end: this.#at, value: value(), items };
  }

  #string(): string {
    const start = this.#at;
    for (this.#at++;;) {
      special.lastIndex = this.#at;
      const found = special.exec(this.#text);
      this.#at = found?.index ?? this.#text.length;
      if (found === null || found[0] === "\n" || found[0] === "\r") {
        throw stop(start, "a string that is not closed; add the closing quote");
      }
      if (found[0] === '"') {
        this.#at++;
        const text = JSON.parse(this.#text.slice(start, this.#at)) as string;
        if (text.isWellFormed()) return text;
        throw stop(start, "a string with half of a surrogate pair; write both halves");
      }
      escape.lastIndex = this.#at;
      if (!escape.test(this.#text)) {
        throw found[0] === "\\"
          ? stop(this.#at, "an escape that JSON does not know; double the backslash")
          : stop(this.#at, "a control character in a string; write it as an escape");
      }
      this.#at = escape.lastIndex;
    }
  }

  #number(): number {
    const start = this.#at;
    number.lastIndex = start;
    const literal = number.exec(this.#text)?.[0];
    if (literal === undefined) {
      throw stop(start, "a minus sign without a number; complete it");
    }
    this.#at = start + literal.length;
    if (/[\w.+-]/.test(this.#text[this.#at] ?? "")) {
      throw stop(
        start,
        "a number that JSON does not know; write it in decimal, without a leading zero",
      );
    }
    const value = Number(literal);
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
    throw stop(start, "a number that is not finite or beyond 2^53 - 1; write it as a string");
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #space(): void {
    for (;;) {
      while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
      if (!this.#dialect.comments || this.#text.charCodeAt(this.#at) !== slash) return;
      if (this.#take("//")) this.#at = lineEnd(this.#text, this.#at);
      else if (this.#text.startsWith("/*", this.#at)) {
        const end = this.#text.indexOf("*/", this.#at + 2);
        if (end === -1) throw stop(this.#at, "a comment that is not closed; add */");
        this.#at = end + 2;
      } else return;
    }
  }

  #unexpected(expected: string): Stop {
    const found = this.#text[this.#at];
    const named = nameSymbol(found, this.#dialect.comments);
    return stop(this.#at, `${named} where ${expected} belongs; mend the text there`);
  }
}

function lineEnd(text: string, from: number): number {
  lineBreak.lastIndex = from;
  return lineBreak.exec(text)?.index ?? text.length;
}
