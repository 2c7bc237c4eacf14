import type { Json } from "../core/document.ts";
import {
  type Aligned,
  alignElements,
  alignMembers,
  isEqual,
  isObject,
  isSameParts,
} from "./align.ts";
import { editBracketed, hashComment } from "./bracketed.ts";
import { applyEdits, type Edit } from "./edits.ts";
import { beginsLine, lineStart, newlineOf, nextLine } from "./lines.ts";
import type { YamlItem, YamlNode } from "./yaml_node.ts";
import {
  isContainer,
  writeBlock,
  writeElement,
  writeFlow,
  writeFlowMember,
  writeLiteral,
  writeMember,
  writeScalar,
  type YamlStyle,
} from "./yaml_write.ts";

/** Where a value stands. */
interface Place {
  readonly kind: "root" | "member" | "element" | "flow";
  /** What the lines of the container are indented by. */
  readonly indentation: string;
  /** Behind the colon or the dash. */
  readonly behind: number;
}

/** Gives a YAML text another document and changes only what differs, or says undefined where that is not possible. */
export function editYaml(text: string, root: YamlNode, document: Json): string | undefined {
  return new YamlEdit(text, root).edit(document);
}

/** How containers are written, going by the first of each kind. */
export function yamlStyleOf(text: string, root: YamlNode | undefined): YamlStyle {
  let members: number | undefined;
  let elements: number | undefined;
  const visit = (node: YamlNode): void => {
    const outer = node.items[0] && columnOf(text, node.items[0].start);
    for (const { node: child } of node.items) {
      const first = child.items[0];
      // Within brackets and braces there are no blocks.
      if (child.style !== "block" || first === undefined) continue;
      if (node.kind === "object") {
        const depth = columnOf(text, first.start) - outer!;
        if (child.kind === "array") elements ??= depth;
        else members ??= depth;
      }
      if (members === undefined || elements === undefined) visit(child);
    }
  };
  if (root !== undefined) visit(root);
  return {
    members: " ".repeat(members || 2),
    elements: " ".repeat(elements ?? members ?? 2),
    hasLiterals: true,
  };
}

class YamlEdit {
  readonly #text: string;
  readonly #root: YamlNode;
  readonly #newline: string;
  readonly #style: YamlStyle;
  readonly #edits: Edit[] = [];
  /** What the values with anchors become: their aliases stand for that. */
  readonly #anchored = new Map<YamlNode, Json>();

  constructor(text: string, root: YamlNode) {
    this.#text = text;
    this.#root = root;
    this.#newline = newlineOf(text);
    this.#style = yamlStyleOf(text, root);
  }

  edit(document: Json): string | undefined {
    const root = this.#root;
    this.#change(root, document, { kind: "root", indentation: "", behind: root.start });
    return applyEdits(this.#text, this.#edits);
  }

  #change(node: YamlNode, value: Json, place: Place): void {
    if (node.hasAnchor) this.#anchored.set(node, value);
    if (node.kind === "alias") {
      const target = this.#anchored.get(node.target!);
      if (target === undefined || !isEqual(target, value)) this.#replace(node, value, place);
      return;
    }
    const isKept = node.kind === "object"
      ? isObject(value)
      : node.kind === "array" && Array.isArray(value);
    if (!isKept) {
      if (!isEqual(node.value, value)) this.#replace(node, value, place);
      return;
    }
    const aligned = node.kind === "array"
      ? alignElements(node.items.map((item) => item.node.value), value as readonly Json[])
      : alignMembers(node.items.map(({ key }) => key!), value as Record<string, Json>);
    const keepsNone = aligned.every(({ from }) => from === undefined);
    if (keepsNone && (node.items.length > 0 || place.kind !== "flow")) {
      if (!isEqual(node.value, value)) this.#replace(node, value, place);
    } else if (node.style === "flow") this.#changeList(node, aligned);
    else this.#changeBlock(node, aligned);
  }

