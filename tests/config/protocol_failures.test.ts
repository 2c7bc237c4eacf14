// runs on: node-24
/** Operations that fail, or whose answer gets lost: nothing is made twice, undone or built upon unread. */
import assert from "node:assert/strict";
import { writeNew } from "../../src/host/durable.ts";
import { describe, test } from "../support/kit.ts";
import { assertNewest, endOf, Stage, stageWithTwo } from "../support/protocol_stage.ts";
import { watchEnd } from "../support/protocol_stage.ts";

describe("a writer whose answer gets lost", () => {
  test("on the way back from its link goes on", async () => {
    const stage = await stageWithTwo();
    const [writer, other] = [await stage.open(), stage.start()];
    writer.host.faults = async ({ operation, path, from }) => {
      if (operation === "link" && path.endsWith("/g.3")) await other.host.link(from!, path);
    };
    await writer.config.update((draft) => void (draft.a! += 1));
    await writer.config.close();
    assert.deepEqual([...stage.log.records.keys()], [1, 2, 3]);
    await assertNewest(stage, { a: 3 });
  });
});

describe("a reader whose look fails", () => {
  test("at the sync of what it found does not build on what it did not take over", async () => {
    const stage = await stageWithTwo();
    const [reader, writer] = [await stage.open(), await stage.open()];
    await writer.config.setAt(["b"], 3);
    reader.host.faults = ({ operation }) => {
      return operation === "syncDirectory" ? { error: "EIO" } : undefined;
    };
    await assert.rejects(reader.config.reload(), { code: "IO" });
    reader.host.faults = undefined;
    await reader.config.setAt(["a"], 4);
    await assertNewest(stage, { a: 4, b: 3 });
  });

  test("at a second name in the log does not take what we published for an edit", async () => {
    const stage = await stageWithTwo();
    const [reader, dead] = [await stage.open(), await stage.open()];
    await dead.writeThrough(/^link log\/g\.3/);
    dead.kill();
    reader.host.faults = ({ operation, path }) => {
      return operation === "stat" && path.includes("/img.") ? { error: "EIO" } : undefined;
    };
    await assert.rejects(reader.config.reload(), { code: "IO" });
    assert.deepEqual([...stage.log.records.keys()], [1, 2, 3]);
    reader.host.faults = undefined;
    await reader.config.reload();
    await assertNewest(stage, { a: 3 });
  });

  test("for an edit that stands beside a newer generation comes to an end, then and later", async () => {
    const stage = await stageWithTwo();
    const [reader, writer] = [await stage.open(), await stage.open()];
    await writer.config.setAt(["a"], 3);
    const text = stage.published;
    stage.saveInPlace("{");
    await assert.rejects(reader.config.reload(), { code: "PARSE" });
    assert.deepEqual(reader.config.value, { a: 3 });
    stage.saveInPlace(text);
    reader.bound();
    const looking = watchEnd(reader.config.reload());
    await stage.disk.settle();
    assert.equal(endOf(looking), "done");
  });
});

describe("a look that takes long", () => {
  test("does not take a log that was begun meanwhile for one that was deleted", async () => {
    const stage = new Stage('{"a":1}');
    const [writer, reader] = [await stage.open(), stage.start()];
    reader.stopBefore(/^list \.$/);
    const opening = watchEnd(reader.open());
    await stage.disk.settle();
    await writer.config.setAt(["a"], 2);
    reader.goOn();
    await stage.disk.settle();
    assert.equal(endOf(opening), "done");
    assert.deepEqual([reader.config.value, reader.config.snapshot().generation], [{ a: 2 }, 2]);
  });
});

describe("a new file that cannot be written whole", () => {
  test("does not stay", async () => {
    const stage = new Stage();
    const { host } = stage.start();
    host.faults = ({ operation }) => operation === "write" ? { error: "ENOSPC" } : undefined;
    const writing = writeNew(host, "/c/new", 0o600, new Uint8Array(10));
    await assert.rejects(writing, { code: "IO" });
    assert.deepEqual(stage.outside.list(), []);
  });
});
