import type { Json } from "../core/document.ts";
import type { Path } from "../core/error.ts";

/** A place in a text; both count from 1, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A document read from bytes. */
export interface Decoded {
  readonly document: Json;
  /** The text that was read, byte order mark and all, for edits that keep its style and for places in it. */
  readonly text: string;
}

/** How documents are written in a file. */
export interface Format {
  readonly name: string;

  /**
   * Reads a document: plain JSON, whatever else the format knows.
   *
   * @param source names the bytes in messages
   * @throws `PARSE` with line and column, `TOO_LARGE` when nested too deep
   */
  decode(bytes: Uint8Array, source: string): Decoded;

  /**
   * Writes a document, such that it reads back as it is.
   *
   * @param previous the text it replaces: only what differs is changed in it, and nothing at all when nothing does; one that
   * does not parse is replaced
   * @throws `INVALID` where the format cannot carry the document, `TOO_LARGE` when it could not be read again
   */
  encode(document: Json, previous?: string): string;

  /** Where the values at some paths stand in a sound text, or the nearest things above them that do. */
  locate(text: string, paths: readonly Path[]): Position[];
}
