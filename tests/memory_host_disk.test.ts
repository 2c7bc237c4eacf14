// runs on: all
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { memoryHost } from "../adapters/memory.ts";
import type { MemoryHost } from "../adapters/memory.ts";
import { assertRefused, createFile } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function hostWithDirectory(): MemoryHost {
  const host = memoryHost();
  host.outside.makeDirectory("/d");
  return host;
}

describe("the clock of the host in memory", () => {
  test("stands still until it is advanced, and then shows each moment", async () => {
    const host = memoryHost({ startMs: 1000 });
    const seen: number[] = [];
    const waiting = (async () => {
      for (const ms of [10, 20]) {
        await host.sleep(ms, { keepAlive: false });
        seen.push(host.now());
      }
    })();
    await host.advance(9);
    assert.deepEqual(seen, []);
    await host.advance(91);
    await waiting;
    assert.deepEqual(seen, [1010, 1030]);
    assert.equal(host.now(), 1100);
    assert.equal(host.monotonic(), 100);
  });

  test("sleeps that interleave end in order, equal ones in the order they began", async () => {
    const host = memoryHost();
    const order: string[] = [];
    const repeat = async (name: string, ms: number): Promise<void> => {
      while (host.monotonic() < 30) {
        await host.sleep(ms, { keepAlive: false });
        order.push(`${name}${host.monotonic()}`);
      }
    };
    const both = Promise.all([repeat("a", 10), repeat("b", 15)]);
    await host.advance(100);
    await both;
    assert.deepEqual(order, ["a10", "b15", "a20", "b30", "a30"]);
  });

  test("what a sleep sets off settles before the next one ends", async () => {
    const host = hostWithDirectory();
    const order: string[] = [];
    const first = host.sleep(1, { keepAlive: false }).then(async () => {
      await createFile(host, "/d/a", "text");
      await new Promise<void>((resolve) => setImmediate(resolve));
      order.push(text((await host.read("/d/a", 10)).bytes));
    });
    const second = host.sleep(2, { keepAlive: false }).then(() => order.push("second"));
    await host.advance(2);
    await Promise.all([first, second]);
    assert.deepEqual(order, ["text", "second"]);
  });

  test("advances that overlap follow one another", async () => {
    const host = memoryHost({ startMs: 0 });
    await Promise.all([host.advance(5), host.advance(7)]);
    assert.equal(host.now(), 12);
  });

  test("a jump moves what the clock shows and nothing else", async () => {
    const host = memoryHost({ startMs: 10_000 });
    let slept = false;
    const sleeping = host.sleep(100, { keepAlive: false }).then(() => (slept = true));
    host.jumpClock(-5000);
    assert.equal(host.now(), 5000);
    host.jumpClock(1_000_000);
    await host.advance(99);
    assert.equal(slept, false);
    await host.advance(1);
    await sleeping;
    assert.equal(host.monotonic(), 100);
    assert.equal(host.now(), 1_005_100);
  });
});

describe("the disk of the host in memory", () => {
  test("an in-place write keeps the inode and shows through every name, a replacement does not", async () => {
    const host = hostWithDirectory();
    host.outside.writeFile("/d/a", "1", { mode: 0o640, userId: 7 });
    await host.link("/d/a", "/d/b");
    const before = await host.stat("/d/a");
    host.outside.writeFile("/d/a", "2");
    assert.equal(host.outside.readFile("/d/b"), "2");
    assert.deepEqual(await host.stat("/d/a"), before);
    host.outside.replaceFile("/d/a", "3");
    assert.equal(host.outside.readFile("/d/b"), "2");
    assert.notEqual((await host.stat("/d/a")).identity, before.identity);
    assert.deepEqual([before.mode, before.userId], [0o640, 7]);
    host.outside.setOwner("/d/a", 8);
    assert.equal((await host.stat("/d/a")).userId, 8);
  });

  test("syncs are recorded with what they made durable", async () => {
    const host = hostWithDirectory();
    await createFile(host, "/d/a", "text");
    await host.rename("/d/a", "/d/b");
    await host.sync("/d/b");
    await host.syncDirectory("/d");
    const { identity } = await host.stat("/d/b");
    assert.deepEqual(host.syncs, [
      { kind: "file", path: "/d/a", identity },
      { kind: "file", path: "/d/b", identity },
      { kind: "directory", path: "/d", identity: (await host.stat("/d")).identity },
    ]);
  });

  test("what the platform cannot do is not done", async () => {
    const host = memoryHost({ capabilities: { platform: "windows", directorySync: false } });
    await host.syncDirectory("/");
    assert.deepEqual(host.syncs, []);
    assert.equal(host.capabilities.platform, "windows");
    assert.equal(host.capabilities.modes, true);
  });

  test("a move of one name onto another of the same file keeps both, as POSIX has it", async () => {
    const host = hostWithDirectory();
    host.outside.writeFile("/d/a", "text");
    await host.link("/d/a", "/d/b");
    await host.rename("/d/a", "/d/b");
    assert.deepEqual(host.outside.list(), ["/d/a", "/d/b"]);
  });

  test("a directory cannot be moved into itself", () => {
    const host = hostWithDirectory();
    host.outside.makeDirectory("/d/sub");
    assert.throws(() => host.outside.rename("/d", "/d/sub/d"), /EINVAL/);
  });

  test("a closed file takes nothing more", async () => {
    const host = hostWithDirectory();
    const file = await host.create("/d/a", 0o600);
    await file.close();
    await assertRefused(file.write(new Uint8Array(1)), "write", "/d/a", "EBADF");
    await assertRefused(file.close(), "close", "/d/a", "EBADF");
  });

  test("the bytes that were read or written can be changed without changing the file", async () => {
    const host = hostWithDirectory();
    const given = new TextEncoder().encode("text");
    const file = await host.create("/d/a", 0o600);
    await file.write(given);
    given.fill(0);
    (await host.read("/d/a", 10)).bytes.fill(0);
    host.outside.readBytes("/d/a").fill(0);
    assert.equal(host.outside.readFile("/d/a"), "text");
  });

  test("hosts share nothing, and are the same at every run", () => {
    const [first, second] = [memoryHost(), memoryHost()];
    first.outside.writeFile("/a/b", "text");
    assert.deepEqual(second.outside.list(), []);
    assert.deepEqual(first.random(32), second.random(32));
    assert.equal(first.now(), second.now());
    assert.notDeepEqual(memoryHost({ seed: 2 }).random(32), memoryHost({ seed: 3 }).random(32));
  });

  test("user and environment are as they were given", () => {
    const host = memoryHost({ userId: 7, variables: { HOME: "/home/x" } });
    assert.equal(host.userId(), 7);
    assert.equal(host.variable("HOME"), "/home/x");
    assert.equal(memoryHost({ userId: null }).userId(), undefined);
    assert.equal(memoryHost().variable("HOME"), undefined);
  });
});
