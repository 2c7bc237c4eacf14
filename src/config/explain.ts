import { type Annotations, annotationsAt, cutAtSecret } from "../core/annotation.ts";
import { type Json, valueAt } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import { redact, redacted } from "../core/redact.ts";
import type { Given, Place } from "../source/source.ts";
import type { Running } from "./running.ts";

/** Why a value is what it is. */
export interface Explanation {
  /** What was asked for, from the root of the value. */
  readonly path: Path;
  /** What runs, redacted; undefined where there is nothing. */
  readonly value: unknown;
  /** Where it was written; undefined where no source says it, so that it is a default of the schema, or there is nothing. */
  readonly from: Place | undefined;
  /** What other sources say, which does not count, the strongest first; redacted. */
  readonly overridden: readonly Explained[];
}

/** What one source says. */
export interface Explained {
  /** As it stands there, redacted. */
  readonly value: unknown;
  /** Where it stands. */
  readonly from: Place;
}

/** Tells where the value at a path comes from. */
export function explain(
  { loaded, snapshot }: Running,
  annotations: Annotations | undefined,
  path: Path,
): Explanation {
  const isInSecret = cutAtSecret(annotations, path).length < path.length;
  const show = (value: unknown) => {
    return isInSecret ? redacted : redact(value, annotationsAt(annotations, path));
  };
  const [winner, ...others] = loaded.given?.(path) ?? givenBy(loaded, path);
  return {
    path,
    value: show(valueAt(snapshot.value, path)),
    from: winner?.place,
    overridden: others.map(({ value, place }) => ({ value: show(value), from: place })),
  };
}

function givenBy({ document, locate }: Running["loaded"], path: Path): readonly Given[] {
  const value = document === undefined ? undefined : valueAt(document, path);
  return value === undefined ? [] : [{ value: value as Json, place: locate([path])[0]! }];
}
