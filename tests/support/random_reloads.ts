/** Random modules of a real config on simulated time: what they do, and how it goes, is chosen by a seed. */
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import type { Config, DeepReadonly, Module } from "../../mod.ts";
import { hot } from "../../src/core/mark.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { createReloader, type Reloader } from "../../src/reload/reloader.ts";
import { memory } from "../../src/store/memory.ts";
import { remember } from "./memory_config.ts";
import { type Random, randomFrom } from "./random.ts";

const number = v.optional(v.number(), 0);
const keys = ["a", "b", "c", "d", "e"] as const;
const schema = v.object({
  ...{ a: number, b: number, c: number, d: number, e: number },
  pool: v.optional(v.object({ size: number, hosts: v.optional(v.array(v.string()), []) }), {}),
  banner: v.pipe(number, hot()),
});

type Value = DeepReadonly<v.InferOutput<typeof schema>>;
type Live = Config<v.InferInput<typeof schema>, Value>;

/** What the modules of the program that serves hold. A program built anew has new ones. */
interface Program {
  readonly held: Map<string, unknown>;
}

/** One module, whatever the program. */
interface Kind {
  readonly name: string;
  readonly select: (value: Value) => unknown;
}

/** What may go wrong in a run. */
interface Temper {
  /** Whether modules give no promises. */
  readonly isSynchronous: boolean;
  /** Whether taking an old part back, or starting the old program again, may fail too. */
  readonly isHopeless: boolean;
  readonly fullReload: "none" | "function" | "steps";
}

/** What came of a run. */
export interface ReloadRun {
  readonly breaches: readonly string[];
  readonly trace: readonly string[];
}

const timeoutMs = 100;
// In time, at the last moment, told to end and heeding it, and long after.
const delays = [0, 20, 90, 120, 300, 500, 2000];

/** Runs random changes over random modules. */
export async function reloadAtRandom(seed: number): Promise<ReloadRun> {
  const random = randomFrom(seed);
  const temper: Temper = {
    isSynchronous: random.below(3) === 0,
    isHopeless: random.below(3) === 0,
    fullReload: random.pick(["none", "none", "function", "steps"]),
  };
  const world = await World.create(random, temper);
  for (let step = 0; step < 12; step++) await world.step();
  await world.rest();
  if (!temper.isHopeless) world.check("at rest");
  world.isCalm = true;
  await world.changeAll();
  world.check("after a change that all can take");
  await world.close();
  return world;
}

class World implements ReloadRun {
  readonly breaches: string[] = [];
  readonly trace: string[] = [];
  /** Nothing fails any more. */
  isCalm = false;
  readonly #random: Random;
  readonly #temper: Temper;
  readonly #host = memoryHost({ settle: "turn" });
  readonly #kinds: readonly Kind[];
  #config!: Live;
  /** Those that were started; the last one serves. */
  readonly #started = new Set<Program>();
  readonly #writes: Promise<unknown>[] = [];
  #count = 0;

  private constructor(random: Random, temper: Temper) {
    this.#random = random;
    this.#temper = temper;
    this.#kinds = randomKinds(random, temper);
  }

