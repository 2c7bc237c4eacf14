// runs on: all
/** Documents of older versions are brought to the newest, step by step; what no step is known for is left alone. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { type Migrations, openConfig } from "../../mod.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { litterBeside } from "../support/litter.ts";

const schema = v.looseObject({
  version: v.literal(4),
  limits: v.object({ rate: v.number(), burst: v.optional(v.number(), 5) }),
  trail: v.optional(v.array(v.number()), []),
});

const migrations: Migrations = {
  1: ({ speed, ...rest }) => ({ ...rest, rate: speed, trail: [1], version: 2 }),
  2: (document) => {
    document.trail.push(2);
    return document;
  },
  3: ({ rate, ...rest }) => ({
    ...rest,
    limits: { rate },
    trail: [...(rest.trail ?? []), 3],
    version: 4,
  }),
};

const versionOne = '{ "version": 1, "speed": 9, "unknown": { "kept": true } }';
const newest = {
  version: 4,
  limits: { rate: 9 },
  trail: [1, 2, 3],
  unknown: { kept: true },
};

describe("a document of an older version", () => {
  test("is chained to the newest and stored in one step", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, versionOne);
    const before = await fs.stat(path, { bigint: true });
    const ears = listen();
    const config = await openConfig(path, { schema, migrations, watch: false, ...ears });
    context.after(() => config.close());
    assert.deepEqual(config.value.limits, { rate: 9, burst: 5 });
    assert.deepEqual(config.value.trail, [1, 2, 3]);
    // The document, not the value: no default is written into the file.
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), newest);
    const after = await fs.stat(path, { bigint: true });
    assert.notEqual(after.ino, before.ino, "it was renamed over, not written in place");
    assert.equal(config.snapshot().generation, 2);
    await Promise.resolve();
    assert.ok(ears.events.some(({ origin, to }) => origin === "migration" && to === 2));
    // What was there before is kept as it was, and can be told from what the migration made of it.
    const kept = (await config.history()).map(({ from, to, origin }) => [from, to, origin]);
    assert.deepEqual(kept, [[1, 2, "migration"], [0, 1, "external"]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });

  test("is migrated when an edit brings it, with one call", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, JSON.stringify({ ...newest, limits: { rate: 1 } }));
    const { host, looksMore } = countLooks();
    const config = await openConfig(path, { schema, migrations, host, watch: brisk, ...listen() });
    context.after(() => config.close());
    const rates: number[] = [];
    config.subscribe((value) => void rates.push(value.limits.rate));
    await replace(path, '{ "version": 3, "rate": 6 }');
    await until("it is applied", () => config.value.limits.rate === 6);
    await looksMore();
    assert.deepEqual(rates, [6]);
    const stored = { version: 4, limits: { rate: 6 }, trail: [3] };
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), stored);
    assert.equal(config.status().state, "ok");
    const kept = (await config.history()).map(({ to, origin }) => [to, origin]);
    assert.deepEqual(kept, [[3, "migration"], [2, "external"], [1, "external"]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });

  test('is left as it is with migrate: "memory", until the next write', async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, versionOne);
    const { host, looksMore } = countLooks();
    const options = { schema, migrations, host, migrate: "memory", watch: brisk } as const;
    const config = await openConfig(path, { ...options, ...listen() });
    context.after(() => config.close());
    assert.equal(config.value.limits.rate, 9);
    await looksMore();
    assert.equal(await fs.readFile(path, "utf8"), versionOne);
    await replace(path, '{ "version": 2, "rate": 6, "trail": [] }');
    await until("it is applied", () => config.value.limits.rate === 6);
    await looksMore();
    assert.equal(await fs.readFile(path, "utf8"), '{ "version": 2, "rate": 6, "trail": [] }');
    await config.setAt(["limits", "rate"], 8);
    const stored = { version: 4, limits: { rate: 8 }, trail: [2, 3] };
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), stored);
  });

  test("that cannot be stored runs all the same, with a warning", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, versionOne);
    const ears = listen();
    const { host } = countLooks({ create: () => Promise.reject(new Error("no room")) });
    const config = await openConfig(path, { schema, migrations, host, watch: false, ...ears });
    context.after(() => config.close());
    assert.equal(config.value.limits.rate, 9);
    assert.equal(await fs.readFile(path, "utf8"), versionOne);
    assert.match(ears.warnings.join("\n"), /migrated.*no room/);
  });
});

describe("a document that no migration is known for", () => {
  const texts: readonly (readonly [string, string, RegExp])[] = [
    ["has no version", '{ "limits": { "rate": 1 } }\n', /found no version, know 1 to 4/],
    ["has version 0", '{ "version": 0 }', /found version 0, know 1 to 4/],
    [
      "has a newer version",
      '{ "version":5,"limits":{"rate":1} }',
      /found version 5.*newer release/,
    ],
    ["has a negative version", '{ "version": -1 }', /found version -1/],
    ["has a version that is no integer", '{ "version": 1.5 }', /found version 1.5/],
    ["has its version as text", '{ "version": "1" }', /found version "1"/],
    ["is no object", "[1, 2]", /found no version/],
  ];
  for (const [name, text, message] of texts) {
    test(`because it ${name} is refused by name and untouched`, async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await writePrivate(path, text);
      const seed = { version: 4, limits: { rate: 1 } } as const;
      const opening = openConfig(path, { schema, migrations, seed, ...listen() });
      await assert.rejects(opening, { code: "UNSUPPORTED_VERSION", message });
      assert.equal(await fs.readFile(path, "utf8"), text);
      assert.deepEqual(await fs.readdir(directory), ["config.json"]);
    });

    test(`because it ${name} is refused when an edit brings it`, async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await writePrivate(path, JSON.stringify(newest));
      const { host, looksMore } = countLooks();
      const ears = listen();
      const config = await openConfig(path, { schema, migrations, host, watch: brisk, ...ears });
      context.after(() => config.close());
      await replace(path, text);
      await until("it is refused", () => config.status().state === "degraded");
      await looksMore();
      assert.match(config.status().problems[0]?.message ?? "", message);
      assert.equal(config.value.limits.rate, 9);
      assert.equal(await fs.readFile(path, "utf8"), text);
      assert.equal(ears.refusals.length, 1);
    });
  }

  test("a step that throws leaves the file untouched", async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await writePrivate(path, versionOne);
    const steps: Migrations = {
      ...migrations,
      3: () => {
        throw new Error("mend me");
      },
    };
    const opening = openConfig(path, { schema, migrations: steps, ...listen() });
    await assert.rejects(opening, { code: "MIGRATION", details: { from: 3, to: 4 } });
    assert.equal(await fs.readFile(path, "utf8"), versionOne);
  });

  test("a result that does not fit leaves the file untouched", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "version": 1, "speed": "fast" }');
    await assert.rejects(openConfig(path, { schema, migrations, ...listen() }), {
      code: "INVALID",
    });
    assert.equal(await fs.readFile(path, "utf8"), '{ "version": 1, "speed": "fast" }');
  });

  test("a chain with a gap is refused before anything is read", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, versionOne);
    const { 2: _, ...gap } = migrations;
    await assert.rejects(openConfig(path, { schema, migrations: gap, ...listen() }), {
      code: "UNSUPPORTED",
    });
    assert.equal(await fs.readFile(path, "utf8"), versionOne);
  });
});
