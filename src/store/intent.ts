import { diff } from "../core/diff.ts";
import type { Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { intentBytesMax } from "../core/limits.ts";
import { freeze } from "../core/snapshot.ts";

/**
 * Writes an intent as a text.
 *
 * @param intent undefined for none, which is an empty text
 * @throws `TOO_LARGE`
 */
export function encodeIntent(intent: Json | undefined): string {
  if (intent === undefined) return "";
  const text = JSON.stringify(intent);
  const found = new TextEncoder().encode(text).length;
  if (found <= intentBytesMax) return text;
  throw holdfastError(
    "TOO_LARGE",
    `Cannot keep an intent: found one of ${found} bytes, allowed are ${intentBytesMax}; say less in it`,
    { what: "intent in bytes", limit: intentBytesMax, found },
  );
}

/**
 * Reads an intent.
 *
 * @returns undefined where the text is empty
 * @throws `SyntaxError` where it is no JSON
 */
export function decodeIntent(text: string): Json | undefined {
  return text === "" ? undefined : freeze(JSON.parse(text) as Json);
}

/** Whether two intents say the same, whatever the order of their keys. */
export function isSameIntent(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return diff(one, other).length === 0;
}

/** The warning for an intent that cannot be read. */
export function lostIntent(place: string, found: string): string {
  return `Cannot read the intent in ${place}: found ${found}; it counts as none, and what waited for a confirmation stays`;
}
