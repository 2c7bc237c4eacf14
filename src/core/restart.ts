import type { Annotations } from "./annotation.ts";
import { isPlainObject } from "./document.ts";
import type { Path, PathStep } from "./error.ts";
import { diff } from "./diff.ts";

/** A value that waits for a restart. */
export interface PendingRestart {
  /** Where in the value. */
  readonly path: Path;
  /** What the process runs with. */
  readonly running: unknown;
  /** What is stored, and will count after a restart. */
  readonly stored: unknown;
}

/** A value whose restart-required parts are those of the running one. */
export interface Held {
  readonly value: unknown;
  readonly pending: readonly PendingRestart[];
}

/**
 * Keeps the running value wherever the schema says that only a restart changes it.
 *
 * @param running the value the process runs with
 * @param next the value that is stored now; left as it is
 */
export function holdForRestart(
  running: unknown,
  next: unknown,
  annotations: Annotations | undefined,
): Held {
  const pending: PendingRestart[] = [];
  return { value: hold(running, next, annotations, [], pending), pending };
}

function hold(
  running: unknown,
  next: unknown,
  place: Annotations | undefined,
  path: PathStep[],
  pending: PendingRestart[],
): unknown {
  if (place === undefined || running === next) return next;
  // The elements of an array have no names: which of them is which, nobody knows after an edit.
  const arrays = Array.isArray(running) && Array.isArray(next);
  if (place.restartRequired || (arrays && place.mayNeedRestart)) {
    if (diff(running, next).length === 0) return next;
    pending.push({ path: [...path], running, stored: next });
    return running;
  }
  if (!isPlainObject(running) || !isPlainObject(next)) {
    const isTakenAway = place.mayNeedRestart && typeof running === "object" && running !== null;
    if (!isTakenAway) return next;
    pending.push({ path: [...path], running, stored: next });
    return running;
  }
  const result = { ...next };
  for (const step of new Set([...Object.keys(running), ...Object.keys(next)])) {
    const child = place.child(step);
    if (child === undefined) continue;
    path.push(step);
    const held = hold(running[step], next[step], child, path, pending);
    path.pop();
    if (held !== undefined) result[step] = held;
    else if (!Object.hasOwn(running, step)) delete result[step];
  }
  return result;
}
