import { cutAtSecret } from "../core/annotation.ts";
import type { Cause } from "../core/cause.ts";
import type { Problem } from "../core/error.ts";
import { describePath } from "../core/pointer.ts";
import type { Loaded } from "../source/source.ts";
import { audit } from "./audit.ts";
import { changeSetOf } from "./change_set.ts";
import { type Candidate, describeProblem } from "./pipeline.ts";
import type { Reconfiguration, Step } from "./reconfigurer.ts";
import type { Refusals } from "./refusals.ts";
import { Reloads } from "./reloads.ts";
import type { ChangeSet, Snapshot } from "./reports.ts";
import {
  type EngineParts,
  newlyPending,
  prepare,
  type Prepared,
  type Running,
  snapshotOf,
} from "./running.ts";

/** What runs, and how something else comes to run: the parts of the program first, and with the last of them the value. */
export class RunningValue {
  readonly reloads: Reloads;
  readonly #parts: EngineParts;
  readonly #refusals: Refusals;
  #current: Running | undefined;

  constructor(parts: EngineParts, refusals: Refusals) {
    this.#parts = parts;
    this.#refusals = refusals;
    this.reloads = new Reloads(parts.pipeline.annotations);
  }

  /** Undefined before the first load. */
  get current(): Running | undefined {
    return this.#current;
  }

  /** Works a candidate out against what runs. */
  async prepare(candidate: Candidate): Promise<Prepared> {
    return await prepare(this.#current, candidate, this.#parts.pipeline);
  }

  /** What would change, from what runs to what was prepared. */
  stepTo(prepared: Prepared, loaded: Loaded): Step {
    const running = this.#assertStarted();
    const previous = running.snapshot;
    const next = snapshotOf(this.#parts, loaded, prepared, previous);
    const pending = newlyPending(running, prepared.pending);
    return { previous, next, changes: prepared.valueChanges, pending };
  }

  /** Asks the parts of the program; at the first load there are none yet. */
  async ready(prepared: Prepared, loaded: Loaded): Promise<Reconfiguration> {
    return await this.reloads.prepare(
      this.#current === undefined ? undefined : this.stepTo(prepared, loaded),
    );
  }

  /** Brings every part of the program to what was prepared, and makes it the running value. */
  async carryOut(
    ready: Reconfiguration,
    loaded: Loaded,
    prepared: Prepared,
    cause: Cause,
  ): Promise<ChangeSet> {
    const snapshot = snapshotOf(this.#parts, loaded, prepared, this.#current?.snapshot);
    let changeSet: ChangeSet | undefined;
    await ready.carryOut(snapshot, () => {
      changeSet = this.#apply(loaded, prepared, cause, snapshot);
    });
    if (changeSet === undefined) throw new Error("the reconfiguration ended without a new value");
    return changeSet;
  }

  /**
   * What runs is stored under another generation now.
   *
   * @param problem why, for the status
   */
  restate(loaded: Loaded, cause: Cause, problem: Problem): void {
    const running = this.#assertStarted();
    const { snapshot: { value }, document, input, warnings, pendingRestart: pending } = running;
    const same = { value, document, input, changes: [], valueChanges: [], warnings, pending };
    this.#apply(loaded, same, cause, snapshotOf(this.#parts, loaded, same, running.snapshot));
    this.#current = { ...this.#assertStarted(), warnings: [...warnings, problem] };
  }

  /**
   * Has the parts of the program that may not have what runs take it over once more.
   *
   * @throws `RELOAD_REFUSED`
   */
  async settle(): Promise<void> {
    const { snapshot } = this.#assertStarted();
    const step = { previous: snapshot, next: snapshot, changes: [], pending: [] };
    const ready = await this.reloads.prepare(step);
    await ready.carryOut(snapshot, () => {
      const running = this.#assertStarted();
      const warnings = running.warnings.filter(({ severity }) => severity === "warning");
      this.#current = { ...running, warnings };
    });
  }

  /** What is known of where it was loaded from has changed. */
  warnOf(warnings: Loaded["warnings"]): void {
    const running = this.#assertStarted();
    for (const message of warnings) this.#parts.reporter.warnOnce(message);
    this.#current = { ...running, loaded: { ...running.loaded, warnings } };
  }

  #assertStarted(): Running {
    if (this.#current === undefined) throw new Error("the engine has not started");
    return this.#current;
  }

  /** Makes what was prepared the running value. */
  #apply(
    loaded: Loaded,
    prepared: Prepared,
    cause: Cause,
    snapshot: Snapshot<unknown>,
  ): ChangeSet {
    const { name, pipeline, reporter, publish } = this.#parts;
    const { document, input, warnings, pending } = prepared;
    const news = newlyPending(this.#current, pending);
    const before = this.#current?.snapshot;
    const changeSet = changeSetOf(name, before, snapshot, prepared.changes, cause);
    this.#current = { loaded, document, input, snapshot, warnings, pendingRestart: pending };
    this.#refusals.replace(undefined);
    publish(snapshot, changeSetOf(name, before, snapshot, prepared.valueChanges, cause));
    for (const message of loaded.warnings) reporter.warnOnce(message);
    for (const problem of warnings) reporter.warnOnce(`${name}, ${describeProblem(problem, name)}`);
    for (const { path } of news) {
      const told = cutAtSecret(pipeline.annotations, path);
      reporter.warn(`${describePath(told)} of ${name} changes only with a restart`);
    }
    const isChange = before !== undefined || cause.origin === "seed";
    if (isChange) audit(this.#parts, "applied", changeSet, []);
    return changeSet;
  }
}
