import { type Annotations, annotationsAt, cutAtSecret } from "./annotation.ts";
import type { Call } from "./cause.ts";
import type { Change } from "./change.ts";
import { isPlainObject, type Json, valueAt } from "./document.ts";
import { holdfastError, type PathStep } from "./error.ts";
import { hiddenTextMin } from "./limits.ts";
import { describePath, formatPointer } from "./pointer.ts";

/** What stands for a secret where a value is shown. Written back, it means: keep what is there. */
export const redacted: { readonly $secret: "unchanged" } = Object.freeze({ $secret: "unchanged" });

/**
 * Puts the placeholder for every secret in a value or document.
 *
 * @returns the very same value when there is no secret in it
 */
export function redact<T>(value: T, annotations: Annotations | undefined): T {
  if (annotations === undefined || value === undefined || !annotations.mayHoldSecret) return value;
  if (annotations.secret) return redacted as T;
  if (Array.isArray(value)) {
    return value.map((item, index) => redact(item, annotations.child(index))) as T;
  }
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, redact(part, annotations.child(key))]),
  ) as T;
}

/**
 * Puts the placeholder for every secret in a list of changes. A changed secret only says that it changed, and what changed
 * inside of it is not told.
 */
export function redactChanges(
  changes: readonly Change[],
  annotations: Annotations | undefined,
): readonly Change[] {
  if (annotations?.mayHoldSecret !== true) return changes;
  const told = new Set<string>();
  return changes.flatMap((change): Change[] => {
    const path = cutAtSecret(annotations, change.path);
    if (path.length < change.path.length) {
      const pointer = formatPointer(path);
      if (told.has(pointer)) return [];
      told.add(pointer);
      return [{ path, kind: "changed", before: redacted, after: redacted }];
    }
    const place = annotationsAt(annotations, path);
    const { kind } = change;
    if (kind === "added") return [{ path, kind, after: redact(change.after, place) }];
    if (kind === "removed") return [{ path, kind, before: redact(change.before, place) }];
    const before = redact(change.before, place);
    return [{ path, kind, before, after: redact(change.after, place) }];
  });
}

/** Puts the placeholder for everything that a change replaced, where it is not known what of that was secret. */
export function redactBefore(changes: readonly Change[]): readonly Change[] {
  return changes.map((change) =>
    change.kind === "added" ? change : { ...change, before: redacted }
  );
}

/** Leaves out of a list of calls which places inside of a secret they changed. */
export function redactCalls(
  calls: readonly Call[],
  annotations: Annotations | undefined,
): readonly Call[] {
  return calls.map((call) => redactCall(call, annotations));
}

/** Leaves out of the places that a call changed what lies below secrets. */
export function redactCall(call: Call, annotations: Annotations | undefined): Call {
  if (annotations?.mayHoldSecret !== true) return call;
  const told = new Map<string, Call["changes"][number]>();
  for (const change of call.changes) {
    const path = cutAtSecret(annotations, change.path);
    const isCut = path.length < change.path.length;
    told.set(formatPointer(path), isCut ? { path, kind: "changed" } : change);
  }
  return { ...call, changes: [...told.values()] };
}

/** Says only that something changed, where it is not known what of it was secret. */
export function hideChanges(changes: readonly Change[]): readonly Change[] {
  return changes.length === 0
    ? []
    : [{ path: [], kind: "changed", before: redacted, after: redacted }];
}

/**
 * Puts what is there in place of every placeholder that a caller wrote back.
 *
 * @param next the document to be stored
 * @param current the document that the placeholders refer to; parts it shares with `next` hold none
 * @throws `INVALID` where the current document holds nothing
 */
export function keepSecrets(next: Json, current: Json | undefined): Json {
  return keep(next, current, []) as Json;
}

function keep(next: unknown, current: unknown, path: PathStep[]): unknown {
  if (next === current || typeof next !== "object" || next === null) return next;
  if (isPlaceholder(next)) {
    if (current !== undefined) return current;
    const message = `Cannot keep the secret at ${
      describePath(path)
    }: found nothing there; write the secret itself`;
    throw holdfastError("INVALID", message, {
      problems: [{ path: [...path], message, severity: "error" }],
    });
  }
  // Where elements came or went, an index tells no longer which secret is meant.
  const counterparts = !Array.isArray(next) || !Array.isArray(current) ||
    next.length === current.length;
  let result: Record<PathStep, unknown> | undefined;
  for (const step of Array.isArray(next) ? next.keys() : Object.keys(next)) {
    const part = (next as Record<PathStep, unknown>)[step];
    path.push(step);
    const kept = keep(part, counterparts ? valueAt(current, [step]) : undefined, path);
    path.pop();
    if (kept === part) continue;
    result ??= (Array.isArray(next) ? [...next] : { ...next }) as Record<PathStep, unknown>;
    result[step] = kept;
  }
  return result ?? next;
}

/** Tells whether a placeholder stands anywhere in a document. */
export function holdsPlaceholder(document: unknown): boolean {
  if (typeof document !== "object" || document === null) return false;
  if (Array.isArray(document)) return document.some(holdsPlaceholder);
  // Without a list of the values: every document that is written passes here.
  for (const key in document) {
    if (key === "$secret" && isPlaceholder(document)) return true;
    if (holdsPlaceholder((document as Record<string, unknown>)[key])) return true;
  }
  return false;
}

function isPlaceholder(value: object): boolean {
  return "$secret" in value && value.$secret === redacted.$secret &&
    Object.keys(value).length === 1;
}

/** Takes the secrets of some values out of a text, in which a URL or JSON may have written them in its own way. */
export function hideSecrets(
  text: string,
  values: readonly unknown[],
  annotations: Annotations | undefined,
): string {
  if (annotations?.mayHoldSecret !== true) return text;
  const secrets = values.flatMap((value) => secretTexts(value, annotations));
  const written = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ]);
  // One may be the beginning of another.
  return written
    .toSorted((one, other) => other.length - one.length)
    .reduce((told, secret) => told.replaceAll(secret, "[secret]"), text);
}

function secretTexts(
  value: unknown,
  annotations: Annotations | undefined,
  isWithin = false,
): string[] {
  const isSecret = isWithin || annotations?.secret === true;
  if (!isSecret && annotations?.mayHoldSecret !== true) return [];
  if (typeof value !== "object" || value === null) {
    const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
    // What is shorter stands in any text, and would hide nothing.
    return isSecret && text.length >= hiddenTextMin ? [text] : [];
  }
  return Object.entries(value).flatMap(([key, part]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    const below = secretTexts(part, annotations?.child(step), isSecret);
    // The keys inside of a secret are secret as well.
    return isSecret && typeof step === "string" && step.length >= hiddenTextMin
      ? [step, ...below]
      : below;
  });
}
