// runs on: all
/** Files that extend others: what is below counts where nothing is said above, and no chain leads back to itself. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { file } from "../../src/store/file.ts";
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

  test("needs to be allowed to", async () => {
    const { host } = stage({ [top]: { extends: "c.json" }, [deep]: { rate: 3 } });
    const config = await openConfigOn(() => host)(top);
    assert.deepEqual(config.value, { extends: "c.json" });
  });
});
