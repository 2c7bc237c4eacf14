import type { MemoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import type { Acknowledgement, Failure, Read } from "../support/history_checker.ts";
import type { Random } from "../support/random.ts";
import { type Call, makeCall, schema } from "./calls.ts";
import type { SimulatedConfig } from "./calls.ts";
import type { Chain } from "./chain.ts";
import { configPath } from "./log_files.ts";
import { seedDocument, type WorldPlan } from "./plan.ts";

/** What all processes of a world share. */
export interface Surroundings {
  readonly plan: WorldPlan;
  readonly random: Random;
  readonly chain: Chain;
  readonly calls: Map<string, Call>;
  readonly acknowledged: Acknowledgement[];
  readonly failed: Failure[];
  readonly reads: Read[];
  readonly note: (line: string) => void;
  /** Judges the code of an error, or whatever else was thrown. */
  readonly failure: (process: string, attempt: string, error: unknown) => void;
}

const opensMax = 6;

/** One run of a program that uses a config: it ends with its script, or when it is killed. */
export class SimulatedProcess {
  readonly name: string;
  readonly host: MemoryHost;
  /** Its operations wait until this step. */
  heldUntil = 0;
  /** When it last looked at the config file. */
  lastLookStep = 0;
  isAlive = true;
  isDone = false;
  config: SimulatedConfig | undefined;
  readonly #world: Surroundings;
  #acts: number;
  /** Attempts since it was last open. */
  #opens = 0;
  /** How often it was open, so that each time counts as a reader of its own. */
  #opened = 0;
  #seen = 0;

  constructor(name: string, host: MemoryHost, acts: number, world: Surroundings) {
    this.name = name;
    this.host = host;
    this.#acts = acts;
    this.#world = world;
  }

  /** How many acts are left, for the process that takes over. */
  get actsLeft(): number {
    return this.#acts;
  }

  /** Runs the script to its end. */
  async run(): Promise<void> {
    const { random } = this.#world;
    for (; this.#acts > 0 && this.isAlive; this.#acts--) {
      if (this.config === undefined && !await this.open()) break;
      const kind = random.below(12);
      if (kind === 0) await this.#pause();
      else if (kind === 1) await this.#reload();
      else if (kind === 2) await this.#readHistory();
      else if (kind === 3) await this.close();
      else if (kind <= 5) {
        await Promise.all([this.#write("update"), this.#write("update"), this.#write()]);
      } else await this.#write();
    }
    if (this.isAlive && this.config !== undefined && random.below(4) === 0) await this.close();
    if (this.isAlive) this.isDone = true;
  }

  /** Opens the config, again after a failure; false when it cannot be opened. */
  async open(): Promise<boolean> {
    const { plan, random, failure } = this.#world;
    while (this.#opens++ < opensMax && this.isAlive) {
      const watch = random.below(5) > 0;
      try {
        const config = await this.#open(watch);
        if (!this.isAlive) return false;
        this.config = config;
        this.#opened += 1;
        this.#seen = 0;
        this.#subscribe(config);
        this.look();
        return true;
      } catch (error) {
        if (!this.isAlive) return false;
        failure(this.name, "open", error);
        await this.host.sleep(20 + random.below(plan.failsOneIn + 50), { keepAlive: false });
      }
    }
    return false;
  }

  /** Looks at the snapshot, as a program does that reads its config. */
  look(): void {
    if (this.config === undefined) return;
    const { generation, hash } = this.config.snapshot();
    this.#tell(`${this.name}`, generation, hash);
  }

  async close(): Promise<void> {
    await this.#attempt("close", async (config) => {
      this.config = undefined;
      await config.close();
    });
    this.#opens = 0;
  }

  #open(watch: boolean): Promise<SimulatedConfig> {
    const { plan } = this.#world;
    return openConfigOn(() => this.host)(configPath, {
      schema,
      ...(plan.initial === "seed" ? { seed: seedDocument } : {}),
      history: plan.history,
      timeoutMs: plan.timeoutMs,
      watch: watch ? { debounceMs: 5, maxWaitMs: 20, pollMs: 100 } : false,
      logger: { warn: () => {} },
    }) as Promise<unknown> as Promise<SimulatedConfig>;
  }

  #subscribe(config: SimulatedConfig): void {
    const reader = `${this.name} subscriber ${this.#opened}`;
    config.subscribe((_next: unknown, _previous: unknown, changeSet) => {
      if (this.isAlive) this.#tell(reader, changeSet.to, changeSet.newHash);
    });
  }

  #tell(reader: string, generation: number, hash: string): void {
    const { reads, chain } = this.#world;
    if (reader === this.name && generation === this.#seen) return;
    if (reader === this.name) this.#seen = generation;
    const opened = reader === this.name ? `${reader} open ${this.#opened}` : reader;
    if (chain.records.get(generation)?.hash === hash) {
      reads.push({ reader: opened, generation, hash });
    }
    chain.expose(reader, generation, hash);
  }

  async #write(kind?: string): Promise<void> {
    const { calls, plan, random } = this.#world;
    const { config } = this;
    if (config === undefined) return;
    const call = makeCall({
      id: `${this.name}.${calls.size}`,
      process: this.name,
      random,
      generation: config.snapshot().generation,
      removals: plan.removals,
    }, kind);
    calls.set(call.id, call);
    try {
      const { changeSet, snapshot } = await call.perform(config);
      if (!this.isAlive) return;
      call.state = "acknowledged";
      this.#acknowledge(call, changeSet.from, changeSet.to, changeSet.newHash);
      if (snapshot.generation < changeSet.to) this.#world.failure(this.name, "older", snapshot);
    } catch (error) {
      if (!this.isAlive) return;
      const code = isHoldfastError(error) ? error.code : "no HoldfastError";
      call.state = code === "COMMIT_UNKNOWN" ? "unknown" : "refused";
      this.#world.failed.push({ writer: this.name, call: call.id, code });
      this.#world.failure(this.name, `${call.kind} ${call.id}`, error);
      if (call.state === "refused" && this.#world.chain.has(call)) {
        this.#world.failure(this.name, "made all the same", call.id);
      }
    }
  }

  #acknowledge(call: Call, from: number, to: number, hash: string): void {
    const { note, chain, acknowledged } = this.#world;
    note(`${this.name} ${call.kind} ${call.id} acknowledged ${from} -> ${to}`);
    if (from === to) {
      chain.expose(this.name, to, hash);
      return;
    }
    chain.acknowledged(call, to, hash);
    acknowledged.push({ writer: this.name, call: call.id, generation: to, hash });
  }

  async #reload(): Promise<void> {
    await this.#attempt("reload", async (config) => {
      const { generation, hash } = await config.reload();
      if (this.isAlive) this.#tell(this.name, generation, hash);
    });
  }

  async #readHistory(): Promise<void> {
    await this.#attempt("history", async (config) => {
      const entries = await config.history({ limit: 4 });
      if (!this.isAlive) return;
      for (const { to, newHash } of entries) this.#world.chain.expose(this.name, to, newHash);
    });
  }

  async #pause(): Promise<void> {
    await this.host.sleep(1 + this.#world.random.below(150), { keepAlive: false });
  }

  async #attempt(
    what: string,
    act: (config: SimulatedConfig) => Promise<unknown>,
  ): Promise<void> {
    const { config } = this;
    try {
      if (config !== undefined) await act(config);
    } catch (error) {
      if (this.isAlive) this.#world.failure(this.name, what, error);
    }
  }
}
