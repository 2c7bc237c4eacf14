// runs on: node-24
/** Processes on every runtime increment one counter: each increment is there once, and every follower sees time pass. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freshDirectory } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { assertCounted, assertSound, observe } from "../support/trial_observations.ts";
import { startTrialProcess } from "../support/trial_process.ts";

const increments = 200;
const timeoutMs = 120_000;

describe("four processes on four runtimes", () => {
  for (const [name, options] of [["", []], [", two at a time", ["--parallel=2"]]] as const) {
    test(`lose no increment${name}`, { timeoutMs }, async (context) => {
      const base = await freshDirectory(context);
      const directory = join(base, "config");
      await mkdir(directory, { mode: 0o700 });
      const path = join(directory, "config.json");
      const start = (runtime: string, mode: string, options: readonly string[]) => {
        const reportPath = join(base, `${runtime}-${mode}`);
        const child = startTrialProcess({ runtime, path, mode, options, reportPath });
        context.after(async () => {
          child.signal("SIGKILL");
          await child.ended;
        });
        return { name: `${mode} on ${runtime}`, child };
      };

      const runtimes = ["node-24", "node-22", "deno", "bun"];
      const writers = runtimes.map((runtime) =>
        start(runtime, "count", [
          ...[`--writer=${runtime}`, `--increments=${increments / (options.length + 1)}`],
          ...[...options, ...runtime === "bun" ? ["--schema"] : ["--watch"]],
        ])
      );
      const readers = ["node-26", "deno", "bun"].map((runtime) =>
        start(runtime, "read", ["--watch"])
      );
      for (const { child } of [...writers, ...readers]) await child.next("opened");
      for (const { child } of writers) child.send("go");
      await Promise.all(writers.map(({ child }) => child.next("counted")));
      for (const { child } of [...writers, ...readers]) await child.finish();

      const reports = [...writers, ...readers].map(({ name, child }) => ({
        name,
        lines: child.lines,
      }));
      const look = start("node-24", "look", []);
      look.child.send("look");
      const final = await look.child.next("opened", "look failed");
      assert.equal(final.counter, increments * runtimes.length);
      assertCounted(final, reports);
      const { generation = 0, hash = "" } = final;
      const history = { ...observe(path, reports), final: { generation, hash } };
      assertSound(history);
      assert.equal(history.records.length, generation);
      assert.equal(history.records[0]?.generation, 1);
      for (const { name, child } of readers) {
        const last = await child.next("last");
        assert.deepEqual([last.generation, last.hash], [generation, hash], name);
        assert.ok(child.lines().some(({ kind }) => kind === "followed"), `${name} saw no change`);
      }
      // Every writer was answered for each increment, and by its own commit unless it was in doubt.
      for (const { name, child } of writers) {
        const answered = child.lines().filter(({ kind }) =>
          kind === "acknowledged" || kind === "found made"
        );
        assert.ok(answered.length >= increments, `${name} was answered ${answered.length} times`);
      }
    });
  }
});
