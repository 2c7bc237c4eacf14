import type { Annotations } from "./annotation.ts";
import { hideSecrets } from "./redact.ts";

/**
 * What somebody threw, in words of a message. It may be anything, even something that throws when it is looked at.
 *
 * @param values those that it may quote secrets of
 */
export function reasonOf(
  cause: unknown,
  values: readonly unknown[],
  annotations: Annotations | undefined,
): string {
  return hideSecrets(textOf(cause), values, annotations);
}

function textOf(cause: unknown): string {
  try {
    if (cause instanceof Error) return String(cause.message) || String(cause.name);
    return typeof cause === "string" ? cause : `it threw ${cause === null ? "null" : typeof cause}`;
  } catch {
    return "it threw something that has no text";
  }
}
