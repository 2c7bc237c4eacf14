import type { BaseMetadata } from "valibot";
import type { ArrayMerge } from "./layer.ts";

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
 * Marks a value, in a valibot pipe, that a running process cannot change: after an edit the running value stays,
 * `status().pendingRestart` lists both, and the rest of the same edit applies. With the old value back, nothing is pending.
 *
 * A part that comes anew, such as an entry of a record, brings marked values with it, since nothing runs with those yet. A
 * part that goes, or turns into another option of a union, stays as a whole when it has any. So does an array: which of its
 * elements is which, nobody knows after an edit.
 *
 * What the program reads is always a value that the schema gives. Where a rule refuses the running value beside the rest of
 * an edit, the part that the rule is about waits as a whole, up to the entire edit, and `status().problems` says why.
 *
 * @example
 * ```ts
 * import { restartRequired } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ port: v.pipe(v.number(), restartRequired()), rate: v.number() });
 * ```
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
