// runs on: all
/** Several configs on one store, and calls that share a commit: nobody is told what is not so. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(5)), 1) });
const watch = false;

describe("a write that changes nothing of what is known", () => {
  test("is made all the same when the store moved on", async () => {
    const { openConfig } = hostWith();
    const store = memory({ rate: 1 });
    const [one, other] = [
      await openConfig(store, { schema, watch }),
      await openConfig(store, { schema, watch }),
    ];
    await one.setAt(["rate"], 2);
    await assert.rejects(other.setAt(["rate"], 1, { expectedGeneration: 1 }), { code: "CONFLICT" });
    await other.setAt(["rate"], 1);
    assert.equal(other.snapshot().generation, 3);
    await one.reload();
    assert.equal(one.value.rate, 1);
  });

  test("stores the new version of what was migrated in memory alone", async () => {
    const { host, openConfig } = hostWith('{"version":1,"a":1}');
    const migrations = { 1: ({ a }: { a: number }) => ({ version: 2, b: a }) };
    const config = await openConfig(path, { migrations, migrate: "memory", watch });
    await config.set({ version: 2, b: 1 });
    assert.deepEqual(JSON.parse(host.outside.readFile(path)), { version: 2, b: 1 });
  });

  test("puts a file back that was removed", async () => {
    const { host, openConfig } = hostWith('{"rate":1}');
    const config = await openConfig(path, { schema, watch, ...remember() });
    host.outside.removeFile(path);
    await config.set({ rate: 1 });
    assert.deepEqual(JSON.parse(host.outside.readFile(path)), { rate: 1 });
  });
});

describe("calls that share a commit", () => {
  test("are each refused for what they did, even where a later one covers it up", async () => {
    const { host, openConfig } = hostWith('{"rate":1}');
    const config = await openConfig(path, { schema, watch });
    const answers = await Promise.allSettled([
      config.setAt(["rate"], "bogus"),
      config.setAt(["rate"], 2),
      config.update((draft) => void (draft.rate = 6)),
      config.patch({ rate: 3 }),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), [
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    assert.equal(JSON.parse(host.outside.readFile(path)).rate, 3);
  });

  test("are not covered up by one that moves the elements of an array", async () => {
    const { openConfig } = hostWith('{"list":[1,2,3]}');
    const config = await openConfig(path, {
      schema: v.object({ list: v.array(v.number()) }),
      watch,
    });
    const answers = await Promise.allSettled([
      config.setAt(["list", 2], "bad"),
      config.unset(["list", 0]),
      config.setAt(["list", 1], 9),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
    assert.deepEqual(config.value.list, [2, 9]);
  });

  test("do not fall with one whose value cannot be frozen", async () => {
    const { openConfig } = hostWith("{}");
    const dated = v.looseObject({
      at: v.optional(v.pipe(v.string(), v.transform((text) => text === "now" ? new Date(0) : 0))),
    });
    const config = await openConfig(path, { schema: dated, watch });
    const answers = await Promise.allSettled([
      config.setAt(["rate"], 1),
      config.setAt(["at"], "now"),
      config.setAt(["name"], "n"),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
  });

  test("leave looks their turn, however many come", async () => {
    const { openConfig } = hostWith('{"rate":0}');
    const config = await openConfig(path, { schema, watch });
    let writes = 0;
    const loop = async () => {
      for (let times = 0; times < 100; times++, writes++) await config.setAt(["count"], writes);
    };
    const loops = [loop(), loop()];
    await config.reload();
    assert.ok(writes < 100, `the look came after ${writes} writes`);
    await Promise.all(loops);
  });
});

describe("what is stored", () => {
  test("is what was checked, whatever the caller does to its draft afterwards", async () => {
    const { host, openConfig } = hostWith("{}");
    const config = await openConfig(path, { schema, watch });
    await config.update((draft) => {
      draft.rate = 2;
      queueMicrotask(() => draft.rate = 99);
    });
    assert.equal(JSON.parse(host.outside.readFile(path)).rate, 2);
  });

  test("has no members that are undefined", async () => {
    const { host, openConfig } = hostWith('{"a":1,"b":[1]}');
    const config = await openConfig(path, { schema, watch });
    await config.update((draft) => void (draft["a"] = undefined));
    assert.deepEqual(JSON.parse(host.outside.readFile(path)), { b: [1] });
    await assert.rejects(config.setAt(["b"], [undefined]), { code: "INVALID" });
  });

  test("by another schema and refused here can be replaced from here", async () => {
    const { host, openConfig } = hostWith();
    const store = memory({ rate: 1 });
    const careless = await openConfig(store, { watch });
    const careful = await openConfig(store, { schema, ...remember() });
    await careless.set({ rate: "x" });
    await host.advance(1000);
    assert.equal(careful.status().state, "degraded");
    await careful.set({ rate: 2 });
    assert.deepEqual([careful.status().state, careful.snapshot().generation], ["ok", 3]);
  });
});

test("bytes refused again at a later generation can be replaced all the same", async () => {
  const { openConfig } = hostWith();
  const store = memory({ rate: 1 });
  const lax = await openConfig(store, { watch });
  const strict = await openConfig(store, { schema, watch, ...remember() });
  await lax.set({ rate: "bad" });
  await assert.rejects(strict.reload(), { code: "INVALID" });
  await lax.set({ rate: 3 });
  await lax.set({ rate: "bad" });
  await strict.set({ rate: 4 });
  assert.equal(strict.snapshot().generation, 5);
});

describe("a promise where none belongs", () => {
  test("cannot end the process by rejecting", async () => {
    const { openConfig } = hostWith('{"version":1}');
    const fail = async () => {
      throw new Error("unheard");
    };
    const config = await openConfig(path, {
      watch,
      audit: fail,
      logger: { warn: fail, error: fail },
    });
    await assert.rejects(config.update(fail as never), { code: "INVALID" });
    await config.setAt(["a"], 1);
    const migrations = { 1: fail as never };
    await assert.rejects(openConfig(path, { watch, migrations }), { code: "MIGRATION" });
  });
});

test("a rule that depends on more than the document is tried again by reload()", async () => {
  const { host, openConfig } = hostWith('{"rate":0}');
  let certificate = true;
  const ruled = v.pipe(v.looseObject({}), v.check(() => certificate, "no certificate"));
  const config = await openConfig(path, { schema: ruled, watch, ...remember() });
  certificate = false;
  host.outside.replaceFile(path, '{"rate":1}', { mode: 0o600 });
  await assert.rejects(config.reload(), { code: "INVALID" });
  certificate = true;
  await config.reload();
  assert.deepEqual(config.value, { rate: 1 });
});

test("nothing there and no schema is NOT_FOUND", async () => {
  const { openConfig } = hostWith();
  await assert.rejects(openConfig(path), { code: "NOT_FOUND" });
  await assert.rejects(openConfig(memory()), { code: "NOT_FOUND" });
});

test("a schema that never answers is a TIMEOUT at the start, too", async () => {
  const { host, openConfig } = hostWith("{}");
  const stuck = v.pipeAsync(v.looseObject({}), v.checkAsync(() => new Promise<boolean>(() => {})));
  const opening = openConfig(path, { schema: stuck, watch, timeoutMs: 100 });
  const outcome = opening.catch((error: { code: string }) => error.code);
  await host.advance(200);
  assert.equal(await outcome, "TIMEOUT");
});
