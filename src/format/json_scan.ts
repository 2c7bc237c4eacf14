import { isForbiddenKey } from "../core/document.ts";
import type { PathStep } from "../core/error.ts";
import { depthMax } from "../core/limits.ts";

/** The first place where a text is no JSON that a document may be. */
export interface Fault {
  readonly offset: number;
  /** What was found there and what to do, without any of the text's literals. */
  readonly message: string;
  readonly tooDeep?: true;
}

/** Told of each value: its path, valid only during the call, and its offset. */
export type ValueVisitor = (path: readonly PathStep[], offset: number) => void;

/**
 * Reads JSON slowly and strictly, to find the place of a fault or of a value. `JSON.parse` does the fast reading.
 *
 * @returns the first fault, or undefined when the text is sound
 */
export function scanJson(text: string, visitor?: ValueVisitor): Fault | undefined {
  try {
    new Scan(text, visitor).document();
  } catch (error) {
    if (error instanceof Stop) return error.fault;
    throw error;
  }
  return undefined;
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
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
// deno-lint-ignore no-control-regex -- JSON forbids raw control characters in strings
const special = /["\\\u0000-\u001f]/g;

/** What may be named of a text that does not parse; anything else could be part of a secret. */
const symbolNames = new Map([
  ["{", "an opening brace"],
  ["}", "a closing brace"],
  ["[", "an opening bracket"],
  ["]", "a closing bracket"],
  [":", "a colon"],
  [",", "a comma"],
  ['"', "a double quote"],
  ["'", "a single quote"],
  ["/", "a slash (JSON has no comments)"],
  ["#", "a hash sign (JSON has no comments)"],
]);

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === backslash) before--;
  return (quote - before) % 2 === 0;
}

class Stop extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

class Scan {
  readonly #text: string;
  readonly #visitor: ValueVisitor | undefined;
  readonly #path: PathStep[] = [];
  #at = 0;

  constructor(text: string, visitor: ValueVisitor | undefined) {
    this.#text = text;
    this.#visitor = visitor;
  }

  document(): void {
    this.#space();
    if (this.#at === this.#text.length) {
      throw this.#stop(0, "nothing but white space; write a document or remove the file");
    }
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("the end");
  }

  #value(): void {
    this.#space();
    const start = this.#at;
    this.#visitor?.(this.#path, start);
    const first = this.#text[start];
    if (first === "{") this.#object();
    else if (first === "[") this.#array();
    else if (first === '"') this.#string();
    else if (first === "-" || (first !== undefined && first >= "0" && first <= "9")) this.#number();
    else if (!["true", "false", "null"].some((word) => this.#take(word))) {
      throw this.#unexpected("a value");
    }
  }

  #object(): void {
    const seen = new Set<string>();
    this.#enter();
    if (this.#take("}")) return;
    do {
      this.#space();
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected("a key in double quotes");
      const key = this.#string();
      if (seen.has(key)) {
        throw this.#stop(start, "a key that the object already has; keep one of them");
      }
      if (isForbiddenKey(key)) {
        throw this.#stop(start, `the key "${key}", which is not allowed; rename it`);
      }
      seen.add(key);
      this.#space();
      if (!this.#take(":")) throw this.#unexpected("a colon");
      this.#path.push(key);
      this.#value();
      this.#path.pop();
      this.#space();
    } while (this.#take(","));
    if (!this.#take("}")) throw this.#unexpected("a comma or a closing brace");
  }

  #array(): void {
    this.#enter();
    if (this.#take("]")) return;
    let index = 0;
    do {
      this.#path.push(index++);
      this.#value();
      this.#path.pop();
      this.#space();
    } while (this.#take(","));
    if (!this.#take("]")) throw this.#unexpected("a comma or a closing bracket");
  }

  #enter(): void {
    if (this.#path.length >= depthMax) {
      throw new Stop({ offset: this.#at, message: "nesting that is too deep", tooDeep: true });
    }
    this.#at++;
    this.#space();
  }

  #string(): string {
    const start = this.#at;
    for (this.#at++;;) {
      special.lastIndex = this.#at;
      const found = special.exec(this.#text);
      this.#at = found?.index ?? this.#text.length;
      if (found === null || found[0] === "\n" || found[0] === "\r") {
        throw this.#stop(start, "a string that is not closed; add the closing quote");
      }
      if (found[0] === '"') {
        this.#at++;
        const text = JSON.parse(this.#text.slice(start, this.#at)) as string;
        if (text.isWellFormed()) return text;
        throw this.#stop(start, "a string with half of a surrogate pair; write both halves");
      }
      escape.lastIndex = this.#at;
      if (!escape.test(this.#text)) {
        throw found[0] === "\\"
          ? this.#stop(this.#at, "an escape that JSON does not know; double the backslash")
          : this.#stop(this.#at, "a control character in a string; write it as an escape");
      }
      this.#at = escape.lastIndex;
    }
  }

  #number(): void {
    const start = this.#at;
    number.lastIndex = start;
    const literal = number.exec(this.#text)?.[0];
    if (literal === undefined) {
      throw this.#stop(start, "a minus sign without a number; complete it");
    }
    this.#at = start + literal.length;
    if (/[\w.+-]/.test(this.#text[this.#at] ?? "")) {
      throw this.#stop(
        start,
        "a number that JSON does not know; write it in decimal, without a leading zero",
      );
    }
    if (Math.abs(Number(literal)) > Number.MAX_SAFE_INTEGER) {
      throw this.#stop(
        start,
        "a number that is not finite or beyond 2^53 - 1; write it as a string",
      );
    }
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #space(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #unexpected(expected: string): Stop {
    const found = this.#text[this.#at];
    const named = found === undefined
      ? "the end of the text"
      : symbolNames.get(found) ?? (/[\w.+-]/.test(found) ? "a bare word" : "a character");
    return this.#stop(this.#at, `${named} where ${expected} belongs; mend the text there`);
  }

  #stop(offset: number, message: string): Stop {
    return new Stop({ offset, message });
  }
}
