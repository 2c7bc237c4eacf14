// runs on: all
/** The first load: only a missing file is seeded; whatever else cannot be read is an error, and nothing is written. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { ioError } from "../../adapters/io_error.ts";
import { type Host, isHoldfastError, openConfig } from "../../mod.ts";
import {
  countLooks,
  freshDirectory,
  listen,
  replace,
  writePrivate,
} from "../support/config_under_test.ts";
import { realAbilities } from "../support/host_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { generationsOf, litterBeside, logOf } from "../support/litter.ts";
import { logPlants, openBesideHistory, situations } from "../support/planted.ts";

const schema = v.looseObject({ rate: v.pipe(v.number(), v.minValue(1)) });
const seed = { rate: 7 };

describe("a missing file", () => {
  test("is seeded, privately and durably", async (context) => {
    const path = join(await freshDirectory(context), "made", "here", "config.json");
    const ears = listen();
    const config = await openConfig(path, { schema, seed, watch: false, ...ears });
    context.after(() => config.close());
    assert.deepEqual(config.value, seed);
    assert.equal(config.snapshot().generation, 1);
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), seed);
    assert.equal((await fs.stat(path)).mode & 0o7777, 0o600);
    assert.equal((await fs.stat(join(path, ".."))).mode & 0o7777, 0o700);
    assert.equal((await fs.stat(logOf(path))).mode & 0o7777, 0o700);
    assert.equal((await fs.stat(join(logOf(path), "g.1"))).mode & 0o7777, 0o600);
    await Promise.resolve();
    assert.deepEqual(ears.events.map(({ origin, from, to }) => [origin, from, to]), [[
      "seed",
      0,
      1,
    ]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
    // What is there counts from now on, not the seed; and its number is the one that was given.
    const options = { schema, seed: { rate: 8 }, watch: false, ...listen() } as const;
    const again = await openConfig(path, options);
    context.after(() => again.close());
    assert.deepEqual(again.value, seed);
    assert.equal(again.snapshot().generation, 1);
    const kept = (await again.history()).map(({ origin, from, to }) => [origin, from, to]);
    assert.deepEqual(kept, [["seed", 0, 1]]);
  });

  test("is seeded once by any number of configs", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    const configs = await Promise.all(Array.from({ length: 8 }, (_, index) => {
      return openConfig(path, { schema, seed: { rate: index + 1 }, watch: false, ...listen() });
    }));
    for (const config of configs) context.after(() => config.close());
    const stored = JSON.parse(await fs.readFile(path, "utf8")) as { rate: number };
    for (const config of configs) {
      await config.reload();
      assert.deepEqual(config.value, stored);
      assert.equal(config.snapshot().generation, 1);
    }
    const kept = (await configs[0]!.history()).map(({ origin, to }) => [origin, to]);
    assert.deepEqual(kept, [["seed", 1]]);
    for (const config of configs) await config.close();
    assert.deepEqual(await generationsOf(path), [1]);
    assert.deepEqual(await litterBeside(path), []);
  });

  for (const moment of ["list", "create", "link", "syncDirectory"] as const) {
    test(`that another process seeds at that very moment is theirs: ${moment}`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      const real = countLooks().host;
      const theirs = async () => {
        await fs.writeFile(path, '{ "rate": 8 }', { mode: 0o600, flag: "wx" }).catch(() => {});
      };
      const before = async (...given: unknown[]) => {
        await theirs();
        return await (real[moment] as (...given: unknown[]) => Promise<never>)(...given);
      };
      const { host } = countLooks({ [moment]: before });
      const config = await openConfig(path, { schema, seed, host, watch: false, ...listen() });
      context.after(() => config.close());
      await config.reload();
      assert.deepEqual(config.value, { rate: 8 });
      assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 8 }');
      await config.close();
      assert.deepEqual(await litterBeside(path), []);
    });
  }

  test("without a seed gives the defaults, and no file", async (context) => {
    const directory = await freshDirectory(context);
    const defaults = v.object({ rate: v.optional(v.number(), 3) });
    const path = join(directory, "config.json");
    const config = await openConfig(path, { schema: defaults, watch: false, ...listen() });
    context.after(() => config.close());
    assert.deepEqual(config.value, { rate: 3 });
    assert.equal(config.snapshot().generation, 0);
    assert.deepEqual(await fs.readdir(directory), []);
  });

  test("without a seed or defaults is an error", async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await assert.rejects(openConfig(path, { schema, ...listen() }), { code: "NOT_FOUND" });
    assert.deepEqual(await fs.readdir(directory), []);
  });

  test("with a seed that does not fit is an error, and no file", async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await assert.rejects(openConfig(path, { schema, seed: { rate: 0 }, ...listen() }), {
      code: "INVALID",
    });
    assert.deepEqual(await fs.readdir(directory), []);
  });
});

describe("a file that is there but cannot be used", () => {
  const texts: readonly (readonly [string, string, string])[] = [
    ["empty", "", "PARSE"],
    ["broken", '{ "rate": ', "PARSE"],
    ["not fitting", '{ "rate": 0 }', "INVALID"],
  ];
  for (const [name, text, code] of texts) {
    test(`because it is ${name}, is not seeded`, async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await writePrivate(path, text);
      await assert.rejects(openConfig(path, { schema, seed, ...listen() }), { code });
      assert.equal(await fs.readFile(path, "utf8"), text);
      assert.deepEqual(await fs.readdir(directory), ["config.json"]);
    });
  }

  test("because it is a directory, is not seeded", async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await fs.mkdir(path);
    await assert.rejects(openConfig(path, { schema, seed, ...listen() }), { code: "UNSAFE_FILE" });
    assert.deepEqual(await fs.readdir(path), []);
  });

  test("because it is below a regular file, is not seeded", async (context) => {
    const directory = await freshDirectory(context);
    await writePrivate(join(directory, "file"), "text");
    const path = join(directory, "file", "config.json");
    await assert.rejects(openConfig(path, { schema, seed, ...listen() }), hasErrno("ENOTDIR"));
    assert.deepEqual(await fs.readdir(directory), ["file"]);
    assert.equal(await fs.readFile(join(directory, "file"), "utf8"), "text");
  });

  if (realAbilities.symlink) {
    test("because it is a link to itself, is not seeded", async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await fs.symlink("config.json", path);
      await assert.rejects(openConfig(path, { schema, seed, ...listen() }), hasErrno("ELOOP"));
      assert.deepEqual(await fs.readdir(directory), ["config.json"]);
    });

    test("because it is a link to nothing, is not seeded past the link", async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await fs.symlink("elsewhere.json", path);
      await assert.rejects(openConfig(path, { schema, seed, ...listen() }), {
        code: "UNSAFE_FILE",
      });
      assert.deepEqual(await fs.readdir(directory), ["config.json"]);
      assert.equal(await fs.readlink(path), "elsewhere.json");
    });
  }

  for (const errno of ["EACCES", "EIO", "EMFILE", "ENFILE", "ESTALE", "EPERM"]) {
    const text = '{ "rate": 1, "name": "theirs" }';

    test(`because its read says ${errno}, is not seeded`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, text);
      const changes: string[] = [];
      const read = (at: string) => Promise.reject(ioError("read", at, errno));
      const { host } = countLooks({ read, ...recordChanges(changes) });
      const opening = openConfig(path, { schema, seed, host, ...listen() });
      await assert.rejects(opening, hasErrno(errno));
      assert.deepEqual(changes, []);
      assert.equal(await fs.readFile(path, "utf8"), text);
    });

    test(`and whose path cannot be resolved for ${errno}, is not seeded`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, text);
      const changes: string[] = [];
      const resolve = (at: string) => Promise.reject(ioError("resolve", at, errno));
      const { host } = countLooks({ resolve, ...recordChanges(changes) });
      // The file itself can be read, so that opening it is as right as refusing it.
      const config = await openConfig(path, { schema, seed, host, watch: false, ...listen() })
        .catch((error: unknown) => assert.ok(hasErrno(errno)(error), String(error)));
      await config?.close();
      if (config) assert.deepEqual(config.value, { rate: 1, name: "theirs" });
      assert.deepEqual(changes, []);
      assert.equal(await fs.readFile(path, "utf8"), text);
    });
  }

  test("makes itself felt at a write, too, and stays", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const real = countLooks().host;
    let failing = false;
    const { host } = countLooks({
      read: (at, bytesMax) =>
        failing ? Promise.reject(ioError("read", at, "EACCES")) : real.read(at, bytesMax),
    });
    const config = await openConfig(path, { schema, host, watch: false, ...listen() });
    context.after(() => config.close());
    const text = '{ "rate": 2, "name": "theirs" }';
    await replace(path, text);
    failing = true;
    await assert.rejects(config.setAt(["rate"], 3), hasErrno("EACCES"));
    assert.equal(await fs.readFile(path, "utf8"), text);
    assert.deepEqual(await litterBeside(path), []);
    failing = false;
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [1]);
    await config.setAt(["rate"], 3);
    assert.deepEqual(config.value, { rate: 3, name: "theirs" });
    const kept = (await config.history()).map(({ from, to, origin }) => [from, to, origin]);
    assert.deepEqual(kept, [[2, 3, "commit"], [1, 2, "external"], [0, 1, "external"]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });
});

describe("a log of somebody else", () => {
  for (const { name, skip, plant } of logPlants) {
    test(`takes no write: ${name}`, { skip }, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await plant(logOf(path));
      await writePrivate(path, '{ "rate": 1 }');
      const writing = async () => {
        const config = await openConfig(path, { schema, watch: false, ...listen() });
        context.after(() => config.close());
        await config.setAt(["rate"], 2);
      };
      await assert.rejects(writing(), { code: "UNSAFE_FILE" });
      assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 1 }');
      // Neither through the link nor into the directory was anything written.
      const within = await fs.readdir(logOf(path)).catch(() => fs.readFile(logOf(path), "utf8"));
      assert.equal(within.length, 0);
    });

    for (const situation of situations) {
      test(`is not believed beside ${situation}: ${name}`, { skip }, async (context) => {
        const { path, config } = await openBesideHistory(situation, plant, context);
        if (config !== undefined) {
          config.subscribe(() => assert.fail("nothing of theirs may be taken over"));
          await config.reload().catch(() => {});
          assert.deepEqual(config.value, { rate: 1 });
        }
        const text = await fs.readFile(path, "utf8").catch(() => "none");
        assert.equal(text, situation === "no file" ? "none" : '{ "rate": 1 }');
      });
    }
  }

  for (const situation of situations) {
    test(`is another matter than one of ours beside ${situation}`, async (context) => {
      const { config } = await openBesideHistory(situation, async () => {}, context);
      await config?.reload();
      assert.deepEqual(config?.value, { rate: 66 });
    });
  }
});

function hasErrno(errno: string): (error: unknown) => boolean {
  return (error) => isHoldfastError(error, "IO") && error.details.errno === errno;
}

/** Overrides that note every operation by which something could come to be on the disk. */
function recordChanges(changes: string[]): Partial<Host> {
  const refuse = (operation: string) => (...paths: unknown[]) => {
    changes.push(`${operation} ${paths.join(" ")}`);
    return Promise.reject(new Error("nothing may be changed here"));
  };
  return {
    create: refuse("create"),
    rename: refuse("rename"),
    link: refuse("link"),
    remove: refuse("remove"),
    makeDirectory: refuse("makeDirectory"),
  };
}
