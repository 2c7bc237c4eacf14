/** Reads the test cases out of a JUnit report, as Node, Deno and Bun write them. */
export interface TestCase {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What the report says of a failure; Bun says next to nothing, its output has it. */
  readonly message: string;
}

export function parseJunit(report: string): TestCase[] {
  const cases: TestCase[] = [];
  for (
    const match of report.matchAll(
      /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
    )
  ) {
    const attributes = match[1] ?? "";
    const content = match[2] ?? "";
    const failed = /<(?:failure|error)\b/.test(content);
    cases.push({
      name: unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? ""),
      outcome: failed ? "failed" : /<skipped\b/.test(content) ? "skipped" : "passed",
      message: failed
        ? unescape(content.replace(/<!\[CDATA\[|\]\]>/g, "").replace(/<[^>]*>/g, "")).trim()
        : "",
    });
  }
  return cases;
}

function unescape(text: string): string {
  return text.replace(/&(?:#(x?)([0-9a-fA-F]+)|(\w+));/g, (whole, hex, digits, name) => {
    if (digits !== undefined) return String.fromCodePoint(parseInt(digits, hex ? 16 : 10));
    return { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }[name as string] ?? whole;
  });
}
