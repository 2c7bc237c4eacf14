/** Processes on a simulated disk that can be stopped before or after any operation, to try one order of events on purpose. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { type Fault, type MemoryDisk, memoryDisk, type MemoryHost } from "../../adapters/memory.ts";
import type { OutsideProgram } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import type { Config } from "../../src/config/types.ts";
import { configPath, type LogFiles, logPath, readLog } from "../simulation/log_files.ts";

/** What the config of a stage holds. */
export interface Counts {
  a?: number | undefined;
  b?: number | undefined;
}

const schema: v.GenericSchema<Counts, Counts> = v.looseObject({
  a: v.optional(v.number()),
  b: v.optional(v.number()),
});

const operationsMax = 20_000;

/** A disk with a config file on it. */
export class Stage {
  readonly disk: MemoryDisk = memoryDisk();

  /** @param text of the config file, if there is one */
  constructor(text?: string) {
    const { outside } = this;
    outside.makeDirectory("/c", { mode: 0o700 });
    if (text !== undefined) outside.writeFile(configPath, text, { mode: 0o600 });
    outside.sync();
  }

  get outside(): OutsideProgram {
    return this.disk.outside;
  }

  /** The text of the config file. */
  get published(): string {
    return this.outside.readFile(configPath);
  }

  /** The records, the floor and what is torn. */
  get log(): LogFiles {
    return readLog(this.outside);
  }

  /** The names in the log that begin with something. */
  names(prefix: string): string[] {
    const start = `${logPath}/${prefix}`;
    const paths = this.outside.list().filter((path) => path.startsWith(start));
    return paths.map((path) => path.slice(logPath.length + 1));
  }

  /** Starts a process and opens the config in it. */
  async open(options: object = {}): Promise<Actor> {
    const actor = this.start();
    await actor.open(options);
    return actor;
  }

  /** Starts a process. */
  start(): Actor {
    return new Actor(this.disk);
  }

  /** Saves the config file as an editor does that puts a new file in its place. */
  save(text: string, options: { readonly synced?: boolean } = {}): void {
    this.outside.replaceFile(configPath, text, { mode: 0o600, ...options });
  }

  /** Writes into the config file, as `cat >` does. */
  saveInPlace(text: string, options: { readonly synced?: boolean } = {}): void {
    this.outside.writeFile(configPath, text, options);
  }
}

/** A disk on which generation 2, `{"a":2}`, is durable, and nobody has the config open. */
export async function stageWithTwo(): Promise<Stage> {
  const stage = new Stage('{"a":1}');
  const actor = await stage.open();
  await actor.config.setAt(["a"], 2);
  await actor.config.close();
  await stage.disk.settle();
  stage.outside.sync();
  assert.deepEqual([...stage.log.records.keys()], [1, 2]);
  return stage;
}

/** The config file says what is expected, by itself and before anybody mends it. */
export function assertPublished(stage: Stage, expected: object): void {
  assert.deepEqual(JSON.parse(stage.published), expected, "what is published");
}

/** Whoever opens it finds what is expected, and so do those who only read the file or the record. */
export async function assertNewest(stage: Stage, expected: object): Promise<void> {
  const { config } = await stage.open();
  assertPublished(stage, expected);
  assert.deepEqual(config.value, expected, "the value");
  const record = stage.log.records.get(config.snapshot().generation);
  assert.equal(record?.text, stage.published, "the record");
}

/** A call that writes. */
export type Write = (config: Config<Counts, Counts>) => Promise<unknown>;

const setThree: Write = (config) => config.setAt(["a"], 3);

