import { holdfastError } from "../core/error.ts";
import type { FullReloadReason } from "../core/plan.ts";
import { describePath } from "../core/pointer.ts";

// Enough to see what is meant.
const pathsTold = 5;

/** The error for a change that a module does not agree to. */
export function refusedBy(name: string, module: string, reason: string, cause: unknown): Error {
  return holdfastError(
    "RELOAD_REFUSED",
    `Cannot reload ${name}: found that module ${JSON.stringify(module)} refuses it ` +
      `(${reason}); nothing was changed: store what it can take, or mend the module`,
    { module },
    cause,
  );
}

/** What failed in the middle of a change. */
export interface FailedPart {
  readonly module?: string;
  /** In words. */
  readonly what: string;
  /** Why, in words. */
  readonly reason: string;
  readonly cause: unknown;
}

/**
 * The error for a change that failed midway.
 *
 * @param outcome how the program is now, in words
 * @param isUndone whether that is as it was before
 */
export function failedIn(
  name: string,
  { module, what, reason, cause }: FailedPart,
  outcome: string,
  isUndone: boolean,
): Error {
  return holdfastError(
    "RELOAD_REFUSED",
    `Cannot reload ${name}: found that ${what} failed (${reason}); ${outcome}`,
    {
      ...(module === undefined ? {} : { module }),
      ...(isUndone ? {} : { isUndone: false as const }),
    },
    cause,
  );
}

/** The error for modules that cannot be used. */
export function unusable(name: string, fault: string, cause?: unknown, module?: string): Error {
  return holdfastError(
    "RELOAD_REFUSED",
    `Cannot reload ${name}: the modules cannot be used: ${fault}`,
    module === undefined ? {} : { module },
    cause,
  );
}

/** The error for a change that needs the program built anew, where nobody can. */
export function nobodyBuilds(name: string, reasons: readonly FullReloadReason[]): Error {
  const module = reasons.find((reason) => reason.module !== undefined)?.module;
  return holdfastError(
    "RELOAD_REFUSED",
    `Cannot reload ${name}: found ${
      reasons.map(describeReason).join(", and ")
    }, which only a full ` +
      "reload could follow; give the reloader a module that selects and reconfigures it, mark it " +
      "hot() in the schema, or give the reloader a fullReload",
    module === undefined ? {} : { module },
  );
}

function describeReason({ why, module, paths }: FullReloadReason): string {
  const where = paths.slice(0, pathsTold).map(describePath).join(", ") +
    (paths.length > pathsTold ? `, and ${paths.length - pathsTold} more` : "");
  const what = where === "" ? "" : ` (${where})`;
  const named = `module ${JSON.stringify(module)}`;
  if (why === "unclaimed") return `a change that no module selects${what}`;
  if (why === "no modules") return `a change without any module${what}`;
  if (why === "fixed") return `${named} without reconfigure, and its part changed${what}`;
  return `${named} ${why}${what}`;
}

/** Why nothing new begins any more. */
export function beingClosed(): Error {
  return new Error("the config is being closed");
}
