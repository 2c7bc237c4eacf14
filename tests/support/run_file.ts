/** Runs one test file on one runtime, in a process group of its own, and says what came of it. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseJunit, type TestCase } from "./junit.ts";
import { repositoryPath, type Runtime, runtimeEnvironment } from "./runtimes.ts";

export interface FileResult {
  /** Relative to the repository. */
  readonly file: string;
  readonly cases: readonly TestCase[];
  /** What is wrong with the run as a whole: each counts as one failure. */
  readonly problems: readonly string[];
  readonly output: string;
  readonly durationMs: number;
}

export interface RunFileOptions {
  readonly timeoutMs: number;
  /** The run's own directory: TMPDIR of the tests, and where reports and output are kept meanwhile. */
  readonly tmp: string;
  readonly signal?: AbortSignal | undefined;
}

export async function runFile(
  runtime: Runtime,
  file: string,
  options: RunFileOptions,
): Promise<FileResult> {
  const startedAt = performance.now();
  const directory = await mkdtemp(join(options.tmp, "report-"));
  const reportPath = join(directory, "report.xml");
  const outputPath = join(directory, "output.txt");
  const ending = await runToEnd(
    runtime,
    runtime.testArguments(file, reportPath, options.tmp),
    outputPath,
    options,
  );
  const report = await readFile(reportPath, "utf8").catch(() => undefined);
  const output = await readFile(outputPath, "utf8");
  await rm(directory, { recursive: true, force: true });

  // Node reports the file itself as a case where it has no test, or fails outside of one.
  const cases = parseJunit(report ?? "").filter(({ name }) =>
    name !== file && name !== join(repositoryPath, file)
  );
  return {
    file,
    cases,
    problems: findProblems(ending, report, cases),
    output,
    durationMs: performance.now() - startedAt,
  };
}

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly killed: "timeout" | "abort" | undefined;
}

// A file with a problem fails however many of its cases passed: `process.exit(0)` leaves no report, or an empty one.
function findProblems(
  ending: Ending,
  report: string | undefined,
  cases: readonly TestCase[],
): string[] {
  if (ending.killed === "timeout") return ["took too long and was killed"];
  if (ending.killed === "abort") return ["was interrupted"];
  if (ending.signal !== null) return [`was ended by ${ending.signal}`];
  if (report === undefined) return [`wrote no report (exit status ${ending.code})`];
  if (cases.length === 0) return [`ran no test (exit status ${ending.code})`];
  const failed = cases.some((testCase) => testCase.outcome === "failed");
  return ending.code !== 0 && !failed ? [`exit status ${ending.code}, though no test failed`] : [];
}

// Output goes to a file and not through a pipe, which a process that a test left behind could hold open for ever.
function runToEnd(
  runtime: Runtime,
  testArguments: string[],
  outputPath: string,
  options: RunFileOptions,
): Promise<Ending> {
  const outputDescriptor = openSync(outputPath, "w");
  return new Promise<Ending>((resolve, reject) => {
    const child = spawn(join(repositoryPath, runtime.binary), testArguments, {
      cwd: repositoryPath,
      env: runtimeEnvironment(runtime, options.tmp),
      stdio: ["ignore", outputDescriptor, outputDescriptor],
      detached: true,
    });
    let killed: Ending["killed"];
    const kill = (why: NonNullable<Ending["killed"]>) => {
      killed ??= why;
      killGroup(child.pid);
    };
    const onAbort = () => kill("abort");
    const timer = setTimeout(() => kill("timeout"), options.timeoutMs);
    options.signal?.addEventListener("abort", onAbort);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
      // Processes that a test left behind would disturb the files after it.
      killGroup(child.pid);
      resolve({ code, signal, killed });
    });
  }).finally(() => closeSync(outputDescriptor));
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
