// runs on: node-24
/** Power cuts in the worst of moments: what somebody was told stays, and what is half done is finished or never was. */
import assert from "node:assert/strict";
import { describe, test } from "../support/kit.ts";
import { cutEveryWay } from "../support/power_choices.ts";
import { Stage, stageWithTwo, watchEnd } from "../support/protocol_stage.ts";

/** What may be found after a cut. */
interface Expected {
  /** The values that the config may have. */
  readonly values: readonly object[];
  /** How many records may be of edits. */
  readonly edits: number;
  /** A text, and the number of the only generation that may have it. */
  readonly numbered?: readonly [text: string, generation: number];
}

/** Cuts the power every way where `act` leaves off, opens the config anew and judges what is found. */
async function cutAfter(
  prepare: () => Promise<Stage>,
  act: (stage: Stage) => Promise<void>,
  expected: Expected,
): Promise<void> {
  const count = await cutEveryWay(async () => {
    const stage = await prepare();
    await act(stage);
    await stage.disk.settle();
    return { powerCut: stage.disk.powerCut, judge: () => judge(stage, expected) };
  });
  assert.ok(count >= 3, `only ${count} outcomes`);
}

async function judge(stage: Stage, { values, edits, numbered }: Expected): Promise<void> {
  const { config } = await stage.open();
  const { log, published } = stage;
  assert.deepEqual(log.torn, [], "torn records");
  const found = JSON.stringify(config.value);
  assert.ok(values.some((value) => JSON.stringify(value) === found), `the value is ${found}`);
  assert.deepEqual(JSON.parse(published), config.value, "the config file");
  const records = [...log.records.values()];
  const external = records.filter(({ origin }) => origin === "external");
  assert.ok(external.length <= edits, `${external.length} records of edits`);
  const numbers = records.map(({ generation }) => generation).filter((n) => n > log.floor);
  const expected = numbers.map((_, index) => log.floor + 1 + index);
  assert.deepEqual(numbers.sort((a, b) => a - b), expected, "the numbers");
  const [text, generation] = numbered ?? [];
  if (generation !== undefined) assert.equal(log.records.get(generation)?.text, text);
  await config.setAt(["b"], 99);
  assert.deepEqual(JSON.parse(stage.published), config.value, "after one more write");
}

