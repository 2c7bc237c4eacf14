/**
 * Runs the test files on every runtime, one process a file, and closes with one line that sums it all:
 *
 *     node tests/run.ts [--only=node-24,bun] [--output] [part of a path ...]
 *
 * A runtime that ran nothing, a file without a finished test and, where CI is set, a skipped test fail the run.
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { findTestFiles, type TestFile } from "./support/find_test_files.ts";
import { closingLine, describeFile, type RuntimeResult, summarise } from "./support/report.ts";
import { type FileResult, runFile } from "./support/run_file.ts";
import { repositoryPath, type Runtime, runtimes } from "./support/runtimes.ts";
import { countResults, succeeds } from "./support/verdict.ts";

const RUNTIME_TIMEOUT_MS = 15 * 60_000;
const FILE_TIMEOUT_MS = 5 * 60_000;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => interruption.abort());
}
// Where the reader of the output went away, as after `| head`, the rest still has to be ended and cleared away.
process.stdout.on("error", () => interruption.abort());
process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { only: { type: "string" }, output: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const chosen = chooseRuntimes(values.only);
  const files = await findTestFiles(positionals);
  const planned = chosen.map((runtime) => ({
    runtime,
    files: files.filter((file) => file.runtimes.includes(runtime)),
  }));
  const tmp = await makeRunDirectory();
  const results: RuntimeResult[] = [];
  try {
    for (const { runtime, files } of planned) {
      // A filter may leave nothing for a runtime; without one, nothing is a failure.
      if (files.length === 0 && positionals.length > 0) continue;
      results.push(await runRuntime(runtime, files, { tmp, wholeOutput: values.output }));
    }
  } finally {
    await rm(dirname(tmp), { recursive: true, force: true, maxRetries: 3 });
  }
  return conclude(results);
}

function chooseRuntimes(only: string | undefined): readonly Runtime[] {
  const names = only?.split(",");
  const unknown = names?.find((name) => runtimes.every((runtime) => runtime.name !== name));
  if (unknown !== undefined) {
    throw new Error(
      `Cannot run on "${unknown}": choose from ${
        runtimes.map((runtime) => runtime.name).join(", ")
      }`,
    );
  }
  const chosen = runtimes.filter((runtime) => names?.includes(runtime.name) ?? true);
  const missing = chosen.find((runtime) => !existsSync(join(repositoryPath, runtime.binary)));
  if (missing !== undefined) {
    throw new Error(`Cannot run on ${missing.name}: found no ${missing.binary}; run npm ci`);
  }
  return chosen;
}

// Open to all like the system's own directory for temporary files: a database server of the tests runs as another user.
async function makeRunDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-"));
  const tmp = join(directory, "tmp");
  await mkdir(tmp);
  await chmod(directory, 0o755);
  await chmod(tmp, 0o1777);
  return tmp;
}

async function runRuntime(
  runtime: Runtime,
  files: readonly TestFile[],
  { tmp, wholeOutput }: { readonly tmp: string; readonly wholeOutput: boolean },
): Promise<RuntimeResult> {
  const startedAt = performance.now();
  const results: FileResult[] = [];
  for (const { path } of files) {
    const leftMs = RUNTIME_TIMEOUT_MS - (performance.now() - startedAt);
    const result = interruption.signal.aborted
      ? notRun(path, "the run was interrupted")
      : leftMs <= 0
      ? notRun(path, "the time of this runtime was over")
      : await runFile(runtime, path, {
        timeoutMs: Math.min(FILE_TIMEOUT_MS, leftMs),
        tmp,
        signal: interruption.signal,
      });
    results.push(result);
    for (const line of describeFile(runtime.name, result, wholeOutput)) console.log(line);
  }
  const durationMs = performance.now() - startedAt;
  console.log(
    `${runtime.name}: ${closingLine(countResults(results))} in ${(durationMs / 1000).toFixed(1)} s`,
  );
  return { runtime: runtime.name, files: results, durationMs };
}

function notRun(file: string, why: string): FileResult {
  return { file, cases: [], problems: [`was not run: ${why}`], output: "", durationMs: 0 };
}

function conclude(results: readonly RuntimeResult[]): number {
  const strict = Boolean(process.env["CI"]);
  const total = countResults(results.flatMap((result) => result.files));
  const bad = results.filter((result) => !succeeds(countResults(result.files), strict));
  console.log("");
  for (const line of summarise(results)) console.log(line);
  console.log("");
  for (const { runtime, files } of bad) {
    const { passed, failed, skipped } = countResults(files);
    if (failed > 0) console.log(`FAILED: ${failed} on ${runtime}`);
    if (passed === 0) console.log(`FAILED: ${runtime} passed no test`);
    if (strict && skipped > 0) {
      console.log(`FAILED: ${skipped} skipped on ${runtime}, and CI is set`);
    }
  }
  if (results.length === 0) console.log("FAILED: found no test file");
  if (!strict && total.skipped > 0) {
    console.log(`NOTE: ${total.skipped} skipped; where CI is set, that fails`);
  }
  console.log(closingLine(total));
  return bad.length === 0 && results.length > 0 ? 0 : 1;
}
