/** What a server holds at the start is no document, or an invalid one, and it has nothing older: the last good one runs. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { openConfig } from "../../mod.ts";
import { natsKv } from "../../src/store/nats/nats_kv.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import type { Store } from "../../src/store/store.ts";
import { brisk, freshDirectory, listen, until } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { bucketName, keyName, natsFor, otherTool } from "./nats_config.ts";
import { withoutNats } from "./nats_server.ts";
import { freshKey, serverTests, sql } from "./postgres_store.ts";

const schema = v.looseObject({ rate: v.pipe(v.number(), v.maxValue(100)) });

const bad = ["{broken", '{"rate": 101}'];

/** A document on a server, and what somebody else does to it. */
interface Place {
  readonly store: Store;
  readonly put: (text: string) => Promise<unknown>;
  /** Ends what is known of older generations. */
  readonly forget: () => Promise<unknown>;
}

/** Starts from rate 1, which was kept, beside a text that is turned down. */
async function besideText(t: TestContext, { store, put, forget }: Place, text: string) {
  const lastGood = join(await freshDirectory(t), "kept.json");
  const open = async () => {
    const ears = listen();
    const config = await openConfig(store, { schema, lastGood, watch: brisk, ...ears });
    t.after(() => config.close());
    return { config, ears };
  };
  const first = await openConfig(store, { schema, lastGood, seed: { rate: 1 }, ...listen() });
  await first.close();
  await forget();
  await put(text);
  const { config, ears } = await open();
  assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
  assert.match(ears.warnings.join("\n"), /Started .*since what it holds cannot be taken over/);
  assert.match(await readFile(lastGood, "utf8"), /"rate": 1/);
  return { config, lastGood };
}

async function isFollowedWhenMended(t: TestContext, place: Place): Promise<void> {
  const { config, lastGood } = await besideText(t, place, "{broken");
  await place.put('{"rate": 7}');
  await until("the mended one runs", () => config.value.rate === 7);
  assert.equal(config.status().state, "ok");
  await until("it is kept", async () => /"rate": 7/.test(await readFile(lastGood, "utf8")));
}

async function isReplaced(t: TestContext, place: Place, text: string): Promise<void> {
  const { config } = await besideText(t, place, text);
  await config.set({ rate: 5 });
  assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
  await config.setAt(["rate"], 6);
  await config.close();
  const again = await openConfig(place.store, { schema, watch: false, ...listen() });
  assert.equal(again.value.rate, 6);
  await again.close();
}

serverTests((skip) => {
  const place = (): Place => {
    const key = freshKey();
    return {
      store: postgres({ sql: sql(), key }),
      put: (text) => sql()`update holdfast set document = ${text} where key = ${key}`,
      forget: () => sql()`delete from holdfast_history where key = ${key}`,
    };
  };

  describe("PostgreSQL", () => {
    test("the last good document runs until a bad one is mended", { skip }, async (t) => {
      await isFollowedWhenMended(t, place());
    });

    test("a write beside the last good document replaces a bad one", { skip }, async (t) => {
      for (const text of bad) await isReplaced(t, place(), text);
    });
  });
});

describe("NATS", () => {
  const place = async (t: TestContext): Promise<Place> => {
    const connection = await (await natsFor(t)).connect();
    return {
      store: natsKv({ connection, bucket: bucketName, key: keyName }),
      put: async (text) => await (await otherTool(connection)).put(keyName, text),
      forget: async () => await (await otherTool(connection)).purge(keyName),
    };
  };

  test(
    "the last good document runs until a bad one is mended",
    { skip: withoutNats },
    async (t) => {
      await isFollowedWhenMended(t, await place(t));
    },
  );

  test("a write beside the last good document replaces a bad one", {
    skip: withoutNats,
  }, async (t) => {
    for (const text of bad) await isReplaced(t, await place(t), text);
  });
});
