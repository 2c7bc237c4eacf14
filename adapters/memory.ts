/**
 * A disk in memory and processes on it, for tests: a disk, a clock and randomness that do the same at every run, faults
 * on demand, and power cuts.
 *
 * @module
 */
import type { Capabilities, FileRead, Host, HostFile, HostStat } from "../src/host/host.ts";
import type { HostWatch, SleepOptions, WatchOptions } from "../src/host/host.ts";
import type { IoOperation } from "./io_error.ts";
import { virtualClock } from "./memory/clock.ts";
import type { Attempt, Fault, FaultHook } from "./memory/faults.ts";
import { emptyFileSystem } from "./memory/file_system.ts";
import type { SyncRecord } from "./memory/file_system.ts";
import { outsideProgram } from "./memory/outside.ts";
import type { FileOwnership, OutsideProgram, OutsideWriteOptions } from "./memory/outside.ts";
import { cutPower } from "./memory/power_cut.ts";
import type { PowerCut } from "./memory/power_cut.ts";
import { startProcess } from "./memory/process.ts";
import type { MemoryProcessOptions, ProcessControl, RunningProcess } from "./memory/process.ts";
import { restBy } from "./memory/rest.ts";
import type { Settling } from "./memory/rest.ts";

export type { Capabilities, FileOwnership, FileRead, Host, HostFile, HostStat, HostWatch };
export type { IoOperation, OutsideProgram, OutsideWriteOptions, SleepOptions, SyncRecord };
export type { Attempt, Fault, FaultHook, MemoryProcessOptions, PowerCut, ProcessControl };
export type { Settling, WatchOptions };

/** How a disk is made. Whatever is left out is the same at every run. */
export interface MemoryDiskOptions {
  /** What the clock shows at first, in milliseconds since 1970. Default: the start of the year 2000. */
  readonly startMs?: number;
  /** What the platform can do. Default: everything, on Linux. */
  readonly capabilities?: Partial<Capabilities>;
  /** How long after a change the watches hear of it, in milliseconds on the virtual clock. Default 1. */
  readonly hintDelayMs?: number;
  /**
   * How it is awaited that what was set off has come to rest. Default `turns`: three turns of the runtime's event loop.
   *
   * The others are for simulations that wait for promises alone, and cost little. One `turn` lets all promise jobs run
   * out. With `microtasks` the event loop does not turn at all: rest is when no process has asked its host for anything
   * during 128 promise jobs on end, which is slow where a test runner follows every promise, as that of Node does.
   */
  readonly settle?: Settling;
}

/** How a simulated host is made: its disk and the one process on it. */
export interface MemoryHostOptions extends MemoryDiskOptions, MemoryProcessOptions {}

/** A clock that stands still until it is moved. */
export interface MemoryClock {
  /**
   * Moves the clock, which stands still otherwise. Sleeps and hints that fall due take place in order of time, and what
   * they set off through promises settles before the clock moves on; real timers and threads are not waited for.
   *
   * @param ms how far, in milliseconds, at least 0
   * @returns resolves when the clock is there and everything has settled
   */
  advance(ms: number): Promise<void>;
  /**
   * Sets the wall clock: `now()` jumps, while `monotonic()` and every sleep go on as if nothing had happened.
   *
   * @param ms how far, in milliseconds; negative to go back
   */
  jumpClock(ms: number): void;
}

/** A disk and a clock in memory, on which processes run. */
export interface MemoryDisk extends MemoryClock {
  /** What another program does on the disk, as user 1000. */
  readonly outside: OutsideProgram;
  /** The syncs that processes have done, in order. */
  readonly syncs: readonly SyncRecord[];
  /**
   * Waits until what was set off has come to rest, with the clock where it is. An operation that waits for the fault hook
   * is at rest: so a simulator lets one go, settles, and chooses the next.
   */
  settle(): Promise<void>;
  /** Starts a process: a host of its own on this disk and clock. */
  process(options?: MemoryProcessOptions): MemoryHost;
  /**
   * Cuts the power: ends every process as `kill` does, and leaves on the disk what it may have kept. Processes can be
   * started again at once.
   */
  powerCut(cut: PowerCut): void;
}

/** A process in memory, with what a test needs to drive it. */
export interface MemoryHost extends Host, ProcessControl, MemoryClock {
  /** The disk that the process runs on. */
  readonly disk: MemoryDisk;
  /** The syncs that were done on the disk, in order. */
  readonly syncs: readonly SyncRecord[];
}

