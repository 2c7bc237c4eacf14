/** Connections to NATS that end, come of another copy of the client, or lead to another domain; and options that cannot be. */
import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/transport-node";
import { openConfig } from "../../mod.ts";
import { natsKv, type NatsKvOptions } from "../../src/store/nats/nats_kv.ts";
import { freePorts } from "../support/free_ports.ts";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { bucketName, keyName, natsFor, openOver, refusalOf, withRequests } from "./nats_config.ts";
import { startNats, withoutNats } from "./nats_server.ts";

const skip = withoutNats;

describe("NATS, the connection", () => {
  test("a connection that was closed is told at once", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    await connection.close();
    await until("it was told", () => config.status().state === "degraded");
    assert.deepEqual(config.value, { rate: 1 });
    assert.equal((await refusalOf(config.set({ rate: 2 }))).code, "UNAVAILABLE");
    assert.equal((await refusalOf(openOver(connection, t))).code, "UNAVAILABLE");
  });

  test("one that is about to close stored nothing, and says so", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 }, watch: false });
    const drained = connection.drain();
    const error = await refusalOf(config.set({ rate: 2 }));
    assert.deepEqual([error.code, /closed; connect anew/.test(error.message)], [
      "UNAVAILABLE",
      true,
    ]);
    await drained;
    assert.match((await refusalOf(config.reload())).message, /closed; connect anew/);
    assert.match((await refusalOf(config.set({ rate: 2 }))).message, /closed; connect anew/);
  });

  test("one of another copy of the client is understood", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    // Its errors are of other classes with the same names.
    let isLeaderless = false;
    const foreign = withRequests(connection, (ask) => async (to, ...rest) => {
      if (!isLeaderless) return await ask(to, ...rest);
      isLeaderless = false;
      const cause = Object.assign(new Error(`no responders: '${to}'`), { name: "NoResponders" });
      throw Object.assign(new Error("no responders", { cause }), { name: "RequestError" });
    });
    const { config } = await openOver(foreign, t, { seed: { rate: 1 }, watch: false });
    isLeaderless = true;
    await config.set({ rate: 2 });
    isLeaderless = true;
    assert.equal((await config.reload()).generation, 2);
  });

  test("many configs over one leave nothing behind on it", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    const { config } = await openOver(connection, t, { seed: { rate: 1 } });
    const counted = { subscriptions: 0, followers: 0 };
    const counting = new Proxy(connection, {
      get: (target, name) => {
        if (name === "subscribe") {
          return (...given: Parameters<NatsConnection["subscribe"]>) => {
            const subscription = target.subscribe(...given);
            counted.subscriptions++;
            subscription.closed.then(() => counted.subscriptions--, () => {});
            return subscription;
          };
        }
        if (name === "status") {
          return () => {
            const statuses = target.status() as ReturnType<NatsConnection["status"]> & {
              iterClosed: Promise<unknown>;
            };
            counted.followers++;
            statuses.iterClosed.then(() => counted.followers--, () => {});
            return statuses;
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const missing = { key: "missing" };
    for (let round = 0; round < 20; round++) {
      const opened = await Promise.all(Array.from({ length: 10 }, () => {
        return openConfig(natsKv({ connection: counting, bucket: bucketName, key: keyName }));
      }));
      await Promise.all(opened.map((each) => each.close()));
      await refusalOf(openOver(counting, t, { store: missing }));
    }
    await until("all is let go of", () => {
      return counted.subscriptions === 0 && counted.followers === 0;
    });
    await config.set({ rate: 2 });
  });

  test("to another JetStream domain, it reads and writes there", { skip }, async (t) => {
    const [port] = await freePorts(1);
    const hub = await natsFor(t, () => {
      return startNats(`leafnodes { listen: "127.0.0.1:${port}" }`, "domain: hub");
    });
    const leaf = await natsFor(t, () => {
      const remote = `{ url: "nats-leaf://127.0.0.1:${port}" }`;
      return startNats(`leafnodes { remotes: [ ${remote} ] }`, "domain: leaf");
    });
    const { config } = await openOver(await hub.connect(), t, { seed: { rate: 1 } });
    const store = { domain: "hub" };
    const { config: remote } = await openOver(await leaf.connect(), t, { store });
    assert.deepEqual(remote.value, { rate: 1 });
    await remote.set({ rate: 2 });
    await until("the hub follows", () => config.snapshot().generation === 2);
    await config.set({ rate: 3 });
    await until("the leaf follows", () => remote.snapshot().generation === 3);
    assert.equal(remote.status().sources[0]?.watch, "polling");
    const { config: own } = await openOver(await hub.connect(), t, { store });
    assert.equal(own.status().sources[0]?.watch, "events");
  });
});

describe("NATS, options", () => {
  const good = { isClosed() {}, isDraining() {}, status() {}, subscribe() {}, request() {} };
  const bad: Record<string, { readonly [option: string]: unknown }> = {
    "no connection": { connection: undefined },
    "a connection that is on its way": { connection: Promise.resolve(good) },
    "a bucket with a dot": { bucket: "a.b" },
    "an empty bucket": { bucket: "" },
    "no key": { key: undefined },
    "an empty part of a key": { key: "a..b" },
    "a key that begins with a dot": { key: ".a" },
    "a key with a wildcard": { key: "a.*" },
    "a key of everything": { key: ">" },
    "a key with a space": { key: "a b" },
    "a key with a line break": { key: "a\n" },
    "no replica": { replicas: 0 },
    "part of a replica": { replicas: 1.5 },
    "a number in words": { replicas: "3" },
    "no time": { timeoutMs: 0 },
    "a time that is no number": { timeoutMs: NaN },
    "a time without end": { timeoutMs: Infinity },
    "a domain with a space": { domain: "a b" },
    "an empty domain": { domain: "" },
  };
  for (const [what, options] of Object.entries(bad)) {
    test(`${what} is refused`, () => {
      const given = { connection: good, bucket: "app", key: "config", ...options };
      const make = () => natsKv(given as unknown as NatsKvOptions);
      assert.throws(make, {
        code: "UNSUPPORTED",
        message: /^Cannot keep a config in NATS: found /,
      });
    });
  }

  test("keys that NATS allows are taken", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    for (const key of ["a.b.c", "a/b=c", "_kv", "-", "k".repeat(500)]) {
      const { config } = await openOver(connection, t, { seed: { key }, store: { key } });
      await config.set({ key, rate: 2 });
      assert.deepEqual(config.value, { key, rate: 2 });
    }
  });
});
