// runs on: all
/** Removing the document: a generation like any other, after which the defaults count. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { toEnvelope } from "../../src/config/envelope.ts";
import type { ChangeSet } from "../../src/config/reports.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, recordsOn } from "../support/log_disk.ts";
import { hostWith, litterOn, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });
const watch = false;

describe("a removal", () => {
  test("makes the defaults count, and says so everywhere", async () => {
    for (const target of [path, memory({ rate: 1 })]) {
      const { host, openConfig } = hostWith('{"rate":1}');
      const told = remember();
      const config = await openConfig(target, { schema, watch, ...told });
      const { snapshot, changeSet } = await config.remove({ actor: "me", reason: "clean" });
      assert.deepEqual(snapshot.value, { rate: 7 });
      assert.deepEqual([snapshot.generation, snapshot.hash], [2, ""]);
      assert.equal(toEnvelope(snapshot).document, null);
      assert.deepEqual(toEnvelope(snapshot).value, { rate: 7 });
      const { from, to, newHash, actor, reason, origin } = changeSet;
      assert.deepEqual([from, to, newHash, actor, reason, origin], [
        1,
        2,
        "",
        "me",
        "clean",
        "commit",
      ]);
      const [newest] = await config.history();
      assert.deepEqual([newest!.generation, newest!.newHash, newest!.actor], [2, "", "me"]);
      assert.deepEqual(newest!.changes, [{ path: [], kind: "removed", before: { rate: 1 } }]);
      assert.equal(config.status().state, "ok");
      await host.advance(2000);
      await config.reload();
      assert.deepEqual([config.snapshot().generation, config.status().state], [2, "ok"]);
      assert.deepEqual(told.lines, []);
      await config.close();
      if (target === path) assert.deepEqual(litterOn(host), []);
    }
  });

  test("takes the file away, and the next open finds none and goes on counting", async () => {
    const { outside, start } = diskWith('{"rate":1}');
    const first = await start().openConfig(path, { schema, watch, ...remember() });
    await first.remove();
    assert.ok(!outside.list().includes(path));
    await first.close();
    const told = remember();
    const config = await start().openConfig(path, { schema, watch, ...told });
    assert.deepEqual([config.value, config.snapshot().generation], [{ rate: 7 }, 2]);
    assert.equal(config.snapshot().hash, "");
    assert.deepEqual(told.lines, []);
    assert.ok(!outside.list().includes(path));
    const { snapshot, changeSet } = await config.setAt(["rate"], 3);
    assert.equal(snapshot.generation, 3);
    assert.deepEqual([changeSet.from, changeSet.oldHash], [2, ""]);
    assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 3 });
  });

  test("twice is one generation", async () => {
    const { host, openConfig } = hostWith('{"rate":1}');
    const config = await openConfig(path, { schema, watch, ...remember() });
    await config.remove();
    const { changeSet } = await config.remove();
    assert.deepEqual([changeSet.from, changeSet.to, changeSet.changes], [2, 2, []]);
    assert.deepEqual(recordsOn(host.outside), [1, 2]);
  });

  test("without defaults that make a whole is INVALID, and removes nothing", async () => {
    const needy = v.object({ rate: v.number() });
    for (const hasSchema of [false, true]) {
      const { host, openConfig } = hostWith('{"rate":1}');
      const config = hasSchema
        ? await openConfig(path, { schema: needy, watch })
        : await openConfig(path, { watch });
      await assert.rejects(config.remove(), { code: "INVALID" });
      assert.equal(host.outside.readFile(path), '{"rate":1}');
      assert.deepEqual(recordsOn(host.outside), []);
      assert.deepEqual([config.value, config.status().state], [{ rate: 1 }, "ok"]);
    }
  });

  test("is followed by other processes", async () => {
    const { disk, start } = diskWith('{"rate":1}');
    const one = await start().openConfig(path, { schema, watch: {}, ...remember() });
    const told = remember();
    const other = await start().openConfig(path, { schema, watch: {}, ...told });
    const heard: ChangeSet[] = [];
    other.subscribe((_next, _previous, changeSet) => void heard.push(changeSet));
    await one.remove({ actor: "me" });
    await disk.advance(2000);
    assert.deepEqual([other.value, other.snapshot().generation], [{ rate: 7 }, 2]);
    assert.equal(other.snapshot().hash, "");
    assert.deepEqual([other.status().state, told.lines], ["ok", []]);
    await other.set({ rate: 2 });
    await disk.advance(2000);
    assert.deepEqual([one.value, one.snapshot().generation], [{ rate: 2 }, 3]);
    assert.deepEqual(heard.map(({ to, actor }) => [to, actor]), [[2, "me"], [3, undefined]]);
  });

  test("is not what happens where a person deletes the file: the last good value stays", async () => {
    const { disk, outside, start } = diskWith('{"rate":1}');
    const config = await start().openConfig(path, { schema, watch: {}, ...remember() });
    await config.set({ rate: 2 });
    outside.removeFile(path);
    await disk.advance(2000);
    assert.deepEqual([config.value.rate, config.status().state], [2, "degraded"]);
    assert.equal(config.snapshot().generation, 2);
    await config.remove();
    assert.deepEqual([config.value.rate, config.snapshot().generation], [7, 3]);
    assert.equal(config.status().state, "ok");
  });

  test("is undone by a person who makes the file anew, as a generation of its own", async () => {
    const { disk, outside, start } = diskWith('{"rate":1}');
    const config = await start().openConfig(path, { schema, watch: {}, ...remember() });
    await config.remove();
    outside.writeFile(path, '{"rate":1}', { mode: 0o600 });
    await disk.advance(2000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    const [newest] = await config.history();
    assert.deepEqual([newest!.origin, newest!.oldHash], ["external", ""]);
    assert.deepEqual(newest!.changes, [{ path: [], kind: "added", after: { rate: 1 } }]);
  });

  test("does not take away what a person saved meanwhile", async () => {
    const { outside, start } = diskWith('{"rate":1}');
    const { host, openConfig } = start();
    const config = await openConfig(path, { schema, watch, ...remember() });
    for (const operation of ["create", "link", "rename"] as const) {
      const rate = config.value.rate! + 1;
      let saved = false;
      host.faults = (attempt) => {
        if (saved || attempt.operation !== operation) return;
        saved = true;
        outside.replaceFile(path, `{"rate":${rate}}`, { mode: 0o600 });
      };
      await config.remove().catch((error: { code: string }) => {
        assert.ok(["CONFLICT", "COMMIT_UNKNOWN"].includes(error.code));
      });
      host.faults = undefined;
      assert.ok(saved);
      await config.reload();
      const entries = await config.history();
      const told = entries.map(({ changes }) => JSON.stringify(changes)).join();
      assert.match(told, new RegExp(`"rate":${rate}|"after":${rate}`), `${operation}: ${told}`);
      await config.set({ rate });
    }
  });

  test("is what a seed goes on from at the next open", async () => {
    const { outside, start } = diskWith('{"rate":1}');
    const first = await start().openConfig(path, { schema, watch, ...remember() });
    await first.remove();
    await first.close();
    const seeded = await start().openConfig(path, { schema, watch, seed: { rate: 5 } });
    assert.deepEqual([seeded.value.rate, seeded.snapshot().generation], [5, 3]);
    assert.deepEqual(
      (await seeded.history()).map(({ origin, oldHash }) => [origin, oldHash]).at(0),
      [
        "seed",
        "",
      ],
    );
    await seeded.close();
    const again = await start().openConfig(path, { schema, watch, seed: { rate: 9 } });
    assert.deepEqual([again.value.rate, again.snapshot().generation], [5, 3]);
    assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 5 });
  });
});
