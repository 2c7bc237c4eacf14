import { memoryDisk } from "../../adapters/memory.ts";
import type { Fault, MemoryDisk } from "../../adapters/memory.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import type { Acknowledgement, Failure, Read } from "../support/history_checker.ts";
import type { Random } from "../support/random.ts";
import { quickRandom } from "./quick_random.ts";
import type { Call } from "./calls.ts";
import { hasFaults, mayFail } from "./allowed_errors.ts";
import { Chain } from "./chain.ts";
import { checkEnd } from "./checks.ts";
import { disturb, type Left } from "./disturbances.ts";
import { Editor } from "./editor.ts";
import { chooseFault, chooseHint } from "./faults.ts";
import { configPath, readLog, recordNumber, sha256 } from "./log_files.ts";
import { planWorld, seedDocument, type WorldPlan } from "./plan.ts";
import { SimulatedProcess, type Surroundings } from "./process.ts";
import { drain, Gate, type Parked } from "./scheduler.ts";
import { describeOperation } from "./trace.ts";

/** What came of a world. */
export interface WorldResult {
  readonly seed: number;
  readonly plan: WorldPlan;
  /** Every rule that was broken; none when all is well. */
  readonly breaches: readonly string[];
  /** All that happened, in order. */
  readonly trace: readonly string[];
  /** SHA-256 of the trace. */
  readonly traceHash: string;
  readonly acknowledged: number;
  readonly operations: number;
}

const stepsMax = 6000;
const restOperationsMax = 20_000;

/** Lets a world run from its seed to its end. */
export async function simulate(seed: number): Promise<WorldResult> {
  const world = new World(seed);
  try {
    await world.run();
  } catch (error) {
    world.breach("the simulation threw", String((error as Error).stack ?? error));
  }
  return world.result();
}

/** Some processes on one disk, and all that can go wrong around them. */
export class World {
  readonly disk: MemoryDisk;
  readonly chain: Chain;
  readonly editor: Editor;
  readonly plan: WorldPlan;
  readonly acknowledged: Acknowledgement[] = [];
  readonly failed: Failure[] = [];
  readonly reads: Read[] = [];
  readonly breaches: string[] = [];
  readonly #seed: number;
  readonly random: Random;
  readonly gate: Gate;
  readonly #trace: string[] = [];
  readonly #calls = new Map<string, Call>();
  readonly #surroundings: Surroundings;
  #processes: SimulatedProcess[] = [];
  #favourite = "";
  #started = 0;
  step = 0;
  #operations = 0;
  readonly left: Left;
  /** Whether the log was damaged by somebody from outside. */
  isVandalised = false;

