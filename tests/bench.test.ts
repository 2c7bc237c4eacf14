// runs on: all
/** That the benchmarks measure what they say. */
import assert from "node:assert/strict";
import { heapBytes, median, medianMs } from "../bench/measure.ts";
import { makeSample, withPort } from "../bench/sample.ts";
import { diff } from "../src/core/diff.ts";
import { describe, test } from "./support/kit.ts";

function countLeaves(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce((sum: number, part) => sum + countLeaves(part), 0);
}

describe("a benchmark", () => {
  test("has a sample of 100,000 leaves, and changes one", () => {
    const sample = makeSample();
    assert.equal(countLeaves(sample), 100_000);
    const path = ["services", "service-0007", "upstream", "port"];
    assert.deepEqual(diff(sample, withPort(sample, 7, 1)), [
      { path, kind: "changed", before: 8007, after: 1 },
    ]);
  });

  test("tells the median", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.throws(() => median([]), /no numbers/);
  });

  test("runs all work in every round, in turns each first", async () => {
    const ran: string[] = [];
    const times = await medianMs(2, (round) => ran.push(String(round)), {
      one: () => ran.push("one"),
      other: () => Promise.resolve().then(() => ran.push("other")),
    });
    assert.deepEqual(ran.slice(0, 6), ["0", "one", "other", "1", "other", "one"]);
    assert.deepEqual(Object.keys(times), ["one", "other"]);
  });

  test("sees what is in use", () => {
    assert.ok(heapBytes() > 0);
  });
});
