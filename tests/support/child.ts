/** Processes beside the test: those of this runtime that run a script, and programs that a person would use. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { until } from "./config_under_test.ts";
import { runtime, type TestContext } from "./kit.ts";

/** A running process. */
export interface Child {
  readonly process: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  /** Waits until it printed a text. */
  says(text: string): Promise<void>;
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs a script of `tests/support` on this runtime; it is killed at the end of the test if it still runs. */
export function startScript(script: string, given: readonly string[], context: TestContext): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const before = runtime === "deno" ? ["run", "--no-check", "--allow-all"] : [];
  return startProgram(process.execPath, [...before, path, ...given], context);
}

/** Runs any program; what it prints, on either stream, is collected. */
export function startProgram(
  program: string,
  given: readonly string[],
  context: TestContext,
  environment: Readonly<Record<string, string>> = {},
): Child {
  const child = spawn(program, given, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => output += part);
  }
  // One that has ended no longer listens, which is no fault.
  child.stdin.on("error", () => {});
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  ended.catch(() => {});
  context.after(async () => {
    child.kill("SIGKILL");
    await ended.catch(() => {});
  });
  return {
    process: child,
    output: () => output,
    says: (text) =>
      until(`${program} says "${text}" (it said: ${output})`, () => output.includes(text)),
    ended,
  };
}

/** Why a test that needs a program is skipped here; where CI is set it is not, and then fails. */
export function unlessInstalled(program: string): string | false {
  const found = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  return found || process.env["CI"] ? false : `found no ${program}; install it`;
}
