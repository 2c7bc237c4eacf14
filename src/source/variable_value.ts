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
  const json = parsed(text);
  if (kinds.has("null") && text === "null") return null;
  if (kinds.has("number") && typeof json === "number") return json;
  if (kinds.has("boolean")) {
    const value = booleans.get(text.toLowerCase());
    if (value !== undefined) return value;
  }
  if (kinds.has("object") && isPlainObject(json)) return json as Json;
  if (kinds.has("array")) {
    if (Array.isArray(json)) return json as Json;
    // With a text allowed as well, commas may be part of it.
    if (!kinds.has("string")) return listOf(text, shape);
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
  return json === undefined || typeof json === "string" ? text : json as Json;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
