import type { ErrorCode } from "yaml";

/** What the parser objects to, in words that quote nothing of the text. */
const messages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias with an anchor or a tag; remove that",
  BAD_ALIAS: "an alias without a sound name; complete it, or quote the value",
  BAD_COLLECTION_TYPE: "a tag that does not fit what it stands on; remove it",
  BAD_DIRECTIVE: "a directive that YAML does not know; remove it",
  BAD_DQ_ESCAPE: "an escape that YAML does not know; double the backslash",
  BAD_INDENT: "an indentation that does not fit the lines around it; mend it",
  BAD_PROP_ORDER: "an anchor or a tag in the wrong place; put it in front of the value",
  BAD_SCALAR_START: "a character that no plain value begins with; quote the value",
  BLOCK_AS_IMPLICIT_KEY:
    "a nested mapping on the line of its key; quote the value, put it below, or mend the indentation of what follows",
  BLOCK_IN_FLOW: "a block within brackets or braces; write it with brackets or braces too",
  DUPLICATE_KEY: "a key that the object already has; keep one of them",
  IMPOSSIBLE: "what cannot be read; mend the text there",
  KEY_OVER_1024_CHARS: "a key that is too long; put a question mark in front of it",
  MISSING_CHAR:
    "that a quote, a bracket, a comma, a colon or a space is missing, or an indentation is wrong; mend it",
  MULTILINE_IMPLICIT_KEY: "a key of several lines, or a colon missing; mend it",
  MULTIPLE_ANCHORS: "two anchors on one value; keep one of them",
  MULTIPLE_DOCS: "a second document; keep one of them",
  MULTIPLE_TAGS: "two tags on one value; keep one of them",
  NON_STRING_KEY: "a key that is no string; put it in quotes",
  RESOURCE_EXHAUSTION: "too much of something; make the document smaller",
  TAB_AS_INDENT: "a tab in an indentation; use spaces",
  TAG_RESOLVE_FAILED:
    "a tag that does not fit its value; remove it, and quote the value if it is a string",
  UNEXPECTED_TOKEN: "what does not belong there; mend the text there",
};

/** What an error of the parser means. */
export function messageOf(code: ErrorCode): string {
  return messages[code] ?? messages.IMPOSSIBLE;
}
