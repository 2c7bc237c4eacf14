// runs on: all
/** Files that extend others: what is below counts where nothing is said above, and no chain leads back to itself. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import type { Migrations } from "../../src/core/migration.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.strictObject({
  rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7),
  pool: v.optional(v.object({ size: v.optional(v.number()), host: v.optional(v.string()) }), {}),
});

function stage(files: Record<string, unknown>) {
  const host = memoryHost();
  host.outside.makeDirectory("/etc/app/base");
  const save = (path: string, content: unknown) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    host.outside.replaceFile(path, text, { mode: 0o600 });
  };
  for (const [path, content] of Object.entries(files)) save(path, content);
  const open = (path = "/etc/app/a.json") => {
    return openConfigOn(() => host)(file(path, { extends: true }), { schema, ...remember() });
  };
  return {
    host,
    save,
    open,
    read: (path: string): unknown => JSON.parse(host.outside.readFile(path)),
  };
}

const [top, base, deep] = ["/etc/app/a.json", "/etc/app/base/b.json", "/etc/app/c.json"];

describe("a file that extends others", () => {
  test("is laid over them, relative to each", async () => {
    const { open } = stage({
      [top]: { extends: "base/b.json", rate: 1 },
      [base]: { extends: ["../c.json"], rate: 2, pool: { size: 2 } },
      [deep]: { rate: 3, pool: { size: 3, host: "c" } },
    });
    const config = await open();
    assert.deepEqual(config.value, { rate: 1, pool: { size: 2, host: "c" } });
    assert.deepEqual(config.snapshot().sources.map(({ name }) => name), [deep, base, top]);
    assert.equal(config.explain(["pool", "host"]).from?.source, deep);
  });

  test("is written alone, and keeps what it extends", async () => {
    const { open, read } = stage({
      [top]: { extends: "base/b.json" },
      [base]: { pool: { size: 2 } },
    });
    const config = await open();
    await config.setAt(["rate"], 9);
    assert.deepEqual(read(top), { extends: "base/b.json", rate: 9 });
    assert.deepEqual(config.value, { rate: 9, pool: { size: 2 } });
    await config.rollback(1);
    assert.deepEqual([read(top), config.value.rate], [{ extends: "base/b.json" }, 7]);
  });

  test("follows them, and others that it names later", async () => {
    const { host, save, open } = stage({ [top]: { extends: "base/b.json" }, [base]: { rate: 1 } });
    const config = await open();
    await host.advance(1000);
    save(base, { rate: 2 });
    await host.advance(1000);
    assert.equal(config.value.rate, 2);
    save(deep, { rate: 3 });
    save(top, { extends: ["base/b.json", "c.json"] });
    await host.advance(1000);
    assert.equal(config.value.rate, 3);
    save(deep, { rate: 4 });
    await host.advance(1000);
    assert.equal(config.value.rate, 4);
    save(base, { rate: 101 });
    save(deep, {});
    await assert.rejects(config.reload(), { code: "INVALID" });
    assert.equal(config.value.rate, 4);
    await config.close();
  });

  test("and is extended by them is a CYCLE that names the way", async () => {
    const { save, open } = stage({
      [top]: { extends: "base/b.json" },
      [base]: { extends: "../c.json" },
      [deep]: { extends: "./base/../a.json" },
    });
    await assert.rejects(open(), (error) => {
      assert.ok(isHoldfastError(error, "CYCLE"));
      assert.deepEqual(error.details.chain, [top, base, deep, top]);
      return true;
    });
    save(deep, { rate: 5 });
    const config = await open();
    assert.equal(config.value.rate, 5);
    save(base, { extends: "b.json" });
    await assert.rejects(config.reload(), { code: "CYCLE" });
    assert.deepEqual([config.value.rate, config.status().state], [5, "degraded"]);
  });

  test("may name one twice by different ways", async () => {
    const { open } = stage({
      [top]: { extends: ["base/b.json", "c.json"] },
      [base]: { extends: "../c.json", rate: 2 },
      [deep]: { rate: 3, pool: { size: 1 } },
    });
    assert.deepEqual((await open()).value, { rate: 3, pool: { size: 1 } });
  });

  test("that are missing, broken or no names cannot be opened, and says which", async () => {
    await assert.rejects(stage({ [top]: { extends: "no.json" } }).open(), {
      code: "NOT_FOUND",
      message: /no\.json.*a\.json extends/,
    });
    await assert.rejects(stage({ [top]: { extends: "c.json" }, [deep]: "{" }).open(), {
      code: "PARSE",
    });
    await assert.rejects(stage({ [top]: { extends: 5 } }).open(), { code: "INVALID" });
  });

  test("is no part of the value, though it names none", async () => {
    const config = await stage({ [top]: { extends: [], rate: 1 } }).open();
    assert.deepEqual(config.value, { rate: 1, pool: {} });
    assert.equal(config.snapshot().sources.length, 1);
  });

  test("takes what a write makes it extend at once, and refuses what it cannot", async () => {
    const { open, read, save } = stage({ [top]: { rate: 1 }, [base]: { pool: { size: 2 } } });
    const config = await open();
    const values: unknown[] = [];
    config.subscribe((value) => void values.push(value));
    const { snapshot } = await config.setAt(["extends"], "base/b.json");
    assert.deepEqual(snapshot.value, { rate: 1, pool: { size: 2 } });
    save(deep, { pool: { size: "x" } });
    await assert.rejects(config.setAt(["extends"], "c.json"), { code: "INVALID" });
    for (const [wrong, code] of [["no.json", "NOT_FOUND"], ["a.json", "CYCLE"], [5, "INVALID"]]) {
      await assert.rejects(config.setAt(["extends"], wrong), { code: code as string });
    }
    assert.deepEqual(read(top), { extends: "base/b.json", rate: 1 });
    assert.equal(config.status().state, "ok");
    save(deep, { pool: { size: 4 } });
    // The first of them shares its generation with one that is refused.
    const calls = [config.setAt(["extends"], "c.json"), config.setAt(["extends"], "no.json")];
    await assert.rejects(calls[1]!, { code: "NOT_FOUND" });
    assert.deepEqual((await calls[0]!).snapshot.value, { rate: 1, pool: { size: 4 } });
    await config.unset(["extends"]);
    assert.deepEqual(config.value, { rate: 1, pool: {} });
    await config.rollback(2);
    assert.deepEqual(config.value, { rate: 1, pool: { size: 2 } });
    await config.reload();
    assert.deepEqual(
      values,
      [{ size: 2 }, { size: 4 }, {}, { size: 2 }].map((pool) => {
        return { rate: 1, pool };
      }),
    );
    await config.close();
  });

  test("is migrated, and its parents in memory, without losing them", async () => {
    const migrations = {
      1: ({ r, rest }: Record<string, unknown>) => ({ rate: r, rest } as object),
    };
    const target = layered({
      layers: [memory({ below: 1 }), file(top, { extends: true })],
      head: 1,
    });
    for (const source of [file(top, { extends: true }), target]) {
      const { host, read } = stage({
        [top]: { extends: "c.json", version: 1, r: 1 },
        [deep]: { version: 1, r: 3, rest: true },
      });
      const config = await openConfigOn(() => host)(source, {
        migrations: migrations as Migrations,
        ...remember(),
      });
      const { below: _, ...value } = config.value as Record<string, unknown>;
      assert.deepEqual(value, { version: 2, rate: 1, rest: true });
      assert.deepEqual(read(top), { extends: "c.json", version: 2, rate: 1 });
      assert.deepEqual(read(deep), { version: 1, r: 3, rest: true });
      await config.close();
    }
  });

  test("can be written over where a person made it a CYCLE", async () => {
    const { open, save, read } = stage({ [top]: { rate: 1 } });
    const config = await open();
    save(top, { extends: "a.json" });
    await assert.rejects(config.reload(), { code: "CYCLE" });
    await config.set({ rate: 2 });
    assert.deepEqual([read(top), config.status().state], [{ rate: 2 }, "ok"]);
    await config.close();
  });

  test("may extend as many as are allowed for ever, and no more", async () => {
    const names = Array.from({ length: 100 }, (_, index) => `p${index}.json`);
    const parents = Object.fromEntries(names.map((name) => [`/etc/app/${name}`, {}]));
    const { open, save } = stage({ ...parents, [top]: { extends: names }, [deep]: { rate: 4 } });
    const config = await open();
    await config.reload();
    save(top, { extends: ["c.json"] });
    await config.reload();
    assert.equal(config.value.rate, 4);
    save(top, { extends: [...names, "c.json"] });
    await assert.rejects(config.reload(), { code: "TOO_LARGE" });
    await config.close();
  });

  test("is bounded where each names the next one twice", async () => {
    const path = (index: number) => `/etc/app/d${index}.json`;
    const files = Array.from({ length: 30 }, (_, index) => {
      return [path(index), { extends: [`d${index + 1}.json`, `d${index + 1}.json`] }];
    });
    const { open } = stage({ ...Object.fromEntries(files), [path(30)]: {} });
    await assert.rejects(open(path(0)), { code: "TOO_LARGE" });
  });

  test("says what is wrong with a parent, and with another one next", async () => {
    const { host, open, save } = stage({
      [top]: { extends: "c.json", rate: 1 },
      [deep]: { rate: 3 },
    });
    const config = await open();
    host.outside.removeFile(deep);
    await assert.rejects(config.reload(), { code: "NOT_FOUND" });
    assert.equal(config.status().problems[0]!.source, deep);
    save(deep, "{");
    await assert.rejects(config.reload(), { code: "PARSE" });
    assert.equal(config.status().problems[0]!.source, deep);
    save(deep, { extends: 5 });
    await assert.rejects(config.reload(), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      const { source, line, column } = error.details.problems[0]!;
      assert.deepEqual([source, line, column], [deep, 1, 12]);
      return true;
    });
    await config.setAt(["rate"], 2);
    assert.deepEqual([config.value.rate, config.status().state], [2, "degraded"]);
    save(deep, {});
    await config.reload();
    assert.equal(config.status().state, "ok");
    await config.close();
  });

  test("needs to be allowed to", async () => {
    const { host } = stage({ [top]: { extends: "c.json" }, [deep]: { rate: 3 } });
    const config = await openConfigOn(() => host)(top);
    assert.deepEqual(config.value, { extends: "c.json" });
  });
});
