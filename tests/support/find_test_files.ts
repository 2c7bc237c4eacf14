/** Finds the test files, and where each of them runs. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryPath, type Runtime, runtimes } from "./runtimes.ts";

export interface TestFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly runtimes: readonly Runtime[];
}

/** @param filters a file is taken if its path contains one of them, or if there are none */
export async function findTestFiles(filters: readonly string[]): Promise<TestFile[]> {
  const entries = await readdir(join(repositoryPath, "tests"), { recursive: true });
  const paths = entries.filter((entry) => entry.endsWith(".test.ts")).map((entry) =>
    `tests/${entry}`
  ).sort();
  const wanted = paths.filter((path) =>
    filters.length === 0 || filters.some((filter) => path.includes(filter))
  );
  return await Promise.all(wanted.map(async (path) => {
    return { path, runtimes: runsOn(path, await readFile(join(repositoryPath, path), "utf8")) };
  }));
}

/**
 * A file may say where it runs in a line `// runs on: node-24` or `// runs on: all`, where all includes the runtimes
 * that are not there by default: those that withhold permissions most tests need.
 */
export function runsOn(path: string, source: string): readonly Runtime[] {
  const line = /^\/\/ runs on: *(.*?) *$/m.exec(source)?.[1];
  if (line === undefined) return runtimes.filter((runtime) => runtime.byDefault);
  if (line === "all") return runtimes;
  return line.split(/ *, */).map((name) => {
    const runtime = runtimes.find((candidate) => candidate.name === name);
    if (runtime === undefined) {
      throw new Error(`Cannot run ${path}: found the unknown runtime "${name}"`);
    }
    return runtime;
  });
}