  static async create(random: Random, temper: Temper): Promise<World> {
    const world = new World(random, temper);
    const open = openConfigOn(() => world.#host);
    const timeoutMs = 600_000;
    world.#config = await open(memory({}), { schema, watch: false, timeoutMs, ...remember() });
    world.#start(world.#build(world.#config.value));
    world.#attach();
    return world;
  }

  /** One thing happens, and some time passes. */
  async step(): Promise<void> {
    for (let count = 1 + this.#random.below(2); count > 0; count--) this.#write();
    await this.#host.advance(this.#random.pick([0, 30, 150, 1000]));
  }

  /** Lets all that is under way come to its end. */
  async rest(): Promise<void> {
    await this.#host.advance(120_000);
    await Promise.all(this.#writes);
    await this.#host.advance(10_000);
  }

  async changeAll(): Promise<void> {
    this.#count++;
    const all = Object.fromEntries(keys.map((key) => [key, 1000 + this.#count]));
    const pool = { size: 1000, hosts: ["last"] };
    const written = this.#config.patch({ ...all, pool }).catch((error: Error) => {
      this.breaches.push(`a change that all can take is refused: ${error.message}`);
    });
    this.#writes.push(written);
    await this.rest();
  }

  async close(): Promise<void> {
    const closed = this.#config.close();
    await this.#host.advance(1000);
    await closed;
  }

  /** Compares what the modules hold with what the config says. */
  check(when: string): void {
    for (const { name, select } of this.#kinds) {
      const held = JSON.stringify(this.#program.held.get(name));
      const wanted = JSON.stringify(select(this.#config.value));
      if (held !== wanted) {
        this.breaches.push(`${when}, ${name} holds ${held} instead of ${wanted}`);
      }
    }
  }

  /** What a request sees that comes right now. */
  readonly #look = (): void => {
    if (this.#temper.isSynchronous && !this.#temper.isHopeless) this.check("to a reader");
  };

  #write(): void {
    const random = this.#random;
    const changes: Record<string, unknown> = {};
    for (const key of keys) if (random.below(3) === 0) changes[key] = random.below(3);
    if (random.below(3) === 0) changes["pool"] = { size: random.below(3) };
    if (random.below(4) === 0) changes["pool"] = { hosts: ["x", "y", "z"].slice(random.below(3)) };
    if (random.below(4) === 0) changes["banner"] = random.below(3);
    const number = ++this.#count;
    this.trace.push(`${number}: ${JSON.stringify(changes)}`);
    this.#writes.push(
      this.#config.patch(changes).then(
        () => this.trace.push(`${number} done`),
        (error: Error & { code?: string }) => {
          this.trace.push(`${number} ${error.code}: ${error.message}`);
          if (error.code !== "RELOAD_REFUSED") this.breaches.push(`${error.stack}`);
        },
      ),
    );
  }

  get #program(): Program {
    return [...this.#started].at(-1) ?? { held: new Map() };
  }

  #start(program: Program): void {
    this.#started.delete(program);
    this.#started.add(program);
  }

  #build(value: Value): Program {
    return { held: new Map(this.#kinds.map(({ name, select }) => [name, select(value)])) };
  }

  #attach(): void {
    const modules = (): Module<Value>[] => {
      const program = this.#program;
      return this.#kinds.map((kind) => this.#moduleOf(kind, program));
    };
    const { fullReload } = this.#temper;
    if (fullReload === "none") createReloader(this.#config, { modules, timeoutMs });
    if (fullReload === "function") {
      createReloader(this.#config, {
        modules,
        timeoutMs,
        fullReload: ({ value }, previous) => {
          const isBack = value === this.#config.value;
          return this.#act(`build from ${previous.revision}`, isBack, undefined, () => {
            this.#started.clear();
            this.#start(this.#build(value));
          });
        },
      });
    }
    if (fullReload !== "steps") return;
    const reloader: Reloader<Program> = createReloader(this.#config, {
      modules,
      timeoutMs,
      fullReload: {
        instance: this.#program,
        build: async ({ value }, { signal }) => {
          await this.#act("build", false, signal, () => {});
          return this.#build(value);
        },
        start: (program, { signal }) => {
          const isBack = program === reloader.instance;
          return this.#act("start", isBack, signal, () => this.#start(program));
        },
        stop: (program) => void this.#started.delete(program),
      },
    });
  }

  #moduleOf({ name, select }: Kind, { held }: Program): Module<Value> {
    return this.#config.module<unknown, string>({
      name,
      select: select as (value: unknown) => unknown,
      prepare: (_, { signal }) => this.#act(`prepare ${name}`, false, signal, () => "ready"),
      reconfigure: (next, { signal, prepared }) => {
        queueMicrotask(this.#look);
        const isBack = prepared === undefined;
        return this.#act(`${name}=${JSON.stringify(next)}`, isBack, signal, () => {
          held.set(name, next);
        });
      },
    });
  }

  /** Does something, at once or later, or fails at it before or after. */
  #act<Result>(
    what: string,
    isBack: boolean,
    signal: AbortSignal | undefined,
    effect: () => Result,
  ): Result | Promise<Result> {
    const random = this.#random;
    this.trace.push(what);
    const isSafe = this.isCalm || (isBack && !this.#temper.isHopeless);
    const fails = random.below(6) === 0 && !isSafe;
    // One that changes in part before it throws gets its old part a moment later: until then, it is a mixture.
    const isHalfDone = random.below(2) === 0 && !this.#temper.isSynchronous;
    const finish = (): Result => {
      const result = fails && !isHalfDone ? undefined : effect();
      if (fails) throw new Error(`${what} failed`);
      return result as Result;
    };
    const isLater = random.below(2) === 0 && !this.#temper.isSynchronous;
    const delay = random.pick(isSafe ? delays.slice(0, 3) : delays);
    const heeds = random.below(2) === 0 && !isSafe;
    return isLater ? this.#later(delay, heeds ? signal : undefined, finish) : finish();
  }

  async #later<Result>(
    ms: number,
    signal: AbortSignal | undefined,
    finish: () => Result,
  ): Promise<Result> {
    const isHeeded = signal !== undefined;
    await this.#host.sleep(ms, { keepAlive: false, ...(isHeeded ? { signal } : {}) });
    if (signal?.aborted === true) throw new Error("told to end");
    return finish();
  }
}

/** Modules that select values, what is worked out of them, containers, and what is built of those. */
function randomKinds(random: Random, { fullReload }: Temper): Kind[] {
  const kinds = Array.from({ length: 1 + random.below(4) }, (_, index): Kind => {
    const some = keys.filter(() => random.below(2) === 0);
    const select = random.pick<Kind["select"]>([
      (value) => value[keys[index]!],
      (value) => some.map((key) => value[key]),
      (value) => some.reduce((sum, key) => 10 * sum + value[key], 0),
      (value) => value.pool,
      (value) => ({ pool: value.pool, rates: some.map((key) => value[key]) }),
      (value) => value.pool.hosts.length + value.pool.size,
    ]);
    return { name: `m${index}`, select };
  });
  // Where nobody selects all, some changes are a full reload.
  if (fullReload === "none" || random.below(4) > 0) {
    kinds.push({
      name: "all",
      select: ({ banner: _, ...value }) => value,
    });
  }
  return kinds;
}
