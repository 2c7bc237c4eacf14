// runs on: all
/** Deleting old generations for good: nothing of them is left, and nobody's write is built on what was deleted. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, holding, recordsOn } from "../support/log_disk.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });
const watch = false;

describe("a purge", () => {
  test("leaves nothing of an old secret on the disk", async () => {
    const { disk, outside, start } = diskWith('{"password":"canary-0"}');
    const one = start();
    const [config, other] = [
      await one.openConfig(path, { schema, watch, ...remember() }),
      await start().openConfig(path, { schema, watch, ...remember() }),
    ];
    await config.setAt(["password"], "canary-1");
    await other.setAt(["password"], "canary-2");
    outside.replaceFile(path, '{"password":"canary-3"}', { mode: 0o600 });
    await config.reload();
    outside.writeFile(path, '{"password":"canary-4","rate":"not a number"}');
    await assert.rejects(config.reload(), { code: "INVALID" });
    await config.set({ password: "kept" });
    assert.ok(holding(outside, "canary").length > 0);
    const { generation } = config.snapshot();
    const deleted = await config.purge({ before: generation });
    assert.equal(deleted, generation - 1);
    assert.deepEqual(holding(outside, "canary"), []);
    assert.deepEqual(recordsOn(outside), [generation]);
    assert.deepEqual((await config.history()).map((entry) => entry.generation), [generation]);
    await other.reload();
    assert.deepEqual(other.value, config.value);
    await disk.advance(120_000);
    await other.setAt(["rate"], 1);
    assert.equal(other.snapshot().generation, generation + 1);
    assert.deepEqual(holding(outside, "canary"), []);
  });

  test("beyond the newest is a CONFLICT, and deletes nothing", async () => {
    for (const target of [path, memory({ rate: 0 })]) {
      const { openConfig } = hostWith('{"rate":0}');
      const config = await openConfig(target, { schema, watch, ...remember() });
      await config.set({ rate: 1 });
      await config.set({ rate: 2 });
      await assert.rejects(config.purge({ before: 4 }), { code: "CONFLICT" });
      await assert.rejects(config.purge({ before: Infinity }), { code: "CONFLICT" });
      assert.equal((await config.history()).length, 3);
      assert.equal(await config.purge({ before: 2 }), 1);
      assert.equal((await config.history()).length, 2);
    }
  });

  test("while an edit waits is a CONFLICT, and keeps the edit", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    const config = await openConfig(path, { schema, watch, ...remember() });
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    host.outside.replaceFile(path, '{"rate":"bad"}', { mode: 0o600 });
    await assert.rejects(config.purge({ before: 3 }), { code: "CONFLICT", message: /mend it/ });
    assert.equal(host.outside.readFile(path), '{"rate":"bad"}');
    assert.equal(config.value.rate, 2);
  });

  test("takes an edit over first", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    const config = await openConfig(path, { schema, watch, ...remember() });
    await config.set({ rate: 1 });
    host.outside.replaceFile(path, '{"rate":2}', { mode: 0o600 });
    assert.equal(await config.purge({ before: 3 }).catch(() => "refused"), 2);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [2, 3]);
    assert.deepEqual(recordsOn(host.outside), [3]);
  });

  test("takes no number that lies between two", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    const config = await openConfig(path, { schema, watch, ...remember() });
    for (let rate = 1; rate < 5; rate++) await config.set({ rate });
    for (const before of [2.5, NaN, -1]) {
      // Either refused, or the same as a whole number: what was deleted must be below a floor.
      await config.purge({ before }).catch((error: { code?: string }) => assert.ok(error.code));
      const floors = host.outside.list().filter((name) => name.includes("/floor."));
      const records = recordsOn(host.outside);
      const isMarked = records[0] === 1 ||
        floors.some((name) => name.endsWith(`.${records[0]! - 1}`));
      assert.ok(isMarked, `records ${records}, floors ${floors}`);
      assert.ok(records.includes(5));
    }
  });

  test("leaves nothing of a secret in what writers that died left behind", async () => {
    for (let at = 1; at < 100; at++) {
      const { disk, outside, start } = diskWith('{"password":"canary"}');
      const config = await start().openConfig(path, { schema, watch, ...remember() });
      await config.setAt(["rate"], 1);
      const dying = start();
      const other = await dying.openConfig(path, { schema, watch, ...remember() });
      let count = 0;
      dying.host.faults = () => {
        if (++count === at) dying.host.kill();
      };
      const writing = other.setAt(["rate"], 2).then(() => other.close()).catch(() => {});
      await disk.settle();
      if (count < at) return await writing;
      await disk.advance(120_000);
      await config.setAt(["password"], "kept");
      const { generation } = config.snapshot();
      await config.purge({ before: generation });
      assert.deepEqual(holding(outside, "canary"), [], `killed at operation ${at}`);
      await config.setAt(["rate"], 3);
      assert.equal(config.snapshot().generation, generation + 1);
    }
    assert.fail("a write has more operations than expected");
  });

  test("refuses a writer that stood still with a number that was deleted", async () => {
    for (let at = 1; at < 100; at++) {
      const { disk, outside, start } = diskWith('{"rate":0}');
      const config = await start().openConfig(path, { schema, watch, ...remember() });
      await config.setAt(["rate"], 1);
      const slow = start();
      const stalled = await slow.openConfig(path, { schema, watch, ...remember() });
      let count = 0;
      let goOn = () => {};
      slow.host.faults = () => {
        return ++count === at ? new Promise<void>((resolve) => goOn = resolve) : undefined;
      };
      const outcome = stalled.setAt(["slow"], true).then(() => "done", (error) => error.code);
      await disk.settle();
      for (const rate of [2, 3, 4]) await config.setAt(["rate"], rate);
      const { generation } = config.snapshot();
      await config.purge({ before: generation });
      slow.host.faults = undefined;
      goOn();
      await disk.settle();
      const ended = await outcome;
      assert.ok(["done", "COMMIT_UNKNOWN"].includes(ended), `stopped at ${at}: ${ended}`);
      await config.reload();
      await stalled.reload();
      const where = `stopped at operation ${at}, ${ended}`;
      assert.equal(config.value.rate, 4, where);
      if (ended === "done") assert.equal((config.value as { slow?: boolean }).slow, true, where);
      assert.deepEqual(stalled.snapshot().hash, config.snapshot().hash, where);
      assert.deepEqual(stalled.snapshot().generation, config.snapshot().generation, where);
      await stalled.setAt(["rate"], 5);
      assert.equal(JSON.parse(outside.readFile(path)).rate, 5, where);
      if (count < at) return;
    }
    assert.fail("a write has more operations than expected");
  });
});
