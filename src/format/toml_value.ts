import { isForbiddenKey, type Json } from "../core/document.ts";
import { depthMax } from "../core/limits.ts";
import { isObject } from "./align.ts";
import type { Changeable } from "./bracketed.ts";
import { type Stop, stop } from "./fault.ts";
import { nameSymbol } from "./symbols.ts";
import { isDateTime } from "./toml_date.ts";
import type { TomlItem, TomlStyle, TomlValue } from "./toml_node.ts";

/** A key as it is written, with the place of each of its parts. */
export type TomlKey = readonly { readonly name: string; readonly start: number }[];

const bareKey = /[A-Za-z0-9_-]+/y;
const word = /[A-Za-z0-9_+.:-]+(?: \d{2}:[0-9:.]+(?:[Zz]|[+-][0-9:]+)?)?/y;
// deno-lint-ignore no-control-regex -- TOML forbids raw control characters
const plainComment = /#[^\u0000-\u0008\n\r\u000b\u000c\u000e-\u001f\u007f]*/y;
// deno-lint-ignore no-control-regex -- TOML forbids raw control characters
const special = /["'\\\u0000-\u0008\n-\u001f\u007f]/g;
const escapes = new Map([
  ["b", "\b"],
  ["t", "\t"],
  ["n", "\n"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\u001b"],
  ['"', '"'],
  ["\\", "\\"],
]);
const hexDigits = new Map([["x", 2], ["u", 4], ["U", 8]]);
const integer = /^[+-]?(?:0|[1-9](?:_?\d)*)$/;
const otherInteger = /^0(?:x[\da-fA-F](?:_?[\da-fA-F])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)$/;
const float = /^[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?$/;

const none: readonly TomlItem[] = [];

/** Reads the keys and values of a TOML text, one after another. */
export class TomlValues {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Reads a key, dotted or not. */
  key(): TomlKey {
    const parts = [];
    do {
      this.spaces();
      const start = this.at;
      const first = this.text[start];
      const name = first === '"' || first === "'"
        ? this.#string(first, false).value
        : this.#bareKey();
      if (isForbiddenKey(name)) {
        throw stop(start, `the key "${name}", which is not allowed; rename it`);
      }
      parts.push({ name, start });
      this.spaces();
    } while (this.take("."));
    return parts;
  }

  /** Reads a value. */
  value(depth: number): TomlValue {
    const start = this.at;
    const first = this.text[start];
    if (first === "[" || first === "{") {
      if (depth >= depthMax) throw stop(start, "nesting that is too deep", "depth");
      return first === "[" ? this.#array(depth + 1) : this.#inline(depth + 1);
    }
    if (first === '"' || first === "'") {
      const { value, style } = this.#string(first, true);
      return this.#done(start, value, style);
    }
    word.lastIndex = start;
    const found = word.exec(this.text)?.[0];
    if (found === undefined) throw this.unexpected("a value");
    this.at = start + found.length;
    if (found === "true" || found === "false") {
      return this.#done(start, found === "true", "boolean");
    }
    if (/^\d{4}-|^\d{2}:/.test(found)) {
      if (isDateTime(found)) return this.#done(start, found, "date");
      throw stop(start, "a date or time that does not exist; mend it or quote it");
    }
    return this.#number(start, found);
  }

  #number(start: number, found: string): TomlValue {
    const isInteger = integer.test(found) || otherInteger.test(found);
    const isSpecial = /^[+-]?(?:inf|nan)$/.test(found);
    if (!isInteger && !isSpecial && !float.test(found)) {
      throw stop(start, "a bare word that is no value; quote it if it is a string");
    }
    const value = Number(found.replaceAll("_", ""));
    if (isSpecial || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      throw stop(
        start,
        "a number that is not finite or beyond 2^53 - 1; write it as a string",
      );
    }
    // The integer -0 is the integer 0.
    return this.#done(start, isInteger ? value + 0 : value, isInteger ? "integer" : "float");
  }

  #array(depth: number): TomlValue {
    const start = this.at++;
    const items = this.#list("]", "bracket", () => {
      const node = this.value(depth);
      return { key: undefined, start: node.start, end: node.end, node, comma: undefined };
    });
    return this.#done(start, items.map(({ node }) => node.value), "array", items);
  }

  #inline(depth: number): TomlValue {
    const start = this.at++;
    const value: Record<string, Json> = {};
    // Those that dotted keys made: only they can be added to.
    const open = new Set<object>([value]);
    let isDotted = false;
    const items = this.#list("}", "brace", () => {
      const begin = this.at;
      const key = this.key();
      isDotted ||= key.length > 1;
      if (depth + key.length > depthMax + 1) {
        throw stop(begin, "nesting that is too deep", "depth");
      }
      this.assignment();
      const node = this.value(depth + key.length - 1);
      put(value, key, node.value, open);
      return { key: key[0]!.name, start: begin, end: node.end, node, comma: undefined };
    });
    return this.#done(start, value, "inline", items, isDotted);
  }

  #list(closing: string, kind: string, read: () => TomlItem): TomlItem[] {
    const items: TomlItem[] = [];
    for (;;) {
      this.blank();
      if (this.take(closing)) return items;
      const item: Changeable<TomlItem> = read();
      items.push(item);
      this.blank();
      const comma = this.at;
      if (this.take(",")) item.comma = comma;
      else if (this.text[comma] !== closing) {
        throw this.unexpected(`a comma or a closing ${kind}`);
      }
    }
  }

  /** Passes over an equals sign and the spaces around it. */
  assignment(): void {
    this.spaces();
    if (!this.take("=")) throw this.unexpected("an equals sign");
    this.spaces();
  }

  #bareKey(): string {
    bareKey.lastIndex = this.at;
    const name = bareKey.exec(this.text)?.[0];
    if (name === undefined) throw this.unexpected("a key");
    this.at += name.length;
    return name;
  }

  #string(quote: string, canBeLong: boolean): { value: string; style: TomlStyle } {
    const start = this.at;
    const isLong = canBeLong && this.text.startsWith(quote.repeat(3), start);
    const closing = isLong ? quote.repeat(3) : quote;
    const isBasic = quote === '"';
    this.at += closing.length;
    if (isLong) this.#take(/\r?\n/y);
    const parts: string[] = [];
    for (;;) {
      special.lastIndex = this.at;
      const found = special.exec(this.text);
      if (found === null) {
        throw stop(start, "a string that is not closed; add the closing quote");
      }
      parts.push(this.text.slice(this.at, found.index));
      this.at = found.index;
      const character = found[0];
      if (character === quote && this.take(closing)) {
        // Up to two more quotes belong to the string.
        for (let more = 0; isLong && more < 2 && this.take(quote); more++) parts.push(quote);
        break;
      }
      if (character === "\\" && isBasic) parts.push(this.#escape(isLong));
      else if (character === "\n" || this.text.startsWith("\r\n", this.at)) {
        if (!isLong) throw stop(start, "a string that is not closed; add the closing quote");
        this.#take(/\r?\n/y);
        parts.push("\n");
      } else if (character < " " || character === "\u007f") {
        throw stop(this.at, "a control character in a string; write it as an escape");
      } else {
        parts.push(character);
        this.at++;
      }
    }
    const style = isLong ? (isBasic ? "longBasic" : "longLiteral") : isBasic ? "basic" : "literal";
    return { value: parts.join(""), style };
  }

  #escape(isLong: boolean): string {
    const start = this.at++;
    if (isLong && this.#take(/[ \t]*\r?\n(?:[ \t]|\r?\n)*/y) !== undefined) return "";
    const letter = this.text[this.at++] ?? "";
    const plain = escapes.get(letter);
    if (plain !== undefined) return plain;
    const length = hexDigits.get(letter) ?? 0;
    const digits = this.text.slice(this.at, this.at + length);
    this.at += length;
    const code = /^[\da-fA-F]+$/.test(digits) && digits.length === length
      ? parseInt(digits, 16)
      : NaN;
    if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) return String.fromCodePoint(code);
    throw stop(start, "an escape that TOML does not know; double the backslash");
  }

  /** Passes over spaces and tabs. */
  spaces(): void {
    while (this.text[this.at] === " " || this.text[this.at] === "\t") this.at++;
  }

  /** Passes over white space, line breaks and comments. */
  blank(): void {
    do this.spaces(); while (this.#take(/\r?\n/y) !== undefined || this.comment());
  }

  /** Passes over a comment. */
  comment(): boolean {
    if (this.#take(plainComment) === undefined) return false;
    if (this.at === this.text.length || /^\r?\n/.test(this.text.slice(this.at, this.at + 2))) {
      return true;
    }
    throw stop(this.at, "a control character in a comment; remove it");
  }

  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  #done(
    start: number,
    value: Json,
    style: TomlStyle,
    items: readonly TomlItem[] = none,
    isDotted = false,
  ): TomlValue {
    return { form: "value", value, start, end: this.at, style, items, isDotted };
  }

  unexpected(expected: string): Stop {
    const found = this.text[this.at];
    const named = found === "\n" || this.text.startsWith("\r\n", this.at)
      ? "the end of the line"
      : found === "\r"
      ? "a carriage return without a line feed"
      : nameSymbol(found, true);
    return stop(this.at, `${named} where ${expected} belongs; mend the text there`);
  }
}

function put(value: Record<string, Json>, key: TomlKey, part: Json, open: Set<object>): void {
  let target = value;
  for (const [index, { name, start }] of key.entries()) {
    const known = Object.hasOwn(target, name) ? target[name] : undefined;
    const isLast = index === key.length - 1;
    if (known !== undefined && (isLast || !isObject(known) || !open.has(known))) {
      throw stop(start, "a key that the table already has; keep one of them");
    }
    if (isLast) target[name] = part;
    else if (known === undefined) {
      const table: Record<string, Json> = {};
      open.add(table);
      target[name] = table;
      target = table;
    } else target = known as Record<string, Json>;
  }
}
