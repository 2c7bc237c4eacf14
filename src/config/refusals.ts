import { type HoldfastError, isHoldfastError } from "../core/error.ts";
import { reloadRetryMs, reloadRetryMsMax } from "../core/limits.ts";
import type { Loaded } from "../source/source.ts";
import { audit } from "./audit.ts";
import { changeSetOf } from "./change_set.ts";
import { isSameRefusal, type Refusal, refusalOf, refusedContent } from "./refusal.ts";
import type { Snapshot } from "./reports.ts";
import { type EngineParts, external } from "./running.ts";

/** What is turned down, as long as it is: told once, and tried again where that may help. */
export class Refusals {
  readonly #parts: EngineParts;
  #current: Refusal | undefined;
  #attempts = 0;
  #retryAtMs = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get current(): Refusal | undefined {
    return this.#current;
  }

  /** Nothing is turned down any more, or something else is. */
  replace(refusal: Refusal | undefined): void {
    this.#current = refusal;
  }

  /**
   * Notes and tells why something is turned down.
   *
   * @param isAdopted whether the store has taken it for what runs
   */
  refuse(
    thrown: unknown,
    loaded: Loaded | undefined,
    running: Snapshot<unknown>,
    isAdopted: boolean,
  ): HoldfastError {
    const before = this.#current;
    const { name, reporter, host } = this.#parts;
    const wasAdopted = before?.isAdopted === true && isSame(before.loaded, loaded);
    const refusal = refusalOf(thrown, name, loaded, isAdopted || wasAdopted);
    const isTold = isSameRefusal(before, refusal);
    // One that is only remembered was no attempt.
    if (thrown !== before?.error) this.#putOff(isTold);
    this.#current = refusal;
    if (isTold) return refusal.error;
    reporter.warn(`${refusal.error.message}; the last good configuration stays`);
    const loadedAt = new Date(host.now()).toISOString();
    const turnedDown = { ...running, hash: loaded?.hash ?? "", loadedAt };
    const changeSet = changeSetOf(name, running, turnedDown, [], external);
    audit(this.#parts, "refused", changeSet, refusal.problems);
    return refusal.error;
  }

  /**
   * Why this very content was turned down, and would be again: what failed for a passing reason may succeed now.
   *
   * @param loaded undefined for what runs, which a part of the program may not have
   */
  known(loaded: Loaded | undefined): HoldfastError | undefined {
    const { error, loaded: refused } = this.#current ?? {};
    const isOfReload = isHoldfastError(error, "RELOAD_REFUSED");
    const isKnown = loaded === undefined
      ? isOfReload && refused === undefined
      : isSame(refusedContent(this.#current), loaded);
    const isDue = isOfReload && this.#parts.host.monotonic() >= this.#retryAtMs;
    return isKnown && !isDue ? error : undefined;
  }

  /** A reload that fails may cost a restart of everything each time. */
  #putOff(isAgain: boolean): void {
    this.#attempts = isAgain ? this.#attempts + 1 : 0;
    const waitMs = Math.min(reloadRetryMs * 2 ** this.#attempts, reloadRetryMsMax);
    this.#retryAtMs = this.#parts.host.monotonic() + waitMs;
  }
}

function isSame(one: Loaded | undefined, other: Loaded | undefined): boolean {
  return one !== undefined && one.hash === other?.hash && one.generation === other.generation;
}
