/** Processes on every runtime write one config while they are killed and stopped at random. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Read } from "./history_checker.ts";
import { type Random, randomFrom } from "./random.ts";
import { assertCounted, assertSound, observe, type Report } from "./trial_observations.ts";
import { startTrialProcess, type TrialProcess } from "./trial_process.ts";

export interface ChaosPlan {
  readonly seed: number;
  readonly kills: number;
  readonly stops: number;
  /** How many records are kept. */
  readonly history: number;
  /** An empty directory for the config, and one for the reports. */
  readonly directory: string;
  readonly reports: string;
  /** Goes on for so long even when the numbers are reached. */
  readonly durationMs?: number;
}

export interface ChaosOutcome {
  readonly kills: number;
  readonly stops: number;
  readonly acknowledged: number;
  readonly generation: number;
  readonly reads: number;
}

/** Where each writer runs; a process that was killed is started anew on the same runtime and goes on in its slot. */
const slots = ["node-24", "node-22", "deno", "deno", "bun", "bun"];
const readers = ["node-24", "deno"];

/** Plays it and judges it. */
export async function playChaos(plan: ChaosPlan): Promise<ChaosOutcome> {
  const chaos = new Chaos(plan);
  try {
    await chaos.play();
    return await chaos.judge();
  } finally {
    await chaos.end();
  }
}

interface Writer {
  readonly name: string;
  readonly child: TrialProcess;
  /** After how many more acts it is let go on; 0 when it is not stopped. */
  stoppedFor: number;
}

class Chaos {
  readonly #plan: ChaosPlan;
  readonly #path: string;
  readonly #random: Random;
  readonly #started: { readonly name: string; readonly child: TrialProcess }[] = [];
  readonly #writers: Writer[] = [];
  readonly #looks: Read[] = [];
  #look: TrialProcess | undefined;
  #told = 0;
  #kills = 0;
  #stops = 0;

  constructor(plan: ChaosPlan) {
    this.#plan = plan;
    this.#path = join(plan.directory, "config.json");
    this.#random = randomFrom(plan.seed);
  }

  async play(): Promise<void> {
    const { kills, stops, durationMs = 0 } = this.#plan;
    const untilMs = performance.now() + durationMs;
    this.#look = this.#start("look", "node-24", "look", []);
    for (const [index] of slots.entries()) this.#writers.push(this.#startWriter(index));
    for (const [index, runtime] of readers.entries()) {
      this.#start(`reader ${index}`, runtime, "read", ["--watch"]);
    }
    for (const { child } of this.#started) await child.next("opened", "ready");
    for (let act = 1; this.#kills < kills || this.#stops < stops; act++) {
      await this.#act(this.#kills < kills, this.#stops < stops);
      if (act % 20 === 0) await this.#lookAnew();
    }
    while (performance.now() < untilMs) await this.#act(true, true);
  }

  async judge(): Promise<ChaosOutcome> {
    for (const writer of this.#writers) this.#resume(writer);
    await Promise.all(this.#writers.map(({ child }) => child.finish()));
    await this.#lookAnew();
    const { generation, hash } = this.#looks.at(-1)!;
    const ending = this.#started.filter(({ name }) => name.startsWith("reader"));
    await Promise.all(ending.map(({ child }) => child.finish()));
    const reports = this.#reports();
    const history = observe(this.#path, reports);
    assertSound({
      ...history,
      reads: [...history.reads, ...this.#looks],
      final: { generation, hash },
    });
    assertCounted(this.#look!.lines().findLast(({ kind }) => kind === "opened")!, reports);
    for (const { name, child } of ending) {
      const last = await child.next("last");
      assert.equal(last.generation, generation, `${name} ended on another generation`);
    }
    return {
      kills: this.#kills,
      stops: this.#stops,
      acknowledged: history.acknowledged.length,
      generation,
      reads: history.reads.length,
    };
  }

  async end(): Promise<void> {
    for (const { child } of this.#started) child.signal("SIGKILL");
    for (const { child } of this.#started) await child.ended;
  }

  async #act(mayKill: boolean, mayStop: boolean): Promise<void> {
    const random = this.#random;
    await wait(10 + random.below(80));
    for (const writer of this.#writers) {
      if (writer.stoppedFor > 0 && --writer.stoppedFor === 0) this.#resume(writer);
    }
    const index = random.below(slots.length);
    const writer = this.#writers[index]!;
    // One that did not open yet is left alone now and then, or nobody would ever write.
    const kill = random.below(2) === 0 ? mayKill : !mayStop;
    if (kill) {
      writer.child.signal("SIGKILL");
      await writer.child.ended;
      this.#hear(writer.child);
      this.#kills += 1;
      this.#writers[index] = this.#startWriter(index);
    } else if (mayStop && writer.stoppedFor === 0) {
      writer.child.signal("SIGSTOP");
      writer.stoppedFor = 1 + random.below(6);
      this.#stops += 1;
    }
  }

  /** A config that is opened now is not behind what anyone was told before. */
  async #lookAnew(): Promise<void> {
    for (const { child } of this.#writers) this.#hear(child);
    const atLeast = this.#told;
    this.#look!.send("look");
    const line = await this.#look!.next("opened", "look failed");
    assert.equal(line.kind, "opened", `${line.code}: ${line.message}`);
    const { generation = 0, hash = "" } = line;
    this.#looks.push({ reader: "a fresh look", generation, hash, atLeast });
  }

  /** Takes note of what a writer was told. */
  #hear(child: TrialProcess): void {
    for (const { kind, generation = 0 } of child.lines()) {
      if (kind === "acknowledged") this.#told = Math.max(this.#told, generation);
    }
  }

  #startWriter(index: number): Writer {
    const name = `writer ${index}.${this.#started.length}`;
    const options = [`--writer=slot-${index}`, ...index % 2 === 0 ? ["--watch"] : []];
    const child = this.#start(name, slots[index]!, "count", options);
    child.send("go");
    return { name, child, stoppedFor: 0 };
  }

  #resume(writer: Writer): void {
    writer.child.signal("SIGCONT");
    writer.stoppedFor = 0;
  }

  #start(name: string, runtime: string, mode: string, options: readonly string[]): TrialProcess {
    const child = startTrialProcess({
      runtime,
      path: this.#path,
      mode,
      options: [...options, `--history=${this.#plan.history}`],
      reportPath: join(this.#plan.reports, name.replace(" ", "-")),
    });
    this.#started.push({ name, child });
    return child;
  }

  #reports(): Report[] {
    return this.#started.map(({ name, child }) => ({ name, lines: child.lines }));
  }
}
