import type { BaseMetadata } from "valibot";
import { holdfastError, type Path, type PathStep } from "./error.ts";
import { ignoreRejection } from "./promise.ts";

/** Marks a value of a schema as secret. */
export interface SecretAction<Input> extends BaseMetadata<Input> {
  /** Tells this action from others. */
  readonly type: "secret";
  /** The function that makes it. */
  readonly reference: typeof secret;
}

/** Marks a value of a schema as one that only a restart can change. */
export interface RestartRequiredAction<Input> extends BaseMetadata<Input> {
  /** Tells this action from others. */
  readonly type: "restart_required";
  /** The function that makes it. */
  readonly reference: typeof restartRequired;
}

/** Attaches a warning to a value of a schema. */
export interface WarnIfAction<Input> extends BaseMetadata<Input> {
  /** Tells this action from others. */
  readonly type: "warn_if";
  /** The function that makes it. */
  readonly reference: typeof warnIf;
  /** True for a value to be warned of. */
  readonly test: (value: Input) => boolean;
  /** The warning. */
  readonly message: string;
}

/**
 * Marks a value as secret, in a valibot pipe: it is redacted wherever it leaves the process's own code, in messages,
 * audit events and envelopes.
 *
 * @example
 * ```ts
 * import { secret } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ password: v.pipe(v.string(), secret()) });
 * ```
 */
export function secret<Input>(): SecretAction<Input> {
  return { kind: "metadata", type: "secret", reference: secret };
}

/**
 * Marks a value, in a valibot pipe, that a running process cannot change: after an edit the running value stays, and
 * `status().pendingRestart` lists the new one.
 */
export function restartRequired<Input>(): RestartRequiredAction<Input> {
  return { kind: "metadata", type: "restart_required", reference: restartRequired };
}

/**
 * Advises against some values, in a valibot pipe, without refusing them.
 *
 * @param test gets the validated value; true leads to the warning
 * @param message what to tell, without the value itself
 *
 * @example
 * ```ts
 * import { warnIf } from "holdfast";
 * import * as v from "valibot";
 *
 * const timeout = v.pipe(v.number(), warnIf((ms) => ms > 60_000, "is longer than a minute"));
 * ```
 */
export function warnIf<Input>(
  test: (value: Input) => boolean,
  message: string,
): WarnIfAction<Input> {
  return { kind: "metadata", type: "warn_if", reference: warnIf, test, message };
}

/** A warning attached to a place of a schema. */
export interface Advice {
  readonly test: (value: unknown) => boolean;
  /** The warning. */
  readonly message: string;
}

/** What a schema says about one place of its values, and about the places below. */
export interface Annotations {
  readonly secret: boolean;
  readonly restartRequired: boolean;
  readonly advice: readonly Advice[];
  /** Whether a secret may stand here or anywhere below. */
  readonly mayHoldSecret: boolean;
  /** Whether something that only a restart changes may stand here or anywhere below. */
  readonly mayNeedRestart: boolean;
  /** What it says about a part; undefined when nothing, there or below. */
  readonly child: (step: PathStep) => Annotations | undefined;
}

/**
 * Collects the annotations of a valibot schema by walking it. Any other schema has none.
 *
 * @throws `UNSUPPORTED` where a transformation stands above an annotated value, since it could move or copy that, and
 * where a lazy part cannot be walked without an input
 */
export function annotationsOf(schema: unknown): Annotations | undefined {
  if (!isSchema(schema)) return undefined;
  const walk = new Map<object, Node>();
  const root = nodeOf(schema, walk);
  for (const node of walk.values()) {
    node.holdsAnnotation = reaches(node, isAnnotated);
    node.holdsSecret = reaches(node, (other) => other.secret);
    node.holdsRestart = reaches(node, (other) => other.restartRequired);
  }
  for (const node of walk.values()) refuseTransformAbove(node);
  return placeOf([root]);
}

/** The annotations at a path; undefined when there are none, there or below. */
export function annotationsAt(root: Annotations | undefined, path: Path): Annotations | undefined {
  let place = root;
  for (const step of path) place = place?.child(step);
  return place;
}

/** A path as far as it may be told: to the outermost secret on it, whose parts are secret too. */
export function cutAtSecret(root: Annotations | undefined, path: Path): Path {
  let place = root;
  for (const [index, step] of path.entries()) {
    if (place?.secret === true) return path.slice(0, index);
    place = place?.child(step);
  }
  return path;
}

// A piece of a valibot schema, as far as walking needs to know.
interface SchemaPiece {
  readonly kind: string;
  readonly type: string;
  readonly [key: string]: unknown;
}

