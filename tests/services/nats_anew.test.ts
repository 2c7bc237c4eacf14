/** Buckets and keys of NATS that are taken away and made anew, with the same revisions, under those who use them. */
import assert from "node:assert/strict";
import { Kvm } from "@nats-io/kv";
import { jetstreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import {
  bucketName,
  deleteBucket,
  keyName,
  natsFor,
  openOver,
  otherTool,
  refusalOf,
  withRequests,
} from "./nats_config.ts";
import { withoutNats } from "./nats_server.ts";

const skip = withoutNats;
const subject = `$KV.${bucketName}.${keyName}`;

/** Takes all messages away, and leaves no mark of that. */
async function emptyBucket(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.streams.purge(`KV_${bucketName}`);
}

/** A connection on which something else happens right before the first put, once that is wanted. */
function interrupted(connection: NatsConnection, act: () => Promise<unknown>) {
  const state = {
    isArmed: false,
    connection: withRequests(connection, (ask) => async (to, ...rest) => {
      if (to === subject && state.isArmed) {
        state.isArmed = false;
        await act();
      }
      return await ask(to, ...rest);
    }),
  };
  return state;
}

describe("NATS, a bucket made anew with the same revisions", () => {
  for (const history of [64, 1]) {
    test(
      `a writer that did not notice overwrites nothing, history ${history}`,
      { skip },
      async (t) => {
        const nats = await natsFor(t);
        const [connection, other] = [await nats.connect(), await nats.connect()];
        await new Kvm(other).create(bucketName, { history });
        const { config } = await openOver(connection, t, { seed: { old: 1 }, watch: false });
        await deleteBucket(other);
        await new Kvm(other).create(bucketName, { history });
        const { config: fresh } = await openOver(other, t, { seed: { fresh: 1 } });
        const { snapshot } = await config.setAt(["late"], true);
        assert.deepEqual(snapshot.value, { fresh: 1, late: true });
        await until("all follow", () => fresh.snapshot().generation === snapshot.generation);
        assert.deepEqual(fresh.value, { fresh: 1, late: true });
      },
    );
  }

  test("nor does one that was stopped right before its put", { skip }, async (t) => {
    const nats = await natsFor(t);
    const other = await nats.connect();
    const { config: bystander } = await openOver(await nats.connect(), t, { seed: { old: 1 } });
    const stopped = interrupted(await nats.connect(), async () => {
      await deleteBucket(other);
      await openOver(other, t, { seed: { fresh: 1 } });
    });
    const { config } = await openOver(stopped.connection, t, { watch: false });
    stopped.isArmed = true;
    const { snapshot } = await config.setAt(["late"], true);
    assert.equal(stopped.isArmed, false);
    assert.deepEqual(snapshot.value, { fresh: 1, late: true });
    const { config: newcomer } = await openOver(other, t);
    assert.deepEqual(newcomer.value, { fresh: 1, late: true });
    await until("all follow", () => bystander.snapshot().generation === snapshot.generation);
    assert.deepEqual(bystander.value, { fresh: 1, late: true });
  });

  test("nor once that is what the history begins with", { skip }, async (t) => {
    const nats = await natsFor(t);
    const other = await nats.connect();
    const make = () => new Kvm(other).create(bucketName, { history: 2 });
    await make();
    const state = { isArmed: false, isPut: false };
    const dying = withRequests(await nats.connect(), (ask) => async (to, ...rest) => {
      if (to !== subject || !state.isArmed) return await ask(to, ...rest);
      await deleteBucket(other);
      await make();
      await openOver(other, t, { seed: { fresh: 1 } }).then(({ config }) => config.close());
      await ask(to, ...rest);
      state.isPut = true;
      return await new Promise<never>(() => {});
    });
    const options = { seed: { old: 1 }, watch: false, timeoutMs: 300 } as const;
    const { config } = await openOver(dying, t, options);
    for (const old of [2, 3, 4]) await config.set({ old });
    // Its numbers go on, while the revisions begin anew.
    await deleteBucket(other);
    await make();
    await config.set({ old: 5 });
    state.isArmed = true;
    assert.equal((await refusalOf(config.set({ old: 6 }))).code, "COMMIT_UNKNOWN");
    await until("it was put", () => state.isPut);
    const { config: fresh } = await openOver(other, t);
    assert.deepEqual(fresh.value, { fresh: 1 });
    await fresh.set({ fresh: 2 });
    const { config: newcomer } = await openOver(other, t);
    assert.deepEqual(newcomer.value, { fresh: 2 });
  });

  test("nor where the oldest text is the same", { skip }, async (t) => {
    const nats = await natsFor(t);
    const other = await nats.connect();
    async function make(rate: number): Promise<void> {
      const tool = await new Kvm(other).create(bucketName, { history: 64 });
      await tool.put(keyName, '{"same":1}');
      const { config } = await openOver(other, t);
      await config.setAt(["rate"], rate);
      await config.close();
    }
    await make(1);
    const stopped = interrupted(await nats.connect(), async () => {
      await deleteBucket(other);
      await make(2);
    });
    const { config } = await openOver(stopped.connection, t, { watch: false });
    assert.deepEqual(config.value, { same: 1, rate: 1 });
    stopped.isArmed = true;
    await config.setAt(["late"], true);
    assert.deepEqual(config.value, { same: 1, rate: 2, late: true });
    const { config: newcomer } = await openOver(other, t);
    assert.deepEqual(newcomer.value, { same: 1, rate: 2, late: true });
  });

  test("restored from a backup as old as the first, it is followed", { skip }, async (t) => {
    const nats = await natsFor(t);
    const other = await nats.connect();
    // A backup is restored with the time when the bucket was made first.
    const restored = withRequests(await nats.connect(), (ask) => async (to, ...rest) => {
      const answer = await ask(to, ...rest);
      if (!to.startsWith("$JS.API.STREAM.INFO")) return answer;
      const text = new TextDecoder().decode(answer.data)
        .replace(/"created":"[^"]*"/, '"created":"2026-01-01T00:00:00Z"');
      return { data: new TextEncoder().encode(text) } as Msg;
    });
    const { config } = await openOver(restored, t, { seed: { rate: 1 }, watch: false });
    await config.set({ rate: 2 });
    await config.reload();
    await deleteBucket(other);
    const { config: fresh } = await openOver(other, t, { seed: { rate: 10 } });
    for (const rate of [11, 12]) await fresh.set({ rate });
    const { value, generation } = await config.reload();
    assert.deepEqual([value, generation > 2], [{ rate: 12 }, true]);
    await config.set({ rate: 13 });
    await until("both agree", () => fresh.snapshot().generation === config.snapshot().generation);
    assert.deepEqual(fresh.value, { rate: 13 });
  });
});

describe("NATS, a key that is gone without a mark", () => {
  test("is told, and written anew", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    await config.set({ rate: 2 });
    await config.reload();
    await emptyBucket(connection);
    await until("it was told", () => config.status().state === "degraded");
    assert.deepEqual([config.value, config.status().problems[0]?.severity], [{ rate: 2 }, "error"]);
    await config.setAt(["own"], true);
    assert.deepEqual([config.snapshot().generation, config.value], [3, { rate: 2, own: true }]);
    assert.equal(config.status().state, "ok");
  });

  test("is found by a write that nobody told", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 }, watch: false });
    await emptyBucket(connection);
    await config.setAt(["own"], true);
    assert.deepEqual([config.snapshot().generation, config.value], [2, { rate: 1, own: true }]);
  });

  test("is written anew by one that lost to somebody before that", { skip }, async (t) => {
    const nats = await natsFor(t);
    const other = await nats.connect();
    const { config: quicker } = await openOver(other, t, { seed: { rate: 1 }, watch: false });
    const late = withRequests(await nats.connect(), (ask) => async (to, ...rest) => {
      if (to !== subject || quicker.snapshot().generation > 1) return await ask(to, ...rest);
      await quicker.set({ rate: 2 });
      const answer = await ask(to, ...rest);
      await emptyBucket(other);
      return answer;
    });
    const { config } = await openOver(late, t, { watch: false });
    await config.set({ rate: 3 });
    assert.deepEqual(config.value, { rate: 3 });
    const { config: newcomer } = await openOver(other, t);
    assert.deepEqual(newcomer.value, { rate: 3 });
  });

  test("or with one, a part of the last document can be written", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const tool = await new Kvm(connection).create(bucketName, { history: 2 });
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    for (let other = 0; other < 9; other++) await tool.put("other", "1");
    await tool.purge(keyName);
    await until("it was told", () => config.status().state === "degraded");
    await config.setAt(["own"], true);
    assert.deepEqual(config.value, { rate: 1, own: true });
    await until("it was told", () => config.status().state === "ok");
  });

  test("or with the mark of a server that let it expire, is told", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    const { headers } = await import("@nats-io/transport-node");
    const marks = headers();
    marks.set("Nats-Marker-Reason", "MaxAge");
    connection.publish(subject, "", { headers: marks });
    await until("it was told", () => config.status().state === "degraded");
    assert.match(config.status().problems[0]!.message, /removed/);
    assert.ok((await (await otherTool(connection)).get(keyName)) !== null);
  });
});
