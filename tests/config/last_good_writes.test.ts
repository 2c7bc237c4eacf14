// runs on: all
/** Writes while the last good document runs beside what was turned down. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { openConfigOn } from "../../src/config/open.ts";
import { directory } from "../../src/source/directory.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { inDirectory, lastGood, memoryPlace, stage } from "../support/last_good_stage.ts";
import { logDirectory, namesInLog } from "../support/log_disk.ts";
import { path } from "../support/memory_config.ts";

describe("a write beside what was turned down", () => {
  for (const how of ["set", "setAt"] as const) {
    test(`by ${how} replaces a broken edit, which is kept aside`, async () => {
      const { open, save, outside, told } = stage();
      save('{"rate":1,"burst":2}');
      await (await open(path)).close();
      save("{ broken");
      const config = await open(path);
      await (how === "set" ? config.set({ rate: 5, burst: 2 }) : config.setAt(["rate"], 5));
      assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 5, burst: 2 });
      const aside = namesInLog(outside, "refused.")[0];
      assert.ok(aside !== undefined && outside.readFile(`${logDirectory}/${aside}`) === "{ broken");
      assert.ok(told.lines.some((line) => line.includes(aside)));
      assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
      assert.match(outside.readFile(lastGood), /"rate": 5/);
      const again = await open(path, { lastGood: undefined });
      assert.equal(again.value.rate, 5);
    });
  }

  test("may name the generation that runs, roll back, or remove", async () => {
    const { open, save, outside } = stage();
    const lax = v.object({ rate: v.optional(v.number(), 0) });
    const odd = v.object({
      rate: v.optional(v.pipe(v.number(), v.check((rate) => rate !== 2)), 0),
    });
    const begin = async () => {
      save('{"rate":1}');
      await (await open(path, { schema: lax })).close();
      const config = await open(path, { schema: lax, lastGood: undefined });
      await config.setAt(["rate"], 2);
      await config.close();
      save("{");
      const next = await open(path, { schema: odd });
      assert.deepEqual([next.value.rate, next.status().state], [1, "degraded"]);
      return next;
    };
    const first = await begin();
    const [newest, oldest] = await first.history();
    await assert.rejects(first.set({ rate: 5 }, { expectedGeneration: 99 }), { code: "CONFLICT" });
    await first.set({ rate: 5 }, { expectedGeneration: newest!.generation });
    assert.equal(JSON.parse(outside.readFile(path)).rate, 5);
    await first.close();
    save('{"rate":1}');
    const second = await begin();
    await second.rollback(oldest!.generation);
    assert.deepEqual([second.value.rate, second.status().state], [1, "ok"]);
    assert.equal(outside.readFile(path), '{"rate":1}');
    await second.close();
    const third = await begin();
    await third.remove();
    assert.deepEqual([third.value.rate, third.status().state], [0, "ok"]);
    assert.ok(!outside.list().includes(path) && !outside.list().includes(lastGood));
  });

  test("replaces what another process stored as a whole alone", async () => {
    const parts = stage();
    const { target, breakIt } = await memoryPlace(parts);
    await (await parts.open(target as Store)).close();
    await breakIt();
    const config = await parts.open(target as Store);
    await assert.rejects(config.setAt(["rate"], 5), { code: "CONFLICT" });
    await assert.rejects(config.patch({ rate: 5 }), { code: "CONFLICT" });
    assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
    await config.set({ rate: 5 });
    assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
    assert.equal((await config.history())[0]!.origin, "commit");
  });

  test("of the head of layers is checked with the others as they are", async () => {
    const { open, save, outside } = stage();
    save('{"rate":1}');
    save('{"burst":1}', inDirectory);
    const target = layered({ layers: [file(path), directory("/etc/app/conf.d")], head: 0 });
    await (await open(target)).close();
    save("{ broken");
    save('{"burst":3}', inDirectory);
    const config = await open(target);
    assert.deepEqual(config.value, { rate: 1, burst: 1 });
    await config.setAt(["rate"], 5);
    assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 5 });
    assert.equal(namesInLog(outside, "refused.").length, 1);
    assert.deepEqual([config.value, config.status().state], [{ rate: 5, burst: 3 }, "ok"]);
  });

  test("of a good head is refused while another layer is broken, and names it", async () => {
    const { open, save, outside } = stage();
    save('{"rate":1}');
    save('{"burst":1}', inDirectory);
    const target = layered({ layers: [file(path), directory("/etc/app/conf.d")], head: 0 });
    await (await open(target)).close();
    save("{", inDirectory);
    const config = await open(target);
    for (const write of [() => config.set({ rate: 5 }), () => config.setAt(["rate"], 5)]) {
      await assert.rejects(write(), { code: "PARSE", message: /conf\.d/ });
    }
    assert.equal(outside.readFile(path), '{"rate":1}');
    save('{"burst":"3"}', inDirectory);
    await assert.rejects(config.set({ rate: 5 }), { code: "INVALID" });
    save('{"burst":3}', inDirectory);
    await config.set({ rate: 5 });
    assert.deepEqual([config.value, config.status().state], [{ rate: 5, burst: 3 }, "ok"]);
  });

  test("of a file that extends others may name them anew", async () => {
    for (const text of ["{ broken", '{"extends":"conf.d/gone.json"}']) {
      const { open, save, outside } = stage();
      save('{"extends":"conf.d/1.json"}');
      save('{"rate":1}', inDirectory);
      const target = file(path, { extends: true });
      await (await open(target)).close();
      save(text);
      const config = await open(target);
      assert.equal(config.value.rate, 1);
      await config.setAt(["burst"], 5);
      assert.deepEqual(JSON.parse(outside.readFile(path)), { extends: "conf.d/1.json", burst: 5 });
      assert.deepEqual([config.value, config.status().state], [{ rate: 1, burst: 5 }, "ok"]);
    }
  });

  test("of an empty head is the first of it", async () => {
    for (const removed of [false, true]) {
      for (const head of [memory(), file(path)]) {
        const { host, open, save } = stage();
        if (removed) {
          const lax = v.object({ rate: v.optional(v.number()) });
          const parts = { schema: lax, seed: { rate: 2 }, watch: false } as const;
          const writer = await openConfigOn(() => host)(head, parts);
          await writer.remove();
          await writer.close();
        }
        save('{"rate":1}', inDirectory);
        const target = layered({ layers: [directory("/etc/app/conf.d"), head], head: 1 });
        await (await open(target)).close();
        save('{"rate":101}', inDirectory);
        const config = await open(target);
        assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
        await config.set({ rate: 5 });
        assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
      }
    }
  });

  test("is refused where the file must not be trusted", async () => {
    const { open, save, outside } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    outside.setMode(path, 0o666);
    const config = await open(path);
    await assert.rejects(config.set({ rate: 5 }), { code: "UNSAFE_FILE" });
    assert.equal(outside.readFile(path), '{"rate":1}');
  });

  test("gives way to an edit that mended it meanwhile", async () => {
    const { open, save, outside } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    save("{");
    const config = await open(path);
    save('{"rate":7,"burst":9}');
    await config.setAt(["rate"], 8);
    assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 8, burst: 9 });
  });

  test("cannot be made in a place that is read-only", async () => {
    const { host, open, save } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    save("{");
    host.faults = ({ operation, path: at }) => {
      const writes = ["create", "link", "rename", "remove", "makeDirectory"].includes(operation);
      return writes && at.startsWith("/etc") ? { error: "EROFS" } : undefined;
    };
    const config = await open(path);
    assert.equal(config.value.rate, 1);
    await assert.rejects(config.set({ rate: 5 }), { code: "READ_ONLY" });
    assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
  });
});
