/** Clients and servers set up in other ways than most: what works all the same, and what is refused or warned of. */
import assert from "node:assert/strict";
import createClient from "postgres";
import { openConfig, type WatchTiming } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import { brisk, listen, until } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { increment, type Opened } from "./postgres_following.ts";
import type { Client } from "./postgres_server.ts";
import { freshKey, server, serverTests, sql } from "./postgres_store.ts";

async function opened(t: TestContext, client: Client, watch: WatchTiming = brisk) {
  const ears = listen();
  const key = freshKey();
  const given = { ...ears, seed: { count: 0 }, watch };
  const config = await openConfig(postgres({ sql: client, key }), given);
  t.after(() => config.close());
  return { key, ears, config: config as unknown as Opened };
}

serverTests((skip) => {
  const options = { skip };

  describe("a client", () => {
    const odd = {
      "with names in camel case": { transform: createClient.camel },
      "with undefined as null": { transform: { undefined: null } },
      "without prepared statements": { prepare: false },
      "with one connection": { max: 1 },
      "that parses numbers": { types: { bigint: createClient.BigInt } },
      "that asks for types": { fetch_types: true },
      "that ends idle connections": { idle_timeout: 0.1, max_lifetime: 0.2 },
    };
    for (const [name, given] of Object.entries(odd)) {
      test(`${name} is good`, options, async (t) => {
        const client = server().connect(server().url(), given);
        const { key, config, ears } = await opened(t, client);
        await Promise.all([increment(config), increment(config)]);
        await until("it listens", () => config.status().sources[0]!.watch === "events");
        await sql()`update holdfast set document = '{"count":7}' where key = ${key}`;
        await until("an edit is followed", () => config.value.count === 7);
        await increment(config);
        assert.equal((await config.history()).length, config.snapshot().generation);
        assert.deepEqual(ears.refusals, []);
      });
    }

    const parse = (text: string) => ({ text });
    const wrong = {
      "that changes values": { transform: { value: { from: (text: string) => `${text}!` } } },
      "that changes rows": { transform: { row: { from: (row: unknown) => ({ row }) } } },
      "that parses texts": {
        types: { text: { to: 25, from: [25], serialize: String, parse } },
      },
    };
    for (const [name, given] of Object.entries(wrong)) {
      test(`${name} is refused`, options, async (t) => {
        const client = server().connect(server().url(), given);
        await assert.rejects(opened(t, client), { code: "UNSUPPORTED", message: /changes values/ });
      });
    }

    test("that waits long before it connects again is warned of", options, async (t) => {
      const warnings: string[] = [];
      const slow = server().connect(server().url(), { backoff: undefined });
      warnings.push(...(await opened(t, slow)).ears.warnings);
      assert.equal(warnings.length, 0);
      const { backoff: _, ...others } = slow.options;
      const patient = { ...others, backoff: (retries: number) => Math.min(3 ** retries / 100, 20) };
      const client = Object.assign(sql().bind(undefined), sql(), { options: patient });
      warnings.push(...(await opened(t, client as never)).ears.warnings);
      assert.match(warnings.join(), /backoff: \(\) => 0\.25/);
    });

    test("that can end the process is warned of", options, async (t) => {
      const { ears } = await opened(t, server().connect(server().url(), { fetch_types: true }));
      assert.match(ears.warnings.join(), /ends the process .* \{ fetch_types: false \}/);
    });

    test("that still begins to listen is waited for at the end", options, async (t) => {
      let hasBegun = false;
      const late = sql();
      const listens = async (...given: Parameters<Client["listen"]>) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        const listener = await late.listen(...given);
        hasBegun = true;
        return listener;
      };
      const client = Object.assign(late.bind(undefined), late, { listen: listens });
      const { config } = await opened(t, client as never);
      await config.close();
      assert.ok(hasBegun);
    });

    test("with one connection is warned of", options, async (t) => {
      const { ears } = await opened(t, server().connect(server().url(), { max: 1 }));
      assert.match(ears.warnings.join(), /one connection, .* \{ max: 2 \}/);
    });

    test("that was ended under a config is said, and nothing breaks", options, async (t) => {
      const client = server().connect();
      const { config } = await opened(t, client);
      await client.end();
      await assert.rejects(increment(config), { code: "UNAVAILABLE", message: /client was ended/ });
      await until("it is told", () => config.status().state === "degraded");
      assert.equal(config.value.count, 0);
    });
  });

  describe("a server", () => {
    const settings = [
      "default_transaction_isolation = serializable",
      "default_transaction_isolation = 'repeatable read'",
      "search_path = ''",
      "standard_conforming_strings = off",
      "lock_timeout = '50ms'",
      "idle_in_transaction_session_timeout = '50ms'",
      "plpgsql.variable_conflict = use_column",
      "plpgsql.extra_errors = 'all'",
    ];
    test("with settings of its own is good", { skip, timeoutMs: 60_000 }, async (t) => {
      for (const [index, setting] of settings.entries()) {
        await sql().unsafe(`create role odd${index} superuser login password 'odd';
          alter role odd${index} set ${setting}`);
        const url = server().url({ user: `odd${index}`, password: "odd" });
        const clients = [server().connect(url), server().connect(url)];
        const table = `it's back\\slash ${index}`;
        const key = "it's a key\\";
        const configs: Opened[] = [];
        for (const client of clients) {
          const config = await openConfig(postgres({ sql: client, key, table }), {
            ...listen(),
            seed: { count: 0 },
            watch: brisk,
          }) as unknown as Opened;
          t.after(() => config.close());
          configs.push(config);
        }
        await Promise.all([...configs, ...configs].map(increment));
        const one = configs[0]!;
        await one.reload();
        await one.setAt(["text"] as never, `it's back\\slash\u0000 $1 \u{1F600}` as never);
        assert.equal(one.value.count, 4, setting);
        await until("the other follows", () => "text" in configs[1]!.value);
        assert.deepEqual(configs[1]!.value, one.value);
      }
    });

    test("that ends idle connections goes on being followed", options, async (t) => {
      await sql().unsafe(`create role idle superuser login password 'idle'`);
      const [{ version }] =
        await sql()`select current_setting('server_version_num')::int as version` as never as [
          { version: number },
        ];
      if (version >= 140000) {
        await sql().unsafe(`alter role idle set idle_session_timeout = '200ms'`);
      }
      const client = server().connect(server().url({ user: "idle", password: "idle" }));
      const { key, config, ears } = await opened(t, client, {});
      for (let count = 10; count < 15; count++) {
        await sql()`update holdfast set document = ${`{"count":${count}}`} where key = ${key}`;
        await until("it is followed", () => config.value.count === count);
      }
      assert.deepEqual(ears.refusals, []);
    });
  });
});
