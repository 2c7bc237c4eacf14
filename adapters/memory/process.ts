import { createHash } from "node:crypto";
import type { Capabilities, Host } from "../../src/host/host.ts";
import { ioError } from "../io_error.ts";
import { sleepsOn } from "./clock.ts";
import type { VirtualClock } from "./clock.ts";
import { faultGate } from "./faults.ts";
import type { FaultHook } from "./faults.ts";
import { directoryOf } from "./file_system.ts";
import type { DirectoryInode, FileSystem } from "./file_system.ts";
import { fileOperations } from "./host_files.ts";
import { outsideProgram } from "./outside.ts";
import type { OutsideProgram } from "./outside.ts";
import { seededRandom } from "./random.ts";
import { watchesOn } from "./watches.ts";

/** How a process is started. Whatever is left out is the same at every run. */
export interface MemoryProcessOptions {
  /** What its host is called. Default `memory`. */
  readonly name?: string;
  /** Where its randomness starts, a 32-bit integer. Default: the how-manyth process of the disk it is, from 1. */
  readonly seed?: number;
  /** The user that it acts as; null for none. Default 1000. */
  readonly userId?: number | null;
  /** Its environment. Default: empty. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** What the processes on one disk share. */
export interface Machine {
  readonly system: FileSystem;
  readonly clock: VirtualClock;
  readonly capabilities: Capabilities;
  readonly hintDelayMs: number;
  readonly stir: () => void;
}

/** A process as its disk knows it. */
export interface RunningProcess {
  readonly host: Host & ProcessControl;
  /** Tells its watches that something changed in a directory. */
  changed(directory: DirectoryInode): void;
}

/** What only a simulated process can do. */
export interface ProcessControl {
  /** Decides what goes wrong in this process; may be set and cleared at any time. */
  faults: FaultHook | undefined;
  /** What another program of the same user does on the same disk. */
  readonly outside: OutsideProgram;
  /**
   * Ends the process as SIGKILL does. What waits for the answer of the fault hook, and whatever is asked for later, never
   * settles and does nothing; the watches are closed and no sleep ends. What is on the disk stays as it is.
   */
  kill(): void;
  /**
   * Ends every watch by itself, as a platform does that gives up.
   *
   * @param errno the reason that the watches are told. Default `EIO`.
   */
  endWatches(errno?: string): void;
}

/**
 * Starts a process.
 *
 * @param machine where it runs
 * @param ended told once it was killed
 */
export function startProcess(
  machine: Machine,
  options: MemoryProcessOptions,
  ended: () => void,
): RunningProcess {
  const { system, clock, capabilities, hintDelayMs, stir } = machine;
  const userId = options.userId === null ? undefined : options.userId ?? 1000;
  const gate = faultGate(() => host.faults, stir);
  const watches = watchesOn(clock, hintDelayMs, gate.hint);
  const sleeps = sleepsOn(clock, stir);
  const host: RunningProcess["host"] = {
    name: options.name ?? "memory",
    capabilities,
    ...fileOperations(system, gate, userId ?? 0, capabilities.directorySync),
    watch: (path, watching) => {
      return gate.perform("watch", path, () => {
        return watches.add(directoryOf(system, path), path, watching);
      });
    },
    now: clock.now,
    monotonic: clock.monotonic,
    sleep: (ms, { signal }) => sleeps.sleep(ms, signal),
    pause: () => Promise.resolve(),
    random: seededRandom(options.seed ?? 1),
    hash: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    variable: (name) => options.variables?.[name],
    variableNames: () => Object.keys(options.variables ?? {}),
    userId: () => userId,
    faults: undefined,
    outside: outsideProgram(system, userId ?? 0),
    kill: () => {
      gate.end();
      watches.end();
      sleeps.end();
      ended();
    },
    endWatches: (errno = "EIO") => watches.fail((path) => ioError("watch", path, errno)),
  };
  return { host, changed: watches.changed };
}
