import type { Json } from "../core/document.ts";
import { isObject } from "./align.ts";
import type { YamlNode } from "./yaml_node.ts";

/** How containers are written. */
export interface YamlStyle {
  /** The members of an object, from its key. */
  readonly members: string;
  /** The dashes of an array, from its key. */
  readonly elements: string;
  /** Whether texts of several lines are written as such. */
  readonly hasLiterals: boolean;
}

// What older readers take for something else than a string is quoted too.
const notStrings = /^(?:null|true|false|yes|no|on|off|~)$/i;
const plain = /^[\p{L}_/][\p{L}\p{N}_./+@-]*(?:(?: |:(?=[^\s:]))[\p{L}\p{N}_./+@-]+)*$/u;
// Those that need an escape in YAML though not in JSON.
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;
// deno-lint-ignore no-control-regex -- those that only an escape can write
const needsEscape = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/;
const keyLengthMax = 500;

/** Writes a container that has parts: its lines but the first are indented, and none ends in a line break. */
export function writeBlock(value: Json, indentation: string, style: YamlStyle): string {
  const parts = Array.isArray(value)
    ? value.map((element) => writeElement(element, indentation, style))
    : Object.entries(value as Record<string, Json>).map(([key, member]) => {
      return writeMember(key, member, indentation, style);
    });
  return parts.join(`\n${indentation}`);
}

/** Writes a member of an object in block style. */
export function writeMember(
  key: string,
  value: Json,
  indentation: string,
  style: YamlStyle,
): string {
  const name = writeKey(key);
  // A key of this kind has its colon on the next line.
  const front = name.startsWith("? ") ? name.replace(/:$/, `\n${indentation}:`) : name;
  if (!isContainer(value)) {
    return `${front} ${writeText(value, indentation + style.members, style)}`;
  }
  const inner = indentation + (Array.isArray(value) ? style.elements : style.members);
  return `${front}\n${inner}${writeBlock(value, inner, style)}`;
}

/** Writes an element of an array in block style. */
export function writeElement(value: Json, indentation: string, style: YamlStyle): string {
  const inner = `${indentation}  `;
  return `- ${
    isContainer(value) ? writeBlock(value, inner, style) : writeText(value, inner, style)
  }`;
}

/** Whether a value has parts of its own, so that it takes lines of its own in block style. */
export function isContainer(value: Json): boolean {
  return Array.isArray(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0;
}

/** Writes a value on one line. */
export function writeFlow(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(writeFlow).join(", ")}]`;
  if (isObject(value)) {
    const members = Object.entries(value).map(([key, member]) => writeFlowMember(key, member));
    return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
  }
  return writeScalar(value);
}

/** Writes a member of an object between braces. */
export function writeFlowMember(key: string, value: Json): string {
  return `${writeKey(key)} ${writeFlow(value)}`;
}

/** Writes a value without parts on one line, in the way another was written. */
export function writeScalar(value: Json, style?: YamlNode["style"]): string {
  if (typeof value !== "string") return isObject(value) ? "{}" : JSON.stringify(value);
  const isSimple = !needsEscape.test(value) && !/[\n\t]/.test(value);
  if (style === "single" && isSimple) return `'${value.replaceAll("'", "''")}'`;
  if (style !== "double" && isPlain(value)) return value;
  return JSON.stringify(value).replace(unprintable, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/**
 * Writes a text of several lines as such.
 *
 * @returns undefined where that would not give the same text back
 */
export function writeLiteral(value: Json, indentation: string): string | undefined {
  if (typeof value !== "string" || !value.includes("\n") || needsEscape.test(value)) {
    return undefined;
  }
  if (/^[ \t\n]/.test(value) || /[ \t](?:\n|$)/.test(value) || /\n\n$/.test(value)) {
    return undefined;
  }
  const lines = value.replace(/\n$/, "").split("\n");
  const header = value.endsWith("\n") ? "|" : "|-";
  return [header, ...lines.map((line) => line === "" ? "" : indentation + line)].join("\n");
}

function writeText(value: Json, indentation: string, { hasLiterals }: YamlStyle): string {
  return (hasLiterals ? writeLiteral(value, indentation) : undefined) ?? writeScalar(value);
}

function writeKey(key: string): string {
  const name = isPlain(key) ? key : writeScalar(key, "double");
  return name.length > keyLengthMax ? `? ${name}:` : `${name}:`;
}

function isPlain(text: string): boolean {
  return plain.test(text) && !notStrings.test(text) && text.length < 200;
}
