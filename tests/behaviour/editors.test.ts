/** A person edits the file with a program of theirs: each edit is one reload, whatever the program does on its way. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as v from "valibot";
import { type Config, openConfig } from "../../mod.ts";
import { unlessInstalled } from "../support/child.ts";
import {
  countLooks,
  freshDirectory,
  listen,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { editKinds, mountConfigMap } from "../support/edits.ts";
import { describe, test, type TestContext } from "../support/kit.ts";

const schema = v.object({ rate: v.pipe(v.number(), v.minValue(1)) });
type Rate = v.InferOutput<typeof schema>;

interface Opened {
  readonly config: Config<Rate, Rate>;
  /** What the one subscriber got: the value before and the value after. */
  readonly calls: (readonly [number, number])[];
  readonly looksMore: () => Promise<void>;
}

/** Opens a config with the debounce that it has by itself, and polls often so as to see soon that nothing follows. */
async function open(path: string, context: TestContext): Promise<Opened> {
  const { host, looksMore } = countLooks();
  const config = await openConfig(path, { schema, host, watch: { pollMs: 100 }, ...listen() });
  context.after(() => config.close());
  const calls: (readonly [number, number])[] = [];
  config.subscribe((next, previous) => void calls.push([previous.rate, next.rate]));
  return { config, calls, looksMore: () => looksMore(2) };
}

/** One edit is one reload, and nothing follows. */
async function assertOneReload(
  { config, calls, looksMore }: Opened,
  from: number,
  to: number,
): Promise<void> {
  await until(`the rate is ${to}`, () => config.value.rate === to);
  await looksMore();
  assert.deepEqual(calls.splice(0), [[from, to]]);
  assert.equal(config.value.rate, to);
  assert.equal(config.status().state, "ok");
}

describe("an edit", () => {
  for (const { name, program, edit } of editKinds) {
    const skip = program !== undefined && unlessInstalled(program);
    test(`with ${name} is one reload`, { skip, timeoutMs: 90_000 }, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, '{ "rate": 1 }\n');
      const opened = await open(path, context);
      await edit(path, 2, context);
      await assertOneReload(opened, 1, 2);
      await opened.config.setAt(["rate"], 3);
      await assertOneReload(opened, 2, 3);
      await edit(path, 4, context);
      await assertOneReload(opened, 3, 4);
      assert.equal(opened.config.snapshot().revision, 3);
    });
  }

  test(
    "in place in three chunks keeps the last good value",
    { timeoutMs: 60_000 },
    async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, '{ "rate": 1 }\n');
      const opened = await open(path, context);
      const { config, calls, looksMore } = opened;
      const file = await fs.open(path, "w");
      context.after(() => file.close().catch(() => {}));
      for (const chunk of ['{ "ra', 'te": ']) {
        await file.write(chunk);
        await until("what is there is refused", () => config.status().state === "degraded");
        await looksMore();
        assert.equal(config.value.rate, 1);
        assert.equal(config.status().state, "degraded");
        assert.deepEqual(calls, []);
      }
      await file.write("2 }\n");
      await file.close();
      await assertOneReload(opened, 1, 2);
    },
  );

  test("of a file that grows beyond what was there is seen whole", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }\n');
    const opened = await open(path, context);
    await fs.writeFile(path, `{${" ".repeat(3_000_000)}"rate": 2}`);
    await assertOneReload(opened, 1, 2);
  });
});

describe("a directory", () => {
  test(
    "that is a mounted ConfigMap: each swap is one reload",
    { timeoutMs: 60_000 },
    async (context) => {
      const directory = await freshDirectory(context);
      const swap = await mountConfigMap(directory, "config.json", 1);
      const opened = await open(join(directory, "config.json"), context);
      for (const rate of [2, 3, 4]) {
        await swap(rate);
        await assertOneReload(opened, rate - 1, rate);
      }
    },
  );

  test("that is removed and made anew is followed", { timeoutMs: 60_000 }, async (context) => {
    const directory = join(await freshDirectory(context), "etc");
    const path = join(directory, "config.json");
    await fs.mkdir(directory);
    await writePrivate(path, '{ "rate": 1 }\n');
    const opened = await open(path, context);
    const { config } = opened;
    // At once, so that a watch on the old directory would be deaf without knowing.
    await fs.rm(directory, { recursive: true });
    await fs.mkdir(directory);
    await writePrivate(path, '{ "rate": 2 }\n');
    await assertOneReload(opened, 1, 2);
    // With a pause, in which it is missed.
    await fs.rm(directory, { recursive: true });
    await until("it is missed", () => config.status().state === "degraded");
    assert.equal(config.value.rate, 2);
    await wait(600);
    await fs.mkdir(directory);
    await writePrivate(path, '{ "rate": 3 }\n');
    await assertOneReload(opened, 2, 3);
    await until("it is watched", () => config.status().sources[0]?.watch === "events");
    await fs.writeFile(path, '{ "rate": 4 }\n');
    await assertOneReload(opened, 3, 4);
  });

  test("that is renamed away and back is followed", { timeoutMs: 60_000 }, async (context) => {
    const parent = await freshDirectory(context);
    const directory = join(parent, "etc");
    const path = join(directory, "config.json");
    await fs.mkdir(directory);
    await writePrivate(path, '{ "rate": 1 }\n');
    const opened = await open(path, context);
    const { config, calls, looksMore } = opened;
    await fs.rename(directory, join(parent, "away"));
    await until("it is missed", () => config.status().state === "degraded");
    // What happens there is of no concern while it is away.
    await fs.writeFile(join(parent, "away", "config.json"), '{ "rate": 2 }\n');
    await looksMore();
    assert.equal(config.value.rate, 1);
    assert.deepEqual(calls, []);
    await fs.rename(join(parent, "away"), directory);
    await assertOneReload(opened, 1, 2);
    await until("it is watched", () => config.status().sources[0]?.watch === "events");
    await fs.writeFile(path, '{ "rate": 3 }\n');
    await assertOneReload(opened, 2, 3);
  });

  test("that is replaced by another one is followed", { timeoutMs: 60_000 }, async (context) => {
    const parent = await freshDirectory(context);
    const directory = join(parent, "etc");
    const path = join(directory, "config.json");
    for (const [name, rate] of [["etc", 1], ["next", 2]] as const) {
      await fs.mkdir(join(parent, name));
      await writePrivate(join(parent, name, "config.json"), `{ "rate": ${rate} }\n`);
    }
    const opened = await open(path, context);
    await fs.rename(directory, join(parent, "old"));
    await fs.rename(join(parent, "next"), directory);
    await assertOneReload(opened, 1, 2);
    await fs.writeFile(join(parent, "old", "config.json"), '{ "rate": 9 }\n');
    await fs.writeFile(path, '{ "rate": 3 }\n');
    await assertOneReload(opened, 2, 3);
  });

  test("full of the files of others concerns nobody", async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await writePrivate(path, '{ "rate": 1 }\n');
    const { config, calls, looksMore } = await open(path, context);
    const names = [".config.json.swp", "config.json~", ".#config.json", "#config.json#", "4913"];
    for (const name of [...names, "config.json.tmp", "config.json.new", "other.json"]) {
      await writePrivate(join(directory, name), '{ "rate": 9 }\n');
    }
    await looksMore();
    for (const name of names) await fs.unlink(join(directory, name));
    await looksMore();
    assert.deepEqual(calls, []);
    assert.equal(config.value.rate, 1);
    assert.equal(config.status().state, "ok");
  });
});
