// runs on: all
/** Layers each for itself: those made of layers, of other versions, broken, hidden, or changed while another is read. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { secret } from "../../src/core/mark.ts";
import { holdfastError, isHoldfastError } from "../../src/core/error.ts";
import { directory } from "../../src/source/directory.ts";
import { env } from "../../src/source/env.ts";
import { overrides } from "../../src/source/overrides.ts";
import type { Source } from "../../src/source/source.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const [base, head, local] = ["/app/base.json", "/app/head.json", "/app/local.json"];

function stage(files: Record<string, unknown>, variables: Record<string, string> = {}) {
  const host = memoryHost({ variables });
  host.outside.makeDirectory("/app/conf.d");
  const save = (path: string, content: unknown) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    host.outside.replaceFile(path, text, { mode: 0o600 });
  };
  for (const [path, content] of Object.entries(files)) save(path, content);
  const told = remember();
  const openConfig = openConfigOn(() => host);
  const open = (options: object = {}) => {
    const layers = [file(base), file(head), file(local), env({ prefix: "APP_" })];
    return openConfig(layered({ layers, head: 1 }), { watch: false, ...told, ...options });
  };
  const read = (path: string): unknown => JSON.parse(host.outside.readFile(path));
  return { host, save, open, openConfig, told, read };
}

describe("layers within layers", () => {
  test("count each for itself, with all that is below them", async () => {
    const { openConfig } = stage({});
    const inner = layered({ layers: [memory({ a: 1, b: 1 }), memory({ b: 2 })], head: 1 });
    const config = await openConfig(layered({ layers: [memory({ c: 3, a: 0 }), inner], head: 1 }));
    assert.deepEqual(config.value, { a: 1, b: 2, c: 3 });
    assert.equal(config.snapshot().sources.length, 3);
    await config.setAt(["b"], 5);
    assert.deepEqual(config.value, { a: 1, b: 5, c: 3 });
    assert.deepEqual(config.explain(["a"]).overridden.map(({ value }) => value), [0]);
    await config.unset(["b"]);
    assert.deepEqual(config.value, { a: 1, b: 1, c: 3 });
  });

  test("take back what is below them all", async () => {
    const { openConfig } = stage({});
    const inner = layered({ layers: [memory({ a: 1 }), memory({ a: { $default: true } })] });
    const config = await openConfig(layered({ layers: [memory({ a: 0, b: 1 }), inner] }));
    assert.deepEqual(config.value, { b: 1 });
  });

  test("are rolled back to the very text of their head", async () => {
    const { openConfig, host } = stage({ [base]: '{ "a":   1 }' });
    const inner = layered({ layers: [memory({ b: 1 }), file(base)], head: 1 });
    const config = await openConfig(layered({ layers: [inner], head: 0 }), { watch: false });
    await config.setAt(["a"], 2);
    await config.rollback(1);
    await config.rollback(1);
    assert.equal(host.outside.readFile(base), '{ "a":   1 }');
    assert.equal(config.snapshot().generation, 3);
  });

  test("may be files that extend others", async () => {
    const { openConfig, read, save } = stage({
      [head]: { extends: "base.json", a: 1 },
      [base]: { b: 1, a: 0 },
    });
    const layers = [memory({ c: 1 }), file(head, { extends: true }), memory({ d: 1 })];
    const config = await openConfig(layered({ layers, head: 1 }), { watch: false });
    assert.deepEqual(config.value, { a: 1, b: 1, c: 1, d: 1 });
    await config.setAt(["a"], 2);
    assert.deepEqual([read(head), config.value], [
      { extends: "base.json", a: 2 },
      { a: 2, b: 1, c: 1, d: 1 },
    ]);
    await config.unset(["extends"]);
    assert.deepEqual(config.value, { a: 2, c: 1, d: 1 });
    await config.setAt(["extends"], ["base.json"]);
    assert.deepEqual(config.value, { a: 2, b: 1, c: 1, d: 1 });
    save(base, "{");
    await assert.rejects(config.reload(), { code: "PARSE" });
    await config.setAt(["a"], 3);
    assert.deepEqual([config.value, config.status().state], [
      { a: 3, b: 1, c: 1, d: 1 },
      "degraded",
    ]);
  });
});

describe("layers of other versions", () => {
  const migrations = { 1: ({ r, ...rest }: { r: number }) => ({ ...rest, rate: r, version: 2 }) };

  test("are brought to the newest, each for itself, and left as they are", async () => {
    const { open, read } = stage({
      [base]: { version: 1, r: 5 },
      [head]: { version: 2 },
      [local]: { other: 1 },
    });
    const config = await open({ migrations });
    assert.deepEqual(config.value, { version: 2, rate: 5, other: 1 });
    assert.deepEqual(config.explain(["rate"]).from, { source: base });
    assert.deepEqual(read(base), { version: 1, r: 5 });
  });

  test("count where the head is absent", async () => {
    const { open } = stage({ [base]: { version: 1, r: 5 } });
    const config = await open({ migrations, schema: v.looseObject({}) });
    assert.deepEqual(config.value, { version: 2, rate: 5 });
  });

  test("do not hide where a problem is", async () => {
    const { open, save } = stage({ [base]: { version: 2 }, [head]: { version: 1, r: 5 } });
    const schema = v.looseObject({ rate: v.number(), size: v.optional(v.number()) });
    const config = await open({ migrations, schema, migrate: "memory" });
    save(base, '{\n  "version": 2, "size": "3" }');
    await assert.rejects(config.reload(), { code: "INVALID", message: /base\.json, line 2/ });
    save(base, { version: 2 });
    save(head, { version: 1, r: "no" });
    // Its text is of an older version, in which a path of the newest stands elsewhere.
    await assert.rejects(config.reload(), { code: "INVALID", message: /\(\/app\/head\.json\)/ });
  });

  test("that are unknown are refused by the name of the layer", async () => {
    const { open } = stage({ [base]: { version: 9, r: 5 }, [head]: { version: 2 } });
    await assert.rejects(open({ migrations }), {
      code: "UNSUPPORTED_VERSION",
      message: /base\.json/,
    });
  });
});

describe("a write among layers", () => {
  test("that a layer above hides is told, without the value", async () => {
    const schema = v.object({
      password: v.pipe(v.string(), secret()),
      pool: v.optional(v.object({ size: v.optional(v.number()), host: v.optional(v.string()) })),
    });
    const { open, told } = stage({ [head]: { password: "old" }, [local]: { pool: { size: 1 } } }, {
      APP_PASSWORD: "canary-1",
    });
    const config = await open({ schema });
    await config.setAt(["password"], "canary-2");
    await config.setAt(["pool"], { size: 3, host: "h" });
    assert.deepEqual((config.value as { pool: unknown }).pool, { size: 1, host: "h" });
    const text = told.lines.join("\n");
    assert.match(text, /written at password does not count: .*APP_PASSWORD/);
    assert.match(text, /written at pool\.size does not count: .*local\.json/);
    assert.doesNotMatch(text, /pool\.host|canary/);
  });

  test("of what no layer above says is told nothing", async () => {
    const { open, told } = stage({ [local]: { pool: { size: 1 } } }, { APP_OTHER: "1" });
    const config = await open({ schema: v.looseObject({}) });
    await config.set({});
    await config.setAt(["pool"], {});
    await config.setAt(["pool", "host"], "h");
    await config.unset(["pool"]);
    await config.set({ rate: 1 });
    await config.remove();
    assert.doesNotMatch(told.lines.join("\n"), /does not count/);
  });

  test("with one that is broken leaves the status as it was, and says so once", async () => {
    const { open, save, told } = stage({ [base]: { a: 1 }, [head]: {} });
    const config = await open();
    save(base, "{");
    await assert.rejects(config.reload(), { code: "PARSE" });
    await config.setAt(["b"], 1);
    await config.setAt(["b"], 2);
    assert.deepEqual([config.status().state, config.value], ["degraded", { a: 1, b: 2 }]);
    assert.equal(told.lines.filter((line) => line.includes("the last good")).length, 1);
    save(base, { a: 2 });
    await config.setAt(["b"], 3);
    assert.deepEqual([config.status().state, config.value], ["ok", { a: 2, b: 3 }]);
  });

  test("with one that cannot be read leaves the status as it was, too", async () => {
    const { open, host, told } = stage({ [base]: { a: 1 }, [head]: {} });
    const config = await open();
    host.faults = ({ operation, path }) => {
      return operation === "read" && path === base ? { error: "EIO" } : undefined;
    };
    await assert.rejects(config.reload(), { code: "IO" });
    await config.setAt(["b"], 1);
    await assert.rejects(config.reload(), { code: "IO" });
    await config.setAt(["b"], 2);
    assert.deepEqual([config.status().state, config.value], ["degraded", { a: 1, b: 2 }]);
    assert.equal(told.lines.filter((line) => line.includes("the last good")).length, 1);
    host.faults = undefined;
    await config.reload();
    assert.equal(config.status().state, "ok");
  });

  test("with one that is broken does not replace what a person saved in the head meanwhile", async () => {
    const { open, save, read } = stage({ [base]: { a: 1 }, [head]: { b: 1 } });
    const config = await open();
    save(base, "{");
    save(head, { b: 1, person: true });
    await assert.rejects(config.reload(), { code: "PARSE" });
    await assert.rejects(config.setAt(["c"], 1), { code: "PARSE", message: /base\.json/ });
    assert.deepEqual(read(head), { b: 1, person: true });
    save(base, { a: 2 });
    await config.setAt(["c"], 1);
    assert.deepEqual(config.value, { a: 2, b: 1, person: true, c: 1 });
  });

  test("with one that does not fit makes it fit, or leaves the status as it was", async () => {
    const sum = v.looseObject({ a: v.number(), b: v.optional(v.number(), 0) });
    const schema = v.pipe(sum, v.check(({ a, b }) => a + b < 10, "too much"));
    const { open, save, read } = stage({ [base]: { a: 1 }, [head]: {} });
    const config = await open({ schema });
    save(base, { a: 8 });
    await config.setAt(["b"], 5);
    await assert.rejects(config.reload(), { code: "INVALID" });
    await config.setAt(["b"], 4);
    assert.deepEqual([config.value, config.status().state], [{ a: 1, b: 4 }, "degraded"]);
    await config.setAt(["b"], 1);
    assert.deepEqual([config.value, config.status().state], [{ a: 8, b: 1 }, "ok"]);
    save(base, { a: 10 });
    save(head, { b: 2 });
    await assert.rejects(config.reload(), { code: "INVALID" });
    await config.set({ a: 1, b: 3 });
    assert.deepEqual([config.value, config.status().state], [{ a: 1, b: 3 }, "ok"]);
    save(base, { a: "x" });
    save(local, { a: "y" });
    save(head, { b: 2 });
    await assert.rejects(config.reload(), { code: "INVALID" });
    await config.set({ a: 1, b: 4 });
    assert.equal(config.status().state, "degraded");
    assert.deepEqual(read(base), { a: "x" });
  });

  test("on what changed and cannot be read fails at once, with the reason", async () => {
    const { openConfig } = stage({});
    const said = { commits: 0, isDown: false };
    const described: Store = {
      ...memory({}),
      open: async (context) => {
        const open = await memory({}).open(context);
        const load = open.load.bind(open);
        open.load = (considered) => {
          if (!said.isDown) return load(considered);
          const message = "Cannot reach it: found nobody; start it";
          return Promise.reject(holdfastError("UNAVAILABLE", message, { source: "test" }));
        };
        open.commit = () => {
          said.commits++;
          const message = "Cannot write it: found that it changed; try again";
          return Promise.reject(holdfastError("CONFLICT", message, { expected: 1, current: 2 }));
        };
        return open;
      },
    };
    const config = await openConfig(layered({ layers: [described], head: 0 }), { watch: false });
    said.isDown = true;
    await assert.rejects(config.setAt(["a"], 1), { code: "UNAVAILABLE" });
    assert.equal(said.commits, 1);
  });

  test("that lost its turn for good lets go of its place in the line", async () => {
    const { openConfig } = stage({});
    const seen: string[] = [];
    const described: Store = {
      ...memory({}),
      open: async (context) => {
        const open = await memory({}).open(context);
        open.abandon = () => Promise.resolve(void seen.push("abandoned"));
        return open;
      },
    };
    const config = await openConfig(layered({ layers: [described], head: 0 }));
    await config.setAt(["a"], 1);
    assert.deepEqual(seen, ["abandoned"]);
  });
});

test("layers that are broken are all told", async () => {
  const { open, save } = stage({ [base]: { a: 1 }, [head]: {}, [local]: {} });
  const config = await open();
  for (const path of [base, head, local]) save(path, '{ "secret": canary');
  await assert.rejects(config.reload(), { code: "PARSE" });
  const { problems } = config.status();
  assert.deepEqual(problems.map(({ source }) => source), [base, head, local]);
  assert.doesNotMatch(JSON.stringify(problems), /canary/);
});

describe("a head with a history", () => {
  test("starts with what a person saved, though what was stored before fits no more", async () => {
    const schema = v.object({ rate: v.number() });
    for (const options of [{ extends: true }, {}]) {
      const { openConfig, save, told } = stage({ [head]: { rate: "old" } });
      const before = await openConfig(head, { watch: false });
      await before.set({ rate: "older" });
      await before.close();
      save(head, { rate: 1 });
      const target = layered({ layers: [memory({}), file(head, options)], head: 1 });
      const config = await openConfig(target, { schema, watch: false, ...told });
      assert.deepEqual([config.value.rate, config.status().state], [1, "ok"]);
      assert.deepEqual(told.events, []);
      await config.close();
    }
  });

  test("starts with what was stored where the file is gone and cannot be put back", async () => {
    const { openConfig, host } = stage({ [head]: { rate: 1 } });
    const before = await openConfig(head, { watch: false });
    await before.set({ rate: 2 });
    await before.close();
    host.outside.removeFile(head);
    host.create = () => {
      const details = { operation: "create", path: head, errno: "EROFS" };
      return Promise.reject(holdfastError("IO", "Cannot create: found EROFS; mend it", details));
    };
    for (const options of [{ extends: true }, {}]) {
      const target = layered({ layers: [memory({}), file(head, options)], head: 1 });
      const config = await openConfig(target, { watch: false, ...remember() });
      assert.deepEqual(config.value, { rate: 2 });
      await config.close();
    }
  });

  test("is followed generation by generation", async () => {
    const { openConfig, told } = stage({ [head]: { rate: 1 } });
    const target = layered({ layers: [memory({}), file(head)], head: 1 });
    const config = await openConfig(target, { watch: false, ...told });
    const other = await openConfig(head, { watch: false });
    await other.set({ rate: 2 }, { actor: "alice" });
    await other.set({ rate: 3 }, { actor: "bob" });
    await config.reload();
    await Promise.resolve();
    assert.deepEqual(config.value, { rate: 3 });
    assert.deepEqual(told.events.at(-1)!.to, 3);
    await other.close();
  });
});

describe("a change of a layer that is not the head", () => {
  test("is told as one from outside, with what it changed in the value", async () => {
    const { open, save, told } = stage({ [base]: { a: 1 }, [head]: {} });
    const config = await open();
    await config.setAt(["b"], 1, { actor: "alice" });
    save(base, { a: 2 });
    await config.reload();
    await Promise.resolve();
    const { actor, origin, changes } = told.events.at(-1)!;
    assert.deepEqual([actor, origin], [undefined, "external"]);
    assert.deepEqual(changes, [{ path: ["a"], kind: "changed", before: 1, after: 2 }]);
  });

  test("is seen though the file has a history of its own", async () => {
    const { open, openConfig, save } = stage({ [base]: { a: 1 }, [head]: {} });
    const writer = await openConfig(base, { watch: false });
    await writer.setAt(["a"], 2);
    await writer.close();
    save(base, { a: 3 });
    const config = await open();
    assert.deepEqual(config.value, { a: 3 });
    await config.reload();
    assert.deepEqual(config.value, { a: 3 });
    save(base, { a: 4 });
    await config.reload();
    assert.deepEqual(config.value, { a: 4 });
  });

  test("made while another was read makes no value that never was", async () => {
    const { openConfig } = stage({});
    const held = { a: 0, b: 0 };
    let during = () => {};
    const part = (key: "a" | "b", isSlow: boolean): Source => ({
      kind: "source",
      name: key,
      open: () =>
        Promise.resolve({
          backend: "test",
          load: async () => {
            if (isSlow) await Promise.resolve().then(() => during());
            const value = held[key];
            return {
              document: { [key]: value },
              hash: `${value}`,
              generation: 0,
              locate: (paths) => paths.map(() => ({ source: key })),
              warnings: [],
              resolvedPaths: [],
            };
          },
          watch: () => Promise.resolve({ mode: "events" as const, close: () => Promise.resolve() }),
          close: () => Promise.resolve(),
        }),
    });
    const config = await openConfig(layered({ layers: [part("a", false), part("b", true)] }));
    const values: unknown[] = [];
    config.subscribe((value) => void values.push(value));
    // The first has been read, the second has not: both become 1, in this order.
    during = () => {
      held.a = held.b = 1;
      during = () => {};
    };
    await config.reload();
    await Promise.resolve();
    assert.deepEqual(config.value, { a: 1, b: 1 });
    assert.deepEqual(values, [{ a: 1, b: 1 }]);
  });

  test("may be that it goes, and its value with it; the head does not go so", async () => {
    const { open, host } = stage({ [base]: { a: 1 }, [head]: { b: 1 }, [local]: { a: 2 } });
    const config = await open();
    host.outside.removeFile(local);
    await config.reload();
    assert.deepEqual([config.value, config.status().state], [{ a: 1, b: 1 }, "ok"]);
    host.outside.removeFile(head);
    await assert.rejects(config.reload(), { code: "NOT_FOUND", message: /read \/app\/head\.json/ });
    assert.deepEqual(config.value, { a: 1, b: 1 });
  });

  test("reaches what a directory compiles", async () => {
    const { openConfig, read, save } = stage({ "/app/conf.d/1.json": { a: 1 } });
    const compiled = directory("/app/conf.d", { compileTo: "/app/compiled.json" });
    const config = await openConfig(layered({ layers: [compiled, memory({ b: 1 })], head: 1 }), {
      watch: false,
    });
    assert.deepEqual(read("/app/compiled.json"), { a: 1 });
    save("/app/conf.d/2.json", { c: 1 });
    await config.reload();
    assert.deepEqual(read("/app/compiled.json"), { a: 1, c: 1 });
  });
});

describe("problems of layers", () => {
  const schema = v.object({
    rate: v.optional(v.pipe(v.number(), v.maxValue(10))),
    pool: v.object({ size: v.number() }),
  });

  test("are told with the file, or the variable", async () => {
    const files = { [base]: { pool: { size: 1 } }, [local]: '{\n  "rate": 11 }' };
    await assert.rejects(
      stage(files).open({ schema }),
      /rate \(\/app\/local\.json, line 2, column 11\)/,
    );
    const { open } = stage({ [base]: { pool: { size: 1 } } }, { APP_RATE: "12" });
    await assert.rejects(open({ schema }), /rate \(the environment, APP_RATE\)/);
  });

  test("are told where something is missing from", async () => {
    const { open } = stage({ [base]: '{\n  "pool": {} }', [head]: {}, [local]: { rate: 1 } });
    await assert.rejects(open({ schema }), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      const { source, line, column } = error.details.problems[0]!;
      assert.deepEqual([source, line, column], [base, 2, 11]);
      return true;
    });
  });
});

test("layers are those that were given, and sources all", async () => {
  const { openConfig } = stage({});
  const layers = [memory({ a: 1 }), overrides({ b: 2 })];
  const described = layered({ layers });
  layers.length = 0;
  assert.deepEqual((await openConfig(described)).value, { a: 1, b: 2 });
  const names = ["base.json", undefined, false] as unknown as Source[];
  for (const wrong of names) {
    assert.throws(() => layered({ layers: [memory({}), wrong] }), {
      code: "UNSUPPORTED",
      message: /at 1/,
    });
  }
});
