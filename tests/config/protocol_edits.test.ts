// runs on: node-24
/** Whose the content of the config file is: what a person saved counts, whatever we published before, and is never lost. */
import assert from "node:assert/strict";
import { describe, test } from "../support/kit.ts";
import { endOf, Stage, stageWithTwo } from "../support/protocol_stage.ts";
import { configPath, logPath } from "../simulation/log_files.ts";

describe("a config file", () => {
  test("with the text of an older generation is an edit, where a person saved it", async () => {
    const stage = await stageWithTwo();
    const { config } = await stage.open();
    const older = stage.log.records.get(1)!.text!;
    stage.save(older);
    await config.reload();
    assert.deepEqual([config.value, config.snapshot().generation], [{ a: 1 }, 3]);
    assert.equal(stage.published, older);
  });

  test("with the text that its very inode had before is an edit, where a person wrote it there", async () => {
    const stage = await stageWithTwo();
    const { config } = await stage.open();
    const before = stage.published;
    stage.saveInPlace('{"a":70}');
    await config.reload();
    assert.deepEqual(config.value, { a: 70 });
    const images = stage.names("").filter((name) => /^(img\.2|ext\.3)\./.test(name));
    assert.equal(images.length, 2, "both second names of that inode are to be there");
    stage.saveInPlace(before);
    const fresh = await stage.open();
    assert.deepEqual([fresh.config.value, stage.published], [{ a: 2 }, before]);
    assert.equal(fresh.config.snapshot().generation, 4);
  });

  test("that must not be linked is told by its text", async () => {
    const stage = await stageWithTwo();
    const [dead, other] = [await stage.open(), await stage.open()];
    stage.save('{"a":70}');
    other.host.faults = ({ operation, path }) => {
      return operation === "link" && path.includes("/ext.") ? { error: "EPERM" } : undefined;
    };
    await other.config.reload();
    assert.equal(other.config.snapshot().generation, 3);
    await dead.writeThrough(/^link log\/g\.4/, (config) => config.setAt(["a"], 4));
    dead.kill();
    const { config } = await stage.open();
    assert.deepEqual([config.value, config.snapshot().generation], [{ a: 4 }, 4]);
  });

  test("that was just replaced is looked at again, since an editor may still write into it", async () => {
    const stage = await stageWithTwo();
    const warnings: string[] = [];
    const logger = { warn: (message: string) => void warnings.push(message) };
    const writer = stage.start();
    await writer.open({ logger });
    await writer.config.setAt(["a"], 3);
    const [replaced] = stage.names("img.2.");
    stage.outside.writeFile(`${logPath}/${replaced}`, '{"a":70}');
    await stage.disk.advance(600);
    await writer.config.reload();
    await stage.disk.settle();
    const [kept] = stage.names("refused.");
    assert.ok(kept, "it is not kept");
    assert.equal(stage.outside.readFile(`${logPath}/${kept}`), '{"a":70}');
    assert.ok(warnings.some((warning) => warning.includes(kept)), warnings.join("\n"));
    assert.deepEqual(writer.config.value, { a: 3 });
  });

  test("that is gone is put back as its record says, not as its inode was edited last", async () => {
    const stage = await stageWithTwo();
    const text = stage.published;
    stage.saveInPlace('{"a":70}');
    stage.outside.removeFile(configPath);
    const { config } = await stage.open();
    assert.deepEqual([config.value, stage.published], [{ a: 2 }, text]);
  });

  test("that becomes another by a link, with a copy of the log, is written where the link leads", async () => {
    const stage = await stageWithTwo();
    const { outside } = stage;
    const copied = outside.list().map((path) => [path, outside.readFile(path)] as const);
    outside.makeDirectory("/other/.config.json.d", { mode: 0o700 });
    for (const [path, text] of copied) {
      outside.writeFile(path.replace(/^\/c/, "/other"), text, { mode: 0o600 });
    }
    outside.rename("/c", "/one");
    outside.symlink("/one", "/c");
    const writer = await stage.open();
    const writing = await writer.writeUpTo(/^create \/one\/.config.json.d\/rec/);
    outside.symlink("/other", "/next");
    outside.rename("/next", "/c");
    writer.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    assert.equal(JSON.parse(outside.readFile("/other/config.json")).a, 3);
    assert.equal(JSON.parse(outside.readFile("/one/config.json")).a, 2);
  });

  test("that was replaced stays known for a while, and what is saved into it then is kept aside", async () => {
    const stage = await stageWithTwo();
    const { config } = await stage.open();
    await config.setAt(["a"], 3);
    await stage.disk.settle();
    // An editor has the file open that was the config file a moment ago.
    const [image] = stage.names("img.2.");
    assert.ok(image !== undefined, "its second name is gone at once");
    stage.outside.writeFile(`${logPath}/${image}`, '{"a":70}');
    for (const value of [4, 5, 6]) {
      await stage.disk.advance(1000);
      await config.setAt(["a"], value);
    }
    await config.close();
    await stage.disk.settle();
    assert.deepEqual(stage.names("img.2."), []);
    const kept = stage.names("refused.").map((name) => {
      return stage.outside.readFile(`${logPath}/${name}`);
    });
    assert.deepEqual(kept, ['{"a":70}']);
  });
});

