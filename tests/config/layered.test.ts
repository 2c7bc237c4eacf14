// runs on: all
/** Layers: one value of several sources, written at the head, with every place told. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { mergeArrays, secret } from "../../src/core/mark.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { env } from "../../src/source/env.ts";
import { overrides } from "../../src/source/overrides.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.object({
  rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7),
  pool: v.optional(v.object({ size: v.optional(v.number(), 1), host: v.optional(v.string()) }), {}),
  models: v.optional(v.array(v.looseObject({ name: v.string() })), []),
  hosts: v.optional(
    v.pipe(v.array(v.looseObject({ name: v.string() })), mergeArrays("replace")),
    [],
  ),
  password: v.optional(v.pipe(v.string(), secret())),
});

const [base, head, local] = ["/app/base.json", "/app/head.json", "/app/local.json"];

function stage(files: Record<string, unknown>, variables: Record<string, string> = {}) {
  const host = memoryHost({ variables });
  host.outside.makeDirectory("/app");
  const save = (path: string, content: unknown) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    host.outside.replaceFile(path, text, { mode: 0o600 });
  };
  for (const [path, content] of Object.entries(files)) save(path, content);
  const told = remember();
  const open = () => {
    const layers = [file(base), file(head), file(local), env({ prefix: "APP_" })];
    return openConfigOn(() => host)(layered({ layers, head: 1 }), { schema, ...told });
  };
  const read = (path: string): unknown => JSON.parse(host.outside.readFile(path));
  return { host, save, open, told, read };
}

describe("layers", () => {
  test("make one value, the later over the earlier", async () => {
    const { open } = stage({
      [base]: {
        rate: 1,
        pool: { size: 2, host: "base" },
        models: [{ name: "a", p: 1 }],
        hosts: [{ name: "x" }],
      },
      [head]: { pool: { size: 3 }, models: [{ name: "b" }], hosts: [{ name: "y" }] },
      [local]: { models: [{ name: "a", q: 2 }] },
    }, { APP_RATE: "50" });
    const { value } = await open();
    assert.deepEqual(value, {
      rate: 50,
      pool: { size: 3, host: "base" },
      models: [{ name: "a", p: 1, q: 2 }, { name: "b" }],
      hosts: [{ name: "y" }],
    });
  });

  test("that are absent say nothing, and are followed when they come", async () => {
    const { host, open, save } = stage({ [base]: { rate: 1 } });
    const config = await open();
    assert.equal(config.value.rate, 1);
    await host.advance(1000);
    save(local, { rate: 2 });
    await host.advance(1000);
    assert.equal(config.value.rate, 2);
    save(head, { pool: { size: 9 } });
    await host.advance(1000);
    assert.deepEqual([config.value.rate, config.value.pool.size], [2, 9]);
    await config.close();
  });

  test("take back what is below them", async () => {
    const { open } = stage({
      [base]: { rate: 1, pool: { size: 5 } },
      [head]: { rate: { $default: true } },
    });
    const { value } = await open();
    assert.deepEqual([value.rate, value.pool.size], [7, 5]);
  });

  test("are refused where one is no object, which would drop all that is below it", async () => {
    for (const [path, odd] of [[base, "[1]"], [head, "3"], [local, '"rate"'], [head, "null"]]) {
      const { host, open, save, told, read } = stage({ [base]: { rate: 1 }, [head]: {} });
      const config = await open();
      save(path!, odd);
      await host.advance(1000);
      assert.equal(config.value.rate, 1);
      assert.equal(config.status().problems[0]?.source, path);
      assert.match(told.lines.join("\n"), /found no object/);
      save(path!, {});
      await host.advance(1000);
      await assert.rejects(config.set(4 as never), { code: "INVALID", message: /no object/ });
      assert.deepEqual(read(head), {});
      await config.close();
    }
  });

  test("are written at the head alone, with nothing of the others copied into it", async () => {
    const { open, read, host } = stage({
      [base]: { rate: 1, pool: { host: "b" } },
      [head]: { pool: { size: 2 } },
    });
    const config = await open();
    const { changeSet, snapshot } = await config.setAt(["pool", "size"], 4);
    assert.deepEqual(read(head), { pool: { size: 4 } });
    assert.deepEqual(read(base), { rate: 1, pool: { host: "b" } });
    assert.deepEqual(changeSet.changes, [{
      path: ["pool", "size"],
      kind: "changed",
      before: 2,
      after: 4,
    }]);
    assert.deepEqual([snapshot.generation, snapshot.value.pool], [2, { size: 4, host: "b" }]);
    await config.rollback(1);
    assert.deepEqual([read(head), config.value.pool.size], [{ pool: { size: 2 } }, 2]);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [3, 2, 1]);
    await config.close();
    assert.ok(!host.outside.list().includes("/app/.base.json.d"));
  });

  test("refuse a write that does not fit together with the others", async () => {
    const { open, read } = stage({ [base]: { rate: 1 }, [head]: {} });
    const config = await open();
    await assert.rejects(config.setAt(["rate"], 101), { code: "INVALID" });
    assert.deepEqual(read(head), {});
  });

  test("tell each source with its generation and hash, and compare the head's generation alone", async () => {
    const { open, save } = stage({ [base]: { rate: 1 }, [head]: { rate: 2 } });
    const config = await open();
    await config.setAt(["rate"], 3);
    const before = config.snapshot();
    assert.deepEqual(before.sources.map(({ name }) => name), [
      base,
      head,
      local,
      "the environment (APP_…)",
    ]);
    assert.deepEqual(before.sources.map(({ generation }) => generation), [
      undefined,
      2,
      undefined,
      undefined,
    ]);
    save(base, { pool: { size: 8 } });
    await config.reload();
    const after = config.snapshot();
    assert.deepEqual([after.generation, after.value.pool.size], [2, 8]);
    assert.notEqual(after.hash, before.hash);
    await config.setAt(["rate"], 4, { expectedGeneration: 2 });
    await assert.rejects(config.setAt(["rate"], 5, { expectedGeneration: 2 }), {
      code: "CONFLICT",
    });
  });

  test("with one that is broken keep the last good value, name the file, and can be written", async () => {
    const { open, save, read } = stage({
      [base]: { rate: 1 },
      [head]: {},
      [local]: { pool: { size: 2 } },
    });
    const config = await open();
    save(local, '{ "pool": ');
    await assert.rejects(config.reload(), { code: "PARSE" });
    assert.deepEqual([config.value.pool.size, config.status().state], [2, "degraded"]);
    assert.equal(config.status().problems[0]!.source, local);
    await config.setAt(["rate"], 3);
    assert.deepEqual([read(head), config.value.rate, config.value.pool.size], [{ rate: 3 }, 3, 2]);
    save(local, { pool: { size: 6 } });
    await config.reload();
    assert.deepEqual([config.value.pool.size, config.status().state], [6, "ok"]);
  });

  test("say where a value that does not fit stands, whichever layer says it", async () => {
    for (const path of [base, head, local]) {
      const { open } = stage({ [path]: '{\n  "rate": 101 }' });
      await assert.rejects(open(), (error) => {
        assert.ok(isHoldfastError(error, "INVALID"));
        const { source, line, column } = error.details.problems[0]!;
        assert.deepEqual([source, line, column], [path, 2, 11]);
        return true;
      });
    }
    await assert.rejects(stage({ [base]: {} }, { APP_RATE: "101" }).open(), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      assert.equal((error.details.problems[0] as { variable?: string }).variable, "APP_RATE");
      return true;
    });
  });

  test("without a head can be read only", async () => {
    const config = await openConfigOn(() => memoryHost())(
      layered({ layers: [memory({ a: 1 }), memory({ b: 2 })] }),
    );
    assert.deepEqual(config.value, { a: 1, b: 2 });
    assert.deepEqual(config.snapshot().generation, 0);
    const writable = config as unknown as {
      setAt(path: string[], value: unknown): Promise<unknown>;
    };
    await assert.rejects(writable.setAt(["a"], 2), { code: "READ_ONLY" });
  });

  test("of layers are layers", async () => {
    const { host } = stage({ [base]: { rate: 1 }, [head]: { rate: 2 } });
    const inner = layered({ layers: [file(base), file(head)], head: 1 });
    const config = await openConfigOn(() => host)(
      layered({ layers: [memory({ pool: { size: 3 } }), inner], head: 1 }),
      { schema },
    );
    assert.deepEqual([config.value.rate, config.value.pool.size], [2, 3]);
    await config.setAt(["rate"], 9);
    assert.deepEqual(JSON.parse(host.outside.readFile(head)), { rate: 9 });
    assert.equal(config.explain(["rate"]).from?.source, head);
  });

  test("of the program itself count, and are never written anywhere", async () => {
    const { host, read } = stage({ [base]: { rate: 1 } });
    const given = { rate: 60, pool: { size: 4 } };
    const config = await openConfigOn(() => host)(
      layered({ layers: [file(base), overrides(given, { name: "command line" })], head: 0 }),
      { schema },
    );
    given.rate = 5;
    assert.deepEqual([config.value.rate, config.value.pool.size], [60, 4]);
    await config.setAt(["rate"], 2);
    assert.deepEqual([read(base), config.value.rate], [{ rate: 2 }, 60]);
    const { from, overridden } = config.explain(["rate"]);
    assert.deepEqual([from?.source, overridden[0]?.value], ["command line", 2]);
    assert.throws(() => overrides({ f: () => {} }), { code: "INVALID" });
  });

  test("of no sources, or with a head that cannot be written, are UNSUPPORTED", () => {
    assert.throws(() => layered({ layers: [] }), { code: "UNSUPPORTED" });
    for (const at of [1, 2, -1, 0.5]) {
      const layers = [memory({}), env({ prefix: "A_" })];
      assert.throws(() => layered({ layers, head: at }), { code: "UNSUPPORTED" });
    }
  });
});

describe("an explanation", () => {
  const files = {
    [base]:
      '{\n  "rate": 1,\n  "password": "canary-1",\n  "models": [{ "name": "a" }, { "name": "b", "p": 1 }]\n}',
    [head]: '{ "rate": 2, "models": [{ "name": "b", "p": 2 }] }',
    [local]: '{ "rate": 3, "password": "canary-2" }',
  };

  test("tells the winner, and what it overrode, of four layers", async () => {
    const config = await stage(files, { APP_RATE: "4" }).open();
    const { value, from, overridden } = config.explain(["rate"]);
    assert.deepEqual([value, from], [4, { source: "the environment", variable: "APP_RATE" }]);
    assert.deepEqual(overridden, [
      { value: 3, from: { source: local, line: 1, column: 11 } },
      { value: 2, from: { source: head, line: 1, column: 11 } },
      { value: 1, from: { source: base, line: 2, column: 11 } },
    ]);
  });

  test("finds named entries where their layers have them", async () => {
    const config = await stage(files).open();
    const { value, from, overridden } = config.explain(["models", 1, "p"]);
    assert.deepEqual([value, from?.source, from?.column], [2, head, 45]);
    assert.deepEqual(overridden.map((one) => [one.value, one.from.line]), [[1, 4]]);
  });

  test("tells no secret", async () => {
    const config = await stage(files).open();
    const explained = config.explain(["password"]);
    assert.equal(explained.from?.source, local);
    assert.doesNotMatch(JSON.stringify(explained), /canary/);
    assert.doesNotMatch(JSON.stringify(config.explain([])), /canary/);
  });

  test("of a default has no place", async () => {
    const config = await stage({ [base]: {} }).open();
    assert.deepEqual(config.explain(["rate"]), {
      path: ["rate"],
      value: 7,
      from: undefined,
      overridden: [],
    });
    assert.equal(config.explain(["nothing", "there"]).from, undefined);
  });

  test("of a single file has its line and column", async () => {
    const { host } = stage({ [base]: '{\n  "rate": 5 }' });
    const config = await openConfigOn(() => host)(base, { schema });
    assert.deepEqual(config.explain(["rate"]).from, { source: base, line: 2, column: 11 });
  });
});
