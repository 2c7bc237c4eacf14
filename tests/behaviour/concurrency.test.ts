/** Many writes at once, readers at any moment, and a disk that is full: what is in the file is always whole. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { type Config, type Host, isHoldfastError, openConfig } from "../../mod.ts";
import { startScript } from "../support/child.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { generationsOf, litterBeside } from "../support/litter.ts";

const schema = v.looseObject({ count: v.number(), filling: v.string(), sum: v.string() });
type Summed = v.InferOutput<typeof schema>;

/** Gives a document its next count, a filling of another length, and the checksum over both. */
function advance(draft: Summed): void {
  draft.count += 1;
  draft.filling = `${draft.count} `.repeat(1 + (draft.count * 7919) % 5000);
  const { sum: _, ...rest } = draft;
  draft.sum = createHash("sha256").update(JSON.stringify(rest)).digest("hex");
}

function firstDocument(): Summed {
  const document = { count: 0, filling: "", sum: "" };
  advance(document);
  return document;
}

describe("concurrent saves", () => {
  test("never show a reader a part of the file", { timeoutMs: 120_000 }, async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await writePrivate(path, JSON.stringify(firstDocument()));
    let renames = 0;
    const real = countLooks().host;
    const rename: Host["rename"] = async (from, to) => {
      await real.rename(from, to);
      renames += 1;
    };
    const open = async () => {
      const { host } = countLooks({ rename });
      const options = { schema, host, watch: brisk, timeoutMs: 60_000, ...listen() };
      const config = await openConfig(path, options);
      context.after(() => config.close());
      return config;
    };
    const config = await open();
    const reader = startScript("reader_child.ts", [path], context);
    await reader.says("reading");

    // Five hundred calls at once, which share few commits.
    const outcomes = await Promise.all(Array.from({ length: 500 }, () => config.update(advance)));
    assert.equal(config.value.count, 501);
    assert.ok(renames >= 1 && renames < 500, `${renames} renames`);
    assert.equal(new Set(outcomes.map(({ snapshot }) => snapshot.generation)).size, renames);
    // Five hundred that share none, each with its own rename.
    renames = 0;
    for (let write = 0; write < 500; write++) {
      const document = structuredClone(config.value) as Summed;
      advance(document);
      await config.set(document, { expectedGeneration: config.snapshot().generation });
    }
    assert.equal(renames, 500);
    assert.equal(config.value.count, 1001);
    // And several configs at once on the same file, each in a hurry.
    renames = 0;
    const configs = [config, await open(), await open(), await open()];
    await Promise.all(configs.map((each) => hurry(each, 60)));
    assert.ok(renames >= 60, `${renames} renames`);

    reader.process.stdin?.end("stop");
    assert.equal(await reader.ended, 0, reader.output());
    const report = JSON.parse(reader.output().split("\n")[1]!) as Record<string, unknown>;
    assert.deepEqual(report["faults"], []);
    assert.ok(Number(report["versions"]) > 10, reader.output());
    const stored = JSON.parse(await fs.readFile(path, "utf8")) as Summed;
    for (const each of configs) {
      await each.reload();
      assert.deepEqual(each.value, stored);
      assert.equal(each.status().state, "ok");
    }
    await assertChained(config);
    for (const each of configs) await each.close();
    assert.deepEqual(await litterBeside(path), []);
  });

  test("with one expected generation: one wins, the others conflict", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, JSON.stringify(firstDocument()));
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => {
      return config.setAt(["filling"], `${index}`, { expectedGeneration: 1 });
    }));
    const won = results.filter(({ status }) => status === "fulfilled");
    assert.equal(won.length, 1);
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      assert.ok(isHoldfastError(result.reason, "CONFLICT"));
      assert.deepEqual(result.reason.details, { expected: 1, current: 2 });
    }
    assert.equal(config.snapshot().generation, 2);
    await config.close();
    assert.deepEqual(await generationsOf(path), [1, 2]);
    assert.deepEqual(await litterBeside(path), []);
  });
});

/** Each generation that is kept was made from the one before: no number is missing, and none counts twice. */
async function assertChained(config: Config<Summed, Summed>): Promise<void> {
  const entries = await config.history();
  assert.equal(entries.length, 50);
  assert.equal(entries[0]!.generation, config.snapshot().generation);
  assert.equal(entries[0]!.newHash, config.snapshot().hash);
  for (const [index, { generation, from, oldHash }] of entries.entries()) {
    assert.equal(from, generation - 1);
    const before = entries[index + 1];
    if (before !== undefined) assert.deepEqual([from, oldHash], [before.to, before.newHash]);
  }
}

/** Writes again and again; another config may always be quicker, and then it tries anew. */
async function hurry(config: Config<Summed, Summed>, writes: number): Promise<void> {
  for (let write = 0; write < writes; write++) {
    await config.update(advance).catch((error: unknown) => {
      if (!isHoldfastError(error, "CONFLICT")) throw error;
    });
  }
}

const unmountable = whyNoMount();

