import { holdfastError } from "./error.ts";
import { ignoreRejection } from "./promise.ts";

/** One schema object of valibot. Schemas can be recursive, so the nodes form a graph. */
export interface SchemaNode {
  /** What valibot calls it, such as `string`. */
  readonly type: string;
  /** The actions of its pipe, in order. */
  readonly actions: PipeAction[];
  /** Other schemas that speak about the very same value: what is wrapped, options, pipe items. */
  readonly same: SchemaNode[];
  /** Those of them that speak about it as it is given, before any transformation. */
  readonly given: SchemaNode[];
  readonly entries: Map<string, SchemaNode>;
  /** Of every part that is not among the entries. */
  readonly each: SchemaNode[];
  /** The only values that it takes, if it names them. */
  readonly literals: readonly unknown[];
}

/** An item of a pipe that is no schema. */
export interface PipeAction {
  readonly kind: string;
  readonly type: string;
  readonly reference?: unknown;
}

/** A schema and all that it is made of. */
export interface SchemaGraph {
  readonly root: SchemaNode;
  readonly nodes: readonly SchemaNode[];
}

// A piece of a valibot schema, as far as walking needs to know.
interface SchemaPiece {
  readonly kind: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * Walks a valibot schema.
 *
 * @returns undefined for any other schema
 * @throws `UNSUPPORTED` where a lazy part cannot be walked without an input
 */
export function schemaGraph(schema: unknown): SchemaGraph | undefined {
  if (!isSchema(schema)) return undefined;
  const walk = new Map<object, SchemaNode>();
  const root = nodeOf(schema, walk);
  return { root, nodes: [...walk.values()] };
}

/** The nodes that speak about one value; `given`, those alone that speak about it before any transformation. */
export function closure(
  nodes: readonly SchemaNode[],
  which: "same" | "given" = "same",
): SchemaNode[] {
  const all = new Set(nodes);
  for (const node of all) for (const other of node[which]) all.add(other);
  return [...all];
}

/** The nodes that speak about one value, of unions only the options that it can be of; all of them where it fits none. */
export function closureFitting(nodes: readonly SchemaNode[], value: unknown): SchemaNode[] {
  const all = new Set(nodes);
  for (const node of all) for (const other of optionsFitting(node, value)) all.add(other);
  return [...all];
}

/** Whether a value is of one of several options, rather than of all that is said about it. */
export function isUnion({ type }: SchemaNode): boolean {
  return type === "union" || type === "variant";
}

/** Whether one of the nodes is a union of several options whose parts differ. */
export function isAmbiguous(nodes: readonly SchemaNode[]): boolean {
  const within = new Set(nodes);
  return nodes.some((node) => {
    const options = isUnion(node) ? node.same.filter((option) => within.has(option)) : [];
    return options.filter((option) => closure([option]).some(hasParts)).length > 1;
  });
}

/** The nodes of every part. */
export function partsOf(nodes: readonly SchemaNode[]): SchemaNode[] {
  return nodes.flatMap((node) => [...node.entries.values(), ...node.each]);
}

/** The nodes of one part. */
export function partsAt(nodes: readonly SchemaNode[], key: string): SchemaNode[] {
  return nodes.flatMap((node) => node.entries.get(key) ?? node.each);
}

/** Whether a node is wanted, or one that is reached from it. */
export function reaches(from: SchemaNode, wanted: (node: SchemaNode) => boolean): boolean {
  const seen = new Set([from]);
  for (const node of seen) {
    if (wanted(node)) return true;
    for (const next of [...node.same, ...partsOf([node])]) seen.add(next);
  }
  return false;
}

function optionsFitting(node: SchemaNode, value: unknown): readonly SchemaNode[] {
  if (!isUnion(node)) return node.same;
  const fitting = node.same.filter((option) => canBe(option, value));
  return fitting.length === 0 ? node.same : fitting;
}

function hasParts({ entries, each }: SchemaNode): boolean {
  return entries.size > 0 || each.length > 0;
}

/** The nodes that speak about a value whichever option of a union it is of. */
function certain(nodes: readonly SchemaNode[]): SchemaNode[] {
  const all = new Set(nodes);
  for (const node of all) {
    for (const other of isUnion(node) ? [] : node.same) all.add(other);
  }
  return [...all];
}

function canBe(node: SchemaNode, value: unknown): boolean {
  if (isUnion(node)) return node.same.some((option) => canBe(option, value));
  return fits(node, value) && node.same.every((other) => canBe(other, value));
}

/** Whether a value can be what a node gives, as far as its literals tell. */
function fits(node: SchemaNode, value: unknown): boolean {
  if (!hasParts(node)) return true;
  if (typeof value !== "object" || value === null) return false;
  return [...node.entries].every(([key, part]) => {
    const found: unknown = (value as Record<string, unknown>)[key];
    // What may be left out, or given as null, stands around the literal.
    if (found === undefined || found === null) return true;
    const nodes = certain([part]);
    const transforms = nodes.some(({ actions }) => {
      return actions.some(({ kind }) => kind === "transformation");
    });
    const literals = nodes.flatMap((each) => each.literals);
    return transforms || literals.length === 0 || literals.includes(found);
  });
}

function isSchema(value: unknown): value is SchemaPiece {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

function nodeOf(schema: SchemaPiece, walk: Map<object, SchemaNode>): SchemaNode {
  const seen = walk.get(schema);
  if (seen !== undefined) return seen;
  const literals = schema["literal"] === undefined ? [] : [schema["literal"]];
  const node: SchemaNode = {
    type: schema.type,
    actions: [],
    same: [],
    given: [],
    entries: new Map(),
    each: [],
    literals: schema.type === "picklist" || schema.type === "enum"
      ? schema["options"] as unknown[]
      : literals,
  };
  walk.set(schema, node);
  const pipe = schema["pipe"] as readonly PipeAction[] | undefined;
  if (pipe === undefined) {
    readParts(schema, node, walk);
    return node;
  }
  for (const item of pipe) {
    if (!isSchema(item)) {
      node.actions.push(item);
      continue;
    }
    const part = nodeOf(item, walk);
    node.same.push(part);
    if (node.actions.every(({ kind }) => kind !== "transformation")) node.given.push(part);
  }
  return node;
}

function readParts(schema: SchemaPiece, node: SchemaNode, walk: Map<object, SchemaNode>): void {
  const add = (list: SchemaNode[], part: unknown) => {
    if (isSchema(part)) list.push(nodeOf(part, walk));
  };
  for (const [key, part] of Object.entries(schema["entries"] ?? {})) {
    if (isSchema(part)) node.entries.set(key, nodeOf(part, walk));
  }
  const items = Array.isArray(schema["items"]) ? schema["items"] : [];
  items.forEach((part, index) => {
    if (isSchema(part)) node.entries.set(String(index), nodeOf(part, walk));
  });
  for (const name of ["rest", "item", "value"]) add(node.each, schema[name]);
  const whole: SchemaNode[] = [];
  add(whole, schema["wrapped"]);
  if (Array.isArray(schema["options"])) {
    for (const part of schema["options"]) add(whole, part);
  }
  if (typeof schema["getter"] === "function") add(whole, fromGetter(schema["getter"]));
  node.same.push(...whole);
  node.given.push(...whole);
}

// deno-lint-ignore ban-types -- whatever the getter of a lazy schema takes
function fromGetter(getter: Function): unknown {
  const schema: unknown = getter.length === 0 ? getter() : undefined;
  if (isSchema(schema)) return schema;
  ignoreRejection(schema);
  throw holdfastError(
    "UNSUPPORTED",
    "Cannot walk a lazy part of the schema, which may hold secrets: found a getter that takes the input or is " +
      "asynchronous; let it return the schema whatever the input is",
    { what: "lazy schema that depends on its input" },
  );
}
