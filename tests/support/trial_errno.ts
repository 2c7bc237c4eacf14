/** Makes each call to the filesystem of a write fail, one at a time, and looks what the caller is told and what is left. */
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import {
  type Attached,
  attachStrace,
  describeCall,
  type FileCall,
  isChange,
  stepThrough,
} from "./strace.ts";
import { assertCounted, assertSound, observe } from "./trial_observations.ts";
import { type Line, startTrialProcess, type TrialProcess } from "./trial_process.ts";
import { readLog } from "./trial_records.ts";

/** One call that failed. */
export interface Fault {
  /** The call, in few words. */
  readonly call: string;
  readonly errno: string;
  /** `acknowledged`, or the code that the caller was given. */
  readonly outcome: string;
}

export interface ErrnoPlan {
  readonly runtime: string;
  /** An empty directory for the config, and one for the reports. */
  readonly directory: string;
  readonly reports: string;
}

/** What each call is made to fail with. */
const errnos: Readonly<Record<string, readonly string[]>> = {
  openat: ["EMFILE", "EACCES", "EIO"],
  write: ["ENOSPC", "EDQUOT", "EIO"],
  fsync: ["EIO"],
  link: ["EIO", "EROFS"],
  rename: ["EIO", "EACCES", "EROFS"],
  unlink: ["EIO", "EACCES"],
  getdents64: ["EIO"],
  mkdir: ["ENOSPC"],
  chmod: ["EIO"],
};

/** Whether a call took the number of a generation. */
const isLink = ({ text }: FileCall): boolean => /^link.*"[^"]*\/g\.\d+".* = 0/.test(text);

/** How long something that goes on after the answer has to meet its fault. */
const afterwardsMs = 60;

/** Tries every fault after every number of calls. */
export async function failEveryCall(plan: ErrnoPlan): Promise<readonly Fault[]> {
  const trial = new ErrnoTrial(plan);
  try {
    return await trial.run();
  } finally {
    await trial.end();
  }
}

class ErrnoTrial {
  readonly #plan: ErrnoPlan;
  readonly #path: string;
  readonly #child: TrialProcess;
  readonly #look: TrialProcess;
  readonly #faults: Fault[] = [];

  constructor(plan: ErrnoPlan) {
    this.#plan = plan;
    this.#path = join(plan.directory, "config.json");
    this.#child = this.#start("step");
    this.#look = this.#start("look");
  }

  async run(): Promise<readonly Fault[]> {
    await this.#child.next("opened");
    await this.#write();
    const calls = await this.#rehearse();
    for (let step = 0; step < calls.length; step++) {
      const next = calls[step]!.name;
      // Listing and reading comes in between.
      const names = new Set([next, "openat", "getdents64"]);
      for (const name of names) {
        for (const errno of errnos[name.replace(/at2?$/, name === "openat" ? "at" : "")] ?? []) {
          await this.#fail(step, name, errno);
        }
      }
    }
    await this.#child.finish();
    return this.#faults;
  }

  async end(): Promise<void> {
    for (const child of [this.#child, this.#look]) {
      child.signal("SIGKILL");
      await child.ended;
    }
  }

  #start(mode: string): TrialProcess {
    const { runtime, reports } = this.#plan;
    const reportPath = join(reports, `${runtime}-${mode}`);
    const options = [`--writer=${mode}`];
    return startTrialProcess({ runtime, path: this.#path, mode, options, reportPath });
  }

  async #write(): Promise<Line> {
    this.#child.send("write");
    return await this.#answer();
  }

  /** What the caller of the write was told, when all that follows from it has been done. */
  async #answer(): Promise<Line> {
    await this.#child.next("attempted");
    const lines = this.#child.lines().slice(0, -1);
    const before = lines.findLastIndex(({ kind }) => kind === "attempted");
    const answers = ["acknowledged", "found made", "refused", "untyped"];
    return lines.slice(before + 1).find(({ kind }) => answers.includes(kind))!;
  }

