// runs on: node-24
/** The intent in the log of a config file: after cuts and kills at every call, in bad company, and beside those who watch. */
import assert from "node:assert/strict";
import type { MemoryHost, OutsideProgram } from "../../adapters/memory.ts";
import { intentBytesMax } from "../../src/core/limits.ts";
import { file } from "../../src/store/file/file.ts";
import type { OpenStore } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, logDirectory, type LogDisk, namesInLog } from "../support/log_disk.ts";
import { path } from "../support/memory_config.ts";
import { cutEveryWay } from "../support/power_choices.ts";
import { watchEnd } from "../support/protocol_stage.ts";

const old = { id: "old", beat: 1 };
const next = { id: "old", beat: 2 };

interface Trial extends LogDisk {
  readonly host: MemoryHost;
  readonly store: OpenStore;
}

async function openOn(host: MemoryHost, warnings: string[] = []): Promise<OpenStore> {
  const warn = (message: string) => void warnings.push(message);
  return await file(path).open({ host, keepAlive: false, history: 50, warn });
}

/** A disk with an old intent on it, durably, and a process that has the store open. */
async function withOld(): Promise<Trial> {
  const disk = diskWith('{"a":1}');
  const first = await openOn(disk.start().host);
  assert.equal(await first.writeIntent(old, undefined), true);
  await first.close();
  disk.outside.sync();
  const { host } = disk.start();
  return { ...disk, host, store: await openOn(host) };
}

/** From its nth operation on, every one waits. */
function stopAt(host: MemoryHost, nth: number): { readonly count: () => number } {
  let count = 0;
  host.faults = () => {
    count += 1;
    return count >= nth ? new Promise<void>(() => {}) : undefined;
  };
  return { count: () => count };
}

async function countOperations(write: (store: OpenStore) => Promise<unknown>): Promise<number> {
  const { host, store } = await withOld();
  const { count } = stopAt(host, Infinity);
  await write(store);
  return count();
}

const intents = (outside: OutsideProgram) => namesInLog(outside, "intent.").sort();
const numbered = (outside: OutsideProgram) =>
  intents(outside).filter((name) => !name.endsWith(".tmp"));

