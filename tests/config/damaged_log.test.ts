// runs on: all
/** Records that are damaged, and what others put into the log: passed over and told, or a typed error; never believed. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { Host } from "../../src/host/host.ts";
import { hashOf } from "../../src/host/hash.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, logDirectory, recordsOn } from "../support/log_disk.ts";
import { path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.number() });
const watch = false;
const record = (generation: number | string) => `${logDirectory}/g.${generation}`;

/** Generations 1 to 5, where 5 has rate 5, and nothing runs. */
async function five() {
  const parts = diskWith('{"rate":1}');
  const config = await parts.start().openConfig(path, { schema, watch, ...remember() });
  for (let rate = 2; rate <= 5; rate++) await config.setAt(["rate"], rate);
  await config.close();
  assert.deepEqual(recordsOn(parts.outside), [1, 2, 3, 4, 5]);
  return parts;
}

type Parts = Awaited<ReturnType<typeof five>>;

/** The log says nothing any more of the newest generation; config.json does. */
async function assertNewestLost({ outside, start }: Parts, what: string): Promise<void> {
  const told = remember();
  const config = await start().openConfig(path, { schema, watch, ...told });
  assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 6], what);
  assert.match(told.lines.join("\n"), /warn .*g\.5\b.*lost/s, what);
  const entries = await config.history();
  assert.deepEqual(entries.map(({ generation }) => generation), [6, 4, 3, 2, 1], what);
  assert.deepEqual([entries[0]!.origin, entries[0]!.from], ["external", 4], what);
  await assert.rejects(config.rollback(5), { code: "NOT_FOUND" }, what);
  await config.setAt(["rate"], 7);
  assert.equal(config.snapshot().generation, 7, what);
  assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 7 }, what);
  await config.close();
}

/** A generation in between is lost. */
async function assertOlderLost({ start }: Parts, what: string): Promise<void> {
  const told = remember();
  const config = await start().openConfig(path, { schema, watch, ...told });
  assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 5], what);
  const entries = await config.history();
  assert.deepEqual(entries.map(({ generation }) => generation), [5, 4, 2, 1], what);
  assert.deepEqual([entries[1]!.from, entries[1]!.changes], [3, []], what);
  assert.match(told.lines.join("\n"), /warn .*g\.3\b.*lost/s, what);
  assert.equal(told.lines.length, 1, what);
  await assert.rejects(config.rollback(3), { code: "NOT_FOUND" }, what);
  await config.rollback(2);
  assert.deepEqual([config.value.rate, config.snapshot().generation], [2, 6], what);
  await config.close();
}

const losses = [["newest", 5, assertNewestLost], ["third", 3, assertOlderLost]] as const;

