// runs on: node-24
/** Proves that the kit and the runner fail, on every runtime, what must fail. One place spawns them all. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "./support/kit.ts";
import { runFile } from "./support/run_file.ts";
import { repositoryPath, runtimes } from "./support/runtimes.ts";
import { countResults, succeeds } from "./support/verdict.ts";

const DIRECTORY = "tests/support/must_fail";
const CONTROL = "control_passes.ts";
const SKIPPED = "skipped.ts";

const files = (await readdir(join(repositoryPath, DIRECTORY))).sort();

for (const runtime of runtimes) {
  describe(`what must fail, spawned: ${runtime.name}`, () => {
    for (const file of files) {
      test(file, { timeoutMs: 40_000 }, async (context) => {
        const tmp = await mkdtemp(join(tmpdir(), "must-fail-"));
        context.after(() => rm(tmp, { recursive: true, force: true }));
        // Only the case that blocks its thread comes near the limit; the others are to end well before it.
        const timeoutMs = file === "blocks_forever.ts" ? 2_000 : 30_000;
        const result = await runFile(runtime, `${DIRECTORY}/${file}`, { timeoutMs, tmp });
        const counts = countResults([result]);

        if (file === CONTROL) {
          assert.deepEqual(counts, { passed: 2, failed: 0, skipped: 0 }, result.output);
          assert.equal(succeeds(counts, true), true);
        } else if (file === SKIPPED) {
          assert.deepEqual(counts, { passed: 1, failed: 0, skipped: 1 }, result.output);
          assert.equal(succeeds(counts, false), true);
          assert.equal(succeeds(counts, true), false);
          assert.match(
            result.cases.find((testCase) => testCase.outcome === "skipped")?.name ?? "",
            /the tool is missing/,
          );
        } else {
          assert.equal(succeeds(counts, false), false, result.output);
          assert.equal(
            result.problems.includes("took too long and was killed"),
            file === "blocks_forever.ts",
          );
        }
      });
    }
  });
}
