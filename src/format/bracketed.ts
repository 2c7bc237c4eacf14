import type { Edit } from "./edits.ts";
import { beginsLine, indentationAt, lineStart, nextLine, spacesAt, spacesBefore } from "./lines.ts";

/** A list in brackets or braces, as it stands in a text. */
export interface Bracketed {
  /** Right behind the opening bracket. */
  readonly open: number;
  /** At the closing bracket. */
  readonly close: number;
  readonly items: readonly BracketedItem[];
}

/** Something between brackets, from its first character up to its last. */
export interface BracketedItem {
  readonly start: number;
  readonly end: number;
  /** Where the comma behind it is, if there is one. */
  readonly comma: number | undefined;
}

/** Something while it is being read. */
export type Changeable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What a list is to hold: an item that is there already, or the text of a new one. */
export type BracketedPart =
  | { readonly from: number }
  | { readonly from?: undefined; readonly write: (indentation: string | undefined) => string };

/** How lists are written in a text. */
export interface BracketedStyle {
  /** Matches spaces and comments up to the end of the line, at a given offset. */
  readonly restOfLine: RegExp;
  readonly newline: string;
  /** What a list that had no item puts around its first ones: undefined to put each on a line of its own. */
  readonly padding: string | undefined;
  /** How much further in the items of a list stand than its brackets. */
  readonly indentation: string;
  /** What stands between a comma and the next item of the same line. */
  readonly gap: string;
}

