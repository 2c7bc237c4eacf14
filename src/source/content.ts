import { isHoldfastError } from "../core/error.ts";
import type { Format } from "../format/format.ts";
import type { Loaded } from "./source.ts";

/** What a text says, wherever it is kept. */
export type Content = Pick<Loaded, "document" | "fault" | "locate">;

/**
 * Reads the document of a text, or why it is none.
 *
 * @param source names the text in messages and places
 */
export function contentOf(format: Format, bytes: Uint8Array, source: string): Content {
  try {
    const { document, text } = format.decode(bytes, source);
    return { document, locate: locatorOf(format, text, source) };
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    return { document: undefined, fault: error, locate: unlocated(source) };
  }
}

/** Finds places in a sound text. */
export function locatorOf(format: Format, text: string, source: string): Loaded["locate"] {
  return (paths) => format.locate(text, paths).map((position) => ({ source, ...position }));
}

/** Knows of no places but the source as a whole. */
export function unlocated(source: string): Loaded["locate"] {
  return (paths) => paths.map(() => ({ source }));
}
