/** What other programs do to a key of NATS: values, deletions, whole buckets. */
import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import { brisk, until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { bucketName, deleteBucket, keyName, natsFor, openOver, otherTool } from "./nats_config.ts";
import { withoutNats } from "./nats_server.ts";

const skip = withoutNats;

describe("NATS, other programs", () => {
  test("a value that they put gets a generation of its own", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    await config.set({ rate: 2 });
    const tool = await otherTool(connection);
    await tool.put(keyName, '{"rate": 3}');
    await until("the value was taken over", () => config.snapshot().generation === 3);
    assert.deepEqual(config.value, { rate: 3 });
    const [newest, before] = await config.history();
    assert.deepEqual([newest?.generation, newest?.origin, newest?.from], [3, "external", 2]);
    assert.equal(newest?.oldHash, before?.newHash);
    const { config: other } = await openOver(connection, t);
    assert.equal(other.snapshot().generation, 3);
  });

  test("a record that they edited or copied counts as what it says, anew", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    const tool = await otherTool(connection);
    const first = (await tool.get(keyName))!.string();
    await config.set({ rate: 2 });
    await tool.put(keyName, first.replace('"rate": 1', '"rate": 7'));
    await until("the edit was taken over", () => config.snapshot().generation === 3);
    assert.deepEqual(config.value, { rate: 7 });
    await tool.put(keyName, first);
    await until("the copy was taken over", () => config.snapshot().generation === 4);
    assert.deepEqual(config.value, { rate: 1 });
    await config.close();
    await tool.put(keyName, first);
    const { config: other } = await openOver(connection, t);
    assert.equal(other.snapshot().generation, 5);
    assert.deepEqual((await other.history()).map(({ origin }) => origin), [
      "external",
      "external",
      "external",
      "commit",
      "seed",
    ]);
  });

  test("what is no document is told and refused, and a write goes over it", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config, ears } = await openOver(connection, t, { seed: { rate: 1 } });
    const tool = await otherTool(connection);
    await tool.put(keyName, "{broken");
    await until("it was refused", () => config.status().state === "degraded");
    assert.deepEqual(config.value, { rate: 1 });
    assert.equal(ears.refusals.length, 1);
    const { config: late } = await openOver(connection, t);
    assert.deepEqual([late.value, late.status().state], [{ rate: 1 }, "degraded"]);
    await config.set({ rate: 2 });
    assert.equal(config.snapshot().generation, 2);
    await until("the other follows", () => late.snapshot().generation === 2);
    assert.equal(late.status().state, "ok");
  });

  test("a record of a newer program is refused by name, and left alone", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    const tool = await otherTool(connection);
    const record = (await tool.get(keyName))!.string();
    const newer = record.replace("holdfast-record 1", "holdfast-record 2");
    const revision = await tool.put(keyName, newer);
    await until("it was refused", () => config.status().state === "degraded");
    assert.match(config.status().problems[0]!.message, /record of version 2, .* update this one/);
    assert.deepEqual(config.value, { rate: 1 });
    assert.equal((await tool.get(keyName))!.revision, revision);
    const { config: late } = await openOver(connection, t);
    assert.deepEqual([late.value, late.status().state], [{ rate: 1 }, "degraded"]);
  });

  test("after they deleted or purged the key, numbers go on", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    await config.set({ rate: 2 });
    const tool = await otherTool(connection);
    await tool.delete(keyName);
    await until("the deletion was told", () => config.status().state === "degraded");
    assert.deepEqual(config.value, { rate: 2 });
    await config.set({ rate: 3 });
    assert.equal(config.snapshot().generation, 3);
    await config.close();

    await tool.delete(keyName);
    const { config: second } = await openOver(connection, t, { seed: { rate: 4 } });
    assert.equal(second.snapshot().generation, 4);
    await second.close();

    await tool.purge(keyName);
    const { config: third } = await openOver(connection, t, { seed: { rate: 5 } });
    assert.ok(third.snapshot().generation > 4, `found ${third.snapshot().generation}`);
  });

  test(
    "numbers that were pushed out of a short history are not given again",
    { skip },
    async (t) => {
      const connection = await (await natsFor(t)).connect();
      const tool = await new Kvm(connection).create(bucketName, { history: 2 });
      const { config, ears } = await openOver(connection, t, { seed: { rate: 0 } });
      for (let rate = 1; rate < 6; rate++) await config.set({ rate });
      assert.equal(config.snapshot().generation, 6);
      assert.deepEqual((await config.history()).map(({ generation }) => generation), [6, 5]);
      assert.equal(ears.warnings.filter((message) => message.includes("history of 2")).length, 1);
      await config.close();
      for (const rate of [7, 8, 9]) await tool.put(keyName, `{"rate":${rate}}`);
      const { config: next } = await openOver(connection, t);
      await until("it has a number", () => next.snapshot().generation > 6);
      assert.deepEqual(next.value, { rate: 9 });
    },
  );

  test("keys of one bucket are apart", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const one = await openOver(connection, t, { seed: { a: 1 } });
    const other = await openOver(connection, t, { seed: { b: 1 }, store: { key: "other" } });
    await one.config.set({ a: 2 });
    await one.config.set({ a: 3 });
    await other.config.set({ b: 2 });
    assert.deepEqual([one.config.snapshot().generation, other.config.snapshot().generation], [
      3,
      2,
    ]);
    assert.equal((await other.config.history()).length, 2);
  });
});

