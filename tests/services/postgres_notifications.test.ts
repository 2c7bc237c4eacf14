/** Notifications: what they bring, and what is done without them. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { following, follows, increment, writer } from "./postgres_following.ts";
import { serverTests, sql } from "./postgres_store.ts";

serverTests((skip) => {
  const options = { skip, timeoutMs: 60_000 };

  describe("notifications", () => {
    test("bring a change before the poll, which then has no doubts", options, async (t) => {
      const { key, config, ears } = await following(t, { debounceMs: 20, pollMs: 2000 });
      const other = await writer(t, key);
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      await increment(other);
      await follows(config, 1, "notification");
      await wait(2500);
      assert.deepEqual(ears.warnings, []);
    });

    test("that are swallowed are noticed, told once, and polled", options, async (t) => {
      const { key, network, config, ears } = await following(t, { pollMs: 100 });
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      network.mute();
      const other = await writer(t, key);
      for (let count = 1; count <= 3; count++) {
        await increment(other);
        await follows(config, count, "notification swallowed");
        await wait(300);
      }
      const told = () => ears.warnings.filter((message) => /no notification told/.test(message));
      await until("it is told", () => told().length > 0);
      assert.equal(config.status().sources[0]!.watch, "polling");
      await increment(other);
      await follows(config, 4, "notification swallowed");
      assert.equal(told().length, 1);
      assert.ok(network.swallowed >= 4);
      network.heal();
      await increment(other);
      await until("it hears again", () => config.status().sources[0]!.watch === "events");
    });

    test("are not missed of a row that was only moved", options, async (t) => {
      const timing = { debounceMs: 20, maxWaitMs: 50, pollMs: 50 };
      const { key, config, ears } = await following(t, timing);
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      await wait(200);
      await sql()`update holdfast set generation = generation where key = ${key}`;
      await sql()`vacuum full holdfast`;
      await wait(2500);
      assert.deepEqual(ears.warnings, []);
      assert.equal(config.status().sources[0]!.watch, "events");
    });

    test("that somebody forged are no more than hints", options, async (t) => {
      const { key, config } = await following(t, { debounceMs: 0, pollMs: 60_000 });
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      for (const payload of ["", "null", "5", "[]", "{", '{"key":null}', '{"generation":99}']) {
        await sql().notify("public.holdfast", payload);
      }
      await increment(await writer(t, key));
      await follows(config, 1, "forged notifications");
      assert.equal(config.snapshot().generation, 2);
    });

    test("of many writes lead to few looks", options, async (t) => {
      const { key, config } = await following(t, {
        debounceMs: 1000,
        maxWaitMs: 60_000,
        pollMs: 60_000,
      });
      const other = await writer(t, key);
      let calls = 0;
      config.subscribe(() => void calls++);
      for (let count = 1; count <= 100; count++) await increment(other);
      await follows(config, 100, "a hundred writes");
      assert.ok(calls < 60, `${calls} calls`);
    });
  });
});
