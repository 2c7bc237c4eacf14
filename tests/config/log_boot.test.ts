// runs on: all
/** Starting beside a log: from the last good generation whatever stands in the file, and without writing where none asked. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { OutsideProgram } from "../../adapters/memory.ts";
import { describe, test } from "../support/kit.ts";
import { contentOf, diskWith, namesInLog, recordsOn } from "../support/log_disk.ts";
import { path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.number() });
const options = { schema, watch: false } as const;

/** Generations 1 to 3, where 3 has rate 3, and nothing runs. */
async function three() {
  const parts = diskWith('{"rate":1}');
  const config = await parts.start().openConfig(path, { ...options, ...remember() });
  await config.setAt(["rate"], 2);
  await config.setAt(["rate"], 3);
  await config.close();
  return parts;
}

describe("an edit made while nothing ran", () => {
  const bad: [string, string | Uint8Array, string][] = [
    ["breaks a rule", '{"rate":"much"}', "INVALID"],
    ["is no JSON", '{"rate":', "PARSE"],
    ["is empty", "", "PARSE"],
    ["is no text", new Uint8Array([0xff, 0xfe, 0x00]), "PARSE"],
  ];
  for (const [what, content, code] of bad) {
    for (const how of ["replaceFile", "writeFile"] as const) {
      test(`that ${what} (${how}) leaves the newest generation running, and the file as it is`, async () => {
        const { disk, outside, start } = await three();
        outside[how](path, content, { mode: 0o600 });
        const told = remember();
        const config = await start().openConfig(path, { schema, watch: {}, ...told });
        assert.deepEqual([config.value.rate, config.snapshot().generation], [3, 3]);
        const { state, problems, running } = config.status();
        assert.deepEqual([state, running.generation], ["degraded", 3]);
        assert.equal(problems.filter(({ severity }) => severity === "error").length, 1);
        assert.match(told.lines.join("\n"), /warn .*config\.json/);
        await assert.rejects(config.reload(), { code });
        await disk.advance(5000);
        const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
        assert.deepEqual(outside.readBytes(path), bytes);
        assert.deepEqual(recordsOn(outside), [1, 2, 3]);
        outside[how](path, '{"rate":4}', { mode: 0o600 });
        await disk.advance(5000);
        assert.deepEqual([config.value.rate, config.status().state], [4, "ok"]);
        assert.deepEqual((await config.history())[0]!.origin, "external");
        assert.equal(config.snapshot().generation, 4);
      });
    }

    test(`that ${what} is kept aside when a write replaces it`, async () => {
      const { outside, start } = await three();
      outside.replaceFile(path, content, { mode: 0o600 });
      const told = remember();
      const config = await start().openConfig(path, { ...options, ...told });
      await config.setAt(["rate"], 5);
      assert.deepEqual([config.snapshot().generation, config.status().state], [4, "ok"]);
      const kept = namesInLog(outside, "refused.");
      assert.equal(kept.length, 1);
      assert.ok(told.lines.some((line) => line.includes(kept[0]!)));
    });

    test(`that ${what} cannot be opened where there is no generation`, async () => {
      const { outside, start } = diskWith();
      outside.writeFile(path, content, { mode: 0o600 });
      const before = contentOf(outside);
      await assert.rejects(start().openConfig(path, options), { code });
      assert.deepEqual(contentOf(outside), before);
    });
  }

  test("that is good is the next generation", async () => {
    const { outside, start } = await three();
    outside.replaceFile(path, '{"rate":7}', { mode: 0o600 });
    const config = await start().openConfig(path, { ...options, ...remember() });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [7, 4]);
    assert.equal((await config.history())[0]!.origin, "external");
  });

  test("and does not fit the newest generation either, is refused: both are told", async () => {
    const { outside, start } = await three();
    outside.replaceFile(path, '{"rate":', { mode: 0o600 });
    const strict = v.object({ rate: v.pipe(v.number(), v.minValue(10)) });
    const opening = start().openConfig(path, { schema: strict, watch: false, ...remember() });
    await assert.rejects(opening, (error: { code?: string }) => {
      assert.ok(error.code === "PARSE" || error.code === "INVALID");
      return true;
    });
    assert.equal(outside.readFile(path), '{"rate":');
  });
});

