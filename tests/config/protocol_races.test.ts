// runs on: node-24
/** Writers that stand still or die in the worst of moments: they undo nobody, and nobody is told what is not so. */
import assert from "node:assert/strict";
import { logPath } from "../simulation/log_files.ts";
import { describe, test } from "../support/kit.ts";
import { assertNewest, assertPublished, endOf } from "../support/protocol_stage.ts";
import { Stage, stageWithTwo, watchEnd } from "../support/protocol_stage.ts";

const edit = '{"a":70}';

describe("a writer that stands still", () => {
  test("before its rename cannot bring an older generation back", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open()];
    const writing = await slow.writeUpTo(/^rename config/);
    await quick.config.setAt(["b"], 4);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done", "it was superseded, which is a success");
    assertPublished(stage, { a: 3, b: 4 });
    await assertNewest(stage, { a: 3, b: 4 });
  });

  test("after its link has nothing to publish once another is about to", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open()];
    const writing = await slow.writeThrough(/^link log\/g\.3/);
    const next = await quick.writeUpTo(/^rename config/, (config) => config.setAt(["b"], 4));
    slow.goOn();
    slow.stopBefore(/^rename config/);
    await stage.disk.settle();
    quick.goOn();
    await stage.disk.settle();
    slow.goOn();
    await stage.disk.settle();
    assert.deepEqual([endOf(writing), endOf(next)], ["done", "done"]);
    assertPublished(stage, { a: 3, b: 4 });
    await assertNewest(stage, { a: 3, b: 4 });
  });

  test("before its rename cannot replace an edit that was taken over", async () => {
    const stage = await stageWithTwo();
    const [slow, other] = [await stage.open(), await stage.open()];
    const writing = await slow.writeUpTo(/^rename config/);
    stage.save(edit);
    await other.config.reload();
    assert.deepEqual(other.config.value, { a: 70 });
    slow.goOn();
    await stage.disk.settle();
    assert.notEqual(endOf(writing), "running");
    assertPublished(stage, { a: 70 });
    await assertNewest(stage, { a: 70 });
  });

  test("after its link does not replace an edit that came meanwhile", async () => {
    const stage = await stageWithTwo();
    const slow = await stage.open();
    const writing = await slow.writeThrough(/^link log\/g\.3/);
    stage.save(edit);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    assertPublished(stage, { a: 70 });
    await assertNewest(stage, { a: 70 });
    assert.deepEqual([...stage.log.records.keys()], [1, 2, 3, 4]);
  });

  test("where there is no config file does not replace one that somebody makes", async () => {
    const stage = await stageWithTwo();
    const slow = await stage.open();
    await slow.config.remove();
    const writing = await slow.writeUpTo(
      /^(link|rename) config/,
      (config) => config.setAt(["a"], 4),
    );
    stage.save(edit);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    assertPublished(stage, { a: 70 });
    await assertNewest(stage, { a: 70 });
  });

  test("before its rename is fenced off before another makes room on a full disk", async () => {
    const stage = await stageWithTwo();
    const [slow, back, third] = [await stage.open(), await stage.open(), await stage.open()];
    const writing = await slow.writeUpTo(/^rename config/);
    await back.writeThrough(/^link log\/g\.4/, (config) => config.rollback(2));
    // The text of generation 2 is that of generation 4, so the config file seems to have reached it.
    third.stopAfter(/^read log\/img\.3/);
    const stops = third.host.faults;
    let isFull = true;
    third.host.faults = (attempt) => {
      if (!isFull || !/\/pub\.3/.test(attempt.path)) return stops?.(attempt);
      isFull = false;
      return { error: "ENOSPC" };
    };
    const last = watchEnd(third.config.setAt(["b"], 5));
    await stage.disk.settle();
    slow.goOn();
    await stage.disk.settle();
    third.goOn();
    back.goOn();
    await stage.disk.settle();
    assert.deepEqual([endOf(writing), endOf(last)], ["done", "done"]);
    await assertNewest(stage, { a: 2, b: 5 });
    const origins = [...stage.log.records.values()].slice(1).map(({ origin }) => origin);
    assert.deepEqual(new Set(origins), new Set(["commit", "rollback"]));
  });

  test("before its link, until its number was deleted, cannot tell what became of it", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open({ history: 2 })];
    const writing = await slow.writeUpTo(/^link log\/g\.3/, (config) => config.setAt(["a"], 30));
    for (const value of [3, 4, 5]) await quick.config.setAt(["b"], value);
    await stage.disk.settle();
    assert.deepEqual([...stage.log.records.keys(), stage.log.floor], [4, 5, 3]);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "COMMIT_UNKNOWN");
    assert.ok(stage.names("g.").includes("g.3"), "it removed a record");
    const { config } = await stage.open();
    await assert.rejects(config.rollback(3), { code: "NOT_FOUND" });
    assertPublished(stage, { a: 2, b: 5 });
    await assertNewest(stage, { a: 2, b: 5 });
  });

  test("after its link, until its number was deleted, is not made twice", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open({ history: 2 })];
    const writing = await slow.writeThrough(
      /^link log\/g\.3/,
      (config) => config.update((draft) => void (draft.a! += 1)),
    );
    for (const value of [4, 5]) await quick.config.setAt(["b"], value);
    await stage.disk.settle();
    assert.deepEqual([...stage.log.records.keys(), stage.log.floor], [4, 5, 3]);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "COMMIT_UNKNOWN");
    assertPublished(stage, { a: 3, b: 5 });
    await assertNewest(stage, { a: 3, b: 5 });
  });

  test("and then cannot sync leaves its record to those who built on it", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open()];
    const writing = await slow.writeThrough(/^rename config/);
    await quick.config.setAt(["b"], 4);
    slow.goOn({ pattern: /^syncDirectory/, fault: { error: "EIO" } });
    await stage.disk.settle();
    assert.equal(endOf(writing), "COMMIT_UNKNOWN");
    assert.deepEqual([...stage.log.records.keys()], [1, 2, 3, 4]);
    assertPublished(stage, { a: 3, b: 4 });
    await assertNewest(stage, { a: 3, b: 4 });
  });
});