describe("a record", () => {
  for (const [name, generation, assertLost] of losses) {
    test(
      `with a flipped bit is lost, and nothing else: the ${name}`,
      { timeoutMs: 60_000 },
      async () => {
        const length = (await five()).outside.readBytes(record(generation)).length;
        for (let at = 0; at < length; at += at < 90 || at > length - 30 ? 3 : 13) {
          const parts = await five();
          const bytes = parts.outside.readBytes(record(generation));
          bytes[at]! ^= 1 << (at % 8);
          parts.outside.writeFile(record(generation), bytes);
          await assertLost(parts, `bit ${at % 8} of byte ${at} of ${length}`);
        }
      },
    );

    test(
      `cut short or made longer is lost, and nothing else: the ${name}`,
      { timeoutMs: 60_000 },
      async () => {
        const whole = (await five()).outside.readBytes(record(generation));
        const { length } = whole;
        const lengths = [0, 1, 17, 18, 82, 83, 84, 200, length - 13, length - 12, length - 1];
        const contents: [string, Uint8Array][] = lengths.map((
          end,
        ) => [`${end}`, whole.slice(0, end)]);
        contents.push(["longer", new Uint8Array([...whole, 32])]);
        contents.push(["zeros", new Uint8Array(length)]);
        contents.push(["a tail of zeros", whole.map((byte, at) => at < length - 20 ? byte : 0)]);
        for (const [what, content] of contents) {
          const parts = await five();
          parts.outside.writeFile(record(generation), content);
          await assertLost(parts, what);
        }
      },
    );
  }

  test("that is damaged while a config runs changes nothing for it", async () => {
    const { outside, start } = await five();
    const config = await start().openConfig(path, { schema, watch, ...remember() });
    outside.writeFile(record(5), "");
    await config.reload();
    assert.deepEqual([config.value.rate, config.status().state], [5, "ok"]);
    await config.setAt(["rate"], 6);
    assert.equal(config.snapshot().generation, 6);
    const other = await start().openConfig(path, { schema, watch, ...remember() });
    assert.deepEqual([other.value.rate, other.snapshot().generation], [6, 6]);
  });

  test("that is damaged before it was published is lost: what was there before runs on", async () => {
    const parts = await five();
    const { disk, outside, start } = parts;
    const { host, openConfig } = start();
    const config = await openConfig(path, { schema, watch, ...remember() });
    host.faults = (attempt) => {
      if (attempt.operation === "rename" && attempt.path === path) host.kill();
    };
    void config.setAt(["rate"], 6).catch(() => {});
    await disk.settle();
    assert.deepEqual(recordsOn(outside), [1, 2, 3, 4, 5, 6]);
    outside.writeFile(record(6), outside.readBytes(record(6)).slice(0, -1));
    const told = remember();
    const next = await start().openConfig(path, { schema, watch, ...told });
    assert.deepEqual([next.value.rate, next.snapshot().generation], [5, 5]);
    assert.match(told.lines.join("\n"), /warn .*g\.6\b.*lost/s);
    await next.setAt(["rate"], 7);
    assert.equal(next.snapshot().generation, 7);
  });

  test("of which all are damaged costs the history and not the configuration", async () => {
    const { outside, start } = await five();
    for (const generation of recordsOn(outside)) outside.writeFile(record(generation), "x");
    const told = remember();
    const config = await start().openConfig(path, { schema, watch, ...told });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 6]);
    assert.ok(told.lines.length > 0);
    await config.setAt(["rate"], 7);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [7, 6]);
  });

  test("that cannot be read, by a refusal of the system, is not taken for lost", async () => {
    const { start } = await five();
    const { host, openConfig } = start();
    host.faults = ({ operation, path: at }) => {
      return operation === "read" && at === record(5) ? { error: "EIO" } : undefined;
    };
    await assert.rejects(openConfig(path, { schema, watch, ...remember() }), { code: "IO" });
    host.faults = undefined;
    const config = await openConfig(path, { schema, watch, ...remember() });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 5]);
  });
});

