import type { Cause } from "../core/cause.ts";
import { type HoldfastError, holdfastError, isHoldfastError, type Problem } from "../core/error.ts";
import { conflictAttemptsMax } from "../core/limits.ts";
import { writtenIn } from "../source/layers.ts";
import type { Loaded } from "../source/source.ts";
import type { OpenStore, StoreChange } from "../store/store.ts";
import { isSameContent } from "./running.ts";

/** What was stored instead. */
export interface BroughtBack {
  readonly loaded: Loaded;
  readonly cause: Cause;
  /** What to say of it: an error where the program is not as it was. */
  readonly problem: Problem;
}

/**
 * Stores what runs once more, over what was stored and cannot run: the very way it was written where that is kept, and
 * otherwise the document.
 *
 * @param error why what is stored cannot run
 * @returns undefined where that fails: what is there then is for the next look to judge
 */
export async function bringBack(
  store: OpenStore,
  running: Loaded,
  stored: Loaded,
  error: HoldfastError,
): Promise<BroughtBack | undefined> {
  const { document, hash } = writtenIn(running);
  const failed = isHoldfastError(error, "RELOAD_REFUSED") ? error.details.module : undefined;
  const reason = `${failed ?? "the program"} failed to take over generation ${stored.generation}`;
  const cause: Cause = { origin: "rollback", calls: [{ reason, changes: [] }] };
  try {
    const isCounted = document !== undefined && running.generation > 0;
    const kept = isCounted ? await store.read(running.generation) : undefined;
    const restores = kept?.hash === hash ? kept : undefined;
    const change = { document, base: stored, refused: undefined, cause, restores };
    const loaded = await commitOver(store, change);
    return { loaded, cause, problem: problemOf(error) };
  } catch {
    return undefined;
  }
}

/** Among many writers, the turn may be lost though nobody stored anything. */
async function commitOver(store: OpenStore, change: StoreChange): Promise<Loaded> {
  const base = writtenIn(change.base);
  for (let attempt = 1;; attempt++) {
    try {
      return await store.commit(change);
    } catch (error) {
      if (!isHoldfastError(error, "CONFLICT") || attempt >= conflictAttemptsMax) throw error;
      const found = writtenIn(await store.load());
      if (!isSameContent(found, base)) throw error;
    }
  }
}

function problemOf(error: HoldfastError): Problem {
  const isHarmed = isHoldfastError(error, "RELOAD_REFUSED") && error.details.isUndone === false;
  return { path: [], message: error.message, severity: isHarmed ? "error" : "warning" };
}

/** The error for a write that cannot run and could not be taken back either. */
export function staysStored(error: HoldfastError, { generation }: Loaded): HoldfastError {
  if (!isHoldfastError(error, "RELOAD_REFUSED")) return error;
  return holdfastError(
    "RELOAD_REFUSED",
    `${error.message}; what was stored before could not be stored again, and generation ${generation} stays: see status()`,
    error.details,
    error.cause,
  );
}
