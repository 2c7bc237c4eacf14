import { type Annotations, annotationsAt, annotationsOf, cutAtSecret } from "./annotation.ts";
import { copyDocument, type DeepReadonly, valueAt } from "./document.ts";
import { holdfastError, type Path, type PathStep, type Problem } from "./error.ts";
import { freeze } from "./snapshot.ts";

/**
 * A schema by the Standard Schema specification, version 1: valibot's are, and those of zod, arktype and others.
 * Annotations need valibot.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the specification asks of a schema. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a Standard Schema answers. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** Why a Standard Schema refuses. */
export interface StandardIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where; missing or empty for the whole. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema takes: the type of the document. */
export type InferInput<Schema extends StandardSchema> = NonNullable<
  Schema["~standard"]["types"]
>["input"];

/** What a schema gives: the type of the value. */
export type InferOutput<Schema extends StandardSchema> = NonNullable<
  Schema["~standard"]["types"]
>["output"];

/** The outcome of a validation. Problems of a good outcome are warnings. */
export type Validation<Output> =
  | { readonly ok: true; readonly value: Output; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Validates a document without opening a config.
 *
 * @param schema a valibot schema or any other Standard Schema that validates at once
 * @param document what to validate; left as it is
 * @returns the frozen value with its warnings, or every problem with its path
 * @throws `UNSUPPORTED` when the schema validates asynchronously, which only `openConfig` can wait for
 *
 * @example
 * ```ts
 * import { validate } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ rate: v.optional(v.number(), 1) });
 * validate(schema, {}); // { ok: true, value: { rate: 1 }, problems: [] }
 * validate(schema, { rate: "2" }); // { ok: false, problems: [{ path: ["rate"], … }] }
 * ```
 */
export function validate<Schema extends StandardSchema>(
  schema: Schema,
  document: unknown,
): Validation<DeepReadonly<InferOutput<Schema>>> {
  const validation = validateAnnotated(schema, annotationsOf(schema), document);
  if (validation instanceof Promise) {
    validation.catch(() => {});
    throw holdfastError(
      "UNSUPPORTED",
      "Cannot validate at once: found an asynchronous schema; use it with openConfig",
      { what: "asynchronous schema" },
    );
  }
  if (!validation.ok) return validation;
  return { ...validation, value: freeze(validation.value) as DeepReadonly<InferOutput<Schema>> };
}

/**
 * Validates a document and adds the warnings that the schema's annotations ask for. The value is not frozen yet.
 *
 * @param annotations of that schema
 */
export function validateAnnotated(
  schema: StandardSchema,
  annotations: Annotations | undefined,
  document: unknown,
): Validation<unknown> | Promise<Validation<unknown>> {
  const { vendor, validate } = schema["~standard"];
  // Others than valibot may write into what they are given, and the document is frozen or not ours.
  const result = validate(vendor === "valibot" ? document : copyDocument(document));
  return result instanceof Promise
    ? result.then((settled) => judge(settled, annotations, document))
    : judge(result, annotations, document);
}

function judge(
  result: StandardResult<unknown>,
  annotations: Annotations | undefined,
  document: unknown,
): Validation<unknown> {
  if (result.issues === undefined) {
    const problems: Problem[] = [];
    if (annotations !== undefined) advise(result.value, annotations, [], problems);
    return { ok: true, value: result.value, problems };
  }
  const problems = result.issues.map((issue): Problem => {
    const path = cutAtSecret(annotations, pathOf(issue));
    const received = valueAt(document, path);
    const message = !mayQuoteSecret(annotations, received, path)
      ? withoutQuote(issue.message, annotations)
      : received === undefined
      ? "is missing (its content is secret)"
      : "does not fit the schema (its content is secret)";
    return { path, message, severity: "error" };
  });
  return { ok: false, problems };
}

/** Schemas quote the strings and numbers they receive, be it a secret or what stands in place of an object of secrets. */
function mayQuoteSecret(
  annotations: Annotations | undefined,
  received: unknown,
  path: Path,
): boolean {
  const place = annotationsAt(annotations, path);
  if (place?.secret === true) return true;
  const quotable = typeof received !== "object" || received === null;
  return quotable && place?.mayHoldSecret === true;
}

/** What stands where a schema with secrets expects nothing may be a secret under a misspelt key. */
function withoutQuote(message: string, annotations: Annotations | undefined): string {
  return annotations?.mayHoldSecret === true ? message.replace(/ but received [^]*$/, "") : message;
}

function pathOf(issue: StandardIssue): Path {
  return (issue.path ?? []).map((item): PathStep => {
    const key = typeof item === "object" ? item.key : item;
    return typeof key === "symbol" ? String(key) : key;
  });
}

function advise(
  value: unknown,
  place: Annotations,
  path: PathStep[],
  problems: Problem[],
  secretAt?: Path,
): void {
  for (const { test, message } of place.advice) {
    if (value !== undefined && applies(test, value)) {
      problems.push({ path: secretAt ?? [...path], message, severity: "warning" });
    }
  }
  if (typeof value !== "object" || value === null) return;
  // The keys inside of a secret are secret as well.
  const outermost = secretAt ?? (place.secret ? [...path] : undefined);
  const steps = Array.isArray(value) ? value.keys() : Object.keys(value);
  for (const step of steps) {
    const child = place.child(step);
    if (child === undefined) continue;
    path.push(step);
    advise((value as Record<PathStep, unknown>)[step], child, path, problems, outermost);
    path.pop();
  }
}

/** A test that throws was not made for this value: that of another option of a union, say. */
function applies(test: (value: unknown) => boolean, value: unknown): boolean {
  try {
    return test(value);
  } catch {
    return false;
  }
}