describe("in the log", () => {
  test("files and directories of others are passed over, and left", async () => {
    const parts = await five();
    const { outside, start } = parts;
    const foreign = ["mine", "g.x", "g.07", "g.-1", "g.1e3", "g.", "g.6.bak", "G.6", ".DS_Store"]
      .concat(["rec.x", "img.6", "pub.6.x", "floor.x", "floor.09", "txt.6.a.b", "g.6~", "ext.6"]);
    for (const name of foreign) outside.writeFile(`${logDirectory}/${name}`, "theirs");
    outside.makeDirectory(`${logDirectory}/lost+found`);
    outside.setMode(logDirectory, 0o700);
    const told = remember();
    const config = await start().openConfig(path, { schema, watch, ...told });
    await config.setAt(["rate"], 6);
    assert.deepEqual([config.snapshot().generation, told.lines], [6, []]);
    await config.purge({ before: 6 });
    await config.close();
    for (const name of foreign) {
      assert.equal(outside.readFile(`${logDirectory}/${name}`), "theirs", name);
    }
  });

  const plants: [string, (parts: Parts) => void][] = [
    ["a directory", ({ outside }) => outside.makeDirectory(record(7))],
    ["a FIFO", ({ outside }) => outside.makeFifo(record(7))],
    ["a link to nothing", ({ outside }) => outside.symlink("/nowhere", record(7))],
    ["a link to the config file", ({ outside }) => outside.symlink(path, record(7))],
    ["an empty file", ({ outside }) => outside.writeFile(record(7), "")],
    ["another record", ({ outside }) => {
      outside.writeFile(record(7), outside.readBytes(record(3)));
    }],
  ];
  for (const [what, plant] of plants) {
    test(`${what} named g.7 takes the number, and nothing more`, async () => {
      const parts = await five();
      plant(parts);
      parts.outside.setMode(logDirectory, 0o700);
      const told = remember();
      const config = await parts.start().openConfig(path, { schema, watch, ...told });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [5, 5]);
      const { changeSet } = await config.setAt(["rate"], 8);
      assert.deepEqual([changeSet.from, changeSet.to], [5, 8]);
      assert.match(told.lines.join("\n"), /g\.7\b/);
      assert.deepEqual((await config.history()).map(({ generation }) => generation), [
        8,
        5,
        4,
        3,
        2,
        1,
      ]);
      await config.close();
      const again = await parts.start().openConfig(path, { schema, watch, ...remember() });
      assert.deepEqual([again.value.rate, again.snapshot().generation], [8, 8]);
    });
  }

  test("a record under an older number than its own is lost", async () => {
    const parts = await five();
    parts.outside.writeFile(record(3), parts.outside.readBytes(record(4)));
    await assertOlderLost(parts, "record 4 as 3");
  });

  const numbers = ["9007199254740990", "9007199254740991", "9007199254740992", "9".repeat(40)];
  for (const number of numbers) {
    for (const name of ["g", "floor"]) {
      test(`${name}.${number} never makes a write that cannot be found again`, async () => {
        const { outside, start } = await five();
        outside.writeFile(`${logDirectory}/${name}.${number}`, "");
        outside.setMode(logDirectory, 0o700);
        const { host, openConfig } = start();
        const config = await openConfig(path, { schema, watch, ...remember() });
        assert.equal(config.value.rate, 5);
        let operations = 0;
        host.faults = () => ++operations > 2000 ? { error: "EIO" } : undefined;
        for (const rate of [6, 7]) {
          const before: number = config.value.rate;
          const stored: boolean = await config.setAt(["rate"], rate).then(
            () => true,
            (error: { code?: string }) => {
              assert.ok(error.code !== undefined && error.code !== "COMMIT_UNKNOWN", String(error));
              return false;
            },
          );
          assert.ok(operations <= 2000, "a write that never ends");
          const expected = stored ? rate : before;
          assert.equal(config.value.rate, expected);
          assert.equal(JSON.parse(outside.readFile(path)).rate, expected);
          assert.ok(Number.isSafeInteger(config.snapshot().generation));
          const other = await start().openConfig(path, { schema, watch, ...remember() });
          assert.equal(other.value.rate, expected);
          assert.equal(other.snapshot().generation, config.snapshot().generation);
        }
      });
    }
  }

  const headers: [string, (hash: string) => unknown][] = [
    ["null", () => null],
    ["a number", () => 1],
    ["a list", () => []],
    ["nothing", () => ({})],
    ["hardly anything", (hash) => ({ generation: 6, hash })],
    ["calls that are none", (hash) => ({
      ...{ generation: 6, parent: 5, parentHash: "", id: "0".repeat(32), hash, origin: "commit" },
      ...{ at: "2000-01-01T00:00:00.000Z", calls: [null, 1, { changes: 5 }] },
    })],
    ["a parent above itself", (hash) => ({
      ...{ generation: 6, parent: 6, parentHash: "", id: "0".repeat(32), hash, origin: "commit" },
      ...{ at: "2000-01-01T00:00:00.000Z", calls: [] },
    })],
  ];
  for (const [what, header] of headers) {
    test(`a header that says ${what}, under a checksum that is right, breaks nothing`, async () => {
      const { outside, start } = await five();
      const { host, openConfig } = start();
      const text = new TextEncoder().encode('{"rate":6}');
      const bytes = recordOf(host, header(hashOf(host, text)), text);
      outside.writeFile(record(6), bytes);
      outside.setMode(logDirectory, 0o700);
      const config = await openConfig(path, { schema, watch, ...remember() });
      assert.ok([5, 6].includes(config.value.rate));
      await config.history();
      await config.setAt(["rate"], 8);
      assert.ok(config.snapshot().generation >= 7);
      await config.history();
    });
  }
});

function recordOf(
  host: Host,
  header: unknown,
  text: Uint8Array,
): Uint8Array {
  const line = new TextEncoder().encode(JSON.stringify(header));
  const first = new TextEncoder().encode(`holdfast-record 1 ${host.hash(line)}\n`);
  return new Uint8Array([...first, ...line, 10, ...text]);
}
