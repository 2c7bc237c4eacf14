/** Programs of a trial's own, on any runtime, that are told things and tell things by lines of JSON. */
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { childEnvironment, commandOf } from "./trial_process.ts";

/** A running program. */
export interface LineProcess<Told extends object> {
  readonly runtime: string;
  readonly pid: number;
  send(command: object): void;
  /**
   * The next thing it tells.
   *
   * @throws when it ends without another one, or says nothing for long
   */
  next(waitMsMax?: number): Promise<Told>;
  /** Lets it end by itself. */
  end(): Promise<void>;
  /** Ends it, whatever it does. */
  kill(): void;
}

const waitMsMaxDefault = 60_000;

/** Starts a script with what it is given as JSON. What it writes to the standard error is shown. */
export function startLineProcess<Told extends object>(
  runtime: string,
  script: URL,
  given: object,
): LineProcess<Told> {
  const [program = "", ...before] = commandOf(runtime);
  const child = spawn(program, [...before, fileURLToPath(script), JSON.stringify(given)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: childEnvironment(),
  });
  child.stdin.on("error", () => {});
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const explain = async () =>
    new Error(`Cannot go on with ${runtime}: it ended with ${await ended}`);
  return {
    runtime,
    pid: child.pid ?? -1,
    send: (command) => void child.stdin.write(`${JSON.stringify(command)}\n`),
    next: async (waitMsMax = waitMsMaxDefault) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`Cannot go on with ${runtime}: it said nothing for ${waitMsMax} ms`));
        }, waitMsMax);
      });
      try {
        const next = await Promise.race([lines.next(), late]);
        if (next.done === true) throw await explain();
        return JSON.parse(next.value) as Told;
      } finally {
        clearTimeout(timer);
      }
    },
    end: async () => {
      child.stdin.end();
      if (await ended !== 0) throw await explain();
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** What such a program is given. */
export function given<Given extends object>(): Given {
  return JSON.parse(process.argv[2] ?? "{}") as Given;
}

/** What such a program is told, until it is to end. */
export async function* commands<Command extends object>(): AsyncGenerator<Command> {
  for await (const line of createInterface({ input: process.stdin })) {
    yield JSON.parse(line) as Command;
  }
}

/** Tells something. */
export function tell(told: object): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
