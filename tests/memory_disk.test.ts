// runs on: all
import assert from "node:assert/strict";
import { memoryDisk, memoryHost } from "../adapters/memory.ts";
import type { MemoryDisk, MemoryHost } from "../adapters/memory.ts";
import { assertRefused, createFile } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";

function diskWithFile(): MemoryDisk {
  const disk = memoryDisk({ settle: "microtasks" });
  disk.outside.writeFile("/d/a", "a");
  disk.outside.sync();
  return disk;
}

/** Remembers whether something has settled, either way. */
function watchSettling(promises: Iterable<Promise<unknown>>): () => number {
  let settled = 0;
  const count = (): void => void (settled += 1);
  for (const promise of promises) promise.then(count, count);
  return () => settled;
}

/** One of every operation that takes its time. */
function everything(host: MemoryHost): Promise<unknown>[] {
  const watching = { hint: () => {}, failed: () => {}, keepAlive: false };
  return [
    host.create("/d/new", 0o600),
    host.read("/d/a", 10),
    host.sync("/d/a"),
    host.syncDirectory("/d"),
    host.link("/d/a", "/d/linked"),
    host.rename("/d/a", "/d/moved"),
    host.remove("/d/a"),
    host.makeDirectory("/d/sub", 0o700),
    host.list("/d"),
    host.stat("/d/a"),
    host.resolve("/d/a"),
    host.watch("/d", watching),
    host.sleep(1, { keepAlive: false }),
    host.sleep(1, { keepAlive: false, signal: AbortSignal.abort() }),
  ];
}

describe("processes on a disk in memory", () => {
  test("share the disk and the clock, and nothing else", async () => {
    const disk = memoryDisk({ startMs: 5 });
    const first = disk.process({ name: "first", variables: { A: "1" } });
    const second = disk.process({ userId: 7 });
    disk.outside.makeDirectory("/d");
    let hints = 0;
    const failed = () => {};
    await second.watch("/d", { hint: () => hints += 1, failed, keepAlive: false });
    const attempts: string[] = [];
    first.faults = ({ operation, count }) => void attempts.push(`${operation} ${count}`);
    await createFile(first, "/d/a", "text");
    assert.equal((await second.read("/d/a", 10)).bytes.length, 4);
    await disk.advance(10);
    assert.ok(hints > 0);
    assert.deepEqual([first.now(), second.now()], [15, 15]);
    assert.deepEqual(attempts, ["create 1", "write 2", "sync 3", "close 4"]);
    assert.deepEqual([first.name, second.name], ["first", "memory"]);
    assert.deepEqual([first.userId(), second.userId()], [1000, 7]);
    assert.deepEqual([first.variable("A"), second.variable("A")], ["1", undefined]);
    assert.notDeepEqual(first.random(16), second.random(16));
    assert.equal(first.disk, disk);
    assert.equal(first.syncs, disk.syncs);
    second.outside.writeFile("/d/b", "text");
    assert.equal((await first.stat("/d/b")).userId, 7);
  });

  test("the host of its own disk is the first process of it", () => {
    const [alone, first] = [memoryHost(), memoryDisk().process()];
    assert.deepEqual(alone.random(16), first.random(16));
    assert.deepEqual(
      memoryHost({ seed: 3 }).random(9),
      memoryDisk().process({ seed: 3 }).random(9),
    );
  });
});

