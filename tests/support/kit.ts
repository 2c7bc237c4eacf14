/**
 * One test API over `node:test`, `Deno.test` and `bun:test`.
 *
 * The runtimes disagree about what fails a test: a throwing cleanup, an error in a timer, a describe body that throws,
 * a promise that never settles or `process.exit(0)` each pass silently on at least one of them. Here they fail on all;
 * `must_fail/` holds the proof.
 */
import process from "node:process";

/** What a running test is given. */
export interface TestContext {
  /** The full name: the describe chain and the test's own name, joined with " / ". */
  readonly name: string;
  /** Registers a cleanup; they run last to first, whether the test passed or not, and one that throws fails the test. */
  after(cleanup: () => unknown): void;
}

/** How a test is run. */
export interface TestOptions {
  /** Why the test cannot run here; it is then reported as skipped, with the reason in its name. */
  readonly skip?: string | false | undefined;
  /** How long the body, and then the cleanups, may each take. */
  readonly timeoutMs?: number | undefined;
}

export type TestBody = (context: TestContext) => unknown;

type Register = (name: string, skip: boolean, timeoutMs: number, run: () => Promise<void>) => void;

interface DenoTests {
  test(definition: {
    name: string;
    ignore: boolean;
    fn: () => Promise<void>;
    sanitizeOps: boolean;
    sanitizeResources: boolean;
  }): void;
}

interface BunTests {
  test: {
    (name: string, run: () => Promise<void>, timeoutMs: number): void;
    skip(name: string, run: () => Promise<void>): void;
  };
}

// Declared here because the compiler knows Node's globals alone, and these are only on Deno.
interface StrayErrorEvent {
  readonly type: string;
  readonly error?: unknown;
  readonly reason?: unknown;
  preventDefault(): void;
}

interface StrayErrorTarget {
  addEventListener(type: string, listener: (event: StrayErrorEvent) => void): void;
  removeEventListener(type: string, listener: (event: StrayErrorEvent) => void): void;
}

const deno = (globalThis as { Deno?: DenoTests }).Deno;

/** The runtime these tests run on. */
export const runtime: "node" | "deno" | "bun" = deno !== undefined
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

const register = await chooseRegister();
const describeChain: string[] = [];
let unfinished = 0;
let running: string | undefined;

// Deno is left out: an exit inside a test throws there, and the report of any other run that ends early is empty.
if (runtime !== "deno") {
  process.on("exit", () => {
    // Tests that a filter leaves out never start.
    const filtered = process.execArgv.some((argument) =>
      argument.startsWith("--test-name-pattern")
    );
    if (unfinished === 0 || filtered) return;
    console.error(
      `kit: the process exited with ${unfinished} test(s) unfinished${
        running ? `, in "${running}"` : ""
      }`,
    );
    process.exitCode = 1;
  });
}

/** Groups tests under a name. The body registers them synchronously; an error in it fails the file. */
export function describe(name: string, body: () => void): void {
  describeChain.push(name);
  try {
    const result: unknown = body();
    if (result instanceof Promise) {
      throw new Error(
        `Cannot describe "${name}": found an async body, whose tests would be lost; make it synchronous`,
      );
    }
  } finally {
    describeChain.pop();
  }
}

/** Registers one test. */
export function test(name: string, body: TestBody): void;
export function test(name: string, options: TestOptions, body: TestBody): void;
export function test(
  name: string,
  optionsOrBody: TestOptions | TestBody,
  lastBody?: TestBody,
): void {
  const options = typeof optionsOrBody === "function" ? {} : optionsOrBody;
  const body = typeof optionsOrBody === "function" ? optionsOrBody : lastBody;
  const fullName = [...describeChain, name].join(" / ");
  if (body === undefined) throw new Error(`Cannot register "${fullName}": found no body`);
  if (running !== undefined) {
    throw new Error(
      `Cannot register "${fullName}" inside the running test "${running}": call test() in a describe body`,
    );
  }

  const timeoutMs = options.timeoutMs ?? 20_000;
  const skip = options.skip !== undefined && options.skip !== false;
  if (!skip) unfinished++;
  // The reason stands in the name because no JUnit report but Node's has a place for it.
  const shownName = skip ? `${fullName} (skipped: ${options.skip})` : fullName;
  // The kit's own deadlines are to fire first, since they still run the cleanups.
  register(shownName, skip, 2 * timeoutMs + 5_000, async () => {
    running = fullName;
    try {
      await runTest(fullName, body, timeoutMs);
    } finally {
      running = undefined;
      unfinished--;
    }
  });
}

async function runTest(name: string, body: TestBody, timeoutMs: number): Promise<void> {
  const errors: unknown[] = [];
  const cleanups: (() => unknown)[] = [];
  let ended = false;
  const stopCollecting = collectStrayErrors(errors);
  const exitCodeBefore = process.exitCode;
  const context: TestContext = {
    name,
    after(cleanup) {
      if (ended) throw new Error(`Cannot add a cleanup to "${name}": found it ended`);
      cleanups.push(cleanup);
    },
  };

  await within(timeoutMs, "the test", () => body(context)).catch((error) => errors.push(error));
  for (let cleanup = cleanups.pop(); cleanup !== undefined; cleanup = cleanups.pop()) {
    await within(timeoutMs, "a cleanup", cleanup).catch((error) => errors.push(error));
  }
  ended = true;
  // Rejections count as unhandled only after the microtasks ran; two turns let them be reported while we still listen.
  await turn();
  await turn();
  stopCollecting();
  // It stays set: on Node it may be the runner's own mark of an error that came after an earlier test.
  if (process.exitCode !== exitCodeBefore) {
    errors.push(
      new Error(`the test, or one before it, left process.exitCode at ${process.exitCode}`),
    );
  }

  if (errors.length === 1 && errors[0] instanceof Error) throw errors[0];
  if (errors.length > 0) {
    const lines = errors.map((
      error,
    ) => (error instanceof Error ? (error.stack ?? error.message) : String(error)));
    throw new AggregateError(errors, `${errors.length} error(s):\n${lines.join("\n")}`);
  }
}

async function within(timeoutMs: number, what: string, body: () => unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not settle within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([Promise.resolve().then(body), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

// Node and Bun attribute stray errors to the running test by themselves; Deno ends the whole run or overlooks them.
function collectStrayErrors(errors: unknown[]): () => void {
  if (runtime !== "deno") return () => {};
  const target = globalThis as unknown as StrayErrorTarget;
  const onError = (event: StrayErrorEvent) => {
    event.preventDefault();
    errors.push(event.error ?? event.reason ?? new Error(`an uncaught ${event.type}`));
  };
  target.addEventListener("error", onError);
  target.addEventListener("unhandledrejection", onError);
  return () => {
    target.removeEventListener("error", onError);
    target.removeEventListener("unhandledrejection", onError);
  };
}

async function chooseRegister(): Promise<Register> {
  if (deno !== undefined) {
    return (name, skip, _timeoutMs, run) =>
      deno.test({ name, ignore: skip, fn: run, sanitizeOps: false, sanitizeResources: false });
  }
  if (runtime === "bun") {
    const bun = (await import("bun:test" as string)) as BunTests;
    return (
      name,
      skip,
      timeoutMs,
      run,
    ) => (skip ? bun.test.skip(name, run) : bun.test(name, run, timeoutMs));
  }
  const node = await import("node:test");
  return (name, skip, timeoutMs, run) => void node.test(name, { skip, timeout: timeoutMs }, run);
}
