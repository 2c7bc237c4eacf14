const byteOrderMark = "\ufeff";

/** The byte order mark that a text begins with, if any: kept in front of what replaces it, and of no other meaning. */
export function markOf(text: string | undefined): string {
  return text?.startsWith(byteOrderMark) === true ? byteOrderMark : "";
}

/** A text without the byte order mark that it may begin with. */
export function withoutMark(text: string): string {
  return text.slice(markOf(text).length);
}

/** How the lines of a text end, going by its first. */
export function newlineOf(text: string): string {
  const end = text.indexOf("\n");
  return end > 0 && text[end - 1] === "\r" ? "\r\n" : "\n";
}

/** Where the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the next line begins, or the text ends. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** The white space that the line of an offset begins with. */
export function indentationAt(text: string, offset: number): string {
  return spacesAt(text, lineStart(text, offset));
}

/** The spaces and tabs at an offset. */
export function spacesAt(text: string, offset: number): string {
  let end = offset;
  while (text[end] === " " || text[end] === "\t") end++;
  return text.slice(offset, end);
}

/** Where the spaces and tabs before an offset begin. */
export function spacesBefore(text: string, offset: number): number {
  let start = offset;
  while (text[start - 1] === " " || text[start - 1] === "\t") start--;
  return start;
}

/** Whether nothing but spaces stands between the beginning of the line and an offset. */
export function beginsLine(text: string, offset: number): boolean {
  const start = spacesBefore(text, offset);
  return start === 0 || text[start - 1] === "\n";
}
