// runs on: all
import assert from "node:assert/strict";
import { memoryHost } from "../adapters/memory.ts";
import type { Attempt, MemoryHost } from "../adapters/memory.ts";
import { assertRefused, createFile } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";

const quiet = { failed: () => {}, keepAlive: false };

function hostWithDirectory(): MemoryHost {
  const host = memoryHost();
  host.outside.makeDirectory("/d");
  return host;
}

describe("faults of the host in memory", () => {
  test("every operation can be refused, and does nothing then", async () => {
    const host = hostWithDirectory();
    host.outside.writeFile("/d/a", "kept");
    const file = await host.create("/d/open", 0o600);
    const before = host.outside.list();
    host.faults = () => ({ error: "EIO" });
    const refused: readonly (readonly [Promise<unknown>, Attempt["operation"], string])[] = [
      [host.create("/d/new", 0o600), "create", "/d/new"],
      [host.read("/d/a", 10), "read", "/d/a"],
      [host.sync("/d/a"), "sync", "/d/a"],
      [host.syncDirectory("/d"), "syncDirectory", "/d"],
      [host.link("/d/a", "/d/b"), "link", "/d/b"],
      [host.rename("/d/a", "/d/b"), "rename", "/d/b"],
      [host.remove("/d/a"), "remove", "/d/a"],
      [host.makeDirectory("/d/sub", 0o700), "makeDirectory", "/d/sub"],
      [host.list("/d"), "list", "/d"],
      [host.stat("/d/a"), "stat", "/d/a"],
      [host.resolve("/d/a"), "resolve", "/d/a"],
      [host.watch("/d", { hint: () => {}, ...quiet }), "watch", "/d"],
      [file.write(new Uint8Array(1)), "write", "/d/open"],
      [file.sync(), "sync", "/d/open"],
      [file.close(), "close", "/d/open"],
    ];
    for (const [attempt, operation, path] of refused) {
      await assertRefused(attempt, operation, path, "EIO");
    }
    host.faults = undefined;
    assert.deepEqual(host.outside.list(), before);
    assert.equal(host.outside.readFile("/d/a"), "kept");
    assert.equal(host.outside.readFile("/d/open"), "");
    assert.deepEqual(host.syncs, []);
  });

  test("the hook is told the operation, the paths and the count", async () => {
    const host = hostWithDirectory();
    const attempts: Attempt[] = [];
    host.faults = (attempt) => void attempts.push(attempt);
    const file = await host.create("/d/a", 0o600);
    await file.close();
    await host.rename("/d/a", "/d/b");
    assert.deepEqual(attempts, [
      { operation: "create", path: "/d/a", count: 1 },
      { operation: "close", path: "/d/a", count: 2 },
      { operation: "rename", path: "/d/b", from: "/d/a", count: 3 },
    ]);
  });

  test("a write can be short", async () => {
    const host = hostWithDirectory();
    const file = await host.create("/d/a", 0o600);
    host.faults = ({ operation }) => operation === "write" ? { shortWrite: 3 } : undefined;
    assert.equal(await file.write(new TextEncoder().encode("12345")), 3);
    assert.equal(await file.write(new TextEncoder().encode("45")), 2);
    assert.equal(host.outside.readFile("/d/a"), "12345");
    host.outside.removeFile("/d/a");
    await createFile(host, "/d/a", "a loop writes it whole");
    assert.equal(host.outside.readFile("/d/a"), "a loop writes it whole");
  });

  test("a stalled operation stops nobody else, a paused one goes on", async () => {
    const host = hostWithDirectory();
    host.outside.writeFile("/d/a", "a");
    let resume = (): void => {};
    host.faults = ({ path }) => {
      if (path === "/d/stalled") return new Promise(() => {});
      if (path === "/d/paused") {
        return new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
      return undefined;
    };
    const ended: string[] = [];
    void host.link("/d/a", "/d/stalled").then(() => ended.push("stalled"));
    const paused = host.link("/d/a", "/d/paused").then(() => ended.push("paused"));
    await host.link("/d/a", "/d/other");
    await host.advance(1000);
    assert.deepEqual(ended, []);
    assert.deepEqual(host.outside.list(), ["/d/a", "/d/other"]);
    resume();
    await paused;
    assert.deepEqual(host.outside.list(), ["/d/a", "/d/other", "/d/paused"]);
  });

  test("a paused operation meets what happened meanwhile", async () => {
    const host = hostWithDirectory();
    let resume = (): void => {};
    host.faults = () => new Promise<void>((resolve) => (resume = resolve));
    const creating = host.create("/d/a", 0o600);
    host.outside.writeFile("/d/a", "theirs");
    resume();
    await assertRefused(creating, "create", "/d/a", "EEXIST");
  });
});

describe("watches of the host in memory", () => {
  test("a hint waits for the clock", async () => {
    const host = memoryHost({ hintDelayMs: 5 });
    host.outside.makeDirectory("/d");
    let hints = 0;
    await host.watch("/d", { hint: () => hints += 1, ...quiet });
    host.outside.writeFile("/d/a", "a");
    await host.advance(4);
    assert.equal(hints, 0);
    await host.advance(1);
    assert.equal(hints, 1);
  });

  test("hints can be lost", async () => {
    const host = hostWithDirectory();
    let hints = 0;
    await host.watch("/d", { hint: () => hints += 1, ...quiet });
    host.faults = ({ operation }) => operation === "hint" ? { lost: true } : undefined;
    host.outside.writeFile("/d/a", "a");
    await host.advance(10);
    assert.equal(hints, 0);
    host.faults = undefined;
    host.outside.writeFile("/d/a", "b");
    await host.advance(10);
    assert.equal(hints, 1);
  });

  test("hints can come twice, or late", async () => {
    const host = hostWithDirectory();
    const hintsAt: number[] = [];
    const watch = await host.watch("/d", { hint: () => hintsAt.push(host.monotonic()), ...quiet });
    host.faults = ({ operation }) => operation === "hint" ? { twice: true } : undefined;
    host.outside.writeFile("/d/a", "a");
    await host.advance(10);
    host.faults = ({ operation }) => operation === "hint" ? { lateMs: 20 } : undefined;
    host.outside.writeFile("/d/a", "b");
    await host.advance(20);
    assert.deepEqual(hintsAt, [1, 1]);
    host.outside.writeFile("/d/a", "c");
    await host.advance(2);
    watch.close();
    await host.advance(100);
    assert.deepEqual(hintsAt, [1, 1, 31]);
  });

  test("a watch can end by itself, once, and then hints no more", async () => {
    const host = hostWithDirectory();
    const failures: unknown[] = [];
    let hints = 0;
    const options = {
      hint: () => hints += 1,
      failed: (error: unknown) => failures.push(error),
      keepAlive: false,
    };
    await host.watch("/d", options);
    const closed = await host.watch("/d", options);
    host.endWatches("ENOSPC");
    host.endWatches();
    closed.close();
    await host.advance(10);
    host.outside.writeFile("/d/a", "a");
    await host.advance(10);
    assert.equal(hints, 0);
    assert.equal(failures.length, 1);
    await assertRefused(Promise.reject(failures[0]), "watch", "/d", "ENOSPC");
  });

  test("a watch stays with its directory, not with the path", async () => {
    const host = hostWithDirectory();
    let hints = 0;
    await host.watch("/d", { hint: () => hints += 1, ...quiet });
    host.outside.rename("/d", "/moved");
    host.outside.makeDirectory("/d");
    host.outside.writeFile("/d/a", "unseen");
    await host.advance(10);
    assert.equal(hints, 0);
    host.outside.writeFile("/moved/a", "seen");
    await host.advance(10);
    assert.equal(hints, 1);
  });

  test("a watched directory that is removed hints once and then never", async () => {
    const host = hostWithDirectory();
    let hints = 0;
    await host.watch("/d", { hint: () => hints += 1, ...quiet });
    host.outside.removeDirectory("/d");
    host.outside.makeDirectory("/d");
    host.outside.writeFile("/d/a", "unseen");
    await host.advance(10);
    assert.equal(hints, 1);
  });
});