/** A process that can be made to stand still. */
export class Actor {
  readonly host: MemoryHost;
  readonly #disk: MemoryDisk;
  #config: Config<Counts, Counts> | undefined;
  #isStopped = false;
  #waiting: (() => void)[] = [];
  #operations = 0;

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
    this.host = disk.process();
  }

  get config(): Config<Counts, Counts> {
    assert.ok(this.#config, "the config is not open");
    return this.#config;
  }

  /** Opens the config. */
  async open(options: object = {}): Promise<void> {
    const silent = { logger: { warn: () => {} }, watch: false } as const;
    const openConfig = openConfigOn(() => this.host);
    this.#config = await openConfig(configPath, { schema, ...silent, ...options });
  }

  /** From the first operation on that a pattern fits, every one waits, as after SIGSTOP. */
  stopBefore(pattern: RegExp): void {
    this.#hook((operation) => this.#isStopped ||= pattern.test(operation));
  }

  /** The first operation that a pattern fits is done, and every one after it waits. */
  stopAfter(pattern: RegExp): void {
    this.#hook((operation) => {
      const wasStopped = this.#isStopped;
      this.#isStopped ||= pattern.test(operation);
      return wasStopped;
    });
  }

  /** Writes, and stands still before the first operation that a pattern fits. */
  async writeUpTo(pattern: RegExp, write: Write = setThree): Promise<Watched> {
    this.stopBefore(pattern);
    return await this.#begin(write);
  }

  /** Writes, and stands still after the first operation that a pattern fits. */
  async writeThrough(pattern: RegExp, write: Write = setThree): Promise<Watched> {
    this.stopAfter(pattern);
    return await this.#begin(write);
  }

  /**
   * Lets it go on after a stop; it can be told at once where to stop next.
   *
   * @param fault what becomes of the operations of which the pattern fits
   */
  goOn(fault?: { readonly pattern: RegExp; readonly fault: Fault }): void {
    assert.ok(this.#isStopped, "it never came to where it was to be stopped");
    this.#isStopped = false;
    this.host.faults = (attempt) => {
      return fault?.pattern.test(describeAttempt(attempt)) ? fault.fault : undefined;
    };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const release of waiting) release();
  }

  /** Where it was stopped, it ends, as after SIGKILL. */
  kill(): void {
    assert.ok(this.#isStopped, "it never came to where it was to be killed");
    this.host.kill();
  }

  /** Makes it wait for ever once it did more than any sound one does, so that it does not run for ever. */
  bound(): void {
    this.host.faults = () => {
      return this.#operations++ < operationsMax ? undefined : new Promise<void>(() => {});
    };
  }

  async #begin(write: Write): Promise<Watched> {
    const watched = watchEnd(write(this.config));
    await this.#disk.settle();
    return watched;
  }

  #hook(waits: (operation: string) => boolean): void {
    this.host.faults = (attempt) => {
      const operation = describeAttempt(attempt);
      if (!waits(operation)) return undefined;
      return new Promise<Fault | void>((resolve) => {
        // Whoever lets it go on may want it to stop again, even here.
        this.#waiting.push(() =>
          resolve(Promise.resolve().then(() => this.host.faults?.(attempt)))
        );
      });
    };
  }
}

/** Such as `link log/g.3`, `create log/pub.3.x`, `rename config.json`, `syncDirectory log`, `syncDirectory .`. */
function describeAttempt(
  { operation, path }: { readonly operation: string; readonly path: string },
): string {
  const within = path.replace(logPath, "/c/log").replace(/^\/c\/?/, "") || ".";
  return `${operation} ${within.replaceAll(/[0-9a-f]{32}/g, "x")}`;
}

/** How something ends. */
interface Watched<Result = unknown> {
  readonly outcome: () => { readonly value?: Result; readonly error?: unknown } | undefined;
}

/**
 * Tells whether something comes to an end, without waiting for what may never do so. An operation that was stopped may be in
 * its way.
 */
export function watchEnd<Result>(promise: Promise<Result>): Watched<Result> {
  let outcome: { value?: Result; error?: unknown } | undefined;
  promise.then((value) => outcome = { value }, (error: unknown) => outcome = { error });
  return { outcome: () => outcome };
}

/** The code of the error in which something ended; `done` for none, `running` while it has not ended. */
export function endOf(watched: Watched): string {
  const outcome = watched.outcome();
  if (outcome === undefined) return "running";
  return "error" in outcome ? (outcome.error as { code?: string }).code ?? "thrown" : "done";
}
