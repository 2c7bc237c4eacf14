// runs on: all
/** Those who read and listen: nothing they do reaches the config or each other, and silence means that nothing changed. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { type Config, openConfig } from "../../mod.ts";
import {
  brisk,
  countLooks,
  type Ears,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";

const schema = v.looseObject({
  rate: v.pipe(v.number(), v.minValue(1)),
  models: v.optional(v.record(v.string(), v.object({ tags: v.array(v.string()) })), {}),
});
const start = { rate: 1, models: { fast: { tags: ["a", "b"] } } };

type Rates = Config<v.InferInput<typeof schema>, v.InferOutput<typeof schema>>;

interface Opened {
  readonly config: Rates;
  readonly path: string;
  readonly ears: Ears;
  readonly looksMore: () => Promise<void>;
}

async function open(context: TestContext): Promise<Opened> {
  const path = join(await freshDirectory(context), "config.json");
  await writePrivate(path, JSON.stringify(start));
  const ears = listen();
  const { host, looksMore } = countLooks();
  const config = await openConfig(path, { schema, host, watch: brisk, ...ears });
  context.after(() => config.close());
  return { config, path, ears, looksMore };
}

describe("silence", () => {
  test("its own writes do not echo", async (context) => {
    const { config, ears, looksMore } = await open(context);
    const rates: number[] = [];
    config.subscribe((value) => void rates.push(value.rate));
    for (const rate of [2, 3, 4]) {
      await config.setAt(["rate"], rate);
      const snapshot = config.snapshot();
      await looksMore();
      assert.equal(config.snapshot(), snapshot);
    }
    assert.deepEqual(rates, [2, 3, 4]);
    assert.equal(config.snapshot().revision, 3);
    assert.equal(config.snapshot().generation, 4);
    assert.deepEqual(ears.events.map(({ origin }) => origin), ["commit", "commit", "commit"]);
    assert.deepEqual([ears.errors, ears.refusals], [[], []]);
  });

  test("the same bytes again are no change", async (context) => {
    const { config, path, ears, looksMore } = await open(context);
    let calls = 0;
    config.subscribe(() => calls += 1);
    const before = config.snapshot();
    await replace(path, JSON.stringify(start));
    await looksMore();
    // Over what is there: emptied first, it could be seen in between, and that would be told.
    const file = await fs.open(path, "r+");
    await file.write(JSON.stringify(start));
    await file.close();
    await looksMore();
    await fs.utimes(path, new Date(0), new Date(0));
    await looksMore();
    assert.equal(config.snapshot(), before);
    assert.equal(calls, 0);
    assert.deepEqual([ears.errors, ears.refusals, ears.events], [[], [], []]);
  });

  test("the same document spelled otherwise is a generation, but no call", async (context) => {
    const { config, path, looksMore } = await open(context);
    let calls = 0;
    config.subscribe(() => calls += 1);
    const before = config.snapshot();
    const { models, rate } = start;
    await replace(path, JSON.stringify({ models, rate }, undefined, 4));
    await until("it is noticed", () => config.snapshot() !== before);
    await looksMore();
    assert.equal(config.value, before.value);
    assert.equal(config.snapshot().revision, before.revision);
    assert.equal(config.snapshot().generation, before.generation + 1);
    assert.equal(calls, 0);
  });

  test("a write that changes nothing writes nothing", async (context) => {
    const { config, path } = await open(context);
    const before = await fs.stat(path, { bigint: true });
    const { changeSet, snapshot } = await config.setAt(["rate"], 1);
    assert.deepEqual(changeSet.changes, []);
    assert.equal(changeSet.from, changeSet.to);
    assert.equal(snapshot, config.snapshot());
    assert.equal((await fs.stat(path, { bigint: true })).ino, before.ino);
    assert.equal(await fs.readFile(path, "utf8"), JSON.stringify(start));
  });
});

describe("a listener", () => {
  test("that throws, or rejects, stays subscribed and disturbs nobody", async (context) => {
    const { config, ears } = await open(context);
    const seen: string[] = [];
    config.subscribe(({ rate }) => {
      seen.push(`throws ${rate}`);
      throw new Error("thrown on purpose");
    });
    config.subscribe(async ({ rate }) => {
      seen.push(`rejects ${rate}`);
      await Promise.resolve();
      throw new Error("rejected on purpose");
    });
    config.subscribe(() => {
      throw new Error("thrown by a selector");
    }, () => void seen.push("never"));
    config.subscribe(({ rate }) => void seen.push(`good ${rate}`));
    await config.setAt(["rate"], 2);
    await until("all were called", () => seen.length === 3);
    await config.setAt(["rate"], 3);
    await until("all were called again", () => seen.length === 6);
    const expected = [2, 3].flatMap((
      rate,
    ) => [`good ${rate}`, `rejects ${rate}`, `throws ${rate}`]);
    assert.deepEqual(seen.sort(), expected.sort());
    await until("all is told", () => ears.errors.length === 6);
    assert.equal(config.status().state, "ok");
  });

  test("that never returns holds up nobody, writes and close included", async (context) => {
    const { config, path } = await open(context);
    let hanging = 0;
    config.subscribe(() => {
      hanging += 1;
      return new Promise(() => {});
    });
    const rates: number[] = [];
    config.subscribe(({ rate }) => void rates.push(rate));
    for (const rate of [2, 3, 4]) {
      await config.setAt(["rate"], rate);
      await until("the other one is called", () => rates.at(-1) === rate);
    }
    await replace(path, '{ "rate": 5 }');
    await until("the other one is called", () => rates.at(-1) === 5);
    assert.deepEqual(rates, [2, 3, 4, 5]);
    assert.equal(hanging, 1);
    await config.close();
  });

  test("may write and close from within", async (context) => {
    const { config } = await open(context);
    const rates: number[] = [];
    let closed = false;
    config.subscribe(async ({ rate }) => {
      rates.push(rate);
      if (rate < 5) await config.setAt(["rate"], rate + 1);
      else {
        await config.close();
        closed = true;
      }
    });
    await config.setAt(["rate"], 2);
    await until("it closed the config", () => closed);
    assert.deepEqual(rates, [2, 3, 4, 5]);
  });

  test("that is slow gets the newest value and the difference from its last", async (context) => {
    const { config } = await open(context);
    const seen: unknown[] = [];
    let release = () => {};
    config.subscribe(async (next, previous, changeSet) => {
      seen.push([previous.rate, next.rate, changeSet.changes.length, changeSet.from, changeSet.to]);
      await new Promise<void>((resolve) => release = resolve);
    });
    for (const rate of [2, 3, 4, 5]) await config.setAt(["rate"], rate);
    await until("it is called", () => seen.length === 1);
    release();
    await until("it is called again", () => seen.length === 2);
    assert.deepEqual(seen, [[1, 2, 1, 1, 2], [2, 5, 1, 2, 5]]);
    release();
  });

  test("a logger and an auditor that throw disturb nothing", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, JSON.stringify(start));
    const error = console.error;
    context.after(() => console.error = error);
    let complaints = 0;
    console.error = () => complaints += 1;
    const fail = () => {
      throw new Error("on purpose");
    };
    const logger = { info: fail, warn: fail, error: fail };
    const config = await openConfig(path, { schema, watch: brisk, logger, audit: fail });
    context.after(() => config.close());
    await replace(path, "broken");
    await until("it is refused", () => config.status().state === "degraded");
    await replace(path, '{ "rate": 2 }');
    await until("it is applied", () => config.value.rate === 2);
    await config.setAt(["rate"], 3);
    assert.equal(config.value.rate, 3);
    await until("the throws are told", () => complaints >= 4);
  });
});

describe("a snapshot", () => {
  test("cannot be changed, at any depth", async (context) => {
    const { config, path } = await open(context);
    await replace(path, '{ "rate": 2, "models": { "fast": { "tags": ["a", "c"] } }, "x": [{}] }');
    await until("a reload is applied", () => config.value.rate === 2);
    await config.setAt(["models", "slow"], { tags: ["d"] });
    const before = JSON.stringify(config.snapshot());
    // deno-lint-ignore no-explicit-any -- the types forbid all of this
    const snapshot = config.snapshot() as any;
    const { value } = snapshot;
    const attempts: readonly (() => unknown)[] = [
      () => value.rate = 9,
      () => value.added = 9,
      () => delete value.rate,
      () => value.models.fast.tags.push("e"),
      () => value.models.fast.tags[0] = "e",
      () => value.models.fast.tags.length = 0,
      () => value.models.fast.tags.reverse(),
      () => delete value.models.slow,
      () => value.x[0].added = 1,
      () => snapshot.value = {},
      () => snapshot.sources.push({}),
      () => snapshot.sources[0].hash = "",
      () => Object.defineProperty(value, "rate", { value: 9 }),
      () => Object.setPrototypeOf(value, { polluted: true }),
      () => Object.assign(value, { rate: 9 }),
    ];
    for (const attempt of attempts) assert.throws(attempt, TypeError, String(attempt));
    assert.equal(JSON.stringify(config.snapshot()), before);
  });

  test("does not follow what a writer does to its document later", async (context) => {
    const { config, path } = await open(context);
    const document = { rate: 2, models: { fast: { tags: ["x"] } } };
    const writing = config.set(document);
    document.rate = 99;
    document.models.fast.tags.push("late");
    await writing;
    assert.deepEqual(config.value, { rate: 2, models: { fast: { tags: ["x"] } } });
    let leaked: { rate: number } | undefined;
    await config.update((draft) => {
      draft.rate = 3;
      leaked = draft as { rate: number };
    });
    leaked!.rate = 99;
    assert.equal(config.value.rate, 3);
    await config.setAt(["models", "slow"], { tags: [] });
    assert.equal((JSON.parse(await fs.readFile(path, "utf8")) as { rate: number }).rate, 3);
  });
});
