// runs on: all
/** A directory as a source: its files are one document, taken over together, and each place is told. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { directory, type DirectoryOptions } from "../../src/source/directory.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });

function stage(files: Record<string, unknown>) {
  const host = memoryHost();
  host.outside.makeDirectory("/conf.d");
  const save = (name: string, content: unknown) => {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    host.outside.replaceFile(`/conf.d/${name}`, text, { mode: 0o600 });
  };
  for (const [name, content] of Object.entries(files)) save(name, content);
  const told = remember();
  const open = (options: DirectoryOptions = {}) => {
    return openConfigOn(() => host)(directory("/conf.d", options), { schema, ...told });
  };
  return { host, save, open, told };
}

describe("a directory", () => {
  test("is its files in the order of their names, and nothing else that is there", async () => {
    const { host, open } = stage({
      "10-b.json": { rate: 1, b: 1, deep: { x: 1, y: 1 } },
      "20-a.json": { a: 2, deep: { y: 2 } },
      "notes.txt": "not a config",
      "README": "{}",
      ".hidden.json": { rate: 99 },
      "30.json~": { rate: 98 },
    });
    host.outside.makeDirectory("/conf.d/below.json");
    const { value } = await open();
    assert.deepEqual(value, { rate: 1, b: 1, a: 2, deep: { x: 1, y: 2 } });
  });

  test("can be a document with a key for each file", async () => {
    const { open } = stage({ "pool.json": { size: 1 }, "limits.json": { cpu: 2 } });
    const config = await open({ as: "byName" });
    assert.deepEqual(config.value, { rate: 7, limits: { cpu: 2 }, pool: { size: 1 } } as object);
    assert.deepEqual(config.explain(["pool", "size"]).from, {
      source: "/conf.d/pool.json",
      line: 1,
      column: 9,
    });
  });

  test("takes over what was added, changed, renamed and removed, together", async () => {
    const { host, save, open } = stage({
      "a.json": { rate: 1 },
      "b.json": { b: 1 },
      "c.json": { c: 1 },
    });
    const config = await open();
    const seen: unknown[] = [];
    config.subscribe((value) => void seen.push(value));
    await host.advance(1000);
    save("a.json", { rate: 2 });
    host.outside.removeFile("/conf.d/b.json");
    save("d.json", { d: 1 });
    host.outside.removeFile("/conf.d/c.json");
    save("renamed.json", { c: 1 });
    await host.advance(1000);
    assert.deepEqual(seen, [{ rate: 2, d: 1, c: 1 }]);
    await config.close();
  });

  test("with one broken file keeps the last good whole, and names the file", async () => {
    const { save, open } = stage({ "a.json": { rate: 1 }, "b.json": { b: 1 } });
    const config = await open();
    save("a.json", { rate: 2 });
    save("b.json", '{\n  "b": ');
    await assert.rejects(config.reload(), { code: "PARSE" });
    assert.deepEqual(config.value, { rate: 1, b: 1 });
    const [problem] = config.status().problems;
    assert.deepEqual([problem!.source, problem!.line], ["/conf.d/b.json", 2]);
    save("b.json", { b: 2 });
    await config.reload();
    assert.deepEqual(config.value, { rate: 2, b: 2 });
  });

  test("says in which file a value stands that does not fit, and where a good one comes from", async () => {
    const { save, open } = stage({ "a.json": '{\n "rate": 1 }', "b.json": "{}" });
    const config = await open();
    assert.deepEqual(config.explain(["rate"]).from, {
      source: "/conf.d/a.json",
      line: 2,
      column: 10,
    });
    save("b.json", '{ "rate": 101 }');
    await assert.rejects(config.reload(), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      const { source, line, column } = error.details.problems[0]!;
      assert.deepEqual([source, line, column], ["/conf.d/b.json", 1, 11]);
      return true;
    });
  });

  test("that is empty is an empty document; one that is not there cannot be opened", async () => {
    const { open } = stage({});
    assert.deepEqual((await open()).value, { rate: 7 });
    const { openConfig } = { openConfig: openConfigOn(() => memoryHost()) };
    await assert.rejects(openConfig(directory("/nowhere"), { schema }), { code: "IO" });
  });

  test("is not read while it changes from one state to the next", async () => {
    const { host, save, open } = stage({ "a.json": { rate: 1, a: 1 }, "b.json": { b: 1 } });
    const config = await open();
    let isSwapped = false;
    host.faults = ({ operation, path }) => {
      if (operation !== "read" || !path.endsWith("b.json") || isSwapped) return undefined;
      isSwapped = true;
      save("a.json", { rate: 2, a: 2 });
      save("b.json", { b: 2 });
      return undefined;
    };
    save("c.json", { c: 1 });
    const { value } = await config.reload();
    assert.deepEqual(value, { rate: 2, a: 2, b: 2, c: 1 });
  });

  test("of a ConfigMap follows the swap of its link", async () => {
    const host = memoryHost();
    const { outside } = host;
    outside.makeDirectory("/mount/..v1");
    outside.makeDirectory("/mount/..v2");
    outside.writeFile("/mount/..v1/a.json", '{"rate":1}', { mode: 0o600 });
    outside.writeFile("/mount/..v2/a.json", '{"rate":2}', { mode: 0o600 });
    outside.symlink("..v1", "/mount/..data");
    outside.symlink("..data/a.json", "/mount/a.json");
    const config = await openConfigOn(() => host)(directory("/mount"), { schema, ...remember() });
    assert.equal(config.value.rate, 1);
    await host.advance(1000);
    outside.symlink("..v2", "/mount/..data_tmp");
    outside.rename("/mount/..data_tmp", "/mount/..data");
    await host.advance(1000);
    assert.equal(config.value.rate, 2);
    await config.close();
  });

  test("is compiled at every good load, and at no other", async () => {
    const { host, save, open } = stage({ "a.json": { rate: 1 }, "b.json": { b: 1 } });
    const compileTo = "/conf.d/compiled.json";
    const config = await open({ compileTo });
    const compiled = () => JSON.parse(host.outside.readFile(compileTo)) as unknown;
    assert.deepEqual(compiled(), { rate: 1, b: 1 });
    assert.equal((await host.stat(compileTo)).mode, 0o600);
    save("a.json", { rate: 101 });
    await assert.rejects(config.reload(), { code: "INVALID" });
    assert.deepEqual(compiled(), { rate: 1, b: 1 });
    save("a.json", { rate: 3 });
    await config.reload();
    assert.deepEqual(compiled(), { rate: 3, b: 1 });
    assert.deepEqual(config.value, { rate: 3, b: 1 });
  });

  test("with two files of one name is refused where names count", async () => {
    const { open } = stage({ "a.json": {}, "a.JSON": {} });
    await assert.rejects(open({ as: "byName" }), { code: "INVALID" });
    await open();
  });
});