describe("a log", () => {
  test("that somebody else owns decides nothing", async () => {
    const stage = await stageWithTwo();
    stage.outside.setOwner(logPath, 4242);
    stage.outside.removeFile(configPath);
    const { config } = await stage.open();
    assert.deepEqual(config.value, {}, "what they planted runs");
    assert.ok(!stage.outside.list().includes(configPath), "what they planted is published");
    await assert.rejects(config.setAt(["a"], 5), { code: "UNSAFE_FILE" });
  });

  test("that may not be listed is said to be so, and counts for nothing", async () => {
    const stage = await stageWithTwo();
    const reader = stage.start();
    reader.host.faults = ({ operation, path }) => {
      return operation === "list" && path === logPath ? { error: "EACCES" } : undefined;
    };
    const warnings: string[] = [];
    await reader.open({ logger: { warn: (message: string) => void warnings.push(message) } });
    assert.deepEqual([reader.config.value, reader.config.snapshot().generation], [{ a: 2 }, 1]);
    assert.deepEqual(warnings.filter((warning) => /no history/.test(warning)), []);
    assert.equal(warnings.length, 1, warnings.join("\n"));
  });

  test("that is only begun is no log that was deleted", async () => {
    const stage = new Stage('{"a":1}');
    const [writer, other] = [await stage.open(), stage.start()];
    const writing = await writer.writeUpTo(/^link log\/g\.1$/, (config) => config.setAt(["a"], 2));
    await other.open();
    assert.equal(other.config.snapshot().generation, 1);
    writer.goOn();
    await stage.disk.settle();
    assert.equal(endOf(writing), "done");
    await other.config.reload();
    assert.deepEqual([other.config.value, other.config.snapshot().generation], [{ a: 2 }, 2]);
  });

  for (const begun of ["over a file", "with a seed"]) {
    test(`begun ${begun} and deleted is followed by numbers that nothing ever had`, async () => {
      const stage = new Stage(begun === "over a file" ? '{"a":1}' : undefined);
      const first = await stage.open({ seed: { a: 1 } });
      if (begun === "over a file") await first.config.setAt(["a"], 2);
      await first.config.close();
      stage.outside.removeDirectory(logPath);
      const { config } = await stage.open();
      await config.setAt(["a"], 5);
      assert.ok(config.snapshot().generation > 1000, `${config.snapshot().generation}`);
    });
  }

  test("is for its owner alone", async () => {
    const stage = new Stage('{"a":1}');
    const { config } = await stage.open();
    const modes = new Set<number>();
    await config.setAt(["a"], 2);
    for (const path of stage.outside.list()) modes.add((await stage.start().host.stat(path)).mode);
    assert.deepEqual([...modes], [0o600]);
    assert.equal((await stage.start().host.stat(logPath)).mode, 0o700);
  });
});
