/** Cuts the power of a filesystem at every write that reached its disk, and looks what is left of a config there. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Cut, cutsOf, decodeLog, type PlacedEntry } from "./block_log.ts";
import { randomFrom } from "./random.ts";
import { assertCounted, assertSound, observe } from "./trial_observations.ts";
import { type Line, startTrialProcess, type TrialProcess } from "./trial_process.ts";
import { readLog } from "./trial_records.ts";

export interface PowerPlan {
  readonly filesystem: "ext4" | "xfs";
  readonly runtime: string;
  readonly writes: number;
  readonly history: number;
  /** Only every so manieth cut is tried. */
  readonly every: number;
  readonly seed: number;
  /** An empty directory. */
  readonly directory: string;
}

export interface PowerOutcome {
  readonly cuts: number;
  readonly flushes: number;
  readonly acknowledged: number;
}

const sizes = { ext4: 16, xfs: 304 };

/** Why no power can be cut here; false when it can. */
export function whyNoPowerCut(filesystem: PowerPlan["filesystem"]): string | false {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "only root may mount a disk";
  if (!fs.existsSync("/dev/fuse")) return "found no /dev/fuse";
  if (!fs.existsSync("/dev/loop-control")) return "found no loop devices";
  for (const program of [`mkfs.${filesystem}`, "losetup", "mount"]) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) return `found no ${program}`;
  }
  return false;
}

/** Writes on such a disk, then tries the cuts. */
export async function cutPower(plan: PowerPlan): Promise<PowerOutcome> {
  const trial = new PowerTrial(plan);
  try {
    await trial.record();
    return await trial.replay();
  } finally {
    await trial.end();
  }
}

class PowerTrial {
  readonly #plan: PowerPlan;
  readonly #at: (name: string) => string;
  readonly #mount: string;
  readonly #path: string;
  readonly #children: TrialProcess[] = [];
  readonly #cleanups: (() => void)[] = [];
  /** Of each acknowledgement, where the log ended when it was told. */
  readonly #told: { readonly line: Line; readonly position: number }[] = [];
  #from = 0;

  constructor(plan: PowerPlan) {
    this.#plan = plan;
    this.#at = (name) => join(plan.directory, name);
    this.#mount = this.#at("mounted");
    this.#path = join(this.#mount, "config", "config.json");
  }