  /** The calls of a write that nothing hinders. */
  async #rehearse(): Promise<readonly FileCall[]> {
    const calls: FileCall[] = [];
    const attached = await stepThrough(this.#child.pid, (call) => {
      if (this.#concerns(call)) calls.push(call);
      return "go on";
    });
    assert.equal((await this.#write()).kind, "acknowledged");
    await wait(afterwardsMs);
    await attached.detach();
    return calls;
  }

  #concerns(call: FileCall): boolean {
    return call.text.includes(this.#plan.directory) && isChange(call);
  }

  async #fail(step: number, name: string, errno: string): Promise<void> {
    const before = await this.#holdAfter(step);
    const inject = `inject=${name}:error=${errno}:when=1`;
    const files = before.flatMap(({ text }) => [...text.matchAll(/<(\/[^>]*)>/g)])
      .map(([, path = ""]) => path).filter((path) => path.startsWith(this.#plan.directory));
    const attached = await attachStrace({
      pid: this.#child.pid,
      // The link and the report that is written tell what came before them and what after.
      calls: [...new Set([name, "write", "link", "linkat"])],
      inject,
      // Programs write to wake their own threads as well.
      ...name === "write" ? { paths: [...new Set(files)] } : {},
    });
    if (step === 0) this.#child.send("write");
    else process.kill(this.#child.pid, "SIGCONT");
    const line = await this.#answer();
    const isHit = () => attached.calls().some((call) => call.text.includes("(INJECTED)"));
    for (let waitedMs = 0; waitedMs < afterwardsMs && !isHit(); waitedMs += 5) await wait(5);
    await attached.detach();
    await this.#judge(line, attached, { errno, before });
  }

  /** Begins a write and holds it after so many calls. */
  async #holdAfter(step: number): Promise<readonly FileCall[]> {
    if (step === 0) return [];
    const before: FileCall[] = [];
    const stepping = await stepThrough(this.#child.pid, (call) => {
      if (!this.#concerns(call)) return "go on";
      before.push(call);
      return before.length === step ? "hold" : "go on";
    });
    this.#child.send("write");
    await stepping.held;
    await stepping.detach();
    return before;
  }

  async #judge(
    line: Line,
    attached: Attached,
    { errno, before }: { readonly errno: string; readonly before: readonly FileCall[] },
  ): Promise<void> {
    const calls = attached.calls();
    const hit = calls.findIndex(({ text }) => text.includes("(INJECTED)"));
    const failed = calls[hit];
    if (failed !== undefined && failed.text.includes(this.#plan.directory)) {
      const call = describeCall(failed, this.#plan.directory);
      const what = `${errno} of ${call}`;
      const outcome = line.kind === "refused" ? line.code ?? "none" : line.kind;
      this.#faults.push({ call, errno, outcome });
      assert.notEqual(line.kind, "untyped", `${what}: ${line.message}`);
      if (line.kind === "refused") {
        assert.match(outcome, /^(?:IO|READ_ONLY|COMMIT_UNKNOWN)$/, `${what}: ${line.message}`);
        if (outcome === "IO") assert.equal(line.errno, errno, `${what}: ${line.message}`);
      }
      const answered = calls.findIndex(({ text }) => text.includes(`${this.#plan.runtime}-step>`));
      if (failed.name === "fsync" && (answered === -1 || hit < answered)) {
        const linked = [...before, ...calls.slice(0, hit)].some(isLink);
        assert.equal(outcome, linked ? "COMMIT_UNKNOWN" : "IO", `${what}: ${line.message}`);
        this.#assertNotTriedAgain(calls.slice(hit), what);
      }
    }
    let next = line;
    for (let attempt = 1; next.kind === "refused" && attempt <= 2; attempt++) {
      next = await this.#write();
      // A look that failed as well leaves the process behind once more.
      if (next.code !== "CONFLICT") break;
    }
    assert.notEqual(next.kind, "refused", `the write after ${line.code}: ${next.message}`);
    await this.#assertWell();
  }

  /** What could not be synced once is lost: a second attempt that succeeds says nothing of it. */
  #assertNotTriedAgain([failed, ...later]: readonly FileCall[], what: string): void {
    const file = /<([^>]*\/(?:rec|pub)\.[^>]*)>/.exec(failed!.text)?.[1];
    const again = later.some(({ name, text }) => name === "fsync" && text.includes(`<${file}>`));
    assert.ok(file === undefined || !again, `${what}: it was synced again`);
  }

  /** A config that is opened now, the file and the history agree. */
  async #assertWell(): Promise<void> {
    this.#look.send("look");
    const opened = await this.#look.next("opened", "look failed");
    const last = JSON.stringify(this.#faults.at(-1));
    assert.equal(opened.kind, "opened", `${last}: ${opened.code} ${opened.message}`);
    const { publishedHash, records, strangers } = readLog(this.#path);
    assert.deepEqual(strangers, [], last);
    assert.deepEqual([publishedHash, records.at(-1)?.hash], [opened.hash, opened.hash], last);
    const reports = [{ name: "child", lines: this.#child.lines }];
    assertCounted(opened, reports);
    const { generation = 0, hash = "" } = opened;
    assertSound({ ...observe(this.#path, reports), final: { generation, hash } });
  }
}
