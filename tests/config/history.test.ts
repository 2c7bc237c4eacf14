// runs on: all
/** What a history tells, what it never tells, and the way back. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { secret } from "../../src/core/mark.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { recordsOn } from "../support/log_disk.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });
const watch = false;

describe("a history", () => {
  const targets: [string, () => ReturnType<typeof memory> | string][] = [
    ["a file", () => path],
    ["memory", () => memory({ rate: 0 })],
  ];
  for (const [name, target] of targets) {
    test(`of ${name} tells the newest first, as much as is asked for`, async () => {
      const { openConfig } = hostWith('{"rate":0}');
      const config = await openConfig(target(), { schema, watch, ...remember() });
      assert.deepEqual((await config.history()).map(({ generation }) => generation), [1]);
      for (let rate = 1; rate <= 4; rate++) await config.set({ rate });
      const all = await config.history();
      assert.deepEqual(all.map(({ generation }) => generation), [5, 4, 3, 2, 1]);
      for (const limit of [0, 1, 2, 5, 9]) {
        assert.deepEqual(await config.history({ limit }), all.slice(0, limit));
      }
      assert.deepEqual(await config.history({ limit: undefined }), all);
      for (const [index, entry] of all.entries()) {
        const older = all[index + 1];
        assert.ok(Object.isFrozen(entry));
        assert.deepEqual([entry.from, entry.to], [entry.generation - 1, entry.generation]);
        assert.equal(entry.oldHash, older?.newHash ?? "");
        const changes = older === undefined
          ? []
          : [{ path: ["rate"], kind: "changed", before: 3 - index, after: 4 - index }];
        assert.deepEqual(entry.changes, changes);
      }
      assert.equal(all[0]!.newHash, config.snapshot().hash);
    });

    test(`of ${name} is bounded by what is to be kept`, async () => {
      const { openConfig } = hostWith('{"rate":0}');
      const config = await openConfig(target(), { schema, watch, history: 3, ...remember() });
      for (let rate = 1; rate <= 60; rate++) {
        await config.set({ rate });
        const generations = (await config.history()).map(({ generation }) => generation);
        const expected = [rate + 1, rate, rate - 1].filter((generation) => generation > 0);
        assert.deepEqual(generations, expected);
      }
      const entries = await config.history();
      assert.ok(entries.slice(0, -1).every(({ changes }) => changes.length === 1));
      await config.rollback(59);
      assert.equal(config.value.rate, 58);
    });
  }

  test("on the disk does not grow without end", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    const config = await openConfig(path, { schema, watch, history: 3, ...remember() });
    for (let rate = 1; rate <= 60; rate++) await config.set({ rate });
    await host.advance(61_000);
    await config.set({ rate: 61 });
    await config.close();
    const kept = recordsOn(host.outside);
    assert.deepEqual(kept.slice(-3), [60, 61, 62]);
    assert.ok(kept.length < 20, `${kept.length} records`);
  });

  test("tells nothing that is secret: not of changes, calls, keys, or older versions", async () => {
    const { host, openConfig } = hostWith('{"version":1,"pass":"canary-0","rate":1,"keys":{}}');
    const current = v.object({
      version: v.literal(2),
      rate: v.number(),
      password: v.pipe(v.string(), secret()),
      tokens: v.optional(v.pipe(v.record(v.string(), v.string()), secret()), {}),
      users: v.optional(v.record(v.string(), v.object({ key: v.pipe(v.string(), secret()) })), {}),
    });
    const first = await openConfig(path, { watch, ...remember() });
    await first.setAt(["pass"], "canary-1", { actor: "me" });
    await first.setAt(["keys", "canary-key"], "canary-x", { actor: "me" });
    await first.unset(["keys", "canary-key"]);
    await first.close();
    const told = remember();
    const config = await openConfig(path, {
      schema: current,
      migrations: { 1: ({ pass, keys, ...rest }) => ({ ...rest, password: pass, tokens: keys }) },
      watch,
      ...told,
    });
    await config.setAt(["password"], "canary-2");
    await config.setAt(["tokens", "canary-3"], "canary-4", { actor: "me" });
    await config.setAt(["users", "a", "key"], "canary-5");
    await config.setAt(["users"], { a: { key: "canary-6" }, b: { key: "canary-7" } });
    await config.unset(["tokens", "canary-3"]);
    await config.rollback(6);
    const entries = await config.history();
    assert.equal(entries.length, 11);
    assert.doesNotMatch(JSON.stringify(entries), /canary/);
    await host.advance(1);
    assert.doesNotMatch(JSON.stringify(told), /canary/);
    const changed = entries.flatMap(({ changes }) =>
      changes.map((change) => change.path.join("/"))
    );
    for (const place of ["password", "tokens", "users/a/key"]) {
      assert.ok(changed.includes(place), `${place} is not among ${changed}`);
    }
  });
});

test("a closed config tells no history and changes none", async () => {
  const { openConfig } = hostWith('{"rate":0}');
  const config = await openConfig(path, { schema, watch, ...remember() });
  await config.set({ rate: 1 });
  await config.close();
  const calls = [
    () => config.history(),
    () => config.rollback(1),
    () => config.purge({ before: 2 }),
    () => config.remove(),
    () => config.jsonPatch([]),
  ];
  for (const call of calls) await assert.rejects(call(), { code: "CLOSED" });
});

test("the record of a call keeps no names of keys below a secret", async () => {
  const { host, openConfig } = hostWith('{"tokens":{},"rate":1}');
  const tokens = v.pipe(v.record(v.string(), v.string()), secret());
  const config = await openConfig(path, {
    schema: v.object({ rate: v.number(), tokens }),
    watch,
    ...remember(),
  });
  await config.setAt(["tokens", "canary"], "one", { actor: "me" });
  await config.unset(["tokens", "canary"]);
  await config.set({ rate: 2, tokens: {} });
  const newest = recordsOn(host.outside).at(-1);
  for (const generation of [newest! - 1, newest!]) {
    const name = host.outside.list().find((listed) => listed.endsWith(`/g.${generation}`))!;
    assert.doesNotMatch(host.outside.readFile(name), /canary/);
  }
  assert.match(JSON.stringify((await config.history())[1]!.calls), /"path":\["tokens"\]/);
});

describe("a rollback", () => {
  const byHand = '{\n   \t"rate" : 1,\n  "b": [1,\n2]\n}\n\n';

  async function written() {
    const { host, openConfig } = hostWith();
    host.outside.writeFile(path, byHand, { mode: 0o600 });
    const config = await openConfig(path, { schema, watch, actor: "us", ...remember() });
    await config.set({ rate: 2, b: null });
    await config.set({ c: 3 });
    return { host, config };
  }

  test("gives back the very bytes, as a new generation", async () => {
    const { host, config } = await written();
    const { snapshot, changeSet } = await config.rollback(1, { actor: "me", reason: "back" });
    assert.equal(host.outside.readFile(path), byHand);
    const { from, to, origin, actor, reason } = changeSet;
    assert.deepEqual([from, to, origin, actor, reason], [3, 4, "rollback", "me", "back"]);
    assert.deepEqual([snapshot.generation, snapshot.value], [4, { rate: 1, b: [1, 2] }]);
    const [newest, , , first] = await config.history();
    assert.equal(newest!.newHash, first!.newHash);
    assert.deepEqual([newest!.origin, newest!.actor, newest!.reason], ["rollback", "me", "back"]);
  });

  test("gives back the bytes where only they differ, and does nothing to what is there", async () => {
    const { host, config } = await written();
    host.outside.writeFile(path, '{"c":3}');
    await config.reload();
    const [edited, wrote] = await config.history();
    assert.deepEqual([edited!.origin, wrote!.origin], ["external", "commit"]);
    await config.rollback(3);
    assert.equal(config.snapshot().hash, wrote!.newHash);
    assert.notEqual(host.outside.readFile(path), '{"c":3}');
  });

  test("to what is not kept is NOT_FOUND", async () => {
    const { config } = await written();
    await config.purge({ before: 2 });
    for (const generation of [0, -1, 1, 4, 1.5, NaN, 1e9]) {
      await assert.rejects(config.rollback(generation), { code: "NOT_FOUND" }, `${generation}`);
    }
    assert.equal(config.snapshot().generation, 3);
  });

  test("reaches what the history lists, whatever waits to be collected", async () => {
    const { host, openConfig } = hostWith('{"rate":1}');
    const config = await openConfig(path, { schema, watch, history: 2, ...remember() });
    for (const rate of [2, 3, 4]) await config.set({ rate });
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [4, 3]);
    assert.ok(host.outside.list().some((name) => name.endsWith("/g.2")));
    await assert.rejects(config.rollback(2), { code: "NOT_FOUND" });
    await config.rollback(3);
    assert.equal(config.value.rate, 3);
  });

  test("to what does not fit the schema any more is INVALID", async () => {
    const { host, openConfig } = hostWith('{"rate":50}');
    const before = await openConfig(path, { schema, watch });
    await before.set({ rate: 5 });
    await before.close();
    const strict = v.object({ rate: v.pipe(v.number(), v.maxValue(10)) });
    const config = await openConfig(path, { schema: strict, watch });
    await assert.rejects(config.rollback(1), { code: "INVALID" });
    assert.deepEqual(JSON.parse(host.outside.readFile(path)), { rate: 5 });
    assert.deepEqual([config.snapshot().generation, config.status().state], [2, "ok"]);
  });

  test("to an older version is migrated", async () => {
    const { host, openConfig } = hostWith('{"version":1,"a":1}');
    const migrations = { 1: ({ a }: { a: number }) => ({ version: 2, b: a }) };
    const config = await openConfig(path, { migrations, watch });
    await config.set({ version: 2, b: 9 });
    const { changeSet, snapshot } = await config.rollback(1);
    assert.deepEqual(JSON.parse(host.outside.readFile(path)), { version: 2, b: 1 });
    assert.deepEqual(snapshot.value, { version: 2, b: 1 });
    assert.deepEqual([changeSet.origin, snapshot.generation], ["rollback", 4]);
    assert.equal((await config.history())[0]!.generation, 4);
    const once = await config.rollback(1);
    assert.equal(once.snapshot.generation, 4, "what runs already was written once more");
    await config.close();
    const again = await openConfig(path, { migrations, watch });
    assert.deepEqual([again.value, again.snapshot().generation], [{ version: 2, b: 1 }, 4]);
  });

  test("after a removal brings the document back, and one to a removal removes", async () => {
    const { host, config } = await written();
    await config.remove();
    await config.rollback(1);
    assert.equal(host.outside.readFile(path), byHand);
    const { snapshot } = await config.rollback(4);
    assert.deepEqual([snapshot.generation, snapshot.hash, snapshot.value], [6, "", { rate: 7 }]);
    assert.ok(!host.outside.list().includes(path));
  });
});
