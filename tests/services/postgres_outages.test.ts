/** The server lost, the network cut, replies lost: nothing acknowledged is lost, and everybody ends on the last state. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { isHoldfastError, openConfig } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import { listen, until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import {
  another,
  following,
  follows,
  increment,
  type Opened,
  writer,
} from "./postgres_following.ts";
import { everythingOf, server, serverTests, sql } from "./postgres_store.ts";

const outage = { timeoutMs: 60_000 };

serverTests((skip) => {
  const options = { skip, ...outage };

  describe("an outage", () => {
    test(
      "of the server, killed and started again, loses nothing acknowledged",
      options,
      async (t) => {
        const { key, config, ears } = await following(t);
        const other = await writer(t, key);
        const watchers = [config, await another(t, key), await another(t, key)];
        let acknowledged = 0;
        let unknown = 0;
        let isOver = false;
        const writing = (async () => {
          while (!isOver) {
            try {
              await increment(other);
              acknowledged++;
            } catch (error) {
              assert.ok(isHoldfastError(error), String(error));
              if (error.code === "COMMIT_UNKNOWN") unknown++;
              await wait(50);
            }
          }
        })();
        for (let kills = 1; kills <= 2; kills++) {
          const before = acknowledged;
          await until("some writes are made", () => acknowledged > before + 5);
          await server().kill();
          await until("the outage is told", () => config.status().state === "degraded");
          assert.equal(typeof config.value.count, "number");
          await server().start();
          const from = performance.now();
          for (const each of watchers) {
            await until("all follow again", () => each.status().state === "ok");
          }
          console.log(`server started: all ok after ${Math.round(performance.now() - from)} ms`);
          const atStart = acknowledged;
          await until("writes go on", () => acknowledged > atStart);
        }
        isOver = true;
        await writing;
        await other.reload();
        const { count } = other.value;
        console.log(`${acknowledged} acknowledged, ${unknown} unknown, ${count} counted`);
        assert.ok(count >= acknowledged && count <= acknowledged + unknown);
        assert.equal(other.snapshot().generation, count + 1);
        for (const each of watchers) {
          await follows(each, count, "server killed twice");
          assert.equal(each.snapshot().generation, other.snapshot().generation);
        }
        const codes = ears.refusals.join("\n");
        assert.match(codes, /Cannot read postgres:key \d+: found/);
      },
    );

    test("of every connection, terminated by the server, is got over", options, async (t) => {
      const { key, config, client } = await following(t, { pollMs: 2000 });
      const other = await writer(t, key);
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      for (let count = 1; count <= 3; count++) {
        await sql()`select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and application_name = 'postgres.js'`.catch(() => {});
        await increment(other);
        // A client whose connection is lost while it sends LISTEN is deaf from then on: then the poll tells.
        await follows(config, count, "connections terminated");
      }
      await increment(config);
      assert.equal(config.value.count, 4);
      assert.ok(client);
    });

    test("of the network is got over, and reads go on meanwhile", options, async (t) => {
      const { key, network, config } = await following(t);
      const other = await writer(t, key);
      network.cut();
      await until("the outage is told", () => config.status().state === "degraded");
      for (let count = 1; count <= 3; count++) await increment(other);
      assert.equal(config.value.count, 0);
      await assert.rejects(
        increment(config),
        (error) =>
          isHoldfastError(error, "UNAVAILABLE") || isHoldfastError(error, "TIMEOUT") ||
          isHoldfastError(error, "COMMIT_UNKNOWN"),
      );
      network.heal();
      await follows(config, 3, "network cut");
      await increment(config);
      assert.equal(config.snapshot().generation, 5);
    });

    test("in which bytes are held back is got over", options, async (t) => {
      const { key, network, config } = await following(t);
      const other = await writer(t, key);
      network.stall();
      await until("the outage is told", () => config.status().state === "degraded");
      await increment(other);
      network.heal();
      await follows(config, 1, "network stalled");
    });

    test("in which connections die without a word is got over", options, async (t) => {
      const { key, network, config } = await following(t);
      const other = await writer(t, key);
      network.blackhole();
      await until("the outage is told", () => config.status().state === "degraded");
      await increment(other);
      network.heal();
      await follows(config, 1, "connections dead");
      await increment(config);
      assert.equal(config.value.count, 2);
    });

    test("before the first load is a clear failure", options, async () => {
      const nobody = server().connect(`postgres://app:canary@127.0.0.1:1/postgres`);
      await assert.rejects(
        openConfig(postgres({ sql: nobody, key: "app" }), listen()),
        (error) => {
          assert.ok(isHoldfastError(error, "UNAVAILABLE"));
          assert.match(
            error.message,
            /no connection to 127\.0\.0\.1:1\/postgres \(ECONNREFUSED\); start/,
          );
          assert.doesNotMatch(everythingOf(error), /canary/);
          return true;
        },
      );
    });
  });

  describe("a commit whose answer is lost", () => {
    test("is found to have landed, and counts once", options, async (t) => {
      const { network, config } = await following(t);
      await increment(config);
      network.treat("pass", "lose");
      const writing = increment(config);
      await until("it landed", async () => await stored(config) === 2);
      network.cut();
      await wait(100);
      network.heal();
      const { snapshot, changeSet } = await writing;
      assert.deepEqual([snapshot.generation, snapshot.value.count], [3, 2]);
      assert.equal(changeSet.origin, "commit");
      assert.equal((await config.history()).length, 3);
    });

    test("and whose record is gone too is not made twice", options, async (t) => {
      const { network, config, key } = await following(t, { pollMs: 60_000 });
      await increment(config);
      network.treat("pass", "lose");
      const writing = increment(config).then(() => undefined, (error: unknown) => error);
      await until("it landed", async () => await stored(config) === 2);
      const other = await openConfig(postgres({ sql: sql(), key }), {
        ...listen(),
        history: 1,
        watch: false,
      });
      t.after(() => other.close());
      await increment(other as unknown as Opened);
      network.cut();
      await wait(100);
      network.heal();
      const error = await writing;
      assert.ok(isHoldfastError(error, "COMMIT_UNKNOWN"), String(error));
      await config.reload();
      assert.deepEqual([config.value.count, config.snapshot().generation], [3, 4]);
    });

    test("is found not to have landed, and never does", options, async (t) => {
      const { network, config } = await following(t, { pollMs: 60_000 });
      await increment(config);
      await wait(500);
      network.treat("lose", "pass");
      const writing = increment(config).then(() => undefined, (error: unknown) => error);
      await until("it is lost", () => network.lost.includes('"count": 2'));
      network.cut();
      network.heal();
      const error = await writing;
      assert.ok(isHoldfastError(error, "UNAVAILABLE"), String(error));
      assert.match(error.message, /nothing was stored; try again$/);
      await increment(config);
      assert.equal(config.value.count, 2);
      assert.equal(config.snapshot().generation, 3);
    });

    test("is kept from landing once it was said not to have landed", options, async (t) => {
      const { network, config } = await following(t, { pollMs: 60_000 });
      await increment(config);
      await wait(500);
      network.holdThese();
      await assert.rejects(increment(config), (error) => {
        // The call was over before the commit was given up.
        return isHoldfastError(error, "COMMIT_UNKNOWN") || isHoldfastError(error, "UNAVAILABLE");
      });
      // Its turn comes when it is settled what became of the commit.
      await config.reload();
      network.heal();
      await wait(300);
      await config.reload();
      assert.deepEqual([config.snapshot().generation, config.value.count], [2, 1]);
      await increment(config);
      assert.deepEqual([config.snapshot().generation, config.value.count], [3, 2]);
    });

    test("is said to be unknown where nobody can be asked", options, async (t) => {
      const { network, config } = await following(t);
      network.treat("pass", "lose");
      const writing = increment(config).then(() => undefined, (error: unknown) => error);
      await until("it landed", async () => await stored(config) === 1);
      network.cut();
      const error = await writing;
      assert.ok(isHoldfastError(error, "COMMIT_UNKNOWN"), String(error));
      network.heal();
      await follows(config, 1, "commit unknown");
    });
  });
});

/** What stands in the table, whatever a config knows. */
async function stored(config: Opened): Promise<number | undefined> {
  const key = config.status().sources[0]!.name.replace("postgres:", "");
  const [row] = await sql()`select document from holdfast where key = ${key}`;
  return row === undefined ? undefined : JSON.parse(row["document"]).count;
}
