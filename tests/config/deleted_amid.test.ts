// runs on: all
/** The log deleted between any two operations: what is asked for is done or refused, and no number stands for two contents. */
import assert from "node:assert/strict";
import { describe, test } from "../support/kit.ts";
import { acts, options, prepared } from "../support/log_acts.ts";
import { logDirectory, markPath } from "../support/log_disk.ts";
import { path, remember } from "../support/memory_config.ts";

describe("a log that is deleted", () => {
  for (const [name, begun, rates, act] of acts) {
    for (const deletesMark of [false, true]) {
      const what = deletesMark ? "with the mark, " : "";
      test(`${what}between any two operations of ${name}: done or refused, and made good`, async () => {
        for (let at = 1; at < 200; at++) {
          const { disk, outside, start, host, config, ledger } = await prepared(begun);
          let count = 0;
          host.faults = () => {
            if (++count !== at) return;
            if (outside.list().some((name) => name.startsWith(`${logDirectory}/`))) {
              outside.removeDirectory(logDirectory);
            }
            if (deletesMark && outside.list().includes(markPath)) outside.removeFile(markPath);
          };
          const outcome = await act(config, host).then(() => "done", (error) => error.code);
          host.faults = undefined;
          await disk.settle();
          if (count < at) return;
          const where = `operation ${at} of ${name}: ${outcome}`;
          assert.ok(
            ["done", "IO", "CONFLICT", "COMMIT_UNKNOWN", "NOT_FOUND"].includes(outcome),
            where,
          );
          assert.ok(count < 3000, `${where}, after ${count} operations`);
          assert.ok(rates.includes(config.value.rate), `${where}, ${config.value.rate}`);
          await config.reload().catch(() => {});
          await ledger.noteAll(config);
          await config.setAt(["rate"], 60);
          await ledger.noteAll(config);
          assert.equal(JSON.parse(outside.readFile(path)).rate, 60, where);
          await config.close();
          const other = await start().openConfig(path, { ...options, ...remember() });
          assert.deepEqual(
            [other.value.rate, other.snapshot().generation],
            [60, ledger.top],
            where,
          );
          await ledger.noteAll(other);
        }
        assert.fail(`${name} has more operations than expected`);
      });
    }
  }
});