describe("a log that is deleted", () => {
  for (const begunAnew of [false, true]) {
    test(`while a writer stands before its rename is no success${begunAnew ? ", begun anew or not" : ""}`, async () => {
      const stage = await stageWithTwo();
      const [slow, other] = [await stage.open(), await stage.open()];
      await slow.config.setAt(["b"], 1);
      await other.config.reload();
      const writing = await slow.writeUpTo(/^rename config/);
      stage.outside.removeDirectory(logPath);
      if (begunAnew) await other.config.setAt(["b"], 5);
      slow.goOn();
      await stage.disk.settle();
      assert.equal(endOf(writing), "COMMIT_UNKNOWN");
    });
  }

  test("and begun anew by somebody who stands still leaves its numbers alone", async () => {
    const stage = new Stage('{"a":1}');
    const [idle, writer] = [await stage.open(), await stage.open()];
    for (const value of [2, 3, 4]) await writer.config.setAt(["a"], value);
    stage.outside.removeDirectory(logPath);
    const still = await stage.open();
    await still.writeUpTo(/^link log\/g\./, (config) => config.setAt(["b"], 1));
    await idle.config.setAt(["b"], 9);
    assert.ok(idle.config.snapshot().generation > 1000, `${idle.config.snapshot().generation}`);
  });
});

describe("a writer that dies", () => {
  for (const winner of [0, 1]) {
    test(`after its link is finished with its own text, writer ${winner + 1} of two`, async () => {
      const stage = await stageWithTwo();
      const writers = [await stage.open(), await stage.open()];
      for (const [index, { config }] of writers.entries()) {
        writers[index]!.stopBefore(/^link log\/g\.3/);
        watchEnd(config.setAt(["a"], 30 + index));
        await stage.disk.settle();
      }
      const won = writers[winner]!;
      won.goOn();
      won.stopAfter(/^link log\/g\.3/);
      await stage.disk.settle();
      for (const writer of writers) writer.kill();
      await assertNewest(stage, { a: 30 + winner });
    });
  }

  test("after its link is not finished once there is something newer", async () => {
    const stage = await stageWithTwo();
    const [dead, quick] = [await stage.open(), await stage.open()];
    await dead.writeThrough(/^link log\/g\.3/);
    dead.kill();
    const helper = stage.start();
    helper.stopBefore(/^create log\/pub\.3/);
    const opening = watchEnd(helper.open());
    await stage.disk.settle();
    const writing = await quick.writeUpTo(/^rename config/, (config) => config.setAt(["b"], 4));
    helper.goOn();
    helper.stopBefore(/^rename config/);
    await stage.disk.settle();
    // A sound one sees that there is something newer, and is done already.
    const isAbout = endOf(opening) === "running";
    quick.goOn();
    await stage.disk.settle();
    if (isAbout) helper.goOn();
    await stage.disk.settle();
    assert.deepEqual([endOf(opening), endOf(writing)], ["done", "done"]);
    assertPublished(stage, { a: 3, b: 4 });
    await assertNewest(stage, { a: 3, b: 4 });
  });

  test("after its link is helped by somebody who fences off who came before", async () => {
    const stage = await stageWithTwo();
    const [slow, dead] = [await stage.open(), await stage.open()];
    const writing = await slow.writeUpTo(/^rename config/);
    await dead.writeThrough(/^link log\/g\.4/, (config) => config.setAt(["b"], 4));
    dead.kill();
    await assertNewest(stage, { a: 3, b: 4 });
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    assertPublished(stage, { a: 3, b: 4 });
  });

  test("after its link over a file that was saved unchanged is not undone by that file", async () => {
    const stage = await stageWithTwo();
    const dead = await stage.open();
    stage.save(stage.published);
    await dead.writeThrough(/^link log\/g\.3/);
    dead.kill();
    await assertNewest(stage, { a: 3 });
    assert.deepEqual([...stage.log.records.keys()], [1, 2, 3]);
  });
});

describe("a writer that lost", () => {
  test("leaves nothing of its attempt", async () => {
    const stage = await stageWithTwo();
    const [slow, quick] = [await stage.open(), await stage.open()];
    const writing = await slow.writeUpTo(/^link log\/g\.3/);
    await quick.config.setAt(["b"], 4);
    slow.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    for (const { config } of [slow, quick]) await config.close();
    assert.deepEqual([...stage.names("rec."), ...stage.names("pub.")], []);
    assertPublished(stage, { a: 3, b: 4 });
  });
});