interface PipeItem {
  readonly kind: string;
  readonly type: string;
  readonly reference?: unknown;
}

/** One schema object. Schemas can be recursive, so the nodes form a graph. */
interface Node {
  readonly type: string;
  secret: boolean;
  restartRequired: boolean;
  transforms: boolean;
  /** Whether anything is annotated, here or below. */
  holdsAnnotation: boolean;
  /** Whether a secret may stand, here or below. */
  holdsSecret: boolean;
  /** Whether only a restart changes something, here or below. */
  holdsRestart: boolean;
  readonly advice: Advice[];
  /** Other schemas that speak about the very same value: what is wrapped, options, pipe items. */
  readonly same: Node[];
  readonly entries: Map<string, Node>;
  /** Of every part that is not among the entries. */
  readonly each: Node[];
}

// These transformations leave every value where it is.
const stationary = new Set(["brand", "flavor", "readonly"]);

function isSchema(value: unknown): value is SchemaPiece {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "schema";
}

function nodeOf(schema: SchemaPiece, walk: Map<object, Node>): Node {
  const seen = walk.get(schema);
  if (seen !== undefined) return seen;
  const node: Node = {
    type: schema.type,
    secret: false,
    restartRequired: false,
    transforms: false,
    holdsAnnotation: false,
    holdsSecret: false,
    holdsRestart: false,
    advice: [],
    same: [],
    entries: new Map(),
    each: [],
  };
  walk.set(schema, node);
  const pipe = schema["pipe"] as readonly PipeItem[] | undefined;
  if (pipe !== undefined) readPipe(pipe, node, walk);
  else readParts(schema, node, walk);
  return node;
}

function readPipe(pipe: readonly PipeItem[], node: Node, walk: Map<object, Node>): void {
  for (const item of pipe) {
    if (isSchema(item)) node.same.push(nodeOf(item, walk));
    else if (item.reference === secret) node.secret = true;
    else if (item.reference === restartRequired) node.restartRequired = true;
    else if (item.reference === warnIf) node.advice.push(item as unknown as Advice);
    else if (item.kind === "transformation" && !stationary.has(item.type)) node.transforms = true;
  }
}

function readParts(schema: SchemaPiece, node: Node, walk: Map<object, Node>): void {
  const add = (list: Node[], part: unknown) => {
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
  add(node.same, schema["wrapped"]);
  if (Array.isArray(schema["options"])) {
    for (const part of schema["options"]) {
      add(node.same, part);
    }
  }
  if (typeof schema["getter"] === "function") add(node.same, fromGetter(schema["getter"]));
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

function refuseTransformAbove(node: Node): void {
  if (!node.transforms) return;
  if (!parts(closure([node])).some((part) => part.holdsAnnotation)) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot use the schema: found a transformation of the ${
      node.same[0]?.type ?? node.type
    } above an annotated value, ` +
      "which could move it; transform the value itself, or annotate what is transformed",
    { what: "transformation above an annotated value" },
  );
}

function isAnnotated(node: Node): boolean {
  return node.secret || node.restartRequired || node.advice.length > 0;
}

function placeOf(nodes: readonly Node[]): Annotations | undefined {
  const live = nodes.filter((node) => node.holdsAnnotation);
  if (live.length === 0) return undefined;
  const all = closure(live);
  const children = new Map<string, Annotations | undefined>();
  return {
    secret: all.some((node) => node.secret),
    restartRequired: all.some((node) => node.restartRequired),
    advice: all.flatMap((node) => node.advice),
    mayHoldSecret: all.some((node) => node.holdsSecret),
    mayNeedRestart: all.some((node) => node.holdsRestart),
    child: (step) => {
      // Parts that no entry names share one place, so that a long list does not grow the cache.
      const key = String(step);
      const cacheKey = all.some((node) => node.entries.has(key)) ? `entry ${key}` : "each";
      if (!children.has(cacheKey)) {
        children.set(cacheKey, placeOf(all.flatMap((node) => node.entries.get(key) ?? node.each)));
      }
      return children.get(cacheKey);
    },
  };
}

/** The nodes that speak about one value. */
function closure(nodes: readonly Node[]): Node[] {
  const all = new Set(nodes);
  for (const node of all) for (const other of node.same) all.add(other);
  return [...all];
}

function parts(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [...node.entries.values(), ...node.each]);
}

function reaches(from: Node, wanted: (node: Node) => boolean): boolean {
  const seen = new Set([from]);
  for (const node of seen) {
    if (wanted(node)) return true;
    for (const next of [...node.same, ...parts([node])]) seen.add(next);
  }
  return false;
}
