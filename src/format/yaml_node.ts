import type { Json } from "../core/document.ts";

/** A value as it stands in a YAML text, without its anchor; a tag counts as part of it. */
export interface YamlNode {
  readonly kind: "scalar" | "object" | "array" | "alias";
  /** How it is written. One that is `absent` is a null of which nothing stands there. */
  readonly style: "plain" | "single" | "double" | "literal" | "flow" | "block" | "absent";
  readonly value: Json;
  readonly start: number;
  /** Behind its last character; a block scalar ends with its last line break. */
  readonly end: number;
  readonly items: readonly YamlItem[];
  readonly hasAnchor: boolean;
  /** What an alias stands for. */
  readonly target: YamlNode | undefined;
  /** How many values it stands for, long strings counting more than once. */
  readonly size: number;
  /** How many levels of containers it has, itself included. */
  readonly height: number;
}

/** A member of an object or an element of an array. */
export interface YamlItem {
  /** Undefined in an array. */
  readonly key: string | undefined;
  /** The key as a value that aliases stand for; undefined without an anchor. */
  readonly keyNode: YamlNode | undefined;
  /** Where it begins: at its key, its dash, or its anchor between brackets. */
  readonly start: number;
  readonly end: number;
  /** Behind the colon or the dash and the anchor, where its value may begin; undefined when there is none. */
  readonly behind: number | undefined;
  readonly node: YamlNode;
  readonly comma: number | undefined;
}
