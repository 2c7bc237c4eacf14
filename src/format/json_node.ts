import type { Json } from "../core/document.ts";
import type { PathStep } from "../core/error.ts";
import type { BracketedItem } from "./bracketed.ts";

/** Told of each value: its path, valid only during the call, and its offset. */
export type ValueVisitor = (path: readonly PathStep[], offset: number) => void;

/** A value as it stands in a text. */
export interface JsonNode {
  readonly start: number;
  readonly end: number;
  readonly value: Json;
  /** The members or elements of a container; undefined for other values. */
  readonly items: readonly JsonItem[] | undefined;
}

/** A member of an object, from its key on, or an element of an array. */
export interface JsonItem extends BracketedItem {
  /** Undefined in an array. */
  readonly key: string | undefined;
  readonly node: JsonNode;
}

/** What is allowed beyond strict JSON. */
export interface JsonDialect {
  /** Comments, and a comma behind the last member or element. */
  readonly comments: boolean;
}

/** Strict JSON: RFC 8259. */
export const strictJson: JsonDialect = { comments: false };