/** The rest of a line where comments begin with a hash sign. */
export const hashComment: RegExp = /[ \t]*(?:#[^\r\n]*)?(?=\r?\n)/y;

/**
 * Adds the edits that give a list other items, and leave its comments, its line breaks and its last comma as they are.
 *
 * @param edits is added to, since a list may have more items than a call can have arguments
 */
export function editBracketed(
  text: string,
  list: Bracketed,
  parts: readonly BracketedPart[],
  style: BracketedStyle,
  edits: Edit[],
): void {
  new ListEdit(text, list, parts, style, edits).edit();
}

class ListEdit {
  readonly #text: string;
  readonly #list: Bracketed;
  readonly #parts: readonly BracketedPart[];
  readonly #style: BracketedStyle;
  readonly #edits: Edit[];

  constructor(
    text: string,
    list: Bracketed,
    parts: readonly BracketedPart[],
    style: BracketedStyle,
    edits: Edit[],
  ) {
    this.#text = text;
    this.#list = list;
    this.#parts = parts;
    this.#style = style;
    this.#edits = edits;
  }

  edit(): void {
    const { open, close, items } = this.#list;
    if (this.#parts.length === 0 && this.#isBare()) this.#put(open, "", close);
    else if (items.length === 0) this.#fill();
    else {
      this.#mendCommas();
      this.#insert();
      this.#remove();
    }
  }

  /** Whether there is no comment between the brackets. */
  #isBare(): boolean {
    const { open, close, items } = this.#list;
    let at = open;
    let rest = "";
    for (const { start, end, comma } of items) {
      rest += this.#text.slice(at, start);
      if (comma !== undefined) rest += this.#text.slice(end, comma);
      at = comma === undefined ? end : comma + 1;
    }
    return (rest + this.#text.slice(at, close)).trim() === "";
  }

  /** Gives a list that is empty its first items. */
  #fill(): void {
    const { open, close } = this.#list;
    const { newline, padding, indentation } = this.#style;
    const outer = indentationAt(this.#text, open);
    const inner = outer + indentation;
    const hasLines = this.#text.slice(open, close).includes("\n");
    const write = (place: string | undefined) => this.#parts.map((part) => textOf(part, place));
    if (!this.#isBare()) {
      const comesLast = hasLines && beginsLine(this.#text, close);
      const start = comesLast ? lineStart(this.#text, close) : close;
      const lines = write(inner).map((item, index, all) => {
        return inner + item + (index < all.length - 1 ? "," : "") + newline;
      });
      this.#put(start, comesLast ? lines.join("") : newline + lines.join("") + outer);
    } else if (padding === undefined || hasLines) {
      const lines = write(inner).map((item) => newline + inner + item);
      this.#put(open, lines.join(",") + newline + outer, close);
    } else {
      const items = write(undefined).join(`,${this.#style.gap}`);
      this.#put(open, padding + items + padding, close);
    }
  }

  #mendCommas(): void {
    const { items } = this.#list;
    const endsInComma = items.at(-1)?.comma !== undefined;
    for (const [index, part] of this.#parts.entries()) {
      if (part.from === undefined) continue;
      const { end, comma } = items[part.from]!;
      const needsComma = index < this.#parts.length - 1 || endsInComma;
      if (needsComma && comma === undefined) this.#put(end, ",");
      if (!needsComma && comma !== undefined) this.#put(comma, "", comma + 1);
    }
  }

  #insert(): void {
    const { items, open } = this.#list;
    const endsInComma = items.at(-1)!.comma !== undefined;
    const onOwnLine = items.find(({ start }) => beginsLine(this.#text, start));
    const indentation = onOwnLine && indentationAt(this.#text, onOwnLine.start);
    let anchor: BracketedItem | undefined;
    for (const [index, part] of this.#parts.entries()) {
      if (part.from !== undefined) {
        anchor = items[part.from];
        continue;
      }
      const comma = index < this.#parts.length - 1 || endsInComma ? "," : "";
      const behind = anchor === undefined ? open : endOf(anchor);
      const lineEnd = indentation === undefined ? undefined : this.#endOfLine(behind);
      if (lineEnd !== undefined) {
        this.#put(lineEnd, this.#style.newline + indentation + textOf(part, indentation) + comma);
      } else if (anchor !== undefined) {
        this.#put(behind, this.#style.gap + textOf(part, undefined) + comma);
      } else if (this.#parts.some(({ from }) => from === 0)) {
        this.#put(items[0]!.start, textOf(part, undefined) + comma + this.#style.gap);
      } else {
        this.#put(open, this.#style.gap + textOf(part, undefined) + comma);
      }
    }
  }

  #remove(): void {
    const { items } = this.#list;
    const kept = new Set(this.#parts.map(({ from }) => from));
    const last = this.#parts.findLast(({ from }) => from !== undefined)?.from ?? -1;
    for (const [index, item] of items.entries()) {
      if (!kept.has(index)) this.#removeItem(index, item, index > last);
    }
  }

  #removeItem(index: number, item: BracketedItem, comesLast: boolean): void {
    const text = this.#text;
    const end = endOf(item);
    const lineEnd = this.#endOfLine(end);
    if (lineEnd !== undefined && beginsLine(text, item.start)) {
      this.#put(lineStart(text, item.start), "", nextLine(text, lineEnd));
      return;
    }
    const { items, open } = this.#list;
    const before = index === 0 ? open : endOf(items[index - 1]!);
    const isNext = text.slice(before, item.start).trim() === "";
    if (comesLast && (index > 0 || beginsLine(text, item.start))) {
      this.#put(isNext ? before : spacesBefore(text, item.start), "", end);
    } else if (lineEnd !== undefined) {
      this.#put(Math.max(before, spacesBefore(text, item.start)), "", end);
    } else {
      this.#put(item.start, "", end + spacesAt(text, end).length);
    }
  }

  /** Where the line ends, if nothing but comments follows on it. */
  #endOfLine(offset: number): number | undefined {
    const { restOfLine } = this.#style;
    restOfLine.lastIndex = offset;
    const found = restOfLine.exec(this.#text);
    const end = found === null ? undefined : offset + found[0].length;
    return end === undefined || end >= this.#list.close ? undefined : end;
  }

  #put(start: number, text: string, end: number = start): void {
    this.#edits.push({ start, end, text });
  }
}

function endOf({ end, comma }: BracketedItem): number {
  return comma === undefined ? end : comma + 1;
}

function textOf(part: BracketedPart, indentation: string | undefined): string {
  return part.from === undefined ? part.write(indentation) : "";
}
