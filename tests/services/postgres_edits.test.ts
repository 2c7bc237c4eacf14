/** People with `psql`: what they do to the tables is followed, or told, and never a step back. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { type Config, isHoldfastError, openConfig, secret, type WatchTiming } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import { brisk, type Ears, listen, until } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { freshKey, server, serverTests, sql } from "./postgres_store.ts";

const schema = v.looseObject({ rate: v.pipe(v.number(), v.maxValue(100)) });
type Opened = Config<{ rate: number }, { rate: number }>;

async function opened(
  t: TestContext,
  given: {
    readonly key?: string;
    readonly seed?: { rate: number } | undefined;
    readonly watch?: WatchTiming;
  } = {},
): Promise<{ key: string; config: Opened; ears: Ears }> {
  const { key = freshKey(), seed = { rate: 1 }, watch = brisk } = given;
  const ears = listen();
  const config = await openConfig(postgres({ sql: sql(), key }), {
    ...ears,
    schema,
    ...(seed === undefined ? {} : { seed }),
    watch,
  }) as unknown as Opened;
  t.after(() => config.close());
  return { key, config, ears };
}

const edit = (key: string, document: string | null) =>
  sql()`update holdfast set document = ${document} where key = ${key}`;

const originOf = async (key: string, generation: number) =>
  (await sql()`select origin from holdfast_history
    where key = ${key} and generation = ${generation}`)[0]?.["origin"];

const isRefused = (config: Opened, code: string) => () =>
  config.status().state === "degraded" &&
  config.status().problems.some(({ message }) => message.includes(code));

serverTests((skip) => {
  const options = { skip };

  describe("an edit with plain SQL", () => {
    test("is followed, and a generation of its own", options, async (t) => {
      const { key, config } = await opened(t);
      await edit(key, '{ "rate": 7 }');
      await until("the edit runs", () => config.value.rate === 7);
      assert.equal(config.snapshot().generation, 2);
      assert.equal(await originOf(key, 2), "external");
      await config.setAt(["rate"], 8);
      assert.equal(config.snapshot().generation, 3);
      assert.deepEqual((await config.history()).map(({ origin }) => origin), [
        "commit",
        "external",
        "seed",
      ]);
    });

    test("of several that follow, one adopts it", options, async (t) => {
      const { key, config } = await opened(t);
      const others = await Promise.all([opened(t, { key }), opened(t, { key })]);
      await edit(key, '{"rate":9}');
      for (const each of [config, ...others.map((other) => other.config)]) {
        await until("the edit runs everywhere", () => each.value.rate === 9);
        assert.equal(each.snapshot().generation, 2);
        await until("it is ok", () => each.status().state === "ok");
      }
    });

    test("that is refused is no generation, and kept when it is replaced", options, async (t) => {
      const { key, config, ears } = await opened(t);
      await edit(key, '{ "rate": 1000 }');
      await until("it is refused", () => config.status().state === "degraded");
      assert.equal(config.value.rate, 1);
      assert.equal(await originOf(key, 2), undefined);
      await config.setAt(["rate"], 2);
      assert.equal(config.snapshot().generation, 2);
      const [aside] = await sql()`select document from holdfast_refused where key = ${key}`;
      assert.equal(aside?.["document"], '{ "rate": 1000 }');
      assert.ok(ears.warnings.some((text) => text.includes('kept in "public"."holdfast_refused"')));
    });

    test("that is too long to be read is kept when it is replaced", {
      ...options,
      timeoutMs: 60_000,
    }, async (t) => {
      const { key, config, ears } = await opened(t);
      await sql()`update holdfast set document = repeat('x', 64 * 1024 * 1024 + 1) where key = ${key}`;
      await until("it is refused", isRefused(config, "67108865 bytes, allowed are 67108864"));
      assert.equal(config.value.rate, 1);
      await config.setAt(["rate"], 2);
      const [aside] = await sql()`select octet_length(document) from holdfast_refused
        where key = ${key}`;
      assert.equal(aside?.["octet_length"], 64 * 1024 * 1024 + 1);
      assert.ok(ears.warnings.some((text) => text.includes("it is kept in")));
    });

    test("that is no JSON is refused with its place", options, async (t) => {
      const { key, config } = await opened(t);
      await edit(key, '{\n  "rate": ?\n}');
      await until("it is refused", () => config.status().problems.some(({ line }) => line === 2));
      await edit(key, '{"rate":3}');
      await until("the next one runs", () => config.value.rate === 3);
      assert.equal(config.status().state, "ok");
    });

    test("that is taken back is nothing", options, async (t) => {
      const { key, config } = await opened(t);
      const [row] = await sql()`select document from holdfast where key = ${key}`;
      await edit(key, "broken");
      await until("it is refused", () => config.status().state === "degraded");
      await edit(key, row!["document"]);
      await until("it is good again", () => config.status().state === "ok");
      assert.equal(config.snapshot().generation, 1);
    });

    test("that is bad at the start leaves the generation before it", options, async (t) => {
      const first = await opened(t);
      await first.config.close();
      await edit(first.key, "broken");
      const { config } = await opened(t, { key: first.key });
      assert.equal(config.value.rate, 1);
      assert.equal(config.status().state, "degraded");
    });

    test("that nobody noticed yet is not lost to a write", options, async (t) => {
      const key = freshKey();
      const config = await openConfig(postgres({ sql: sql(), key }), {
        ...listen(),
        seed: { rate: 1 },
        watch: false,
      });
      t.after(() => config.close());
      await edit(key, '{"rate":2}');
      await config.setAt(["name"], "both");
      assert.deepEqual(config.value, { rate: 2, name: "both" });
      assert.equal(config.snapshot().generation, 3);
      await sql()`delete from holdfast where key = ${key}`;
      await config.setAt(["rate"], 3);
      assert.equal(config.snapshot().generation, 4);
    });

    test("that a person inserts is generation 1", options, async (t) => {
      const key = freshKey();
      await sql()`insert into holdfast (key, document) values (${key}, '{"rate":4}')`;
      const { config } = await opened(t, { key, seed: undefined });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [4, 1]);
      assert.equal(await originOf(key, 1), "external");
    });

    test("of a row that a person locked is waited for, but not for ever", {
      ...options,
      timeoutMs: 40_000,
    }, async (t) => {
      const { key, config } = await opened(t);
      // Without the types a client does not give a new connection away.
      const person = await server().connect(server().url(), { fetch_types: true }).reserve();
      await person`begin`;
      await person`select 1 from holdfast where key = ${key} for update`;
      await assert.rejects(config.setAt(["rate"], 2), (error) => {
        assert.ok(isHoldfastError(error, "TIMEOUT"), String(error));
        assert.match(error.message, /its row is locked/);
        return true;
      });
      await person`rollback`;
      await config.setAt(["rate"], 2);
      assert.equal(config.snapshot().generation, 2);
    });
  });

  describe("a row deleted", () => {
    test("under a watcher is told, and its number is not used again", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2);
      await sql()`delete from holdfast where key = ${key}`;
      await until("it is told", isRefused(config, "removed"));
      assert.equal(config.value.rate, 2);
      await config.set({ rate: 3 });
      assert.equal(config.snapshot().generation, 3);
      assert.equal(config.status().state, "ok");
    });

    test("with its history is told, and its numbers are not used again", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2);
      await sql()`with gone as (delete from holdfast where key = ${key})
        delete from holdfast_history where key = ${key}`;
      await until("it is told", isRefused(config, "removed"));
      await config.set({ rate: 3 });
      assert.equal(config.snapshot().generation, 3);
    });

    test("while nobody ran is read from the history, with a warning", options, async (t) => {
      const first = await opened(t);
      await first.config.setAt(["rate"], 2);
      await first.config.close();
      await sql()`delete from holdfast where key = ${first.key}`;
      const { config, ears } = await opened(t, { key: first.key });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [2, 2]);
      assert.ok(ears.warnings.some((text) => /row of postgres:.* deleted/.test(text)));
      await config.set({ rate: 3 });
      assert.equal(config.snapshot().generation, 3);
    });

    test("with all the others is noticed too", options, async (t) => {
      const { config } = await opened(t, { watch: { debounceMs: 0, pollMs: 60_000 } });
      await until("it listens", () => config.status().sources[0]!.watch === "events");
      const [{ all }] = await sql()`select json_agg(d)::text as all from holdfast d` as never as [
        { all: string },
      ];
      await sql()`truncate holdfast`;
      await until("it is told", isRefused(config, "removed"));
      await sql()`insert into holdfast
        select * from json_populate_recordset(null::holdfast, ${all}::text::json)`;
      await until("it is good again", () => config.status().state === "ok");
      assert.equal(config.snapshot().generation, 1);
    });

    test("and made anew by hand goes on counting", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2);
      await sql()`delete from holdfast where key = ${key}`;
      await sql()`insert into holdfast (key, document) values (${key}, '{"rate":5}')`;
      await until("it runs", () => config.value.rate === 5);
      assert.equal(config.snapshot().generation, 3);
    });
  });

  describe("generations", () => {
    test("go on when a row was made anew while nobody ran", options, async (t) => {
      const first = await opened(t);
      await first.config.setAt(["rate"], 2);
      await first.config.close();
      await sql()`delete from holdfast where key = ${first.key}`;
      await sql()`insert into holdfast (key, document) values (${first.key}, '{"rate":5}')`;
      const { config } = await opened(t, { key: first.key });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 3]);
    });

    test("go on when an older copy of the tables is put back", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2);
      await sql().begin(async (transaction) => {
        await transaction`delete from holdfast_history where key = ${key} and generation = 2`;
        await transaction`update holdfast set (document, generation, hash) =
          (select document, generation, hash from holdfast_history where key = ${key})
          where key = ${key}`;
      });
      await until("the older content runs", () => config.value.rate === 1);
      assert.equal(config.snapshot().generation, 3);
    });

    test("that leap, as those of a row that was edited, leave the history", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2);
      await sql()`update holdfast set generation = 1000 where key = ${key}`;
      await config.reload();
      await config.setAt(["rate"], 3);
      const kept = (await config.history()).map(({ generation }) => generation);
      assert.deepEqual(kept, [1001, 2, 1]);
    });

    test("are told with all the calls since", options, async (t) => {
      const { key, config } = await opened(t);
      const other = await opened(t, { key });
      const events = () => other.ears.events.filter(({ origin }) => origin === "commit");
      await config.setAt(["rate"], 2, { actor: "one" });
      await config.setAt(["rate"], 3, { actor: "two" });
      await until("both are followed", () => other.config.value.rate === 3);
      await until("they are told", () => events().length > 0);
      assert.deepEqual(events().flatMap(({ actor }) => actor?.split(", ")), ["one", "two"]);
    });

    test("whose calls somebody spoilt are read all the same, and name none", options, async (t) => {
      const { key, config } = await opened(t);
      await config.setAt(["rate"], 2, { actor: "one" });
      for (const calls of ["garbage", "5"]) {
        await sql()`update holdfast_history set calls = ${calls} where key = ${key}`;
        const other = await opened(t, { key });
        assert.equal(other.config.value.rate, 2);
        assert.deepEqual((await other.config.history()).map(({ actor }) => actor), [
          undefined,
          undefined,
        ]);
      }
    });

    test("are purged with the refused texts, and come back by number", options, async (t) => {
      const { key, config } = await opened(t);
      await edit(key, "canary");
      await until("it is refused", () => config.status().state === "degraded");
      for (const rate of [2, 3, 4]) await config.set({ rate });
      assert.equal(await config.purge({ before: 3 }), 2);
      assert.deepEqual((await config.history()).map(({ generation }) => generation), [4, 3]);
      const [{ count }] = await sql()`select count(*)::int from holdfast_refused
        where key = ${key}` as never as [{ count: number }];
      assert.equal(count, 0);
      await config.rollback(3);
      assert.deepEqual([config.value.rate, config.snapshot().generation], [3, 5]);
      await assert.rejects(config.rollback(1), { code: "NOT_FOUND" });
      await assert.rejects(config.purge({ before: 9 }), { code: "CONFLICT" });
    });

    test("tell no secret", options, async (t) => {
      const key = freshKey();
      const ears = listen();
      const config = await openConfig(postgres({ sql: sql(), key }), {
        ...ears,
        schema: v.object({ token: v.pipe(v.string(), v.maxLength(20), secret()) }),
        seed: { token: "canary-1" },
        watch: brisk,
      });
      t.after(() => config.close());
      await edit(key, '{"token":"canary-2"}');
      await until("the edit runs", () => config.value.token === "canary-2");
      await edit(key, '{"token":"canary-3-that-is-far-too-long"}');
      await until("it is refused", () => config.status().state === "degraded");
      await edit(key, '{"token":canary');
      await until("it is refused", () => config.status().problems.some(({ line }) => line === 1));
      const told = JSON.stringify([ears, await config.history(), config.status()]);
      assert.doesNotMatch(told, /canary/);
    });
  });
});
