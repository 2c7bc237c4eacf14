/** The tables: made once, by whoever comes first, under any name; shared by processes; refused where they are newer. */
import assert from "node:assert/strict";
import { isHoldfastError, openConfig } from "../../mod.ts";
import { postgres, type PostgresClient } from "../../src/store/postgres/postgres.ts";
import { startScript } from "../support/child.ts";
import { listen, until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { freshKey, open, put, server, serverTests, sql } from "./postgres_store.ts";

serverTests((skip) => {
  const options = { skip };

  describe("several processes", () => {
    test("increment one document, and lose nothing", { skip, timeoutMs: 60_000 }, async (t) => {
      const key = freshKey();
      const [processes, times] = [4, 50];
      const given = [server().url(), key, String(times)];
      const children = Array.from({ length: processes }, () => {
        return startScript("../services/postgres_child.ts", given, t);
      });
      const generations: number[] = [];
      for (const child of children) {
        assert.equal(await child.ended, 0, child.output());
        generations.push(...JSON.parse(/acknowledged (\[.*\])\./.exec(child.output())![1]!));
      }
      // The seed is the first generation; each of the others was acknowledged to exactly one.
      assert.deepEqual(
        generations.sort((one, other) => one - other),
        Array.from({ length: processes * times }, (_, index) => index + 2),
      );
      const loaded = await (await open(t, postgres({ sql: sql(), key }))).load();
      assert.deepEqual(loaded.document, { count: processes * times });
    });
  });

  describe("tables", () => {
    test("are made once by many who start at once, and without a word", options, async (t) => {
      const notices: unknown[] = [];
      const clients = Array.from({ length: 8 }, () =>
        server().connect(server().url(), {
          max: 1,
          onnotice: (notice: unknown) => void notices.push(notice),
        }));
      const stores = clients.map((client) =>
        postgres({ sql: client, key: "app", schema: "at once", table: "together" })
      );
      const all = await Promise.all(stores.map((store) => open(t, store)));
      await put(all[0]!, { a: 1 });
      for (const opened of all) assert.equal((await opened.load()).generation, 1);
      assert.deepEqual(notices, []);
    });

    const oddNames = [
      `it's`,
      `say "hi"; drop table holdfast; --`,
      "back\\slash",
      "$$ $body$",
      "ä.ö",
    ];
    test("may have any name, and so may keys", options, async (t) => {
      for (const name of oddNames) {
        const place = { sql: sql(), key: `${name} \n {"key":1}`, schema: name, table: name };
        const opened = await open(t, postgres(place));
        let looks = 0;
        const watch = await opened.watch({
          timing: { debounceMs: 0, pollMs: 60_000 },
          look: () => Promise.resolve(void looks++),
        });
        await until("it listens", () => watch.mode === "events" && looks > 0);
        const before = looks;
        const other = await open(t, postgres(place));
        await put(other, { name });
        await until("the change is told", () => looks > before);
        await watch.close();
        assert.deepEqual((await opened.load()).document, { name });
      }
    });

    test("refuse names and keys that cannot be", () => {
      const client = { unsafe: () => {}, listen: () => {} } as never as PostgresClient;
      const wrong = [
        { key: "" },
        { key: "k".repeat(513) },
        { key: "a\0b" },
        { key: "app", table: "t".repeat(54) },
        { key: "app", table: "" },
        { key: "app", schema: "" },
        { key: "app", table: "a\0b" },
      ];
      for (const given of wrong) {
        assert.throws(() => postgres({ sql: client, ...given }), { code: "UNSUPPORTED" });
      }
      assert.throws(() => postgres({ sql: {} as never, key: "app" }), { code: "UNSUPPORTED" });
    });

    test("of a newer version are refused, and left as they are", options, async (t) => {
      const place = { sql: sql(), key: "app", table: "newer" };
      await open(t, postgres(place));
      await sql()`update newer_version set version = 2`;
      await assert.rejects(open(t, postgres(place)), (error) => {
        assert.ok(isHoldfastError(error, "UNSUPPORTED"));
        assert.match(error.message, /found tables of version 2, .* up to 1; update the program/);
        return true;
      });
      await sql()`update newer_version set version = 1`;
      await open(t, postgres(place));
    });

    test("made at once in a new schema do not fail each other", options, async (t) => {
      const places = Array.from({ length: 8 }, (_, index) => {
        const client = server().connect(server().url(), { max: 1 });
        return { sql: client, key: "app", schema: "new schema", table: `table ${index}` };
      });
      const all = await Promise.all(places.map((place) => open(t, postgres(place))));
      for (const opened of all) assert.equal((await put(opened, { a: 1 })).generation, 1);
    });

    test("of which some were dropped are made anew around the others", options, async () => {
      const key = freshKey();
      const dropped = [
        "table dropped",
        "table dropped_refused, dropped_history",
        "function dropped_commit, dropped_settle",
        "function dropped_notify cascade; drop table dropped",
      ];
      const place = postgres({ sql: sql(), key, table: "dropped" });
      const start = async () => await openConfig(place, { ...listen(), watch: false });
      await (await openConfig(place, { ...listen(), seed: { a: 0 }, watch: false })).close();
      for (const [index, what] of dropped.entries()) {
        await sql().unsafe(`drop ${what}`);
        const config = await start();
        assert.deepEqual(config.value, { a: index }, what);
        const { snapshot } = await config.set({ a: index + 1 });
        assert.equal(snapshot.generation, index + 2, what);
        await config.close();
      }
    });

    test("that are not there any more are said to be gone", options, async (t) => {
      const place = { sql: sql(), key: "app", table: "gone" };
      const opened = await open(t, postgres(place));
      await sql()`drop table gone`;
      await assert.rejects(opened.load(), {
        code: "UNAVAILABLE",
        message:
          /its tables or functions gone or altered \(.*\); alter them back; what is gone is made/,
      });
    });

    test(
      "that were altered are followed where they do, or the reason is said",
      options,
      async (t) => {
        const place = { sql: sql(), key: "app", table: "altered" };
        const opened = await open(t, postgres(place));
        await put(opened, { a: 1 });
        await sql()`alter table altered add column note text, alter column key type varchar(600)`;
        assert.equal((await put(opened, { a: 2 })).generation, 2);
        await sql()`alter table altered alter column document type jsonb using document::jsonb`;
        await assert.rejects(opened.load(), {
          code: "UNAVAILABLE",
          message: /octet_length\(jsonb\)/,
        });
        await sql()`alter table altered alter column document type text`;
        assert.deepEqual((await opened.load()).document, { a: 2 });
      },
    );

    test("of somebody else with such a name are not taken for ours", options, async (t) => {
      await sql()`create table theirs (name text)`;
      await assert.rejects(open(t, postgres({ sql: sql(), key: "app", table: "theirs" })), {
        code: "UNAVAILABLE",
        message: /"theirs" already exists/,
      });
      assert.deepEqual([...await sql()`select * from theirs`], []);
    });

    test("need no right to make tables where they are", options, async (t) => {
      const key = freshKey();
      await put(await open(t, postgres({ sql: sql(), key })), { a: 1 });
      await sql().unsafe(`create role worker login password 'work';
        grant select, insert, update, delete on all tables in schema public to worker;
        create role reader login password 'read'; grant select on all tables in schema public to reader`);
      const worker = server().connect(server().url({ user: "worker", password: "work" }));
      const opened = await open(t, postgres({ sql: worker, key }));
      assert.equal((await put(opened, { a: 2 })).generation, 2);
      await assert.rejects(
        open(t, postgres({ sql: worker, key, schema: "elsewhere" })),
        (error) => {
          assert.ok(isHoldfastError(error, "READ_ONLY"));
          assert.match(
            error.message,
            /make the tables .* no permission .* grant the role "worker"/,
          );
          return true;
        },
      );
    });

    test("that may only be read are read, edits too, and not written", options, async (t) => {
      const key = freshKey();
      await put(await open(t, postgres({ sql: sql(), key })), { a: 1 });
      const reader = server().connect(server().url({ user: "reader", password: "read" }));
      const ears = listen();
      const config = await openConfig(postgres({ sql: reader, key }), { ...ears, watch: false });
      t.after(() => config.close());
      await assert.rejects(config.set({ a: 2 }), { code: "READ_ONLY" });
      await sql()`update holdfast set document = '{"a":3}' where key = ${key}`;
      await config.reload();
      assert.deepEqual(config.value, { a: 3 });
      assert.ok(ears.warnings.some((text) => /read-only/.test(text)), ears.warnings.join());
      await config.reload();
      assert.equal(config.status().state, "ok");
    });
  });
});
