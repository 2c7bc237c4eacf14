import { holdfastError, type HoldfastErrorOf } from "../core/error.ts";
import type { Position } from "./format.ts";

/**
 * Decodes UTF-8, together with the byte order mark if there is one.
 *
 * @throws `PARSE` at the first byte that is not UTF-8: a lenient decoder would put U+FFFD there in silence
 */
export function decodeText(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const good = validPrefix(bytes);
    const position = positionAt(good, good.length);
    throw parseError(source, position, "bytes that are not UTF-8; save the file as UTF-8");
  }
}

/** The line and column of an offset. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = text.indexOf("\n", start);
    if (end === -1 || end >= offset) return { line, column: offset - start + 1 };
    line++;
    start = end + 1;
  }
}

/** The error for bytes that are no document, naming the place but none of the content, which may be secret. */
export function parseError(source: string, at: Position, found: string): HoldfastErrorOf<"PARSE"> {
  return holdfastError("PARSE", `Cannot read ${source}:${at.line}:${at.column}: found ${found}`, {
    source,
    line: at.line,
    column: at.column,
  });
}

/**
 * Makes sure that a text is not too long to be read in its format.
 *
 * @throws `TOO_LARGE`
 */
export function assertLength(
  format: string,
  { length }: string,
  limit: number,
  attempt: string,
): void {
  if (length <= limit) return;
  throw holdfastError(
    "TOO_LARGE",
    `Cannot ${attempt}: found a ${format} text of ${length} characters, allowed are ${limit}; make it smaller, or keep it as JSON`,
    { what: `${format} text in characters`, limit, found: length },
  );
}

/** The text up to the first byte that is not UTF-8. */
function validPrefix(bytes: Uint8Array): string {
  let good = 0;
  let bad = bytes.length;
  let text = "";
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    try {
      // Streaming, so that a character cut in two by the end of this prefix counts as good.
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), {
        stream: true,
      });
      good = middle;
    } catch {
      bad = middle - 1;
    }
  }
  return text;
}
