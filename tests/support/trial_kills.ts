/** Kills a process after each of the calls to the filesystem that a write makes, and looks whether all is well. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Attached, describeCall, isChange, stepThrough } from "./strace.ts";
import { assertCounted, assertSound, observe, type Report } from "./trial_observations.ts";
import { type Line, startTrialProcess, type TrialProcess } from "./trial_process.ts";
import { readLog } from "./trial_records.ts";
import { type CountedDocument, emptyDocument, fillerOf } from "./trial_writer.ts";

/** One kill. */
export interface Kill {
  /** The last call that was made, in few words. */
  readonly after: string;
  /** Whether the write was acknowledged before. */
  readonly acknowledged: boolean;
  /** Whether the write stands. */
  readonly landed: boolean;
}

export interface KillPlan {
  readonly runtime: string;
  /** An empty directory for the config. */
  readonly directory: string;
  /** Another one, for reports. */
  readonly reports: string;
  readonly history?: number;
  /** Whether a person's edit, not noticed yet, has to be adopted by the write. */
  readonly withEdit?: boolean;
  /** Whether each kill has a directory of its own, where the file was never written by a config before. */
  readonly first?: boolean;
}

/** A bound that no commit comes near, so that a commit which never ends is noticed. */
const callsMax = 400;

/**
 * Stepping through a process from outside now and then loses it: stopped for good, it says nothing about a write. Such a
 * trial is told from a write that never ends by how it goes when it is begun anew.
 */
export const stuck = "Cannot step on: the process stands still";
const stepMs = 25_000;
const endMs = 5000;

/** What no commit does without. Calls side by side come in another order each time, so that counting may miss one. */
const indispensable = ["fsync", "link", "rename"];

/** Kills one process after each call; each next process finds what was left, writes, and is killed in its second write. */
export async function killAfterEveryCall(plan: KillPlan): Promise<readonly Kill[]> {
  const trial = new KillTrial(plan);
  const waiting = new AbortController();
  const killAfter = async (call: number | string): Promise<boolean> => {
    const limit = wait(stepMs, undefined, { signal: waiting.signal, ref: false });
    const expired = limit.then(() => Promise.reject(new Error(`${stuck}, at call ${call}`)));
    expired.catch(() => {});
    return await Promise.race([trial.killAfter(call), expired]);
  };
  try {
    for (let step = 1; step < callsMax; step++) {
      if (await killAfter(step)) continue;
      for (const call of indispensable) {
        if (!trial.kills.some(({ after }) => after.startsWith(call))) await killAfter(call);
      }
      return trial.kills;
    }
  } finally {
    waiting.abort();
    await trial.end();
  }
  throw new Error(`Cannot kill after every call: found no end of them after ${callsMax}`);
}

class KillTrial {
  readonly kills: Kill[] = [];
  readonly #plan: KillPlan;
  #path: string;
  #reports: Report[] = [];
  readonly #children: TrialProcess[] = [];
  #stepping: Attached | undefined;
  #counter = 0;
  #starts = 0;
  #attempted: { readonly after: string; readonly acknowledged: boolean } | undefined;

  constructor(plan: KillPlan) {
    this.#plan = plan;
    this.#path = join(plan.directory, "config.json");
  }

