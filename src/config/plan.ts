import type { Change } from "../core/change.ts";
import { isPlainObject, type Json } from "../core/document.ts";
import { type HoldfastError, holdfastError, isHoldfastError, type Problem } from "../core/error.ts";
import type { PlannedAction } from "../core/plan.ts";
import { freeze } from "../core/snapshot.ts";
import { hashOf } from "../host/hash.ts";
import { compose, type ComposeParts } from "./compose.ts";
import type { Edit } from "./edit.ts";
import { merge } from "./edits.ts";
import { hiddenProblems } from "./hidden.ts";
import { refusalOf } from "./refusal.ts";
import { notStored, type Prepared } from "./running.ts";

/**
 * What a change would come to. Bound to what it was worked out from: `apply` makes exactly it, or is a `CONFLICT`. Plain data,
 * which may go through JSON; secrets are in the clear in its patch and changes.
 */
export interface AcceptedPlan {
  /** It can be applied. */
  readonly ok: true;
  /** The generation that it was worked out from. */
  readonly baseGeneration: number;
  /** The JSON Merge Patch, as it was given. */
  readonly patch: Json;
  /** What it would change in the document. */
  readonly changes: readonly Change[];
  /** What that comes to in the running program. Values are not among it. */
  readonly actions: readonly PlannedAction[];
  /** What to be aware of: warnings of the schema, and parts of it that a later layer hides. */
  readonly problems: readonly Problem[];
  /** `sha256:` and hexadecimal over all of this and what it was worked out from. */
  readonly digest: string;
}

/** A change that would be turned down. */
export interface RefusedPlan {
  /** It cannot be applied. */
  readonly ok: false;
  /** Why. */
  readonly problems: readonly Problem[];
}

/** The answer of a dry run. */
export type Plan = AcceptedPlan | RefusedPlan;

/** Works out what a patch would come to. Nothing is stored, and no part of the program is asked. */
export async function planPatch(parts: ComposeParts, given: unknown): Promise<Plan> {
  try {
    const edit = merge(given);
    const patch = freeze(given as Json);
    let refusal: unknown;
    const composed = await compose(
      parts,
      [{ edit, actor: undefined, reason: undefined }],
      (_, error) => {
        refusal = error;
      },
    );
    if (composed === undefined) throw refusal;
    return Object.freeze(outlined(parts, patch, composed.prepared));
  } catch (error) {
    if (!isHoldfastError(error) || !isOfChange(error)) throw error;
    return Object.freeze({ ok: false, problems: refusalOf(error, parts.name, undefined).problems });
  }
}

/**
 * The write of a plan.
 *
 * @throws `INVALID` for one that was refused, `UNSUPPORTED` for what is no plan
 */
export function editOf(parts: ComposeParts, plan: Plan): Edit & { alone: object } {
  if (!isPlan(plan)) throw noPlan(parts);
  if (!plan.ok) {
    const message =
      `Cannot apply the plan of ${parts.name}: found that it was refused; mend the change`;
    throw holdfastError("INVALID", message, { problems: plan.problems });
  }
  const check = (prepared: Prepared) => {
    if (outlined(parts, plan.patch, prepared).digest !== plan.digest) throw outgrown(parts, plan);
  };
  return { ...merge(plan.patch), alone: { origin: "commit", check } };
}

function outlined(
  { name, engine, host, pipeline: { annotations } }: ComposeParts,
  patch: Json,
  prepared: Prepared,
): AcceptedPlan {
  const { loaded } = engine.running;
  const { changes, warnings } = prepared;
  const { reloads } = engine.value;
  const actions = freeze(reloads.plan(engine.value.stepTo(prepared, notStored(loaded))));
  const hidden = hiddenProblems(loaded, changes, annotations);
  const problems = freeze([...warnings, ...hidden]);
  const bound = [name, loaded.generation, loaded.hash, patch, changes, actions, problems];
  const digest = hashOf(host, new TextEncoder().encode(JSON.stringify(bound)));
  return {
    ok: true,
    baseGeneration: loaded.generation,
    patch,
    changes,
    actions,
    problems,
    digest,
  };
}

/** Whether somebody brings what `plan` gave, be it by way of JSON. */
function isPlan(given: unknown): given is Plan {
  if (!isPlainObject(given)) return false;
  if (given["ok"] === false) return Array.isArray(given["problems"]);
  return given["ok"] === true && typeof given["digest"] === "string" && "patch" in given &&
    Number.isInteger(given["baseGeneration"]);
}

function noPlan({ name }: ComposeParts): HoldfastError {
  const message =
    `Cannot apply to ${name}: found something that is no plan; give what plan() resolves to`;
  return holdfastError("UNSUPPORTED", message, { what: "plan" });
}

/** Whether it is the change that is at fault, and not the place it goes to. */
function isOfChange({ code }: HoldfastError): boolean {
  return code === "INVALID" || code === "UNSUPPORTED" || code === "RELOAD_REFUSED" ||
    code === "TOO_LARGE" || code === "UNSUPPORTED_VERSION" || code === "MIGRATION" ||
    code === "CYCLE";
}

function outgrown({ name }: ComposeParts, { baseGeneration }: AcceptedPlan): HoldfastError {
  return holdfastError(
    "CONFLICT",
    `Cannot apply the plan of ${name}: found that it would come to something else by now; plan anew`,
    { expected: baseGeneration, current: baseGeneration },
  );
}
