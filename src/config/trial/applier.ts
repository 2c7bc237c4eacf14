import { holdfastError, isHoldfastError } from "../../core/error.ts";
import { reasonOf } from "../../core/reason.ts";
import { bounded } from "../../host/bounded.ts";
import { isOpenStore, type OpenStore } from "../../store/store.ts";
import type { ComposeParts } from "../compose.ts";
import { Confirmation } from "./confirmation.ts";
import { type BaseGeneration, generationAt, intentOf } from "./intent.ts";
import type { PendingConfirmation } from "./state.ts";
import type { Edit } from "../edit.ts";
import { newestIn } from "./newest.ts";
import { editOf, type Plan } from "../plan.ts";
import type { Snapshot } from "../reports.ts";
import type { EngineParts } from "../running.ts";
import type { ApplyOptions, HealthCheck, WriteOptions } from "../write_options.ts";
import type { WriteOutcome } from "../waiting_call.ts";

/** What an applier works with. */
export interface ApplierParts extends ComposeParts, Pick<EngineParts, "source" | "reporter"> {
  readonly timeoutMs: number;
  /** How many generations are kept. */
  readonly history: number;
  /** Aborts when the config is being closed. */
  readonly closing: AbortSignal;
  readonly submit: (edit: Edit, options: WriteOptions) => Promise<WriteOutcome>;
  readonly revert: (base: BaseGeneration, pending: PendingConfirmation) => Promise<void>;
  /** Told when what runs may count as good. */
  readonly confirmed: () => Promise<void>;
}

/** Applies plans, and takes back what is not found healthy or not confirmed in time. */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #confirmation: Confirmation | undefined;
  /** Whether nobody can tell yet what became of a commit. */
  #isOpen = false;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
    const { name, host, source: store, reporter: { warn }, revert } = parts;
    if (!isOpenStore(store)) return;
    this.#confirmation = new Confirmation({ name, host, store, warn, revert });
  }

  /** What waits to be confirmed. */
  get pending(): PendingConfirmation | undefined {
    return this.#confirmation?.pending;
  }

  async apply(plan: Plan, options: ApplyOptions<never>): Promise<WriteOutcome> {
    const { confirmWithinMs, healthCheck, actor, reason } = options;
    const { timeoutMs, submit } = this.#parts;
    const edit = editOf(this.#parts, plan);
    const how = { actor, reason, expectedGeneration: plan.ok ? plan.baseGeneration : undefined };
    const confirmation = this.#confirmation;
    const isTrial = confirmWithinMs !== undefined || healthCheck !== undefined;
    if (!isTrial || confirmation === undefined) return await submit(edit, how);
    const withinMs = confirmWithinMs ?? timeoutMs;
    if (healthCheck !== undefined && typeof healthCheck !== "function") throw noCheck(healthCheck);
    this.#assertKept();
    if (this.#isOpen) await this.#settle(confirmation);
    const outcome = await submit({
      ...edit,
      alone: {
        ...edit.alone,
        pledge: {
          begin: (base, document) => confirmation.begin(base, document, withinMs),
          arm: (generation) => confirmation.arm(generation),
          drop: () => confirmation.drop(),
        },
      },
    }, how).catch(async (error: unknown) => {
      if (isHoldfastError(error, "COMMIT_UNKNOWN")) await this.#settle(confirmation);
      throw error;
    });
    // Where nothing changed, nothing waits.
    const { generation } = outcome.snapshot;
    if (this.pending?.generation !== generation) return outcome;
    if (healthCheck !== undefined) await this.#judge(healthCheck, outcome.snapshot, withinMs);
    const isDone = confirmWithinMs !== undefined || await confirmation.isConfirmed(generation);
    if (!isDone) await this.confirm();
    return outcome;
  }

  async confirm(): Promise<number> {
    const { name, confirmed } = this.#parts;
    if (this.#confirmation === undefined) {
      throw holdfastError(
        "NOT_FOUND",
        `Cannot confirm ${name}: found a source that can only be read; there is nothing to confirm`,
        { source: name },
      );
    }
    const generation = await this.#confirmation.confirm();
    await confirmed();
    return generation;
  }

  /**
   * Keeps what may have to come back from being deleted.
   *
   * @throws `CONFLICT`
   */
  async assertNotNeeded(before: number): Promise<void> {
    const { name, source } = this.#parts;
    const pending = this.pending ?? (isOpenStore(source) ? await pendingIn(source) : undefined);
    if (pending !== undefined && before > pending.base) throw needed(name, pending);
  }

  /** A newer generation runs. */
  superseded(by: number): void {
    const confirmation = this.#confirmation;
    if (confirmation === undefined) return;
    void (this.#isOpen ? this.#settle(confirmation) : confirmation.superseded(by));
  }

  async close(): Promise<void> {
    await this.#confirmation?.close();
  }

  /** Finds out whether what was to be applied is stored. */
  async #settle(confirmation: Confirmation): Promise<void> {
    try {
      await confirmation.settle(await newestIn(this.#parts.source as OpenStore));
      this.#isOpen = false;
    } catch {
      // What cannot be told now can be later.
      this.#isOpen = true;
    }
  }

  async #judge(
    check: HealthCheck<never>,
    snapshot: Snapshot<unknown>,
    timeoutMs: number,
  ): Promise<void> {
    const { host, name, closing, pipeline } = this.#parts;
    const { generation } = snapshot;
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, closing]);
    const checked = (async () => await check(snapshot as Snapshot<never>, { signal }))();
    try {
      const answer = await bounded(
        host,
        `check generation ${generation} of ${name}`,
        timeoutMs,
        checked,
      );
      if (answer !== false) return;
      throw new Error("it gave false");
    } catch (cause) {
      const found = reasonOf(cause, [snapshot.value], pipeline.annotations);
      const fate = await this.#confirmation!.fail(`its health check failed: ${found}`);
      const now = fate === "reverted"
        ? "what was there before is back"
        : "see status() for what runs";
      throw holdfastError(
        "RELOAD_REFUSED",
        `Cannot apply generation ${generation} to ${name}: found that its health check failed: ${found}; ${now}`,
        { module: "health check" },
        cause,
      );
    } finally {
      ending.abort();
    }
  }

  /** Whoever takes something back needs what was there before. */
  #assertKept(): void {
    const { history, name } = this.#parts;
    if (history > 1) return;
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot apply to ${name} on trial: found a history of 1, in which what was there before is not kept; keep at least 2`,
      { what: "trial without a history" },
    );
  }
}

type Needing = Pick<PendingConfirmation, "generation" | "base">;

/** What another process applied, and waits to be confirmed there. */
async function pendingIn(store: OpenStore): Promise<Needing | undefined> {
  const kept = await store.readIntent();
  const intent = kept === undefined ? undefined : intentOf(kept);
  if (intent === undefined) return undefined;
  const [newest] = await store.generations();
  const generation = generationAt(intent);
  // One that was written over waits for nobody.
  return newest === generation ? { generation, base: intent.base } : undefined;
}

function noCheck(given: unknown): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot apply a plan: found ${typeof given} as its health check; give a function`,
    { what: "health check" },
  );
}

function needed(name: string, { base, generation }: Needing): Error {
  return holdfastError(
    "CONFLICT",
    `Cannot purge ${name}: found that generation ${generation} waits to be confirmed, and ${base} may have to come back; confirm it first`,
    { expected: base, current: generation },
  );
}
