import { mergeArrays } from "./mark.ts";
import type { PathStep } from "./error.ts";
import type { ArrayMerge } from "./layer.ts";
import { closure, partsAt, type PipeAction, schemaGraph, type SchemaNode } from "./schema_graph.ts";

/** The kinds of JSON that a schema takes at one place. */
export type ShapeKind = "string" | "number" | "boolean" | "null" | "array" | "object";

/** What a schema expects of one place of a document, as far as its structure says. */
export interface Shape {
  /** Empty where it says nothing. */
  readonly kinds: ReadonlySet<ShapeKind>;
  /** The names of the members that it knows. */
  readonly names: readonly string[];
  /** Whether parts of other names are taken as well. */
  readonly isOpen: boolean;
  /** How arrays of several layers merge there, if it says so. */
  readonly arrays: ArrayMerge | undefined;
  /** What it expects of a part; undefined where it knows of none. */
  readonly child: (step: PathStep) => Shape | undefined;
}

const kindsOf: Readonly<Record<string, readonly ShapeKind[]>> = {
  string: ["string"],
  number: ["number"],
  boolean: ["boolean"],
  null: ["null"],
  nullable: ["null"],
  nullish: ["null"],
  array: ["array"],
  tuple: ["array"],
  loose_tuple: ["array"],
  strict_tuple: ["array"],
  tuple_with_rest: ["array"],
  object: ["object"],
  loose_object: ["object"],
  strict_object: ["object"],
  object_with_rest: ["object"],
  record: ["object"],
};

const open = new Set(["loose_object", "object_with_rest", "record", "any", "unknown", "custom"]);

/**
 * What a valibot schema expects, place by place.
 *
 * @returns undefined for any other schema
 */
export function shapeOf(schema: unknown): Shape | undefined {
  const graph = schemaGraph(schema);
  return graph === undefined ? undefined : placeOf([graph.root]);
}

function placeOf(nodes: readonly SchemaNode[]): Shape | undefined {
  if (nodes.length === 0) return undefined;
  const all = closure(nodes, "given");
  return {
    kinds: new Set(all.flatMap(kindsOfNode)),
    names: [...new Set(all.flatMap(({ entries }) => [...entries.keys()]))],
    isOpen: all.some(({ type, each }) => open.has(type) || each.length > 0),
    arrays: all.flatMap(({ actions }) => actions).find(isArrayMerge)?.how,
    child: (step) => placeOf(partsAt(all, String(step))),
  };
}

function isArrayMerge(action: PipeAction): action is PipeAction & { readonly how: ArrayMerge } {
  return action.reference === mergeArrays;
}

function kindsOfNode({ type, literals }: SchemaNode): readonly ShapeKind[] {
  return literals.length === 0
    ? kindsOf[type] ?? []
    : literals.map((literal) => typeof literal as ShapeKind);
}
