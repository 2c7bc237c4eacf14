/** Intents in PostgreSQL: tables of before there were any, roles that may do less, answers that are lost. */
import assert from "node:assert/strict";
import { postgres, type PostgresClient } from "../../src/store/postgres/postgres.ts";
import { describe, test } from "../support/kit.ts";
import { freshKey, open, put, server, serverTests, sql } from "./postgres_store.ts";

const first = { id: "one", beat: 0 };
const second = { id: "one", beat: 1 };

/** A client that loses the answers to some statements, and then is connected again. */
function losingAnswers(client: PostgresClient, isLost: (query: string) => boolean): PostgresClient {
  return {
    options: client.options,
    listen: (...given) => client.listen(...given),
    unsafe: (query, ...rest) => ({
      values: async () => {
        const answer = await client.unsafe(query, ...rest).values();
        if (!isLost(query)) return answer;
        throw Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });
      },
    }),
  };
}

serverTests((skip) => {
  const options = { skip };

  describe("intents", () => {
    test("get a table beside those of before there were any", options, async (t) => {
      const place = { sql: sql(), key: "app", table: "older" };
      const before = await open(t, postgres(place));
      await put(before, { a: 1 });
      await sql()`drop table older_intents`;
      // A program of before goes on as it did.
      assert.equal((await put(before, { a: 2 })).generation, 2);
      assert.equal(await before.readIntent(), undefined);
      await assert.rejects(before.writeIntent(first, undefined), { code: "READ_ONLY" });
      const places = Array.from({ length: 4 }, () => open(t, postgres(place)));
      for (const opened of await Promise.all(places)) {
        assert.deepEqual((await opened.load()).document, { a: 2 });
      }
      assert.equal(await before.writeIntent(first, undefined), true);
      assert.deepEqual(await (await open(t, postgres(place))).readIntent(), first);
      const [version] = await sql()`select version from older_version`;
      assert.deepEqual({ ...version }, { version: 1 });
    });

    test("are done without by roles that may not make or use the table", options, async (t) => {
      const place = { key: "app", table: "limited" };
      await put(await open(t, postgres({ ...place, sql: sql() })), { a: 1 });
      await sql().unsafe(`drop table limited_intents;
        create role limited login password 'work';
        grant select, insert, update, delete on all tables in schema public to limited`);
      const client = server().connect(server().url({ user: "limited", password: "work" }));
      const warnings: string[] = [];
      const opened = await open(t, postgres({ ...place, sql: client }), warnings);
      assert.equal((await put(opened, { a: 2 })).generation, 2);
      assert.equal(await opened.readIntent(), undefined);
      assert.deepEqual(warnings, []);
      await assert.rejects(opened.writeIntent(first, undefined), {
        code: "READ_ONLY",
        message: /found no table for it, .*; open the config once .* grant it to "limited"/,
      });
      const owned = await open(t, postgres({ ...place, sql: sql() }));
      assert.equal(await owned.writeIntent(first, undefined), true);
      assert.equal(await opened.readIntent(), undefined);
      assert.match(warnings.join(), /no permission .* grant the role "limited"/);
      await assert.rejects(opened.writeIntent(first, undefined), { message: /no permission/ });
      await sql()`grant select on limited_intents to limited`;
      assert.deepEqual(await opened.readIntent(), first);
      await assert.rejects(opened.writeIntent(second, first), { code: "READ_ONLY" });
      await sql()`grant insert, update on limited_intents to limited`;
      assert.equal(await opened.writeIntent(second, first), true);
    });

    test("are written once where the answers are lost", options, async (t) => {
      const key = freshKey();
      let lost = 0;
      const isLost = (query: string) => /^(insert|update)/.test(query) && ++lost <= 2;
      const opened = await open(t, postgres({ sql: losingAnswers(sql(), isLost), key }));
      for (const [next, expected] of [[first, undefined], [second, first], [undefined, second]]) {
        lost = 0;
        assert.equal(await opened.writeIntent(next, expected), true);
        assert.ok(lost > 0);
        assert.deepEqual(await opened.readIntent(), next);
      }
      lost = 0;
      assert.equal(await opened.writeIntent(undefined, second), false);
    });

    test("that somebody spoiled by hand are told of and count as none", options, async (t) => {
      const key = freshKey();
      const warnings: string[] = [];
      const opened = await open(t, postgres({ sql: sql(), key }), warnings);
      assert.equal(await opened.writeIntent(first, undefined), true);
      await sql()`update holdfast_intents set intent = '{"id' where key = ${key}`;
      assert.equal(await opened.readIntent(), undefined);
      assert.match(
        warnings.join(),
        /Cannot read the intent in postgres:.*: found no JSON; it counts/,
      );
      assert.equal(await opened.writeIntent(second, undefined), true);
      assert.deepEqual(await opened.readIntent(), second);
    });
  });
});