  async record(): Promise<void> {
    const { filesystem, runtime, writes, history } = this.#plan;
    for (const name of ["mounted", "fuse"]) fs.mkdirSync(this.#at(name));
    fs.writeFileSync(this.#at("image"), "");
    fs.truncateSync(this.#at("image"), sizes[filesystem] * 1024 * 1024);
    run(filesystem === "ext4" ? "mkfs.ext4 -q -F -J size=4" : "mkfs.xfs -q -K", this.#at("image"));
    run("cp --sparse=always", this.#at("image"), this.#at("current"));
    const unmount = await this.#mountLogged();
    fs.mkdirSync(join(this.#mount, "config"), { mode: 0o700 });
    const child = this.#start(runtime, "step", history);
    await child.next("opened");
    run("sync", "-f", this.#mount);
    this.#from = this.#position();
    for (let write = 1; write <= writes; write++) {
      child.send("write");
      const line = await child.next("acknowledged", "refused");
      assert.equal(line.kind, "acknowledged", line.message);
      this.#told.push({ line, position: this.#position() });
      await child.next("attempted");
    }
    child.signal("SIGKILL");
    await child.ended;
    unmount();
  }

  async replay(): Promise<PowerOutcome> {
    const entries = decodeLog(fs.readFileSync(this.#at("log")));
    const look = this.#start("node-24", "look", this.#plan.history);
    const current = fs.openSync(this.#at("current"), "r+");
    this.#cleanups.push(() => fs.closeSync(current));
    let applied = 0;
    let cuts = 0;
    let number = 0;
    for (const cut of cutsOf(entries, this.#from, randomFrom(this.#plan.seed))) {
      if (number++ % this.#plan.every !== 0) continue;
      for (; applied < cut.certain; applied++) apply(current, entries[applied]!.entry);
      await this.#try(cut, look);
      cuts += 1;
    }
    const flushes = entries.filter(({ entry }: PlacedEntry) => entry.kind === "flush").length;
    return { cuts, flushes, acknowledged: this.#told.length };
  }

  async end(): Promise<void> {
    for (const child of this.#children) {
      child.signal("SIGKILL");
      await child.ended;
    }
    for (const cleanup of this.#cleanups.reverse()) cleanup();
  }

  #start(runtime: string, mode: string, history: number): TrialProcess {
    const child = startTrialProcess({
      runtime,
      path: this.#path,
      mode,
      options: [`--writer=${mode}`, `--history=${history}`],
      reportPath: this.#at(`report-${mode}`),
    });
    this.#children.push(child);
    return child;
  }

  #position(): number {
    return fs.statSync(this.#at("log")).size;
  }

  async #mountLogged(): Promise<() => void> {
    const script = fileURLToPath(new URL("trial_disk.ts", import.meta.url));
    const given = [script, this.#at("fuse"), this.#at("image"), this.#at("log")];
    const disk = spawn(process.execPath, given, { stdio: ["ignore", "inherit", "inherit"] });
    const ended = new Promise<void>((resolve) => disk.once("exit", () => resolve()));
    this.#cleanups.push(() => void disk.kill("SIGKILL"));
    const isMounted = () => fs.readFileSync("/proc/mounts", "utf8").includes(this.#at("fuse"));
    for (let attempt = 0; !isMounted(); attempt++) {
      if (attempt > 1000) throw new Error("Cannot serve a disk: found it not mounted after 10 s");
      await wait(10);
    }
    this.#cleanups.push(() => void spawnSync("umount", ["-l", this.#at("fuse")]));
    const loop = run("losetup --find --show", join(this.#at("fuse"), "disk")).trim();
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      spawnSync("umount", [this.#mount]);
      spawnSync("losetup", ["--detach", loop]);
      spawnSync("umount", ["-l", this.#at("fuse")]);
    };
    this.#cleanups.push(release);
    run(`mount -t ${this.#plan.filesystem}`, loop, this.#mount);
    void ended;
    return release;
  }

  async #try(cut: Cut, look: TrialProcess): Promise<void> {
    const image = this.#at("cut");
    run("cp --sparse=always", this.#at("current"), image);
    const file = fs.openSync(image, "r+");
    for (const entry of cut.survivors) apply(file, entry);
    fs.closeSync(file);
    run(`mount -o loop -t ${this.#plan.filesystem}`, image, this.#mount);
    try {
      await this.#judge(cut, look);
    } catch (error) {
      throw new Error(`the power was cut ${cut.name}: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      run("umount", this.#mount);
    }
  }

  async #judge(cut: Cut, look: TrialProcess): Promise<void> {
    const told = this.#told.filter(({ position }) => position <= cut.position)
      .map(({ line }) => line);
    look.send("write");
    const opened = await look.next("opened", "look failed");
    assert.equal(opened.kind, "opened", `${opened.code}: ${opened.message}`);
    const written = await look.next("acknowledged", "refused", "look failed");
    assert.equal(written.kind, "acknowledged", `a further write: ${written.message}`);
    await look.next("looked", "look failed");
    const { generation = 0, hash = "" } = opened;
    const { writers = {}, counter = 0, fault = "" } = opened;
    assert.equal(fault, "");
    assert.equal(counter, writers["step"] ?? 0);
    const newest = told.at(-1);
    assert.ok(generation >= (newest?.generation ?? 0), `opened ${generation} of ${told.length}`);
    const reports = [{ name: "child", lines: () => told }, {
      name: "look",
      lines: () => [{ ...opened, generation, hash }, written],
    }];
    assertCounted({ ...opened, writers: { ...writers, look: 1 } }, reports);
    assertSound(observe(this.#path, reports));
    assert.equal(readLog(this.#path).publishedHash, written.hash);
  }
}

function apply(file: number, entry: PlacedEntry["entry"]): void {
  if (entry.kind === "write") fs.writeSync(file, entry.bytes, 0, entry.bytes.length, entry.offset);
}

/** Runs a program; the first argument may hold some of its arguments already. */
function run(program: string, ...given: readonly string[]): string {
  const [name = "", ...before] = program.split(" ");
  const { status, stdout, stderr } = spawnSync(name, [...before, ...given], { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new Error(`Cannot run ${program} ${given.join(" ")}: it said ${stderr}`);
}
