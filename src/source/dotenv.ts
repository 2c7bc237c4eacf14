import { holdfastError } from "../core/error.ts";

/** A variable as a file gives it. */
export interface FileVariable {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units: where the value begins. */
  readonly column: number;
}

const assignment = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*/;
const escapes: ReadonlyMap<string | undefined, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ['"', '"'],
  ["\\", "\\"],
  ["$", "$"],
]);

/**
 * Reads variables from a text such as a `.env` file: `NAME=value`, an `export` before it, comments with `#`, values as they
 * are, in single quotes (nothing is special) or in double quotes (with `\n` and the like, over several lines). Nothing is
 * expanded.
 *
 * @param source names the text in messages
 * @returns the last of each name
 * @throws `PARSE` with line and column
 */
export function readVariables(text: string, source: string): FileVariable[] {
  const found = new Map<string, FileVariable>();
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const match = assignment.exec(line);
    if (match === null) throw unreadable(source, index + 1, 1, "no NAME=value");
    const [before, name] = match;
    const place = { line: index + 1, column: before.length + 1 };
    const rest = line.slice(before.length);
    const quote = rest[0];
    if (quote !== '"' && quote !== "'") {
      found.set(name!, { name: name!, value: rest.replace(/(^|[ \t])#.*$/, "").trim(), ...place });
      continue;
    }
    const { value, last } = readQuoted(lines, index, before.length, quote, source);
    found.set(name!, { name: name!, value, ...place });
    index = last;
  }
  return [...found.values()];
}

function readQuoted(
  lines: readonly string[],
  first: number,
  start: number,
  quote: string,
  source: string,
): { value: string; last: number } {
  const text = lines.slice(first).join("\n");
  let value = "";
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at]!;
    if (character === quote) {
      const last = first + text.slice(0, at).split("\n").length - 1;
      const column = at - text.lastIndexOf("\n", at) + 1;
      if (!/^[ \t]*(#|$|\n)/.test(text.slice(at + 1))) {
        throw unreadable(source, last + 1, column, "more after a quoted value");
      }
      return { value, last };
    }
    const escaped = quote === '"' && character === "\\" ? escapes.get(text[at + 1]) : undefined;
    value += escaped ?? character;
    if (escaped !== undefined) at++;
  }
  throw unreadable(source, first + 1, start + 1, "a quote without its end");
}

function unreadable(source: string, line: number, column: number, found: string): Error {
  return holdfastError(
    "PARSE",
    `Cannot read ${source}: found ${found} in line ${line}, column ${column}; mend it`,
    { source, line, column },
  );
}
