/** Intents in NATS: what they leave in the bucket, buckets that go, answers that are lost, users who may do less. */
import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/transport-node";
import { detectHost } from "../../adapters/detect.ts";
import { natsKv } from "../../src/store/nats/nats_kv.ts";
import type { OpenStore } from "../../src/store/store.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import {
  bucketName,
  deleteBucket,
  keyName,
  natsFor,
  otherTool,
  withRequests,
} from "./nats_config.ts";
import { startNats, withoutNats } from "./nats_server.ts";

const skip = withoutNats;
const first = { id: "one", beat: 0 };
const second = { id: "one", beat: 1 };

async function openOver(
  connection: NatsConnection,
  t: TestContext,
  warnings: string[] = [],
): Promise<OpenStore> {
  const warn = (message: string) => void warnings.push(message);
  const store = natsKv({ connection, bucket: bucketName, key: keyName, timeoutMs: 1000 });
  const open = await store.open({ host: detectHost(), keepAlive: false, history: 5, warn });
  t.after(() => open.close());
  return open;
}

async function put(open: OpenStore, a: number): Promise<number> {
  const cause = { origin: "commit", calls: [] } as const;
  const base = await open.load();
  return (await open.commit({ document: { a }, base, refused: undefined, cause })).generation;
}

async function stateOf(connection: NatsConnection) {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  return (await manager.streams.info(`KV_${bucketName}`)).state;
}

describe("NATS, intents", () => {
  test("leave nothing in the bucket, and numbers go on where it is purged", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const open = await openOver(connection, t);
    for (const a of [1, 2]) await put(open, a);
    assert.equal(await open.writeIntent(first, undefined), true);
    assert.equal(await open.writeIntent(second, first), true);
    assert.equal(await open.writeIntent(undefined, second), true);
    assert.equal((await stateOf(connection)).messages, 2);
    await (await otherTool(connection)).purge(keyName);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await manager.streams.purge(`KV_${bucketName}`);
    const late = await openOver(connection, t);
    assert.ok(await put(late, 3) > 2);
  });

  test("go with a bucket that is deleted, and come with a new one", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const warnings: string[] = [];
    const open = await openOver(connection, t, warnings);
    await put(open, 1);
    assert.equal(await open.writeIntent(first, undefined), true);
    await deleteBucket(connection);
    assert.equal(await open.readIntent(), undefined);
    assert.equal(await open.writeIntent(second, first), false);
    await open.load();
    assert.equal(await open.writeIntent(second, undefined), true);
    assert.deepEqual(await open.readIntent(), second);
    assert.equal(await put(open, 2), 2);
    assert.equal(warnings.filter((text) => /bucket/.test(text)).length, 1, warnings.join("\n"));
  });

  test("are written once where the answers are lost", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const subject = `$KV.${bucketName}.${keyName}.holdfast-intent`;
    let lost = 0;
    const losing = withRequests(connection, (ask) => async (to, ...rest) => {
      const answer = await ask(to, ...rest);
      if (to !== subject || ++lost > 2) return answer;
      throw new errors.TimeoutError();
    });
    const open = await openOver(losing, t);
    for (const [next, expected] of [[first, undefined], [second, first], [undefined, second]]) {
      lost = 0;
      assert.equal(await open.writeIntent(next, expected), true);
      assert.ok(lost > 1);
      assert.deepEqual(await open.readIntent(), next);
    }
  });

  test("of which no answer ever comes are unknown", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    await put(await openOver(connection, t), 1);
    const mute = withRequests(connection, (ask) => async (to, ...rest) => {
      if (!to.endsWith("holdfast-intent")) return await ask(to, ...rest);
      throw new errors.TimeoutError();
    });
    const open = await openOver(mute, t);
    await assert.rejects(open.writeIntent(first, undefined), {
      code: "COMMIT_UNKNOWN",
      message: /the intent of nats:app\/config is stored: found no answer within 1000 ms/,
    });
    assert.equal(await open.readIntent(), undefined);
  });

  const users = `authorization { users: [
    { user: admin, password: adminpass }
    { user: limited, password: canary, permissions: {
      publish: ["$JS.API.STREAM.INFO.KV_app", "$JS.API.STREAM.MSG.GET.KV_app", "$KV.app.config"]
      subscribe: [">"] } }
  ] }`;

  test("are refused for a user who may write the document alone", { skip }, async (t) => {
    const nats = await natsFor(t, () => startNats(users));
    const admin = await openOver(await nats.connect({ user: "admin", pass: "adminpass" }), t);
    await put(admin, 1);
    const connection = await nats.connect({ user: "limited", pass: "canary" });
    const open = await openOver(connection, t);
    assert.equal(await put(open, 2), 2);
    await assert.rejects(open.writeIntent(first, undefined), {
      code: "READ_ONLY",
      message: /the intent of nats:app\/config: .* may not do so \(publish \$KV\.app\.config\.hold/,
    });
    assert.equal(await admin.writeIntent(first, undefined), true);
    assert.deepEqual(await open.readIntent(), first);
  });

  test(
    "that somebody spoiled with another tool are told of and count as none",
    { skip },
    async (t) => {
      const connection = await (await natsFor(t)).connect();
      const warnings: string[] = [];
      const open = await openOver(connection, t, warnings);
      assert.equal(await open.writeIntent(first, undefined), true);
      const tool = await otherTool(connection);
      await tool.put(`${keyName}.holdfast-intent`, '{"id');
      assert.equal(await open.readIntent(), undefined);
      assert.match(
        warnings.join(),
        /Cannot read the intent in .*: found no JSON; it counts as none/,
      );
      assert.equal(await open.writeIntent(second, undefined), true);
      await tool.delete(`${keyName}.holdfast-intent`);
      assert.equal(await open.readIntent(), undefined);
      assert.equal(await open.writeIntent(first, undefined), true);
    },
  );
});
