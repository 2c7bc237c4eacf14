import { isPlainObject, type Json } from "../core/document.ts";
import type { Shape } from "../core/shape.ts";

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["true", "yes", "on", "1"].map((text) => [text, true] as const),
  ...["false", "no", "off", "0"].map((text) => [text, false] as const),
]);

/**
 * Reads the text of a variable as what the schema expects: a number, a boolean, a list with commas, JSON, or the text itself.
 * What does not fit stays a text, so that the schema says what is wrong.
 */
export function readVariable(text: string, shape: Shape | undefined): Json {
  if (shape === undefined || shape.kinds.size === 0) return anything(text);
  const { kinds } = shape;
  const word = text.trim().toLowerCase();
  const json = parsed(text);
  if (kinds.has("null") && word === "null") return null;
  // A number that would be rounded is kept as a text where that is allowed.
  if (kinds.has("number") && typeof json === "number" && (isExact(json) || !kinds.has("string"))) {
    return json;
  }
  if (kinds.has("boolean")) {
    const value = booleans.get(word);
    if (value !== undefined) return value;
  }
  if (kinds.has("object") && isPlainObject(json)) return json as Json;
  if (kinds.has("array")) {
    if (Array.isArray(json)) return json as Json;
    // With a text allowed as well, commas may be part of it; and what begins like JSON was meant to be.
    if (!kinds.has("string") && !/^\s*\[\s*["[{]/.test(text)) return listOf(text, shape);
  }
  return text;
}

function listOf(text: string, shape: Shape): Json {
  if (text.trim() === "") return [];
  return text.split(",").map((part, index) => readVariable(part.trim(), shape.child(index)));
}

/** Without a schema, what looks like JSON is JSON. */
function anything(text: string): Json {
  const json = parsed(text);
  const isText = json === undefined || typeof json === "string" ||
    (typeof json === "number" && !isExact(json));
  return isText ? text : json as Json;
}

function isExact(number: number): boolean {
  return Math.abs(number) <= Number.MAX_SAFE_INTEGER;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