  constructor(seed: number) {
    this.#seed = seed;
    this.random = quickRandom(seed);
    const plan = this.plan = planWorld(this.random);
    this.left = { ...plan };
    this.disk = memoryDisk();
    this.disk.outside.makeDirectory("/c", { mode: 0o700 });
    this.editor = new Editor(this.disk, this.random);
    this.gate = new Gate(() => chooseHint(plan, this.random));
    this.chain = new Chain({
      calls: this.#calls,
      isForeign: (hash) => this.editor.wrote(hash),
      seed: plan.initial === "seed" ? seedDocument : undefined,
      breach: this.breach,
      observe: () => this.#observe(),
      mayLackRecords: hasFaults(plan),
    });
    this.#surroundings = {
      plan,
      random: this.random,
      chain: this.chain,
      calls: this.#calls,
      acknowledged: this.acknowledged,
      failed: this.failed,
      reads: this.reads,
      note: this.note,
      failure: this.#failure,
    };
  }

  readonly breach = (rule: string, message: string): void => {
    this.breaches.push(`${rule}: ${message}`);
    this.note(`BREACH ${rule}: ${message}`);
  };

  get processes(): readonly SimulatedProcess[] {
    return this.#processes;
  }

  result(): WorldResult {
    return {
      seed: this.#seed,
      plan: this.plan,
      breaches: this.breaches,
      trace: this.#trace,
      traceHash: sha256(this.#trace.join("\n")),
      acknowledged: this.acknowledged.length,
      operations: this.#operations,
    };
  }

  async run(): Promise<void> {
    const { plan } = this;
    if (plan.initial === "file") this.editor.begin('{"count":0,"log":["first"]}');
    this.disk.outside.sync();
    for (let index = 0; index < plan.processes; index++) this.startScript(plan.acts);
    for (; this.step < stepsMax && this.breaches.length === 0; this.step++) {
      await drain();
      for (const process of this.#processes) process.look();
      if (this.#isOver()) break;
      if (!disturb(this)) await this.#proceed();
    }
    if (this.step === stepsMax) this.breach("the world does not end", `${stepsMax} steps`);
    if (this.breaches.length === 0) await this.#quiesce();
  }

  /** Starts a process; its operations wait unless they are set free. */
  start(name: string, acts: number): SimulatedProcess {
    const host = this.disk.process({ seed: this.random.below(2 ** 31) });
    host.faults = this.gate.hook(name);
    const process = new SimulatedProcess(name, host, acts, this.#surroundings);
    this.#processes.push(process);
    return process;
  }

  /** Starts a process that runs a script. */
  startScript(acts: number): void {
    const process = this.start(`p${this.#started += 1}`, acts);
    void process.run().catch((error) => this.#failure(process.name, "the script", error));
  }

  #isOver(): boolean {
    const { edits, powerCuts } = this.left;
    const isDone = this.#processes.every((process) => process.isDone);
    if (!isDone || edits + powerCuts === 0) return isDone;
    // Something is still to come; there must be somebody to whom it happens.
    return this.step > 400;
  }

  /** Leaves out what processes read before, where it counts no more. */
  forgetReads(isVoid: (read: Read) => boolean): void {
    this.reads.splice(0, Infinity, ...this.reads.filter((read) => !isVoid(read)));
  }

  /** Ends a process as SIGKILL does. */
  end(process: SimulatedProcess): void {
    process.isAlive = false;
    process.host.kill();
    this.gate.drop(process.name);
    this.#processes = this.#processes.filter((other) => other !== process);
    for (const call of this.#calls.values()) {
      if (call.process === process.name && call.state === "running") call.state = "unknown";
    }
  }

  /** Releases one operation, or lets time pass where none can be. */
  async #proceed(): Promise<void> {
    const free = this.gate.parked.filter((parked) => {
      const process = this.#processes.find(({ name }) => name === parked.process);
      return parked.heldUntil <= this.step && (process?.heldUntil ?? 0) <= this.step;
    });
    const isHeld = this.gate.parked.length > 0;
    if (free.length > 0 && this.random.below(200) > 0) {
      await this.#release(this.#choose(free));
      return;
    }
    // Where operations wait, little time passes, so that no call fails for the slowness of this disk alone.
    const ms = isHeld ? 1 + this.random.below(5) : this.random.pick([1, 1, 5, 20, 100]);
    this.note(`${ms} ms pass`);
    await this.disk.advance(ms);
  }

  #choose(free: readonly Parked[]): Parked {
    const random = this.random;
    const { order } = this.plan;
    if (order === "any") return random.pick(free);
    const own = free.filter(({ process }) => process === this.#favourite);
    const changes = random.below(order === "sticky" ? 12 : 60) === 0;
    if (own.length > 0 && !changes) return random.pick(own);
    const chosen = random.pick(free);
    this.#favourite = chosen.process;
    return chosen;
  }

  async #release(parked: Parked): Promise<void> {
    const fault = chooseFault(parked, this.plan, this.random, this.step);
    this.gate.take(parked);
    this.#beforeRelease(parked, fault);
    this.#operations += 1;
    this.note(describeOperation(parked, fault));
    parked.release(fault);
    const { operation, path } = parked.attempt;
    const generation = operation === "link" ? recordNumber(path) : undefined;
    if (generation === undefined) return;
    await drain();
    this.#observe(generation);
  }

  /** Looks at what is new in the log, and at a number that was taken just now. */
  readonly #observe = (linked?: number): void => {
    const { chain, disk: { outside } } = this;
    const isWanted = (generation: number): boolean => {
      return generation === linked || !chain.records.has(generation);
    };
    chain.observed(readLog(outside, isWanted));
  };

  #beforeRelease(
    { process, attempt }: Pick<Parked, "process" | "attempt">,
    fault: Fault | undefined,
  ): void {
    const running = this.#processes.find(({ name }) => name === process);
    if (running === undefined || attempt.path !== configPath) return;
    const { operation } = attempt;
    const { from = "" } = attempt;
    // One whose source was fenced off replaces nothing.
    const isMoved = operation === "rename" && this.disk.outside.list().includes(from);
    if (isMoved && fault === undefined) {
      this.editor.publishedOver(running.lastLookStep);
      this.chain.published(Number(/\/pub\.(\d+)\./.exec(from)?.[1] ?? Infinity));
    }
    if (operation === "read" || operation === "stat") running.lastLookStep = this.step;
  }

  /** Everything is well again: in the end all must agree. */
  async #quiesce(): Promise<void> {
    this.note("quiet from here on");
    for (const process of this.#processes) process.heldUntil = 0;
    await checkEnd(this);
  }

  /** Lets operations happen as they come, and time pass. */
  async rest(ms: number): Promise<void> {
    let operations = 0;
    for (const { name, host } of this.#processes) {
      host.faults = (attempt) => {
        this.#beforeRelease({ process: name, attempt }, undefined);
        if (operations++ < restOperationsMax) return undefined;
        if (operations === restOperationsMax + 1) {
          this.breach("no rest", `${name} never comes to it`);
        }
        return new Promise(() => {});
      };
    }
    for (const parked of [...this.gate.parked]) {
      this.gate.take(parked);
      this.#beforeRelease(parked, undefined);
      parked.release();
    }
    await this.disk.advance(ms);
    this.#observe();
    for (const process of this.#processes) process.look();
  }

  readonly note = (line: string): void => {
    this.#trace.push(`${this.step} ${line}`);
  };

  readonly #failure = (process: string, attempt: string, error: unknown): void => {
    const code = isHoldfastError(error) ? error.code : undefined;
    this.note(`${process} ${attempt} failed: ${code ?? error}`);
    if (code === undefined) {
      const text = error instanceof Error ? error.stack : JSON.stringify(error);
      this.breach("no HoldfastError", `${process} ${attempt}: ${text}`);
    } else if (!mayFail(code, this.plan)) {
      this.breach("a call failed", `${process} ${attempt}: ${(error as Error).message}`);
    }
  };
}
