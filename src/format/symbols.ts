/** What may be named of a text that does not parse; anything else could be part of a secret. */
const symbolNames = new Map([
  ["{", "an opening brace"],
  ["}", "a closing brace"],
  ["[", "an opening bracket"],
  ["]", "a closing bracket"],
  [":", "a colon"],
  [",", "a comma"],
  ['"', "a double quote"],
  ["'", "a single quote"],
  ["/", "a slash"],
  ["#", "a hash sign"],
]);
const hints = new Map<string | undefined, string>([
  ["/", " (JSON has no comments)"],
  ["#", " (JSON has no comments)"],
]);

/** What stands at a place, in words that quote nothing but punctuation. */
export function nameSymbol(found: string | undefined, hasComments: boolean): string {
  if (found === undefined) return "the end of the text";
  const name = symbolNames.get(found) ?? (/[\w.+-]/.test(found) ? "a bare word" : "a character");
  return name + (hasComments ? "" : hints.get(found) ?? "");
}
