import {
  type CST,
  isAlias,
  isCollection,
  isPair,
  isScalar,
  type ParsedNode,
  type Scalar,
} from "yaml";
import { isForbiddenKey, type Json } from "../core/document.ts";
import { aliasedValuesMax, depthMax } from "../core/limits.ts";
import type { Changeable } from "./bracketed.ts";
import { stop } from "./fault.ts";
import type { YamlItem, YamlNode } from "./yaml_node.ts";

const coreTags = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => {
  return `tag:yaml.org,2002:${name}`;
}));

const styles = {
  PLAIN: "plain",
  QUOTE_SINGLE: "single",
  QUOTE_DOUBLE: "double",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "literal",
} as const;

/** What stands around a value. */
interface Surroundings {
  /** The tokens in front of it: its anchor and tag, and the colon or dash. */
  readonly before: readonly CST.SourceToken[];
  readonly depth: number;
}

/** Turns what the parser made of a text into values with their places, and refuses what no document may hold. */
export class YamlTree {
  readonly #text: string;
  /** By name; undefined while the value that it stands on is being read. */
  readonly #anchors = new Map<string, YamlNode | undefined>();
  #aliased = 0;

  constructor(text: string) {
    this.#text = text;
  }

  root(contents: unknown): YamlNode {
    return this.#node(contents as ParsedNode | null, { before: [], depth: 0 });
  }

  #node(node: ParsedNode | null, around: Surroundings): YamlNode {
    const behind = behindOf(around.before);
    if (node === null) return absent(behind ?? 0);
    const [start] = node.range;
    if (isAlias(node)) return this.#alias(node.source, start, node.range[1]);
    const tag = around.before.find(({ type }) => type === "tag");
    if (node.tag !== undefined && tag !== undefined && !coreTags.has(node.tag)) {
      throw stop(tag.offset, "a tag, which a document cannot have; remove it");
    }
    if (node.tag !== undefined && !coreTags.has(node.tag)) {
      throw stop(start, "a tag, which a document cannot have; remove it");
    }
    if (isScalar(node) && node.tag !== undefined && !fitsTag(node.tag, node.value)) {
      throw stop(tag?.offset ?? start, "a tag that does not fit its value; remove it");
    }
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, undefined);
    const result = isCollection(node)
      ? this.#collection(node as never, around.depth)
      : this.#scalar(node as never, behind);
    if (tag !== undefined) addTag(result, tag);
    if (node.anchor !== undefined) {
      result.hasAnchor = true;
      this.#anchors.set(node.anchor, result);
    }
    return result;
  }

  #alias(name: string, start: number, end: number): YamlNode {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      throw this.#anchors.has(name)
        ? stop(start, "an alias within what it stands for; write the value out")
        : stop(start, "an alias that no anchor before it has the name of; mend the name");
    }
    this.#aliased += target.size;
    if (this.#aliased > aliasedValuesMax) {
      throw stop(start, "aliases that stand for too much", "aliases");
    }
    const { value, size, height } = target;
    const alias = scalar(value, start, end, "plain", size);
    return Object.assign(alias, { kind: "alias", target, height });
  }

  #scalar(
    node: { value: unknown; type?: keyof typeof styles; range: [number, number, number] },
    behind: number | undefined,
  ): Changeable<YamlNode> {
    const [start, end] = node.range;
    const value = node.value as Json;
    if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      throw stop(start, "a number that is not finite or beyond 2^53 - 1; write it as a string");
    }
    if (typeof value === "string" && !value.isWellFormed()) {
      throw stop(start, "a string with half of a surrogate pair; write both halves");
    }
    if (start === end && value === null) return absent(behind ?? start);
    const size = 1 + (typeof value === "string" ? Math.floor(value.length / 64) : 0);
    return scalar(value, start, end, styles[node.type ?? "PLAIN"], size);
  }

  #collection(
    node: {
      items: unknown[];
      range: [number, number, number];
      flow?: boolean;
      srcToken?: CST.Token;
    },
    depth: number,
  ): Changeable<YamlNode> {
    const isFlow = node.flow === true;
    const [start, rangeEnd] = node.range;
    const isArray = !node.items.every(isPair) ||
      (node.items.length === 0 && this.#text[start] === "[") || isSequence(node.srcToken);
    const items = isArray
      ? this.#elements(node.items as ParsedNode[], node.srcToken, depth + 1, isFlow)
      : this.#members(node.items as ParsedPair[], depth + 1, isFlow);
    const height = 1 + items.reduce((most, item) => Math.max(most, item.node.height), 0);
    if (depth + height > depthMax) throw stop(start, "nesting that is too deep", "depth");
    return {
      kind: isArray ? "array" : "object",
      style: isFlow ? "flow" : "block",
      value: isArray
        ? items.map((item) => item.node.value)
        : Object.fromEntries(items.map((item) => [item.key!, item.node.value])),
      start,
      end: isFlow ? rangeEnd : items.at(-1)?.end ?? rangeEnd,
      items,
      hasAnchor: false,
      target: undefined,
      size: items.reduce((sum, item) => sum + item.node.size, 1),
      height,
    };
  }

  #elements(
    nodes: readonly ParsedNode[],
    token: CST.Token | undefined,
    depth: number,
    isFlow: boolean,
  ): YamlItem[] {
    const tokens = ((token as { items?: CST.CollectionItem[] })?.items ?? []).filter((item) => {
      return item.value !== undefined || item.key || item.sep !== undefined ||
        item.start.some(({ type }) => marks.has(type));
    });
    return nodes.map((element, index) => {
      const before = tokens[index]?.start ?? [];
      const node = this.#node(element, { before, depth });
      return this.#item(undefined, before, before, node, node.start, isFlow);
    });
  }

  #members(pairs: readonly ParsedPair[], depth: number, isFlow: boolean): YamlItem[] {
    const seen = new Set<string>();
    return pairs.map(({ key, value, srcToken }) => {
      const token = srcToken as CST.CollectionItem | undefined;
      const start = token?.start ?? [];
      const name = this.#key(key, seen);
      const keyNode = this.#anchoredKey(key as Scalar.Parsed, name);
      const before = token?.sep ?? [];
      // A key between braces can do without a colon.
      const node = value === null && behindOf(before) === undefined
        ? absent(key!.range[1])
        : this.#node(value, { before, depth });
      const item = this.#item(name, start, before, node, key!.range[0], isFlow);
      item.keyNode = keyNode;
      return item;
    });
  }

  #key(key: ParsedNode | null, seen: Set<string>): string {
    if (key === null || !isScalar(key) || typeof key.value !== "string") {
      throw stop(key?.range[0] ?? 0, "a key that is no string; put it in quotes");
    }
    const [start] = key.range;
    const name = key.value as string;
    if (key.tag !== undefined && !coreTags.has(key.tag)) {
      throw stop(start, "a tag, which a document cannot have; remove it");
    }
    if (name === "<<" && key.type === "PLAIN") {
      throw stop(
        start,
        "a merge key, which YAML 1.2 does not have; write the members out, or quote the key",
      );
    }
    if (seen.has(name)) throw stop(start, "a key that the object already has; keep one of them");
    if (isForbiddenKey(name)) {
      throw stop(start, `the key "${name}", which is not allowed; rename it`);
    }
    if (!name.isWellFormed()) {
      throw stop(start, "a string with half of a surrogate pair; write both halves");
    }
    seen.add(name);
    return name;
  }

  /** A key can have an anchor too. */
  #anchoredKey({ anchor, range }: Scalar.Parsed, value: string): YamlNode | undefined {
    if (anchor === undefined) return undefined;
    const node = scalar(value, range[0], range[1], "absent", 1);
    this.#anchors.set(anchor, node);
    return node;
  }

  #item(
    key: string | undefined,
    start: readonly CST.SourceToken[],
    before: readonly CST.SourceToken[],
    node: YamlNode,
    orElse: number,
    isFlow: boolean,
  ): Changeable<YamlItem> {
    const first = start.find(({ type }) => marks.has(type))?.offset ?? orElse;
    const { end } = node;
    const comma = isFlow ? commaAt(this.#text, end) : undefined;
    const behind = behindOf(before);
    return { key, keyNode: undefined, start: Math.min(first, orElse), end, behind, node, comma };
  }
}

