import type { Change } from "./change.ts";
import type { Path } from "./error.ts";
import { callChangesMax } from "./limits.ts";

/** Why there is a new generation. */
export type Origin = "commit" | "external" | "rollback" | "migration" | "seed";

/** One of the calls that share a generation. */
export interface Call {
  /** Who made it. */
  readonly actor?: string;
  /** Why. */
  readonly reason?: string;
  /** The places that it changed, without values; the first hundred of them. */
  readonly changes: readonly ChangedPlace[];
  /** How many more places it changed. */
  readonly more?: number;
}

/** A place that changed, and how. */
export interface ChangedPlace {
  /** From the root of the document. */
  readonly path: Path;
  /** What happened there. */
  readonly kind: Change["kind"];
}

/** Why a document changed, and at whose request. */
export interface Cause {
  /** Why there is a new generation. */
  readonly origin: Origin;
  /** Empty where nobody called: an edit from outside, a seed, a migration. */
  readonly calls: readonly Call[];
}

/** Describes a call by what it changed. Values are left out: a record outlives secrets that its text replaced. */
export function callOf(
  changes: readonly Change[],
  actor: string | undefined,
  reason: string | undefined,
): Call {
  const more = changes.length - callChangesMax;
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
    changes: changes.slice(0, callChangesMax).map(({ path, kind }) => ({ path, kind })),
    ...(more > 0 ? { more } : {}),
  };
}

/**
 * What several generations in a row say together. A caller must not be blamed for what a person did, or for what nothing is
 * known of any more: then nobody is named.
 *
 * @param count how many generations there were; of some, nothing may be known
 */
export function joinCauses(causes: readonly (Cause | undefined)[], count: number): Cause {
  const isExternal = causes.some((cause) => cause?.origin === "external");
  const areNamed = causes.length === count &&
    causes.every((cause) => (cause?.calls.length ?? 0) > 0);
  return {
    origin: isExternal ? "external" : causes.at(-1)?.origin ?? "external",
    calls: areNamed ? causes.flatMap((cause) => cause?.calls ?? []) : [],
  };
}

/** Who made the calls, separated by commas, and why, separated by semicolons; each said once. */
export function namedIn(calls: readonly Call[]): { actor?: string; reason?: string } {
  const actor = joined(calls.map((call) => call.actor), ", ");
  const reason = joined(calls.map((call) => call.reason), "; ");
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function joined(texts: readonly (string | undefined)[], separator: string): string | undefined {
  const given = new Set(texts.filter((text) => text !== undefined));
  return given.size === 0 ? undefined : [...given].join(separator);
}