describe("after a power cut", () => {
  test("a write that was acknowledged is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const { config } = await stage.open();
      await config.setAt(["a"], 3);
    }, { values: [{ a: 3 }], edits: 1 });
  });

  test("the first write of all is there", async () => {
    const prepare = () => Promise.resolve(new Stage('{"a":1}'));
    await cutAfter(prepare, async (stage) => {
      const { config } = await stage.open();
      await config.setAt(["a"], 3);
    }, { values: [{ a: 3 }], edits: 1 });
  });

  test("the newest of many writes is there, with what was published before cleared away", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const { config } = await stage.open();
      for (const value of [3, 4, 5, 6, 7]) {
        await config.setAt(["a"], value);
        await stage.disk.advance(61_000);
      }
    }, { values: [{ a: 7 }], edits: 1 });
  });

  test("a write over a file that was saved unchanged, and not synced, is there or never was", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const writer = await stage.open();
      stage.save(stage.published, { synced: false });
      writer.stopAfter(/^link log\/g\.3/);
      watchEnd(writer.config.setAt(["a"], 3));
    }, { values: [{ a: 2 }, { a: 3 }], edits: 1 });
  });

  test("a write that had its number is ours, published or not", async () => {
    for (const pattern of [/^link log\/g\.3/, /^rename config/]) {
      await cutAfter(stageWithTwo, async (stage) => {
        const writer = await stage.open();
        writer.stopAfter(pattern);
        watchEnd(writer.config.setAt(["a"], 3));
      }, { values: [{ a: 2 }, { a: 3 }], edits: 1 });
    }
  });

  test("a write that a dead writer's helper had published is ours", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const writer = await stage.open();
      await writer.writeThrough(/^link log\/g\.3/);
      writer.kill();
      const helper = stage.start();
      helper.stopAfter(/^rename config/);
      watchEnd(helper.open());
    }, { values: [{ a: 2 }, { a: 3 }], edits: 1 });
  });

  test("an edit in place that was taken over is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const { config } = await stage.open();
      stage.saveInPlace('{"a":70}', { synced: false });
      await config.reload();
      assert.deepEqual(config.value, { a: 70 });
    }, { values: [{ a: 70 }], edits: 2 });
  });

  test("the newest of many edits that were taken over is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const { config } = await stage.open();
      for (const value of [70, 71, 72, 73]) {
        stage.save(`{"a":${value}}`, { synced: false });
        await config.reload();
        await stage.disk.advance(61_000);
      }
      assert.deepEqual(config.value, { a: 73 });
    }, { values: [{ a: 73 }], edits: 5 });
  });

  test("an edit that was taken over has its number, whatever was saved after it", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const { config } = await stage.open();
      stage.save('{"a":70}');
      await config.reload();
      assert.equal(config.snapshot().generation, 3);
      stage.save('{"a":71}');
    }, { values: [{ a: 70 }, { a: 71 }], edits: 3, numbered: ['{"a":70}', 3] });
  });

  test("an edit that somebody else was about to take over is there, in a whole record", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const [slow, quick] = [await stage.open(), stage.start()];
      stage.save('{"a":70}');
      // Its record is there and not synced, while the rest of it goes on.
      slow.host.faults = ({ operation, path }) => {
        return operation === "sync" && path.includes("/rec.") ? new Promise(() => {}) : undefined;
      };
      watchEnd(slow.config.reload());
      await stage.disk.settle();
      await quick.open();
      assert.deepEqual(quick.config.value, { a: 70 });
    }, { values: [{ a: 70 }], edits: 2 });
  });

  test("what a reader took over from a writer that was not done is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      await writer.writeThrough(/^link log\/g\.3/);
      await reader.config.reload();
      assert.deepEqual(reader.config.value, { a: 3 });
    }, { values: [{ a: 3 }], edits: 1 });
  });

  test("what a reader took over is there, though whoever made the log did not come to sync that", async () => {
    const prepare = () => Promise.resolve(new Stage());
    await cutAfter(prepare, async (stage) => {
      const [first, writer, reader] = [await stage.open(), await stage.open(), stage.start()];
      await first.writeUpTo(/^syncDirectory \.$/, (config) => config.setAt(["b"], 9));
      await writer.writeThrough(/^link config/);
      writer.kill();
      await reader.open();
      assert.deepEqual(reader.config.value, { a: 3 });
    }, { values: [{ a: 3 }], edits: 0 });
  });

  test("what a reader took over at its second try, after a sync that failed, is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      await writer.writeThrough(/^link log\/g\.3/);
      reader.host.faults = ({ operation }) => {
        return operation === "syncDirectory" ? { error: "EIO" } : undefined;
      };
      await assert.rejects(reader.config.reload(), { code: "IO" });
      reader.host.faults = undefined;
      await reader.config.reload();
      assert.deepEqual(reader.config.value, { a: 3 });
    }, { values: [{ a: 3 }], edits: 1 });
  });

  test("what a history told of is there", async () => {
    await cutAfter(stageWithTwo, async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      await writer.writeThrough(/^link log\/g\.3/);
      const [newest] = await reader.config.history();
      assert.equal(newest?.generation, 3);
    }, { values: [{ a: 3 }], edits: 1 });
  });

  test("no record is gone without the floor that says so", async () => {
    for (const pattern of [/^remove log\/g\.3/, /^syncDirectory log/]) {
      await cutAfter(async () => {
        const stage = await stageWithTwo();
        const { config } = await stage.open();
        for (const value of [3, 4, 5]) await config.setAt(["a"], value);
        await config.close();
        stage.outside.sync();
        return stage;
      }, async (stage) => {
        const purger = await stage.open();
        await purger.writeThrough(/^remove log\/g\.3/, (config) => config.purge({ before: 4 }));
        if (`${pattern}`.includes("remove")) return;
        purger.goOn();
        purger.stopBefore(pattern);
      }, { values: [{ a: 5 }], edits: 1 });
    }
  });
});
