/** Prints what a run came to: what failed and was skipped, and the tables per runtime, folder and adapter. */
import { dirname } from "node:path";
import type { FileResult } from "./run_file.ts";
import { countResults, type Counts } from "./verdict.ts";

const LINES_MAX = 100;

export interface RuntimeResult {
  readonly runtime: string;
  readonly files: readonly FileResult[];
  readonly durationMs: number;
}

/** @param wholeOutput whether to print what the file wrote even where nothing went wrong */
export function describeFile(runtime: string, result: FileResult, wholeOutput: boolean): string[] {
  const lines: string[] = [];
  for (const problem of result.problems) {
    lines.push(`FAILED  ${runtime}  ${result.file}: ${problem}`);
  }
  for (const testCase of result.cases) {
    const where = `${runtime}  ${result.file}: ${testCase.name}`;
    if (testCase.outcome === "skipped") lines.push(`SKIPPED ${where}`);
    if (testCase.outcome !== "failed") continue;
    lines.push(`FAILED  ${where}`, ...indent(testCase.message.split("\n").slice(0, LINES_MAX)), "");
  }
  const output = result.output.split("\n").filter((line) => line.trim() !== "");
  if (wholeOutput) lines.push(...indent(output));
  else if (result.problems.length > 0) lines.push(...indent(output.slice(-LINES_MAX)), "");
  return lines;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`.trimEnd());
}

export function summarise(results: readonly RuntimeResult[]): string[] {
  const header = ["runtime", "files", "passed", "failed", "skipped", "seconds"];
  const rows = results.map(({ runtime, files, durationMs }) => {
    const { passed, failed, skipped } = countResults(files);
    return [runtime, files.length, passed, failed, skipped, (durationMs / 1000).toFixed(1)].map(
      String,
    );
  });
  return [
    ...table([header, ...rows]),
    "",
    "by folder, passed (and failed, skipped)",
    ...breakdown(results, (file) => dirname(file).replace(/^tests\//, ""), () => undefined),
    "",
    "by contract and adapter, passed (and failed, skipped)",
    ...breakdown(results, () => undefined, adapterOf),
  ];
}

export function closingLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

/** What a test is about, by the describe that names it: that of "store contract on file, node" is "store file". */
export function adapterOf(testName: string): string | undefined {
  const contract = /(host|source|store) contract on ([A-Za-z][\w:.-]*)/;
  for (const name of testName.split(" / ").slice(0, -1)) {
    const [, seam, adapter] = contract.exec(name) ?? [];
    if (adapter !== undefined) return `${seam} ${adapter.toLowerCase()}`;
  }
  return undefined;
}

function breakdown(
  results: readonly RuntimeResult[],
  ofFile: (file: string) => string | undefined,
  ofTest: (name: string) => string | undefined,
): string[] {
  const columns = new Set<string>();
  const cells = new Map<string, FileResult[]>();
  const add = (runtime: string, column: string | undefined, part: FileResult) => {
    if (column === undefined) return;
    columns.add(column);
    const key = `${runtime}\n${column}`;
    cells.set(key, [...(cells.get(key) ?? []), part]);
  };
  for (const { runtime, files } of results) {
    for (const file of files) {
      add(runtime, ofFile(file.file), file);
      for (const testCase of file.cases) {
        add(runtime, ofTest(testCase.name), { ...file, cases: [testCase], problems: [] });
      }
    }
  }
  if (columns.size === 0) return ["none"];

  const names = [...columns].sort();
  const rows = results.map(({ runtime }) => {
    return [runtime, ...names.map((name) => formatCell(cells.get(`${runtime}\n${name}`)))];
  });
  return table([["runtime", ...names], ...rows]);
}

function formatCell(parts: readonly FileResult[] | undefined): string {
  if (parts === undefined) return "-";
  const { passed, failed, skipped } = countResults(parts);
  const rest = [failed > 0 ? `${failed} failed` : "", skipped > 0 ? `${skipped} skipped` : ""]
    .filter(Boolean);
  return rest.length > 0 ? `${passed} (${rest.join(", ")})` : String(passed);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length))) ?? [];
  return rows.map((row) => {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return padded.join("  ").trimEnd();
  });
}