/**
 * Makes a disk in memory, for several processes and for power cuts.
 *
 * What a process or another program does is seen by all at once, and durable only later, as on a real disk:
 *
 * - A sync of a file makes its content durable. A power cut leaves of a file with unsynced content what was durable, or
 *   what was to be read, or a torn content: cut off, zeros from some place on, or a mixture where it was written over.
 * - A sync of a file that a fault refuses loses what was unsynced to every later sync, which succeeds: a power cut may
 *   then take it, until it is written again.
 * - A sync of a directory makes its entries durable. See {@link PowerCut} for what happens to the others.
 * - A file is one, however many names it has. It is gone after the cut if no name of it is left.
 *
 * Permission bits and owners are kept and reported, but nobody is refused for them: use a fault for that. Where
 * `capabilities.directorySync` is false, no entry is durable until `outside.sync()`.
 *
 * @param options how it starts; see {@link MemoryDiskOptions}
 * @returns an empty disk, sharing nothing with any other
 *
 * @example A name that was not synced
 * ```ts
 * import { memoryDisk } from "holdfast/testing";
 *
 * const disk = memoryDisk();
 * const host = disk.process();
 * const file = await host.create("/new", 0o600);
 * await file.write(new TextEncoder().encode("text"));
 * await file.sync();
 * disk.powerCut({ order: "any", choose: () => 0 });
 * console.log(disk.outside.list()); // []: nobody synced the directory
 * ```
 *
 * @example Two processes, of which one is killed while it waits
 * ```ts
 * import { memoryDisk } from "holdfast/testing";
 *
 * const disk = memoryDisk();
 * disk.outside.writeFile("/a", "text");
 * const [first, second] = [disk.process(), disk.process()];
 * let goOn = () => {};
 * first.faults = () => new Promise<void>((resolve) => goOn = resolve);
 * void first.rename("/a", "/b");
 * first.kill();
 * goOn();
 * await disk.settle();
 * console.log(await second.list("/")); // ["a"]
 * ```
 */
export function memoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  const { stir, settle } = restBy(options.settle ?? "turns");
  const clock = virtualClock(options.startMs ?? Date.UTC(2000, 0, 1), settle);
  const running = new Set<RunningProcess>();
  const system = emptyFileSystem(clock.now, (directory) => {
    for (const process of running) process.changed(directory);
  });
  const capabilities: Capabilities = {
    platform: "linux",
    directorySync: true,
    modes: true,
    renameOverOpen: true,
    ...options.capabilities,
  };
  const machine = { system, clock, capabilities, hintDelayMs: options.hintDelayMs ?? 1, stir };
  let started = 0;

  const shared = { syncs: system.syncs, advance: clock.advance, jumpClock: clock.jump };
  const disk: MemoryDisk = {
    ...shared,
    outside: outsideProgram(system, 1000),
    settle,
    process: (processOptions = {}) => {
      started += 1;
      const seeded = { ...processOptions, seed: processOptions.seed ?? started };
      const process = startProcess(machine, seeded, () => running.delete(process));
      running.add(process);
      return Object.assign(process.host, shared, { disk });
    },
    powerCut: (cut) => {
      for (const { host } of running) host.kill();
      cutPower(system, cut);
    },
  };
  return disk;
}

/**
 * Makes a host in memory: one process on a disk of its own, as `memoryDisk(options).process(options)` does.
 *
 * @param options how it starts; see {@link MemoryHostOptions}
 * @returns a host with an empty disk, sharing nothing with any other
 *
 * @example A full disk, without filling one
 * ```ts
 * import { memoryHost } from "holdfast/testing";
 *
 * const host = memoryHost();
 * host.outside.writeFile("/etc/app/config.json", "{}");
 * host.faults = ({ operation }) => operation === "write" ? { error: "ENOSPC" } : undefined;
 *
 * const file = await host.create("/etc/app/new.json", 0o600);
 * await file.write(new Uint8Array(10)).catch((error) => {
 *   console.log(error.message); // Cannot write /etc/app/new.json: the disk is full (ENOSPC); ...
 * });
 * ```
 *
 * @example A minute in no time
 * ```ts
 * import { memoryHost } from "holdfast/testing";
 *
 * const host = memoryHost();
 * const waited = host.sleep(60_000, { keepAlive: false });
 * await host.advance(60_000);
 * console.log(await waited); // true
 * ```
 */
export function memoryHost(options: MemoryHostOptions = {}): MemoryHost {
  return memoryDisk(options).process(options);
}