describe("NATS, the bucket", () => {
  test("seeded by many at once, one seed counts", { skip }, async (t) => {
    const nats = await natsFor(t);
    const opened = await Promise.all([1, 2, 3, 4, 5].map(async (seed) => {
      return await openOver(await nats.connect(), t, { seed: { seed } });
    }));
    const [first] = opened;
    for (const { config } of opened) {
      assert.deepEqual(config.value, first!.config.value);
      assert.equal(config.snapshot().generation, 1);
    }
  });

  test("deleted right before a write, it is made anew", { skip }, async (t) => {
    const nats = await natsFor(t);
    const connection = await nats.connect();
    const watch = { ...brisk, pollMs: 60_000 };
    const { config } = await openOver(connection, t, { seed: { rate: 1 }, watch });
    await deleteBucket(await nats.connect());
    const { snapshot } = await config.set({ rate: 2 });
    assert.equal(snapshot.generation, 2);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [2]);
  });

  test(
    "deleted under a watcher, it is told, and made anew by the next write",
    { skip },
    async (t) => {
      const nats = await natsFor(t);
      const connection = await nats.connect();
      const { config, ears } = await openOver(connection, t, { seed: { rate: 1 } });
      const { config: other } = await openOver(await nats.connect(), t);
      await config.set({ rate: 2 });
      await until("the other follows", () => other.snapshot().generation === 2);
      await deleteBucket(connection);
      await until("it was told", () => config.status().state === "degraded");
      assert.deepEqual(config.value, { rate: 2 });
      assert.equal(ears.warnings.filter((message) => message.includes("deleted")).length, 1);
      await other.set({ rate: 3 });
      assert.equal(other.snapshot().generation, 3);
      await until("all follow", () => config.snapshot().generation === 3);
      assert.equal(config.status().state, "ok");
    },
  );

  test("recreated by somebody who knows of nothing, numbers never go back", { skip }, async (t) => {
    const nats = await natsFor(t);
    const connection = await nats.connect();
    const { config, ears } = await openOver(connection, t, { seed: { rate: 1 } });
    for (const rate of [2, 3, 4, 5]) await config.set({ rate });
    const generations: number[] = [];
    config.subscribe(() => void generations.push(config.snapshot().generation));
    await deleteBucket(connection);
    const { config: fresh } = await openOver(await nats.connect(), t, { seed: { rate: 10 } });
    assert.equal(fresh.snapshot().generation, 1);
    await until("both agree", () => fresh.snapshot().generation === config.snapshot().generation);
    assert.deepEqual([config.snapshot().generation, config.value], [6, { rate: 10 }]);
    assert.ok(ears.warnings.some((message) => /deleted|made anew/.test(message)));
    await fresh.set({ rate: 11 });
    await until("it follows", () => config.snapshot().generation === 7);
    assert.deepEqual(generations, [6, 7]);
  });

  test("recreated with a plain value, that is adopted", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    await config.set({ rate: 2 });
    await deleteBucket(connection);
    const tool = await new Kvm(connection).create(bucketName, { history: 64 });
    for (let other = 0; other < 5; other++) await tool.put("other", "1");
    await tool.put(keyName, '{"rate":9}');
    await until("it was taken over", () => config.snapshot().generation === 3);
    assert.deepEqual(config.value, { rate: 9 });
  });
});
