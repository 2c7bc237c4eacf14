import { holdfastError, type Path, type PathStep } from "./error.ts";
import { hot, restartRequired, secret, warnIf } from "./mark.ts";
import {
  closure,
  closureFitting,
  isAmbiguous,
  isUnion,
  partsAt,
  partsOf,
  reaches,
  schemaGraph,
  type SchemaNode,
} from "./schema_graph.ts";

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
  /**
   * What it says where of a union only the options count that a value can be of: one and the same object for all values of
   * the same options.
   */
  readonly fitting: (value: unknown) => Annotations;
  /** Whether it is of several options, of which it is not known here which one a value is of. */
  readonly isAmbiguous: boolean;
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
  return placeOfAll(closure(live), live, marks);
}

/** @param nodes those that lead to all that count */
function placeOfAll(
  all: readonly SchemaNode[],
  nodes: readonly SchemaNode[],
  marks: MarksOf,
): Annotations {
  const marked = all.map((node) => marks.get(node)!);
  const belowMarked = partsOf(all).map((node) => marks.get(node)!);
  const restartRequired = marked.some((mark) => mark.restartRequired);
  const children = new Map<string, Annotations | undefined>();
  const narrowed = new Map<string, Annotations>();
  const hasUnion = all.some(isUnion);
  const place: Annotations = {
    secret: marked.some((mark) => mark.secret),
    restartRequired,
    hot: marked.some((mark) => mark.hot),
    advice: marked.flatMap((mark) => mark.advice),
    mayHoldSecret: marked.some((mark) => mark.holdsSecret),
    mayNeedRestart: restartRequired || belowMarked.some((mark) => mark.holdsRestart),
    child: (step) => {
      // Parts that no entry names share one place, so that a long list does not grow the cache.
      const key = String(step);
      const cacheKey = all.some((node) => node.entries.has(key)) ? `entry ${key}` : "each";
      if (!children.has(cacheKey)) children.set(cacheKey, placeOf(partsAt(all, key), marks));
      return children.get(cacheKey);
    },
    fitting: (value) => {
      if (!hasUnion) return place;
      const fitting = closureFitting(nodes, value);
      if (fitting.length === all.length) return place;
      const key = fitting.map((node) => all.indexOf(node)).join();
      if (!narrowed.has(key)) narrowed.set(key, placeOfAll(fitting, fitting, marks));
      return narrowed.get(key)!;
    },
    isAmbiguous: isAmbiguous(all),
  };
  return place;
}
