/** What the results of one file, or of many, add up to. */
import type { FileResult } from "./run_file.ts";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function countResults(results: readonly FileResult[]): Counts {
  const outcomes = results.flatMap((result) => result.cases.map((testCase) => testCase.outcome));
  const problems = results.flatMap((result) => result.problems);
  const count = (outcome: string) => outcomes.filter((candidate) => candidate === outcome).length;
  return {
    passed: count("passed"),
    failed: count("failed") + problems.length,
    skipped: count("skipped"),
  };
}

/** @param strict whether a skip fails too, as it does in CI */
export function succeeds(counts: Counts, strict: boolean): boolean {
  return counts.passed > 0 && counts.failed === 0 && !(strict && counts.skipped > 0);
}