interface ParsedPair {
  readonly key: ParsedNode | null;
  readonly value: ParsedNode | null;
  readonly srcToken?: unknown;
}

const indicators: ReadonlySet<string> = new Set(["map-value-ind", "seq-item-ind"]);
const marks: ReadonlySet<string> = new Set(["explicit-key-ind", "seq-item-ind", "anchor", "tag"]);

/** Behind the colon or the dash and the anchor, where a value may begin. */
function behindOf(tokens: readonly CST.SourceToken[]): number | undefined {
  const last = tokens.findLast(({ type }) => type === "anchor" || indicators.has(type));
  return last === undefined ? undefined : last.offset + last.source.length;
}

/** A tag counts as part of its value, and is all there is of one that is absent. */
function addTag(node: Changeable<YamlNode>, { offset, source }: CST.SourceToken): void {
  node.start = offset;
  if (node.style !== "absent") return;
  node.end = offset + source.length;
  node.style = "plain";
}

function fitsTag(tag: string, value: unknown): boolean {
  const name = tag.slice(tag.lastIndexOf(":") + 1);
  if (name === "int") return Number.isInteger(value);
  if (name === "float") return typeof value === "number";
  if (name === "bool") return typeof value === "boolean";
  return name === "null" ? value === null : typeof value === "string";
}

function isSequence(token: CST.Token | undefined): boolean {
  return token?.type === "block-seq" ||
    (token?.type === "flow-collection" && token.start.source === "[");
}

function commaAt(text: string, from: number): number | undefined {
  // A comment ends with its line, so that there is one way only to take a text.
  const between = /\s*(?:#[^\n]*\n\s*)*,/y;
  between.lastIndex = from;
  const found = between.exec(text);
  return found === null ? undefined : from + found[0].length - 1;
}

function absent(offset: number): Changeable<YamlNode> {
  return scalar(null, offset, offset, "absent", 1);
}

const none: readonly YamlItem[] = [];

function scalar(
  value: Json,
  start: number,
  end: number,
  style: YamlNode["style"],
  size: number,
): Changeable<YamlNode> {
  return {
    kind: "scalar",
    style,
    value,
    start,
    end,
    items: none,
    hasAnchor: false,
    target: undefined,
    size,
    height: 0,
  };
}
