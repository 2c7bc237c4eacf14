/** Starts the processes of a trial on any runtime and reads what they report. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { repositoryPath, runtimes } from "./runtimes.ts";

/** A line of a report; what it has beside its kind depends on that. */
export interface Line {
  readonly kind: string;
  readonly writer?: string;
  readonly slot?: string;
  readonly sequence?: number;
  readonly call?: string;
  readonly generation?: number;
  readonly hash?: string;
  readonly counter?: number;
  readonly writers?: Readonly<Record<string, number>>;
  readonly fault?: string;
  readonly code?: string;
  readonly errno?: string;
  readonly message?: string;
}

/** A running process of a trial. */
export interface TrialProcess {
  readonly runtime: string;
  readonly pid: number;
  /** What it reported so far, from the first line on. */
  lines(): readonly Line[];
  /**
   * Waits for a line of one of the kinds, after those that were waited for already.
   *
   * @throws when the process ends without one
   */
  next(...kinds: readonly string[]): Promise<Line>;
  /** Sends a command. */
  send(command: string): void;
  /** Sends a signal, if it still runs. */
  signal(signal: NodeJS.Signals): void;
  /** Lets it end by itself. */
  finish(): Promise<void>;
  /** Its exit status or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export interface TrialStart {
  /** A name of `runtimes`. */
  readonly runtime: string;
  readonly path: string;
  readonly mode: string;
  readonly options?: readonly string[];
  /** Where the report is kept. */
  readonly reportPath: string;
  /** A program with its arguments that runs it, such as a shell that sets a limit first. */
  readonly through?: readonly string[];
}

const script = fileURLToPath(new URL("trial_child.ts", import.meta.url));
const waitMsMax = 60_000;

/** The command of a runtime, up to the script. */
export function commandOf(name: string): readonly string[] {
  const runtime = runtimes.find((one) => one.name === name);
  if (runtime === undefined) throw new Error(`Cannot run on ${name}: found no such runtime`);
  const before = name === "deno" ? ["run", "--no-check", "--allow-all"] : [];
  return [join(repositoryPath, runtime.binary), ...before];
}

/** What every process of a trial is given. */
export function childEnvironment(): Record<string, string | undefined> {
  // Node starts four times as fast.
  const compileCache = join(tmpdir(), "holdfast-compile-cache");
  return { ...process.env, NO_COLOR: "1", NODE_COMPILE_CACHE: compileCache };
}

/** Starts one. The report goes to a file, which a process that is killed cannot lose and that never makes it wait. */
export function startTrialProcess(start: TrialStart): TrialProcess {
  const { runtime, path, mode, options = [], reportPath, through = [] } = start;
  const [program = "", ...rest] = [
    ...through,
    ...commandOf(runtime),
    script,
    path,
    mode,
    ...options,
  ];
  const report = openSync(reportPath, "a");
  const errors = openSync(`${reportPath}.errors`, "a");
  const child = spawn(program, rest, {
    stdio: ["pipe", report, errors],
    // One thread for files, where the runtime lets us choose, makes a trial the same each time.
    env: { ...childEnvironment(), UV_THREADPOOL_SIZE: "1" },
  });
  closeSync(report);
  closeSync(errors);
  return follow(child, runtime, reportPath);
}

function follow(child: ChildProcess, runtime: string, reportPath: string): TrialProcess {
  let over = false;
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      over = true;
      resolve(code ?? signal ?? "unknown");
    });
  });
  ended.catch(() => {});
  child.stdin?.on("error", () => {});
  const lines = () => readLines(reportPath);
  let awaited = 0;
  return {
    runtime,
    pid: child.pid ?? -1,
    lines,
    next: async (...kinds) => {
      const untilMs = performance.now() + waitMsMax;
      for (;;) {
        const isLast = over;
        const all = lines();
        while (awaited < all.length) {
          const line = all[awaited++]!;
          if (kinds.includes(line.kind)) return line;
        }
        if (isLast || performance.now() > untilMs) {
          throw new Error(
            `Cannot go on with ${runtime}: waited for "${kinds.join('" or "')}", ${
              isLast ? `it ended with ${await ended}` : "in vain"
            } after ${JSON.stringify(all.slice(-3))} ${
              readFileSync(`${reportPath}.errors`, "utf8").slice(-2000)
            }`,
          );
        }
        await wait(2);
      }
    },
    send: (command) => void child.stdin?.write(`${command}\n`),
    signal: (signal) => void child.kill(signal),
    finish: async () => {
      child.stdin?.end();
      const ending = await ended;
      if (ending === 0) return;
      throw new Error(
        `Cannot finish ${runtime}: it ended with ${ending} after ${
          JSON.stringify(lines().slice(-2))
        } ${readFileSync(`${reportPath}.errors`, "utf8").slice(-2000)}`,
      );
    },
    ended,
  };
}

/** The whole lines of a report. */
export function readLines(reportPath: string): Line[] {
  const whole = readFileSync(reportPath, "utf8").split("\n").slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Line);
}