describe("a file that is missing beside a log", () => {
  test("is put back, the very bytes, and told", async () => {
    const { outside, start } = await three();
    const text = outside.readFile(path);
    outside.removeFile(path);
    const told = remember();
    const config = await start().openConfig(path, { ...options, ...told });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [3, 3]);
    assert.equal(config.status().state, "ok");
    assert.equal(outside.readFile(path), text);
    assert.equal(told.lines.filter((line) => line.includes("put back")).length, 1);
    await config.setAt(["rate"], 4);
    assert.equal(config.snapshot().generation, 4);
  });

  test("and cannot be put back is read from the log", async () => {
    for (const error of ["EROFS", "EACCES", "ENOSPC"]) {
      const { outside, start } = await three();
      outside.removeFile(path);
      const { host, openConfig } = start();
      host.faults = ({ operation }) => {
        return ["create", "link", "rename", "remove"].includes(operation) ? { error } : undefined;
      };
      const told = remember();
      const config = await openConfig(path, { ...options, ...told });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [3, 3]);
      assert.ok(told.lines.length > 0);
      await assert.rejects(config.setAt(["rate"], 4), (thrown: { code?: string }) => {
        assert.ok(thrown.code === "READ_ONLY" || thrown.code === "IO", thrown.code);
        return true;
      });
    }
  });
});

describe("a commit that was cut off", () => {
  const ends: [string, (outside: OutsideProgram) => void][] = [
    ["with its file still to be published", () => {}],
    ["and its file to be published removed", (outside) => {
      for (const name of namesInLog(outside, "pub.")) {
        outside.removeFile(`/etc/app/.config.json.d/${name}`);
      }
    }],
  ];
  for (const [what, damage] of ends) {
    test(`${what} is rolled forward by the next open`, async () => {
      const { disk, outside, start } = await three();
      const { host, openConfig } = start();
      const config = await openConfig(path, { ...options, ...remember() });
      const text = outside.readFile(path);
      host.faults = (attempt) => {
        if (attempt.operation === "rename" && attempt.path === path) host.kill();
      };
      void config.setAt(["rate"], 4).catch(() => {});
      await disk.settle();
      assert.deepEqual([recordsOn(outside), outside.readFile(path)], [[1, 2, 3, 4], text]);
      damage(outside);
      const next = await start().openConfig(path, { ...options, ...remember() });
      assert.deepEqual([next.value.rate, next.snapshot().generation], [4, 4]);
      assert.equal(JSON.parse(outside.readFile(path)).rate, 4);
      assert.equal((await next.history())[0]!.origin, "commit");
      await next.setAt(["rate"], 5);
      assert.equal(next.snapshot().generation, 5);
    });
  }

  test("is rolled forward by another process that runs, after a while", async () => {
    const { disk, outside, start } = await three();
    const { host, openConfig } = start();
    const config = await openConfig(path, { ...options, ...remember() });
    const other = await start().openConfig(path, { schema, watch: {}, ...remember() });
    host.faults = (attempt) => {
      if (attempt.operation === "rename" && attempt.path === path) host.kill();
    };
    void config.setAt(["rate"], 4).catch(() => {});
    await disk.settle();
    assert.equal(JSON.parse(outside.readFile(path)).rate, 3);
    await disk.advance(3000);
    assert.deepEqual([other.value.rate, other.snapshot().generation], [4, 4]);
    assert.equal(JSON.parse(outside.readFile(path)).rate, 4);
  });

  test("by a removal is rolled forward too", async () => {
    const { disk, outside, start } = diskWith('{"rate":1}');
    const defaulted = v.looseObject({ rate: v.optional(v.number(), 7) });
    const { host, openConfig } = start();
    const config = await openConfig(path, { schema: defaulted, watch: false, ...remember() });
    host.faults = (attempt) => {
      if (attempt.operation === "rename" && attempt.from === path) host.kill();
    };
    void config.remove().catch(() => {});
    await disk.settle();
    assert.deepEqual([recordsOn(outside), outside.readFile(path)], [[1, 2], '{"rate":1}']);
    const next = await start().openConfig(path, { schema: defaulted, watch: false, ...remember() });
    assert.deepEqual([next.value.rate, next.snapshot().generation], [7, 2]);
    assert.ok(!outside.list().includes(path));
  });
});

describe("a config that is only read", () => {
  const places: [string, () => Promise<ReturnType<typeof diskWith>>][] = [
    ["a file without a log", () => Promise.resolve(diskWith('{"rate":3}'))],
    ["a log", three],
  ];
  for (const [what, make] of places) {
    test(`beside ${what} writes nothing: not at the open, while it watches, or at the close`, async () => {
      const { disk, outside, start } = await make();
      await disk.advance(120_000);
      const before = contentOf(outside);
      const { host, openConfig } = start();
      const writes: string[] = [];
      const reading = ["read", "list", "stat", "resolve", "watch", "hint", "syncDirectory"];
      host.faults = ({ operation, path: at }) => {
        if (!reading.includes(operation)) writes.push(`${operation} ${at}`);
      };
      const config = await openConfig(path, { schema, watch: {}, ...remember() });
      await disk.advance(5000);
      await config.reload();
      await config.history();
      await config.set({ rate: 3 });
      await config.close();
      assert.deepEqual([config.value.rate, writes], [3, []]);
      assert.deepEqual(contentOf(outside), before);
    });
  }
});
