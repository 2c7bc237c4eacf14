/**
 * A host in memory, for tests: a disk, a clock and randomness that do the same at every run, and faults on demand.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Capabilities, FileRead, Host, HostFile, HostStat } from "../src/host/host.ts";
import type { HostWatch, SleepOptions, WatchOptions } from "../src/host/host.ts";
import { ioError } from "./io_error.ts";
import type { IoOperation } from "./io_error.ts";
import { sleepOnClock, virtualClock } from "./memory/clock.ts";
import { faultGate } from "./memory/faults.ts";
import type { Attempt, Fault, FaultHook } from "./memory/faults.ts";
import { directoryOf, emptyFileSystem } from "./memory/file_system.ts";
import type { SyncRecord } from "./memory/file_system.ts";
import { fileOperations } from "./memory/host_files.ts";
import { outsideProgram } from "./memory/outside.ts";
import type { FileOwnership, OutsideProgram } from "./memory/outside.ts";
import { seededRandom } from "./memory/random.ts";
import { watchesOn } from "./memory/watches.ts";

export type { Capabilities, FileOwnership, FileRead, Host, HostFile, HostStat, HostWatch };
export type { IoOperation, OutsideProgram, SleepOptions, SyncRecord, WatchOptions };
export type { Attempt, Fault, FaultHook };

/** How a simulated host is made. Whatever is left out is the same at every run. */
export interface MemoryHostOptions {
  /** What the clock shows at first, in milliseconds since 1970. Default: the start of the year 2000. */
  readonly startMs?: number;
  /** Where the randomness starts, a 32-bit integer. Default 1. */
  readonly seed?: number;
  /** The user that the host acts as; null for none. Default 1000. */
  readonly userId?: number | null;
  /** The environment. Default: empty. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What the platform can do. Default: everything, on Linux. */
  readonly capabilities?: Partial<Capabilities>;
  /** How long after a change the watches hear of it, in milliseconds on the virtual clock. Default 1. */
  readonly hintDelayMs?: number;
}

/** A host in memory, with what a test needs to drive it. */
export interface MemoryHost extends Host {
  /** Decides what goes wrong; may be set and cleared at any time. */
  faults: FaultHook | undefined;
  /** What another program does on the same disk. */
  readonly outside: OutsideProgram;
  /** The syncs that were done, in order. */
  readonly syncs: readonly SyncRecord[];
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
  /**
   * Ends every watch by itself, as a platform does that gives up.
   *
   * @param errno the reason that the watches are told. Default `EIO`.
   */
  endWatches(errno?: string): void;
}

/**
 * Makes a host in memory.
 *
 * Permission bits and owners are kept and reported, but nobody is refused for them: use a fault for that.
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
  const userId = options.userId === null ? undefined : options.userId ?? 1000;
  const capabilities: Capabilities = {
    platform: "linux",
    directorySync: true,
    modes: true,
    renameOverOpen: true,
    ...options.capabilities,
  };
  const clock = virtualClock(options.startMs ?? Date.UTC(2000, 0, 1));
  const gate = faultGate(() => host.faults);
  const watches = watchesOn(clock, options.hintDelayMs ?? 1, gate.hint);
  const system = emptyFileSystem(clock.now, watches.changed);
  const owner = userId ?? 0;

  const host: MemoryHost = {
    name: "memory",
    capabilities,
    ...fileOperations(system, gate.perform, owner, capabilities.directorySync),
    watch: (path, watching) => {
      return gate.perform("watch", path, () => {
        return watches.add(directoryOf(system, path), path, watching);
      });
    },
    now: clock.now,
    monotonic: clock.monotonic,
    sleep: (ms, sleeping) => sleepOnClock(clock, ms, sleeping.signal),
    random: seededRandom(options.seed ?? 1),
    hash: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    variable: (name) => options.variables?.[name],
    userId: () => userId,
    faults: undefined,
    outside: outsideProgram(system, owner),
    syncs: system.syncs,
    advance: clock.advance,
    jumpClock: clock.jump,
    endWatches: (errno = "EIO") => watches.fail((path) => ioError("watch", path, errno)),
  };
  return host;
}
