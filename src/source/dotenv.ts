import { decodeText, parseError, positionAt } from "../format/text.ts";

/** A variable as a file gives it. */
export interface FileVariable {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units: where the value begins. */
  readonly column: number;
}

// Not the dot, which stops at more than line feeds.
const blank = /[ \t]*(?:#[^\n]*|\r)?(?:\n|$)/y;
const assignment = /[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*/y;
const singleQuoted = /'([^']*)'/y;
const doubleQuoted = /"([^"\\]*(?:\\[^][^"\\]*)*)"/y;
const unquoted = /[^\n]*/y;
const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads variables from a file such as `.env`: `NAME=value`, an `export` before it, comments with `#`, values as they are,
 * in single quotes (nothing is special) or in double quotes (with `\n` and the like), both over several lines if need be.
 * Nothing is expanded.
 *
 * @param source names the file in messages
 * @returns the last of each name
 * @throws `PARSE` with line and column
 */
export function readVariables(bytes: Uint8Array, source: string): FileVariable[] {
  const text = decodeText(bytes, source).replace(/^\uFEFF/, "");
  const fail = (offset: number, found: string): Error => {
    return parseError(source, positionAt(text, offset), found);
  };
  if (text.includes("\0")) throw fail(text.indexOf("\0"), "a NUL character; take it out");
  const found = new Map<string, FileVariable>();
  let [line, counted] = [1, 0];
  for (let at = 0; at < text.length;) {
    const empty = matchAt(blank, text, at);
    if (empty !== undefined) {
      at += empty[0].length;
      continue;
    }
    const named = matchAt(assignment, text, at);
    if (named === undefined) throw fail(at, "no NAME=value; mend the line or comment it out");
    const start = at + named[0].length;
    const value = valueAt(text, start);
    if (value === undefined) throw fail(start, "a quote without its end; add it");
    if (matchAt(blank, text, value.end) === undefined) {
      throw fail(value.end, "more after a quoted value; put all of it in quotes");
    }
    for (let next = text.indexOf("\n", counted); next !== -1 && next < start;) {
      line++;
      counted = next + 1;
      next = text.indexOf("\n", counted);
    }
    const name = named[1]!;
    // Anew, so that the order is that of the ones that count.
    found.delete(name);
    found.set(name, { name, value: value.text, line, column: start - counted + 1 });
    at = value.end;
  }
  return [...found.values()];
}

function valueAt(text: string, start: number): { text: string; end: number } | undefined {
  const quote = text[start];
  if (quote !== '"' && quote !== "'") {
    const [whole] = matchAt(unquoted, text, start)!;
    const value = whole.replace(/(^|[ \t])#[^]*$/, "").trim();
    return { text: value, end: start + whole.length };
  }
  const quoted = matchAt(quote === '"' ? doubleQuoted : singleQuoted, text, start);
  if (quoted === undefined) return undefined;
  const inside = quoted[1]!.replaceAll("\r\n", "\n");
  return {
    text: quote === '"'
      ? inside.replaceAll(/\\([nrt"\\$])/g, (_, one) => escapes[one] ?? one)
      : inside,
    end: start + quoted[0].length,
  };
}

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text) ?? undefined;
}
