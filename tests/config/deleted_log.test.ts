// runs on: all
/** The log deleted, wholly or in parts: no number stands for two contents, what runs stays, and it is told. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { OutsideProgram } from "../../adapters/memory.ts";
import { describe, test } from "../support/kit.ts";
import {
  deleteFromLog,
  diskWith,
  logDirectory,
  markPath,
  namesInLog,
  NumberLedger,
  recordsOn,
} from "../support/log_disk.ts";
import { path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.number() });
const options = { schema, watch: false } as const;

/** Generations 1 to 5, where 5 has rate 5, and what they stand for. */
async function five() {
  const parts = diskWith('{"rate":1}');
  const ledger = new NumberLedger();
  const told = remember();
  const config = await parts.start().openConfig(path, { schema, watch: {}, ...told });
  for (let rate = 2; rate <= 5; rate++) await config.setAt(["rate"], rate);
  await ledger.noteAll(config);
  assert.ok(parts.outside.list().includes(markPath));
  return { ...parts, ledger, config, told };
}

const rateOn = (outside: OutsideProgram) => JSON.parse(outside.readFile(path)).rate;

describe("a log that was deleted wholly", () => {
  test("while nothing ran: the next open counts from the mark, and says so", async () => {
    const { config, outside, start, ledger } = await five();
    await config.close();
    outside.removeDirectory(logDirectory);
    const told = remember();
    const again = await start().openConfig(path, { ...options, ...told });
    assert.equal(again.value.rate, 5);
    assert.ok(again.snapshot().generation > 5, `generation ${again.snapshot().generation}`);
    assert.match(told.lines.join("\n"), /warn .*(history|generations)/);
    await again.setAt(["rate"], 6);
    await ledger.noteAll(again);
    await again.close();
    const third = await start().openConfig(path, { ...options, ...remember() });
    assert.deepEqual([third.value.rate, third.snapshot().generation], [6, ledger.top]);
    await third.setAt(["rate"], 7);
    await ledger.noteAll(third);
  });

  test("again and again: the numbers only grow", async () => {
    const { config, outside, start, ledger } = await five();
    await config.close();
    for (let round = 0; round < 4; round++) {
      outside.removeDirectory(logDirectory);
      const again = await start().openConfig(path, { ...options, ...remember() });
      await again.setAt(["rate"], 100 + round);
      assert.ok(again.snapshot().generation > ledger.top);
      await ledger.noteAll(again);
      await again.close();
    }
  });

  for (const deletesMark of [false, true]) {
    const what = deletesMark ? "with the mark, " : "";
    test(`${what}while a config runs: the next look goes on, and says so`, async () => {
      const { config, disk, outside, ledger, told } = await five();
      outside.removeDirectory(logDirectory);
      if (deletesMark) outside.removeFile(markPath);
      await disk.advance(2000);
      assert.equal(config.value.rate, 5);
      assert.match(told.lines.join("\n"), /warn .*history/);
      outside.replaceFile(path, '{"rate":6}', { mode: 0o600 });
      await disk.advance(2000);
      assert.equal(config.value.rate, 6);
      await ledger.noteAll(config);
      await config.setAt(["rate"], 7);
      await ledger.noteAll(config);
      assert.ok(config.snapshot().generation > 6);
      assert.equal(rateOn(outside), 7);
    });

    test(`${what}while a config runs: the next write goes on`, async () => {
      const { config, outside, start, ledger, told } = await five();
      outside.removeDirectory(logDirectory);
      if (deletesMark) outside.removeFile(markPath);
      await config.setAt(["rate"], 6);
      await ledger.noteAll(config);
      assert.ok(config.snapshot().generation > 5);
      assert.match(told.lines.join("\n"), /warn .*history/);
      assert.equal(rateOn(outside), 6);
      const other = await start().openConfig(path, { ...options, ...remember() });
      assert.deepEqual(
        [other.value.rate, other.snapshot().generation],
        [6, config.snapshot().generation],
      );
      await ledger.noteAll(other);
      await other.setAt(["rate"], 7);
      await config.setAt(["rate"], 8);
      await ledger.noteAll(config);
      await ledger.noteAll(other);
    });

    test(`${what}while a config runs and its file stands refused: a write gets through`, async () => {
      const { config, disk, outside, ledger } = await five();
      outside.replaceFile(path, '{"rate":"bad"}', { mode: 0o600 });
      await disk.advance(2000);
      assert.equal(config.status().state, "degraded");
      outside.removeDirectory(logDirectory);
      if (deletesMark) outside.removeFile(markPath);
      await disk.advance(2000);
      await config.setAt(["rate"], 7);
      await ledger.noteAll(config);
      assert.deepEqual([rateOn(outside), config.value.rate, config.status().state], [7, 7, "ok"]);
    });

    test(`${what}while two run: they agree again, under numbers of their own`, async () => {
      const { config, outside, disk, start, ledger } = await five();
      const other = await start().openConfig(path, { schema, watch: {}, ...remember() });
      outside.removeDirectory(logDirectory);
      if (deletesMark) outside.removeFile(markPath);
      await Promise.all([config.setAt(["a"], 1), other.setAt(["b"], 2)]);
      await disk.advance(2000);
      const { generation, hash } = config.snapshot();
      assert.deepEqual([other.snapshot().generation, other.snapshot().hash], [generation, hash]);
      assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 5, a: 1, b: 2 });
      assert.ok(generation > 5);
      await ledger.noteAll(config);
      await ledger.noteAll(other);
    });
  }

  test("with the config file: what runs stays, and a write stores it again", async () => {
    const { config, disk, outside, ledger } = await five();
    outside.removeDirectory(logDirectory);
    outside.removeFile(path);
    await disk.advance(2000);
    assert.deepEqual([config.value.rate, config.status().state], [5, "degraded"]);
    await config.setAt(["rate"], 6);
    await ledger.noteAll(config);
    assert.deepEqual([rateOn(outside), config.status().state], [6, "ok"]);
  });
});