describe("a full disk", () => {
  const options = { skip: unmountable, timeoutMs: 60_000 };

  test("refuses what is too large, and goes on", options, async (context) => {
    const { path, text } = await mountSmall(context);
    const config = await openConfig(path, { schema, watch: brisk, ...listen() });
    context.after(() => config.close());
    const before = config.snapshot();
    // Of the first there is room for the record or the file to be published, not for both.
    for (const length of [30_000, 60_000, 100_000, 10_000_000]) {
      await assert.rejects(config.setAt(["filling"], "x".repeat(length)), isFull);
      assert.equal(await fs.readFile(path, "utf8"), text);
      // What was there before any write has its record by now; the attempt that failed left nothing.
      assert.deepEqual(await generationsOf(path), [1]);
      assert.deepEqual(await litterBeside(path), []);
      assert.equal(config.snapshot(), before);
      assert.equal(config.status().state, "ok");
    }
    const { snapshot } = await config.setAt(["filling"], "small");
    assert.equal(config.value.filling, "small");
    assert.equal(snapshot.generation, 2);
    await replace(path, JSON.stringify({ ...firstDocument(), filling: "edited" }));
    await until("an edit is applied", () => config.value.filling === "edited");
    const origins = (await config.history()).map(({ generation, origin }) => [generation, origin]);
    assert.deepEqual(origins, [[3, "external"], [2, "commit"], [1, "external"]]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });

  test("without any room refuses the smallest write", options, async (context) => {
    const { directory, path, text } = await mountSmall(context);
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    const filler = join(directory, "filler");
    await fs.writeFile(filler, new Uint8Array(100_000)).catch(() => {});
    await assert.rejects(config.setAt(["count"], 2), isFull);
    assert.equal(await fs.readFile(path, "utf8"), text);
    assert.deepEqual(await generationsOf(path), []);
    assert.deepEqual(await litterBeside(path), ["filler"]);
    assert.equal(config.status().state, "ok");
    await fs.unlink(filler);
    const { snapshot } = await config.setAt(["count"], 2);
    assert.equal(snapshot.generation, 2);
    assert.equal((JSON.parse(await fs.readFile(path, "utf8")) as Summed).count, 2);
    await config.close();
    assert.deepEqual(await generationsOf(path), [1, 2]);
    assert.deepEqual(await litterBeside(path), []);
  });

  test("that fills up between two writes loses neither", options, async (context) => {
    const { directory, path } = await mountSmall(context);
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await config.setAt(["filling"], "first");
    await config.close();
    const text = await fs.readFile(path, "utf8");
    const names = await fs.readdir(directory, { recursive: true });
    const filler = join(directory, "filler");
    await fs.writeFile(filler, new Uint8Array(100_000)).catch(() => {});

    const again = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => again.close());
    assert.equal(again.snapshot().generation, 2);
    await assert.rejects(again.setAt(["filling"], "second ".repeat(4000)), isFull);
    assert.equal(await fs.readFile(path, "utf8"), text);
    const left = await fs.readdir(directory, { recursive: true });
    // What was the config file once goes where its room is needed.
    const isLasting = (name: string) => !/\/(img|ext)\./.test(name);
    assert.deepEqual(left.filter(isLasting).sort(), [...names, "filler"].filter(isLasting).sort());
    await fs.unlink(filler);
    const { snapshot } = await again.setAt(["filling"], "second");
    assert.equal(snapshot.generation, 3);
    await again.close();
    assert.deepEqual(await generationsOf(path), [1, 2, 3]);
    assert.deepEqual(await litterBeside(path), []);
  });

  test("is no reason to take a migrated document back", options, async (context) => {
    const { directory, path, text } = await mountSmall(context);
    const filler = join(directory, "filler");
    await fs.writeFile(filler, new Uint8Array(100_000)).catch(() => {});
    const migrations = { 1: (document: Summed) => ({ ...document, version: 2, count: 77 }) };
    const ears = listen();
    const config = await openConfig(path, { schema, migrations, watch: false, ...ears });
    context.after(() => config.close());
    assert.equal(config.value.count, 77);
    assert.equal(await fs.readFile(path, "utf8"), text);
    assert.match(ears.warnings.join("\n"), /migrated.*ENOSPC|migrated.*disk is full/);
    assert.deepEqual(await litterBeside(path), ["filler"]);
    await fs.unlink(filler);
    await config.setAt(["filling"], "small");
    const stored = JSON.parse(await fs.readFile(path, "utf8")) as Summed & { version: number };
    assert.deepEqual([stored.version, stored.count, stored.filling], [2, 77, "small"]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });
});

function isFull(error: unknown): boolean {
  return isHoldfastError(error, "IO") && error.details.errno === "ENOSPC";
}

async function mountSmall(
  context: TestContext,
): Promise<{ readonly directory: string; readonly path: string; readonly text: string }> {
  const directory = join(await freshDirectory(context), "small");
  await fs.mkdir(directory);
  const mounted = mount(directory);
  assert.equal(mounted.status, 0, mounted.stderr);
  context.after(() => spawnSync("umount", ["-l", directory]));
  const path = join(directory, "config.json");
  const text = JSON.stringify({ version: 1, ...firstDocument() });
  await writePrivate(path, text);
  return { directory, path, text };
}

function mount(directory: string): { readonly status: number | null; readonly stderr: string } {
  const given = ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", directory];
  return spawnSync("mount", given, { encoding: "utf8" });
}

function whyNoMount(): string | false {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-mount-"));
  try {
    const { status, stderr } = mount(directory);
    if (status === 0) spawnSync("umount", [directory]);
    return status === 0 ? false : `a small disk cannot be mounted: ${(stderr ?? "").trim()}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
