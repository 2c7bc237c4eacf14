/** What a server or a client answers where it does not do what it was asked for, and what is asked of it at all. */
import assert from "node:assert/strict";
import { isHoldfastError } from "../../mod.ts";
import { postgres, type PostgresClient } from "../../src/store/postgres/postgres.ts";
import { describe, test } from "../support/kit.ts";
import {
  everythingOf,
  freshKey,
  open,
  plain,
  put,
  server,
  serverTests,
  sql,
} from "./postgres_store.ts";

serverTests((skip) => {
  const options = { skip };

  describe("what goes wrong", () => {
    test("with the credentials is said without them", options, async (t) => {
      for (const given of [{ password: "canary" }, { user: "canary-user" }]) {
        const client = server().connect(server().url(given));
        await assert.rejects(open(t, postgres({ sql: client, key: "app" })), (error) => {
          assert.ok(isHoldfastError(error, "UNAVAILABLE"));
          assert.match(error.message, /Cannot open .* refuses the credentials of ".*"; check/);
          assert.doesNotMatch(everythingOf(error), /canary"|canary@|hunter2/);
          return true;
        });
      }
    });

    test("with a database that is not there, or a client that was ended", options, async (t) => {
      const client = server().connect(`${server().url()}-elsewhere`);
      await assert.rejects(open(t, postgres({ sql: client, key: "app" })), {
        code: "UNAVAILABLE",
        message: /no database "postgres-elsewhere" at 127\.0\.0\.1/,
      });
      const ended = server().connect();
      const opened = await open(t, postgres({ sql: ended, key: freshKey() }));
      await ended.end();
      await assert.rejects(opened.load(), { code: "UNAVAILABLE", message: /the client was ended/ });
    });

    test("with a statement tells nothing of the document", options, async (t) => {
      const table = "strict";
      const opened = await open(t, postgres({ sql: sql(), key: "app", table }));
      await sql().unsafe(`alter table strict add check (document not like '%canary%')`);
      await assert.rejects(put(opened, { token: "canary" }), (error) => {
        assert.ok(isHoldfastError(error, "UNAVAILABLE"), String(error));
        assert.match(error.message, /the error 23514/);
        assert.doesNotMatch(everythingOf(error), /canary/);
        return true;
      });
      assert.equal((await put(opened, { token: "sparrow" })).generation, 1);
    });
  });

  describe("a failure that passes", () => {
    /** A client of which the next statements fail before they are sent. */
    function failing(errors: object[]): PostgresClient {
      return {
        options: sql().options,
        listen: (...given) => sql().listen(...given),
        unsafe: (...given) => {
          const error = errors.shift();
          if (error === undefined) return sql().unsafe(...given);
          return { values: () => Promise.reject(Object.assign(new Error("failed"), error)) };
        },
      };
    }

    test("of a read is got over, twice", options, async (t) => {
      const errors: object[] = [];
      const opened = await open(t, postgres({ sql: failing(errors), key: freshKey() }));
      const made = await put(opened, { a: 1 });
      for (const code of ["40001", "40P01", "57P01", "57P05", "CONNECTION_CLOSED", "ECONNRESET"]) {
        errors.push({ code }, { code });
        assert.equal((await opened.load()).hash, made.hash, code);
        assert.deepEqual(errors, []);
      }
    });

    test("and has no code is told in its own words", options, async (t) => {
      const errors: object[] = [];
      const opened = await open(t, postgres({ sql: failing(errors), key: freshKey() }));
      errors.push({});
      await assert.rejects(opened.load(), {
        code: "UNAVAILABLE",
        message: /found that the client for 127\.0\.0\.1.* failed \(failed\); see to what it says/,
      });
    });

    test("before there was a connection leaves no doubt about a write", options, async (t) => {
      const errors: object[] = [];
      const opened = await open(t, postgres({ sql: failing(errors), key: freshKey() }));
      const base = await put(opened, { a: 1 });
      for (
        const error of [
          { code: "ECONNREFUSED", syscall: "connect" },
          { code: "EHOSTUNREACH", syscall: "connect" },
          { code: "EAI_AGAIN", syscall: "getaddrinfo" },
        ]
      ) {
        await opened.load();
        // Whoever had to be asked about it would not answer either.
        errors.push(error, ...Array.from({ length: 200 }, () => error));
        const change = { document: { a: 2 }, base, refused: undefined, cause: plain };
        await assert.rejects(opened.commit(change), {
          code: "UNAVAILABLE",
          message: new RegExp(error.code),
        });
        assert.equal(errors.splice(0).length, 200);
      }
      assert.equal((await opened.load()).generation, 1);
    });
  });

  describe("the fast path", () => {
    /** Counts the statements, and lets some fail. */
    function spying(): { client: PostgresClient; asked: string[]; failing: { glance: boolean } } {
      const asked: string[] = [];
      const failing = { glance: false };
      const client: PostgresClient = {
        options: sql().options,
        listen: (...given) => sql().listen(...given),
        unsafe: (query, ...given) => {
          const isGlance = /^select d\.generation/.test(query) && !query.includes("octet_length");
          asked.push(isGlance ? "glance" : "read");
          return sql().unsafe(
            isGlance && failing.glance ? "select no_such_column" : query,
            ...given,
          );
        },
      };
      return { client, asked, failing };
    }

    test("does without the text while nothing changes", options, async (t) => {
      const { client, asked } = spying();
      const opened = await open(t, postgres({ sql: client, key: freshKey() }));
      const made = await put(opened, { a: 1 });
      asked.length = 0;
      const loads = [await opened.load(), await opened.load()];
      assert.deepEqual(asked, ["glance", "glance"]);
      for (const loaded of loads) {
        assert.deepEqual([loaded.hash, loaded.generation], [made.hash, 1]);
      }
    });

    test("that fails is gone around, and memory does not answer for it", options, async (t) => {
      const key = freshKey();
      const { client, asked, failing } = spying();
      const opened = await open(t, postgres({ sql: client, key }));
      await put(opened, { a: 1 });
      await put(await open(t, postgres({ sql: sql(), key })), { a: 2 });
      failing.glance = true;
      asked.length = 0;
      assert.deepEqual((await opened.load()).document, { a: 2 });
      assert.deepEqual(asked, ["glance", "read"]);
    });
  });
});