describe("a log of which parts were deleted", () => {
  const parts: [string, (outside: OutsideProgram) => void, readonly number[]][] = [
    ["the newest record", (outside) => outside.removeFile(`${logDirectory}/g.5`), [4, 3, 2, 1]],
    ["the two newest records", (outside) => {
      outside.removeFile(`${logDirectory}/g.5`);
      outside.removeFile(`${logDirectory}/g.4`);
    }, [3, 2, 1]],
    ["older records", (outside) => {
      for (const old of [1, 2, 4]) outside.removeFile(`${logDirectory}/g.${old}`);
    }, [5, 3]],
    ["all records", (outside) => deleteFromLog(outside, "g."), []],
    ["all images", (outside) => {
      for (const kind of ["img.", "ext.", "txt."]) deleteFromLog(outside, kind);
    }, [5, 4, 3, 2, 1]],
    ["the content, though not the directory", (outside) => deleteFromLog(outside, ""), []],
    ["the mark", (outside) => outside.removeFile(markPath), [5, 4, 3, 2, 1]],
  ];
  for (const [what, erase, kept] of parts) {
    for (const runs of [false, true]) {
      test(`${what}, ${runs ? "while a config runs" : "while nothing runs"}`, async () => {
        const made = await five();
        const { outside, disk, start, ledger } = made;
        if (!runs) await made.config.close();
        erase(outside);
        const told = runs ? made.told : remember();
        const config = runs ? made.config : await start().openConfig(path, { ...options, ...told });
        await disk.advance(2000);
        assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
        await ledger.noteAll(config);
        const generations = (await config.history()).map(({ generation }) => generation);
        assert.deepEqual(generations.filter((generation) => generation <= 5), kept);
        await config.setAt(["rate"], 6);
        assert.ok(config.snapshot().generation > 5);
        await ledger.noteAll(config);
        outside.replaceFile(path, '{"rate":7}', { mode: 0o600 });
        await config.reload();
        await ledger.noteAll(config);
        assert.deepEqual([config.value.rate, rateOn(outside)], [7, 7]);
        await config.close();
        const later = await start().openConfig(path, { ...options, ...remember() });
        assert.deepEqual([later.value.rate, later.snapshot().generation], [7, ledger.top]);
      });
    }
  }

  // Without the images nothing tells that there was a fifth.
  test("the newest record and its images: the same content may get the same number", async () => {
    const { config, outside, start, ledger } = await five();
    await config.close();
    outside.removeFile(`${logDirectory}/g.5`);
    for (const kind of ["img.", "ext.", "txt."]) deleteFromLog(outside, kind);
    const again = await start().openConfig(path, { ...options, ...remember() });
    assert.equal(again.value.rate, 5);
    await again.setAt(["rate"], 6);
    await ledger.noteAll(again);
    assert.equal(rateOn(outside), 6);
  });

  test("the newest record, and the file edited since: the edit gets a number of its own", async () => {
    for (const how of ["replaceFile", "writeFile"] as const) {
      const { config, outside, start, ledger } = await five();
      await config.close();
      outside.removeFile(`${logDirectory}/g.5`);
      outside[how](path, '{"rate":9}', { mode: 0o600 });
      const again = await start().openConfig(path, { ...options, ...remember() });
      assert.equal(again.value.rate, 9);
      await ledger.noteAll(again);
    }
  });

  test("the floor: numbers go on", async () => {
    const { config, outside, start, ledger } = await five();
    await config.purge({ before: 4 });
    await config.close();
    assert.deepEqual([recordsOn(outside), namesInLog(outside, "floor.")], [[4, 5], ["floor.3"]]);
    deleteFromLog(outside, "floor.");
    const again = await start().openConfig(path, { ...options, ...remember() });
    assert.deepEqual((await again.history()).map(({ generation }) => generation), [5, 4]);
    await again.setAt(["rate"], 6);
    assert.equal(again.snapshot().generation, 6);
    await ledger.noteAll(again);
  });

  test("all but the floor: numbers go on above it", async () => {
    const { config, outside, start, ledger } = await five();
    await config.purge({ before: 5 });
    await config.close();
    for (const name of namesInLog(outside, "")) {
      if (!name.startsWith("floor.")) outside.removeFile(`${logDirectory}/${name}`);
    }
    const again = await start().openConfig(path, { ...options, ...remember() });
    await ledger.noteAll(again);
    await again.setAt(["rate"], 6);
    assert.ok(again.snapshot().generation > 4);
    await ledger.noteAll(again);
  });
});