  /**
   * @param stop after how many calls, or after the first of a name
   * @returns false when the write came to its end before
   */
  async killAfter(stop: number | string): Promise<boolean> {
    if (this.#plan.first) this.#beginAnew(stop);
    const child = this.#start();
    this.#judge(await child.next("opened", "failed"));
    if (!this.#plan.first) await this.#write(child);
    if (this.#plan.withEdit) this.#edit();
    const after = await this.#killInWrite(child, stop);
    const written = child.lines().filter(({ kind }) => kind === "acknowledged").length;
    this.#attempted = {
      after: after ?? "the end",
      acknowledged: written === (this.#plan.first ? 1 : 2),
    };
    if (after === undefined || this.#plan.first || typeof stop === "string") await this.#recover();
    // That was no kill.
    if (after === undefined) this.kills.pop();
    return after !== undefined;
  }

  async end(): Promise<void> {
    for (const child of this.#children) child.signal("SIGKILL");
    // The end of one that was lost in stepping is not told before who steps it lets go of it.
    this.#stepping?.kill();
    const ended = Promise.allSettled(this.#children.map((child) => child.ended));
    await Promise.race([ended, wait(endMs, undefined, { ref: false })]);
  }

  #beginAnew(stop: number | string): void {
    const directory = join(this.#plan.directory, String(stop));
    mkdirSync(directory, { mode: 0o700 });
    this.#path = join(directory, "config.json");
    writeFileSync(this.#path, JSON.stringify(emptyDocument), { mode: 0o600 });
    this.#reports = [];
    this.#counter = 0;
    this.#attempted = undefined;
  }

  #start(): TrialProcess {
    const { runtime, history = 100_000, reports } = this.#plan;
    const name = `${runtime}-${++this.#starts}`;
    const child = startTrialProcess({
      runtime,
      path: this.#path,
      mode: "step",
      options: ["--writer=w", `--history=${history}`],
      reportPath: join(reports, name),
    });
    this.#children.push(child);
    this.#reports.push({ name, lines: child.lines });
    return child;
  }

  async #write(child: TrialProcess): Promise<void> {
    child.send("write");
    const line = await child.next("acknowledged", "refused");
    assert.equal(line.kind, "acknowledged", `a further write: ${line.code} ${line.message}`);
    this.#counter += 1;
  }

  async #killInWrite(child: TrialProcess, stop: number | string): Promise<string | undefined> {
    const removed = new Set<string>();
    let calls = 0;
    let after: string | undefined;
    this.#stepping = await stepThrough(child.pid, (call) => {
      if (!call.text.includes(this.#plan.directory) || !isChange(call)) return "go on";
      const what = describeCall(call, this.#plan.directory);
      // What earlier kills left behind is removed as well, more of it each time.
      if (call.name.startsWith("unlink") && removed.has(what)) return "go on";
      removed.add(what);
      calls += 1;
      const isThere = typeof stop === "number" ? calls >= stop : what.startsWith(stop);
      if (!isThere && after === undefined) return "go on";
      after ??= what;
      return "kill";
    });
    child.send("write");
    const ending = await Promise.race([child.ended, child.finish().catch(() => child.ended)]);
    if (after === undefined) assert.equal(ending ?? 0, 0, "the write came to its end");
    else assert.equal(ending, "SIGKILL");
    return after;
  }

  /** What the next process found after a kill. */
  #judge(opened: Line): void {
    const where = `after ${this.#attempted?.after ?? "nothing"}`;
    assert.equal(opened.kind, "opened", `${where}: ${opened.code} ${opened.message}`);
    const counter = opened.counter ?? -1;
    if (this.#attempted !== undefined) {
      const { acknowledged } = this.#attempted;
      const made = counter - this.#counter;
      assert.ok(made === 1 || (made === 0 && !acknowledged), `${where}: ${made} increments more`);
      this.kills.push({ ...this.#attempted, landed: made === 1 });
    }
    this.#counter = counter;
    const { publishedHash, records, strangers } = readLog(this.#path);
    assert.equal(publishedHash, opened.hash, `${where}: the file is what was opened`);
    if (records.length > 0) {
      const newest = records.at(-1);
      assert.deepEqual(
        [newest?.generation, newest?.hash],
        [opened.generation, opened.hash],
        `${where}: the newest record is what was opened`,
      );
    }
    assert.deepEqual(strangers, [], where);
    assertCounted(opened, this.#reports);
    assertSound(observe(this.#path, this.#reports));
  }

  /** Another process finds what was left, and can write. */
  async #recover(): Promise<void> {
    const child = this.#start();
    this.#judge(await child.next("opened", "failed"));
    await this.#write(child);
    this.#attempted = undefined;
    await child.finish();
    const left = readdirSync(dirname(this.#path)).filter((name) => name.endsWith(".tmp"));
    assert.deepEqual(left, [], "a further write clears away what a probe left");
  }

  #edit(): void {
    const document = JSON.parse(readFileSync(this.#path, "utf8")) as CountedDocument;
    document.counter += 1;
    document.writers["person"] = (document.writers["person"] ?? 0) + 1;
    document.filler = fillerOf(document.counter);
    const temporary = join(dirname(this.#plan.reports), `edit-of-${this.#plan.runtime}`);
    writeFileSync(temporary, JSON.stringify(document), { mode: 0o600 });
    renameSync(temporary, this.#path);
    this.#counter += 1;
  }
}
