// runs on: all
/** What is wrong with a file never reaches the value: it stays, the status tells why, and the next good edit applies. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as v from "valibot";
import { openConfig } from "../../mod.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { realAbilities } from "../support/host_under_test.ts";
import { describe, runtime, test } from "../support/kit.ts";
import { generationsOf, litterBeside, logOf } from "../support/litter.ts";

const schema = v.looseObject({ rate: v.pipe(v.number(), v.minValue(1)) });

interface FileFault {
  readonly name: string;
  readonly plant: (path: string) => Promise<void>;
  readonly message: RegExp;
  readonly line?: number;
  readonly column?: number;
  readonly path?: readonly string[];
}

const faults: FileFault[] = [
  {
    name: "a broken edit",
    plant: (path) => replace(path, '{\n  "rate": 2,\n  "name": \n}\n'),
    message: /:4:1: found .* where a value belongs/,
    line: 4,
    column: 1,
  },
  {
    name: "an edit that the schema refuses",
    plant: (path) => replace(path, '{\n  "name": "a",\n  "rate":   "fast"\n}\n'),
    message: /number/,
    line: 3,
    column: 13,
    path: ["rate"],
  },
  {
    name: "an edit that lacks what the schema needs",
    plant: (path) => replace(path, '\n {"name": "a"}\n'),
    message: /rate/,
    line: 2,
    column: 2,
    path: ["rate"],
  },
  {
    name: "a file emptied in place",
    plant: (path) => fs.truncate(path),
    message: /:1:1: found nothing but white space/,
    line: 1,
    column: 1,
  },
  { name: "a file removed", plant: (path) => fs.unlink(path), message: /removed/ },
  {
    name: "a directory in place of the file",
    plant: async (path) => {
      await fs.unlink(path);
      await fs.mkdir(path);
    },
    message: /found a directory/,
  },
  {
    name: "its directory renamed away",
    plant: async (path) => {
      const directory = join(path, "..");
      await fs.rename(directory, `${directory}-away`);
      await fs.mkdir(directory);
    },
    message: /removed/,
  },
];
// A FIFO stops all watching of Deno, and then Deno itself: process.test.ts tries it where that harms no other test.
if (realAbilities.fifo && runtime !== "deno") {
  faults.push({
    name: "a FIFO in place of the file",
    plant: async (path) => {
      await fs.unlink(path);
      await promisify(execFile)("mkfifo", [path]);
    },
    message: /found a FIFO/,
  });
}
if (realAbilities.symlink) {
  faults.push({
    name: "a link to nothing in place of the file",
    plant: async (path) => {
      await fs.unlink(path);
      await fs.symlink("nowhere.json", path);
    },
    message: /Cannot read/,
  }, {
    name: "a link to itself in place of the file",
    plant: async (path) => {
      await fs.unlink(path);
      await fs.symlink("config.json", path);
    },
    message: /ELOOP/,
  });
}

describe("the last good value stays", () => {
  for (const fault of faults) {
    test(
      `after ${fault.name}, until the next good edit`,
      { timeoutMs: 60_000 },
      async (context) => {
        const directory = join(await freshDirectory(context), "etc");
        await fs.mkdir(directory, { mode: 0o700 });
        const path = join(directory, "config.json");
        await writePrivate(path, '{ "rate": 1 }');
        const ears = listen();
        const { host, looksMore } = countLooks();
        const config = await openConfig(path, { schema, watch: brisk, host, ...ears });
        context.after(() => config.close());
        const calls: unknown[] = [];
        config.subscribe((next, previous) => void calls.push([next.rate, previous.rate]));
        const before = config.snapshot();

        await fault.plant(path);
        await until("the fault is noticed", () => config.status().state === "degraded");
        await assert.rejects(config.reload());
        await looksMore();
        assert.equal(config.snapshot(), before);
        const problem = config.status().problems[0];
        assert.match(problem?.message ?? "", fault.message);
        assert.equal(problem?.severity, "error");
        assert.deepEqual(problem?.path, fault.path ?? []);
        assert.deepEqual([problem?.line, problem?.column], [fault.line, fault.column]);
        const refused = ears.events.filter((event) => event.outcome === "refused");
        // The steps of planting it can be seen one by one, each told once; the fault itself is told exactly once.
        const told = ears.refusals.filter((message) => message === ears.refusals.at(-1));
        assert.equal(told.length, 1, ears.refusals.join("\n"));
        assert.ok(ears.refusals.length <= 2, ears.refusals.join("\n"));
        assert.equal(refused.length, ears.refusals.length);
        assert.deepEqual(calls, []);

        await fs.rm(path, { recursive: true, force: true });
        await replace(path, '{ "rate": 3 }');
        await until("the next good edit is applied", () => config.value.rate === 3);
        await looksMore();
        assert.equal(config.status().state, "ok");
        assert.deepEqual(config.status().problems, []);
        assert.deepEqual(calls, [[3, 1]]);
        assert.equal(config.snapshot().revision, 1);
      },
    );
  }

  test("and when the file is just as it was, all is well without a call", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const ears = listen();
    const { host, looksMore } = countLooks();
    const config = await openConfig(path, { schema, watch: brisk, host, ...ears });
    context.after(() => config.close());
    let calls = 0;
    config.subscribe(() => calls += 1);
    const before = config.snapshot();
    await replace(path, '{ "rate": 0 }');
    await until("the fault is noticed", () => config.status().state === "degraded");
    await replace(path, '{ "rate": 1 }');
    await until("all is well", () => config.status().state === "ok");
    await looksMore();
    assert.equal(config.snapshot(), before);
    assert.equal(calls, 0);
    assert.equal(ears.refusals.length, 1);
  });

  test("while reads fail, which is told once", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    let failing = false;
    const ears = listen();
    const base = countLooks().host;
    const { host, looksMore } = countLooks({
      read: async (at, bytesMax) => failing ? await failRead(at) : await base.read(at, bytesMax),
    });
    const config = await openConfig(path, { schema, watch: brisk, host, ...ears });
    context.after(() => config.close());
    failing = true;
    await until("the fault is noticed", () => config.status().state === "degraded");
    await looksMore();
    assert.equal(config.value.rate, 1);
    assert.equal(ears.refusals.length, 1, ears.refusals.join("\n"));
    await replace(path, '{ "rate": 2 }');
    failing = false;
    await until("it is read again", () => config.value.rate === 2);
    assert.equal(config.status().state, "ok");
  });
});

// What the host says of any file below a regular file: an error like another one, but real on every runtime.
async function failRead(path: string): Promise<never> {
  await countLooks().host.read(join(path, "below"), 10);
  throw new Error(`Cannot fail to read ${path}: found something below it`);
}

describe("a write meets what is wrong", () => {
  for (
    const [name, text] of [
      ["does not parse", '{ "rate": 2, "mine": "kept" '],
      ["does not fit", '{ "rate": "2", "mine": "kept" }'],
    ] as const
  ) {
    for (const watched of [true, false]) {
      const noticed = watched ? "noticed" : "not noticed yet";
      test(`an edit that ${name}, ${noticed}, is kept aside`, async (context) => {
        const path = join(await freshDirectory(context), "config.json");
        await writePrivate(path, '{ "rate": 1 }');
        const ears = listen();
        const watch = watched ? brisk : false;
        const config = await openConfig(path, { schema, watch, ...ears });
        context.after(() => config.close());
        await replace(path, text);
        if (watched) {
          await until("the fault is noticed", () => config.status().state === "degraded");
        }
        const { snapshot } = await config.setAt(["rate"], 5);
        assert.equal(snapshot.value.rate, 5);
        assert.equal(config.status().state, "ok");
        assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 5 });
        const digits = createHash("sha256").update(text).digest("hex").slice(0, 16);
        const aside = join(logOf(path), `refused.${digits}`);
        assert.equal(await fs.readFile(aside, "utf8"), text);
        assert.equal((await fs.stat(aside)).mode & 0o7777, 0o600);
        const told = ears.warnings.filter((message) => message.includes(aside));
        assert.equal(told.length, 1, ears.warnings.join("\n"));
        // It never ran, so it is no generation.
        const kept = (await config.history()).map(({ from, to, origin }) => [from, to, origin]);
        assert.deepEqual(kept, [[1, 2, "commit"], [0, 1, "external"]]);
        await config.close();
        const names = await fs.readdir(logOf(path));
        assert.equal(names.filter((name) => name.startsWith("refused.")).length, 1);
        assert.deepEqual(await litterBeside(path), []);
      });
    }
  }

  test("a good edit that was not noticed yet is built upon", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await replace(path, '{ "rate": 7, "name": "theirs" }');
    await config.setAt(["rate"], 9);
    assert.deepEqual(config.value, { rate: 9, name: "theirs" });
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 9, name: "theirs" });
    // The edit has a generation of its own, which can be returned to.
    const kept = (await config.history()).map(({ from, to, origin }) => [from, to, origin]);
    assert.deepEqual(kept, [[2, 3, "commit"], [1, 2, "external"], [0, 1, "external"]]);
    await config.rollback(2);
    assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 7, "name": "theirs" }');
    await config.close();
    assert.deepEqual(await generationsOf(path), [1, 2, 3, 4]);
    assert.deepEqual(await litterBeside(path), []);
  });

  test("a file that was removed is written again", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await fs.unlink(path);
    await config.setAt(["rate"], 2);
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 2 });
    assert.equal(config.status().state, "ok");
    const kept = (await config.history()).map(({ from, to, origin }) => [from, to, origin]);
    assert.deepEqual(kept, [[1, 2, "commit"], [0, 1, "external"]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });

  test("a directory in its place refuses it and stays", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await fs.unlink(path);
    await fs.mkdir(path);
    await assert.rejects(config.setAt(["rate"], 2), { code: "UNSAFE_FILE" });
    assert.equal(config.value.rate, 1);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [1]);
    await config.close();
    assert.deepEqual(await fs.readdir(path), []);
    assert.deepEqual(await litterBeside(path), []);
  });
});