  #changeList(node: YamlNode, aligned: readonly Aligned[]): void {
    const parts = aligned.map(({ from, key, value }) => {
      if (from === undefined) {
        const text = key === undefined ? writeFlow(value) : writeFlowMember(key, value);
        return { write: () => text };
      }
      this.#changeItem(node.items[from]!, value, "flow", "");
      return { from };
    });
    if (isSameParts(aligned, node.items.length)) return;
    const bounds = {
      open: this.#text.indexOf(node.kind === "array" ? "[" : "{", node.start) + 1,
      close: node.end - 1,
    };
    editBracketed(this.#text, { ...bounds, items: node.items }, parts, {
      restOfLine: hashComment,
      newline: this.#newline,
      padding: node.kind === "array" ? "" : " ",
      indentation: this.#style.members,
      gap: " ",
    }, this.#edits);
  }

  #changeBlock(node: YamlNode, aligned: readonly Aligned[]): void {
    const { items } = node;
    const first = items[0]!;
    const kind = node.kind === "array" ? "element" : "member";
    const indentation = " ".repeat(columnOf(this.#text, first.start));
    let anchor: YamlItem | undefined;
    for (const { from, key, value } of aligned) {
      if (from !== undefined) {
        anchor = items[from]!;
        this.#changeItem(anchor, value, kind, indentation);
        continue;
      }
      const text = key === undefined
        ? writeElement(value, indentation, this.#style)
        : writeMember(key, value, indentation, this.#style);
      if (anchor !== undefined) this.#insertLines(this.#lineEnd(anchor.end), indentation + text);
      else if (beginsLine(this.#text, first.start)) {
        this.#insertLines(lineStart(this.#text, first.start), indentation + text);
      } else this.#put(first.start, `${text}\n${indentation}`);
    }
    if (!isSameParts(aligned, items.length)) this.#removeItems(items, aligned);
  }

  #removeItems(items: readonly YamlItem[], aligned: readonly Aligned[]): void {
    const kept = new Set(aligned.map(({ from }) => from));
    const firstKept = items.findIndex((_, index) => kept.has(index));
    for (const [index, item] of items.entries()) {
      if (kept.has(index)) continue;
      if (beginsLine(this.#text, items[0]!.start)) {
        this.#put(lineStart(this.#text, item.start), "", this.#lineEnd(item.end));
      } else if (index < firstKept) {
        // The first one stands on the line of the dash above, and the first that stays moves there.
        this.#put(item.start, "", items[index + 1]!.start);
      } else this.#put(lineStart(this.#text, item.start), "", this.#lineEnd(item.end));
    }
  }

  #changeItem(item: YamlItem, value: Json, kind: Place["kind"], indentation: string): void {
    const { behind, node, end, keyNode, key } = item;
    if (keyNode !== undefined) this.#anchored.set(keyNode, key!);
    // What stands there without a colon cannot take a value; the result is checked and then written anew.
    this.#change(node, value, { kind, indentation, behind: behind ?? end });
  }

  #replace(node: YamlNode, value: Json, place: Place): void {
    const { start, end, style } = node;
    if (place.kind === "flow") {
      const text = isContainer(value) ? writeFlow(value) : writeScalar(value, node.style);
      this.#put(start, (style === "absent" ? " " : "") + text, end);
    } else if (isContainer(value)) this.#replaceByBlock(node, value, place);
    else this.#replaceByScalar(node, value, place);
  }

  #replaceByScalar(node: YamlNode, value: Json, place: Place): void {
    const { start, end, style } = node;
    const inner = place.indentation + (place.kind === "element" ? "  " : this.#style.members);
    const isBelow = this.#text.slice(place.behind, start).includes("\n");
    const literal = style === "literal" && place.kind !== "root"
      ? writeLiteral(value, inner)
      : undefined;
    const text = literal ?? writeScalar(value, style);
    if (style === "literal") this.#put(start, text + this.#lineBreak(end), end);
    else if (style === "absent") this.#put(start, ` ${text}`);
    else if (style === "block" && isBelow && place.kind !== "root") {
      this.#put(place.behind, ` ${text}`);
      this.#put(lineStart(this.#text, start), "", this.#lineEnd(end));
    } else this.#put(start, text + this.#lineBreak(end), end);
  }

  #replaceByBlock(node: YamlNode, value: Json, place: Place): void {
    const { start, end, style } = node;
    const { behind } = place;
    const isBelow = this.#text.slice(behind, start).includes("\n");
    const lineBreak = this.#lineBreak(end);
    if (place.kind !== "member") {
      // Behind an anchor a block begins on a line of its own.
      const isBelow = node.hasAnchor &&
        (place.kind === "element" || !beginsLine(this.#text, start));
      const inner = isBelow || style === "absent"
        ? `${place.indentation}${place.kind === "element" ? "  " : ""}`
        : " ".repeat(columnOf(this.#text, start));
      const front = isBelow ? `\n${inner}` : style === "absent" ? " " : "";
      // A comment that follows would become part of a text of several lines.
      const hasLiterals = !/\S/.test(this.#text.slice(end, this.#lineEnd(end)));
      const block = writeBlock(value, inner, { ...this.#style, hasLiterals });
      this.#put(start, front + block + lineBreak, end);
      return;
    }
    const unit = Array.isArray(value) ? this.#style.elements : this.#style.members;
    const inner = place.indentation + unit;
    const block = inner + writeBlock(value, inner, this.#style);
    if (style === "literal") this.#put(behind, `\n${block}${lineBreak}`, end);
    else if (isBelow) this.#put(lineStart(this.#text, start), block + lineBreak, end);
    else {
      this.#put(behind, "", end);
      this.#insertLines(this.#lineEnd(end), block);
    }
  }

  /** Where the line of an offset ends, behind its line break; for what ends with a line break, right there. */
  #lineEnd(offset: number): number {
    return offset > 0 && this.#text[offset - 1] === "\n" ? offset : nextLine(this.#text, offset);
  }

  /** What ends with a line break gives way to what does too. */
  #lineBreak(end: number): string {
    return end > 0 && this.#text[end - 1] === "\n" ? "\n" : "";
  }

  #insertLines(offset: number, lines: string): void {
    const isOpen = offset === this.#text.length && !this.#text.endsWith("\n");
    this.#put(offset, isOpen ? `\n${lines}` : `${lines}\n`);
  }

  #put(start: number, text: string, end: number = start): void {
    this.#edits.push({ start, end, text: text.replaceAll("\n", this.#newline) });
  }
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}