describe("an intent beside a config file", () => {
  const writes = [["replaced", next], ["removed", undefined]] as const;
  for (const [what, intent] of writes) {
    test(`is the old or the new one after a cut at any call while it is ${what}`, async () => {
      const write = (store: OpenStore) => store.writeIntent(intent, old);
      const operations = await countOperations(write);
      assert.ok(operations > 8, `${operations} operations`);
      for (let nth = 1; nth <= operations + 1; nth++) {
        await cutEveryWay(async () => {
          const { disk, host, store } = await withOld();
          stopAt(host, nth);
          const watched = watchEnd(write(store));
          await disk.settle();
          const isDone = watched.outcome()?.value === true;
          const judge = async () => {
            const warnings: string[] = [];
            const after = await openOn(disk.process(), warnings);
            const found = await after.readIntent();
            const allowed = isDone ? [intent] : [old, intent];
            const texts = allowed.map((each) => JSON.stringify(each));
            assert.ok(texts.includes(JSON.stringify(found)), `found ${JSON.stringify(found)}`);
            assert.deepEqual(warnings, []);
            assert.equal(await after.writeIntent({ id: "after" }, found), true);
            assert.deepEqual(await after.readIntent(), { id: "after" });
          };
          return { powerCut: disk.powerCut, judge };
        });
      }
    });

    test(`is the old or the new one after a kill at any call while it is ${what}`, async () => {
      const write = (store: OpenStore) => store.writeIntent(intent, old);
      const operations = await countOperations(write);
      for (let nth = 1; nth <= operations; nth++) {
        const { disk, host, store, start, outside } = await withOld();
        stopAt(host, nth);
        watchEnd(write(store));
        await disk.settle();
        host.kill();
        const after = await openOn(start().host);
        const found = await after.readIntent();
        assert.ok([JSON.stringify(old), JSON.stringify(intent)].includes(JSON.stringify(found)));
        await disk.advance(61_000);
        assert.equal(await after.writeIntent({ id: "after" }, found), true);
        assert.equal(intents(outside).length, 1, `left ${intents(outside)}, stopped at ${nth}`);
      }
    });
  }

  test("is the old one, or tells that nobody knows, where any call fails", async () => {
    const operations = await countOperations((store) => store.writeIntent(next, old));
    for (let nth = 1; nth <= operations; nth++) {
      const { host, store, outside } = await withOld();
      let count = 0;
      host.faults = () => ++count === nth ? { error: "EIO" } : undefined;
      const watched = await store.writeIntent(next, old).then(
        (isWritten) => isWritten ? "written" : "not written",
        (error: { code: string }) => error.code,
      );
      host.faults = undefined;
      const found = await store.readIntent();
      const expected = watched === "written" || watched === "COMMIT_UNKNOWN" ? next : old;
      assert.deepEqual(found, expected, `${watched} at ${nth}`);
      assert.ok(["written", "COMMIT_UNKNOWN", "IO"].includes(watched), `${watched} at ${nth}`);
      const drafts = intents(outside).length - numbered(outside).length;
      assert.ok(drafts <= 1, `left ${intents(outside)}`);
    }
  });

  test("that a writer stood still over does not come back", async () => {
    const { disk, host, store, start } = await withOld();
    let goOn = () => {};
    host.faults = ({ operation }) => {
      return operation === "link" ? new Promise<void>((resolve) => goOn = resolve) : undefined;
    };
    const slow = watchEnd(store.writeIntent(next, old));
    await disk.settle();
    const other = await openOn(start().host);
    let expected = old;
    for (let beat = 10; beat < 13; beat++) {
      assert.equal(await other.writeIntent({ id: "other", beat }, expected), true);
      expected = { id: "other", beat };
    }
    host.faults = undefined;
    goOn();
    await disk.settle();
    assert.deepEqual(slow.outcome(), { value: false });
    assert.deepEqual(await other.readIntent(), expected);
    assert.deepEqual(await store.readIntent(), expected);
    // Nor after one that said that there is nothing any more.
    assert.equal(await other.writeIntent(undefined, expected), true);
    assert.equal(await store.readIntent(), undefined);
    assert.equal(await store.writeIntent(next, expected), false);
  });

  test("has mode 600, one file, and is nothing that a history or a purge knows of", async () => {
    const { outside, host, store } = await withOld();
    await store.writeIntent(next, old);
    assert.deepEqual(intents(outside), ["intent.2"]);
    const { mode } = await host.stat(`${logDirectory}/intent.2`);
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual(await store.generations(), []);
    assert.equal((await store.adopt(await store.load())).generation, 1);
    await store.writeIntent(undefined, next);
    assert.deepEqual(intents(outside), ["intent.3"]);
  });

  test("that is damaged is told of and counts as none", async () => {
    const damages: ((text: string) => string)[] = [
      (text) => text.replace('"beat":1', '"beat":7'),
      (text) => text.slice(0, -1),
      (text) => text.slice(0, text.indexOf("\n")),
      (text) => text.replace("intent 1", "intent 2"),
      () => "",
      () => '{"id":"theirs"}',
      () => "\0".repeat(100),
      () => "x".repeat(2 * intentBytesMax),
    ];
    for (const damage of damages) {
      const { outside, start } = await withOld();
      const stored = `${logDirectory}/intent.1`;
      outside.writeFile(stored, damage(outside.readFile(stored)));
      const warnings: string[] = [];
      const store = await openOn(start().host, warnings);
      assert.equal(await store.readIntent(), undefined);
      assert.match(warnings.join(), /^Cannot read the intent in .*intent\.1: found no whole one/);
      assert.equal(await store.writeIntent(next, old), false);
      assert.equal(await store.writeIntent(next, undefined), true);
      assert.deepEqual(await store.readIntent(), next);
    }
  });

  test("does not mind a FIFO or a directory in its place, nor names that are like its own", async () => {
    for (const make of ["makeFifo", "makeDirectory"] as const) {
      const { outside, start } = await withOld();
      outside[make](`${logDirectory}/intent.5`);
      for (const name of ["intent.x", "intent.07", "intent.9999999999999999", "intent.6.bak"]) {
        outside.writeFile(`${logDirectory}/${name}`, "theirs");
      }
      const warnings: string[] = [];
      const store = await openOn(start().host, warnings);
      assert.equal(await store.readIntent(), undefined);
      assert.match(warnings.join(), /intent\.5: found no whole one/);
      assert.equal(await store.writeIntent(next, undefined), true);
      assert.deepEqual(await store.readIntent(), next);
    }
  });

  test("is not read where others can write the log, and not written where nobody can", async () => {
    const { outside, start } = await withOld();
    outside.setMode(logDirectory, 0o777);
    const warnings: string[] = [];
    const store = await openOn(start().host, warnings);
    assert.equal(await store.readIntent(), undefined);
    assert.match(warnings.join(), /which lets others write/);
    await assert.rejects(store.writeIntent(next, undefined), { code: "UNSAFE_FILE" });
    outside.setMode(logDirectory, 0o700);
    const { host } = start();
    host.faults = ({ operation }) => operation === "create" ? { error: "EROFS" } : undefined;
    const readOnly = await openOn(host);
    assert.deepEqual(await readOnly.readIntent(), old);
    await assert.rejects(readOnly.writeIntent(next, old), { code: "READ_ONLY" });
    assert.deepEqual(await readOnly.readIntent(), old);
  });

  test("goes with a log that is deleted, and comes with a new one", async () => {
    const { outside, store } = await withOld();
    outside.removeDirectory(logDirectory);
    assert.equal(await store.readIntent(), undefined);
    assert.equal(await store.writeIntent(next, old), false);
    assert.equal(await store.writeIntent(next, undefined), true);
    assert.deepEqual(await store.readIntent(), next);
  });

  test("stands beside the file that a link leads to", async () => {
    const { outside, start } = await withOld();
    outside.makeDirectory("/home");
    outside.symlink(path, "/home/config.json");
    const context = { keepAlive: false, history: 50, warn: () => {} };
    const linked = await file("/home/config.json").open({ ...context, host: start().host });
    assert.deepEqual(await linked.readIntent(), old);
    assert.equal(await linked.writeIntent(next, old), true);
    assert.deepEqual(numbered(outside), ["intent.2"]);
  });

  test("wakes nobody who watches the file", async () => {
    const { disk, host, store } = await withOld();
    await store.load();
    let looks = 0;
    const watch = await store.watch({
      timing: { debounceMs: 0, pollMs: 60_000 },
      look: () => Promise.resolve(void looks++),
    });
    const other = await openOn(disk.process());
    // The first one finds out whether the place can be written.
    assert.equal(await other.writeIntent(next, old), true);
    await host.advance(5000);
    const before = looks;
    assert.equal(await other.writeIntent({ ...next, beat: 3 }, next), true);
    assert.equal(await other.writeIntent(undefined, { ...next, beat: 3 }), true);
    await host.advance(5000);
    assert.equal(looks, before);
    await watch.close();
  });

  test("that is not there costs one listing of the log, and one stat of what is not there", async () => {
    const disk = diskWith('{"a":1}');
    const { host } = disk.start();
    const store = await openOn(host);
    await store.load();
    const operations: string[] = [];
    host.faults = ({ operation }) => void operations.push(operation);
    assert.equal(await store.readIntent(), undefined);
    assert.deepEqual(operations.sort(), ["list", "stat"]);
  });
});
