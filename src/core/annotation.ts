import type { BaseMetadata } from "valibot";
import { holdfastError, type Path, type PathStep } from "./error.ts";
import type { ArrayMerge } from "./layer.ts";
import {
  closure,
  partsAt,
  partsOf,
  reaches,
  schemaGraph,
  type SchemaNode,
} from "./schema_graph.ts";

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

/** Marks a value of a schema as one that a change of concerns nobody but its readers. */
export interface HotAction<Input> extends BaseMetadata<Input> {
  /** Tells this action from others. */
  readonly type: "hot";
  /** The function that makes it. */
  readonly reference: typeof hot;
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

/** Says how arrays of several layers merge at a place of a schema. */
export interface MergeArraysAction<Input> extends BaseMetadata<Input> {
  /** Tells this action from others. */
  readonly type: "merge_arrays";
  /** The function that makes it. */
  readonly reference: typeof mergeArrays;
  /** How. */
  readonly how: ArrayMerge;
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
 * Declares a change of a value, in a valibot pipe, to be harmless: whoever needs it reads `config.value` each time, or subscribes.
 * A reloader then leaves a change there or below alone when no module selects it, instead of building the program anew.
 *
 * @example
 * ```ts
 * import { hot } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ banner: v.pipe(v.string(), hot()) });
 * ```
 */
export function hot<Input>(): HotAction<Input> {
  return { kind: "metadata", type: "hot", reference: hot };
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

/**
 * Says how arrays of several layers merge, in a valibot pipe.
 *
 * @param how `replace`: the later one alone counts; `byName`: where all entries have a `name` of their own, those of the same
 * name merge and others are added, so that an empty array changes nothing
 *
 * @example
 * ```ts
 * import { mergeArrays } from "holdfast";
 * import * as v from "valibot";
 *
 * const models = v.pipe(v.array(v.object({ name: v.string() })), mergeArrays("replace"));
 * ```
 */
export function mergeArrays<Input>(how: ArrayMerge): MergeArraysAction<Input> {
  return { kind: "metadata", type: "merge_arrays", reference: mergeArrays, how };
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
  readonly hot: boolean;
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
  const graph = schemaGraph(schema);
  if (graph === undefined) return undefined;
  const marks = new Map(graph.nodes.map((node) => [node, marksOf(node)]));
  const holds = (node: SchemaNode, isMarked: (mark: Marks) => boolean) => {
    return reaches(node, (other) => isMarked(marks.get(other)!));
  };
  for (const [node, mark] of marks) {
    mark.holdsSecret = holds(node, (other) => other.secret);
    mark.holdsRestart = holds(node, (other) => other.restartRequired);
    mark.holdsAnnotation = mark.holdsSecret || mark.holdsRestart ||
      holds(node, (other) => other.hot || other.advice.length > 0);
  }
  for (const node of graph.nodes) refuseTransformAbove(node, marks);
  return placeOf([graph.root], marks);
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

/** Whether a change there is declared harmless, by the place itself or by one above. */
export function isHot(root: Annotations | undefined, path: Path): boolean {
  let place = root;
  for (const step of path) {
    if (place === undefined || place.hot) break;
    place = place.child(step);
  }
  return place?.hot === true;
}

// These transformations leave every value where it is.
const stationary = new Set(["brand", "flavor", "readonly"]);

/** What is annotated at a schema object, and whether anything is there or below. */
interface Marks {
  readonly secret: boolean;
  readonly restartRequired: boolean;
  readonly hot: boolean;
  readonly transforms: boolean;
  readonly advice: readonly Advice[];
  holdsAnnotation: boolean;
  holdsSecret: boolean;
  holdsRestart: boolean;
}

type MarksOf = ReadonlyMap<SchemaNode, Marks>;

function marksOf({ actions }: SchemaNode): Marks {
  const has = (reference: unknown) => actions.some((action) => action.reference === reference);
  return {
    secret: has(secret),
    restartRequired: has(restartRequired),
    hot: has(hot),
    transforms: actions.some(({ kind, type }) =>
      kind === "transformation" && !stationary.has(type)
    ),
    advice: actions.filter(({ reference }) => reference === warnIf) as unknown as Advice[],
    holdsAnnotation: false,
    holdsSecret: false,
    holdsRestart: false,
  };
}

function refuseTransformAbove(node: SchemaNode, marks: MarksOf): void {
  if (!marks.get(node)!.transforms) return;
  if (!partsOf(closure([node])).some((part) => marks.get(part)!.holdsAnnotation)) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot use the schema: found a transformation of the ${
      node.same[0]?.type ?? node.type
    } above an annotated value, ` +
      "which could move it; transform the value itself, or annotate what is transformed",
    { what: "transformation above an annotated value" },
  );
}

function placeOf(nodes: readonly SchemaNode[], marks: MarksOf): Annotations | undefined {
  const live = nodes.filter((node) => marks.get(node)!.holdsAnnotation);
  if (live.length === 0) return undefined;
  const all = closure(live);
  const marked = all.map((node) => marks.get(node)!);
  const children = new Map<string, Annotations | undefined>();
  return {
    secret: marked.some((mark) => mark.secret),
    restartRequired: marked.some((mark) => mark.restartRequired),
    hot: marked.some((mark) => mark.hot),
    advice: marked.flatMap((mark) => mark.advice),
    mayHoldSecret: marked.some((mark) => mark.holdsSecret),
    mayNeedRestart: marked.some((mark) => mark.holdsRestart),
    child: (step) => {
      // Parts that no entry names share one place, so that a long list does not grow the cache.
      const key = String(step);
      const cacheKey = all.some((node) => node.entries.has(key)) ? `entry ${key}` : "each";
      if (!children.has(cacheKey)) children.set(cacheKey, placeOf(partsAt(all, key), marks));
      return children.get(cacheKey);
    },
  };
}