describe("the end of a process in memory", () => {
  test("nothing that waits for the hook has an effect or settles", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    const answers: (() => void)[] = [];
    host.faults = ({ count }) =>
      new Promise<void>((resolve, reject) => {
        answers.push(count % 2 === 0 ? resolve : () => reject(new Error("late")));
      });
    const settled = watchSettling(everything(host).slice(0, 13));
    host.kill();
    for (const answer of answers) answer();
    await disk.advance(100);
    assert.equal(answers.length, 12);
    assert.equal(settled(), 0);
    assert.deepEqual(disk.outside.list(), ["/d/a"]);
    assert.deepEqual(disk.syncs, []);
  });

  test("nothing that was let go, and not done yet, has an effect", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    let release = (): void => {};
    host.faults = () => new Promise<void>((resolve) => release = resolve);
    const settled = watchSettling([host.remove("/d/a")]);
    release();
    host.kill();
    await disk.settle();
    assert.equal(settled(), 0);
    assert.deepEqual(disk.outside.list(), ["/d/a"]);
  });

  test("nothing that it asks for later passes the hook, has an effect or settles", async () => {
    const directorySync = false;
    for (const disk of [diskWithFile(), memoryDisk({ capabilities: { directorySync } })]) {
      const host = disk.process();
      const before = disk.outside.list();
      let asked = 0;
      const file = await host.create("/open", 0o600);
      host.faults = () => void (asked += 1);
      host.kill();
      host.kill();
      const handle = [file.write(new Uint8Array(1)), file.sync(), file.close()];
      const settled = watchSettling([...everything(host), ...handle]);
      await disk.advance(100);
      assert.deepEqual([asked, settled()], [0, 0]);
      assert.deepEqual(disk.outside.list(), [...before, "/open"]);
      assert.equal(disk.outside.readFile("/open"), "");
    }
  });

  test("its watches are closed and its sleeps never end; those of others go on", async () => {
    const disk = diskWithFile();
    const [killed, other] = [disk.process(), disk.process()];
    const told: string[] = [];
    const watching = (name: string) => ({
      hint: () => told.push(name),
      failed: () => told.push(`${name} failed`),
      keepAlive: false,
    });
    await killed.watch("/d", watching("killed"));
    await other.watch("/d", watching("other"));
    const abort = new AbortController();
    const { signal } = abort;
    const sleeping = [
      killed.sleep(5, { keepAlive: false }),
      killed.sleep(5, { keepAlive: false, signal }),
    ];
    const settled = watchSettling(sleeping);
    const slept = other.sleep(5, { keepAlive: false });
    disk.outside.writeFile("/d/a", "b");
    killed.endWatches();
    killed.kill();
    abort.abort();
    await disk.advance(100);
    assert.deepEqual(told, ["other"]);
    assert.equal(settled(), 0);
    assert.equal(await slept, true);
    await assertRefused(other.read("/none", 1), "read", "/none", "ENOENT");
  });

  test("what it wrote stays, and a process may be started after it", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    await createFile(host, "/d/b", "b");
    host.kill();
    const again = disk.process();
    assert.deepEqual((await again.list("/d")).sort(), ["a", "b"]);
  });
});

describe("the power cut of a disk in memory", () => {
  test("ends every process, and others can be started at once", async () => {
    const disk = diskWithFile();
    const [first, second] = [disk.process(), disk.process()];
    const settled = watchSettling([first, second].flatMap((host) => everything(host).slice(0, 13)));
    disk.powerCut({ order: "prefix", choose: () => 0 });
    await disk.advance(100);
    assert.equal(settled(), 0);
    const host = disk.process();
    assert.deepEqual(await host.list("/d"), ["a"]);
    await createFile(host, "/d/b", "b");
    assert.deepEqual(disk.outside.list(), ["/d/a", "/d/b"]);
  });

  test("what it left is durable", async () => {
    for (const order of ["any", "prefix"] as const) {
      const disk = diskWithFile();
      const host = disk.process();
      await host.rename("/d/a", "/d/b");
      disk.outside.writeFile("/d/b", "unsynced", { synced: false });
      disk.powerCut({ order, choose: (bound) => Math.min(1, bound - 1) });
      const left = disk.outside.list().map((path) => disk.outside.readFile(path));
      const choose = (): number => assert.fail("nothing is left to chance");
      for (const again of ["any", "prefix"] as const) disk.powerCut({ order: again, choose });
      assert.deepEqual(disk.outside.list().map((path) => disk.outside.readFile(path)), left);
    }
  });

  test("keeps what a file is, and gives no identity twice", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    disk.outside.setMode("/d/a", 0o640);
    const before = await host.stat("/d/a");
    await host.link("/d/a", "/d/b");
    const lost = await (await host.create("/d/c", 0o600), host.stat("/d/c"));
    disk.powerCut({ order: "prefix", choose: () => 1 });
    const next = disk.process();
    assert.deepEqual(await next.stat("/d/a"), before);
    assert.equal((await next.stat("/d/b")).identity, before.identity);
    await next.create("/d/c", 0o600);
    assert.notEqual((await next.stat("/d/c")).identity, lost.identity);
  });

  test("another program can sync one path or everything", () => {
    const disk = diskWithFile();
    disk.outside.writeFile("/d/b", "b", { synced: false });
    disk.outside.writeFile("/e/c", "c", { synced: false });
    disk.outside.sync("/d");
    disk.outside.sync("/d/b");
    assert.throws(() => disk.outside.sync("/none"), /ENOENT/);
    disk.powerCut({ order: "any", choose: () => 0 });
    assert.deepEqual(disk.outside.list(), ["/d/a", "/d/b"]);
    assert.equal(disk.outside.readFile("/d/b"), "b");
    disk.outside.writeFile("/e/c", "c", { synced: false });
    disk.outside.sync();
    disk.powerCut({ order: "prefix", choose: () => 0 });
    assert.equal(disk.outside.readFile("/e/c"), "c");
  });

  test("a choice out of bounds is refused", () => {
    for (const choice of [-1, 2, 0.5, NaN]) {
      const disk = diskWithFile();
      disk.outside.removeFile("/d/a");
      const cut = { order: "any", choose: () => choice } as const;
      assert.throws(() => disk.powerCut(cut), RangeError);
    }
  });
});
