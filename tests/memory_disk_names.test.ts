// runs on: all
import assert from "node:assert/strict";
import type { MemoryHost } from "../adapters/memory.ts";
import { assertRefused, createFile } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";
import { type Act, leftBy } from "./support/power_cuts.ts";

const sorted = (...texts: string[]): string[] => texts.sort();

describe("what a power cut leaves of names", () => {
  const orders = ["any", "prefix"] as const;
  const setUp = async (host: MemoryHost, ...names: string[]): Promise<void> => {
    for (const name of names) host.outside.writeFile(name, name.slice(-1));
    host.outside.sync();
    await host.stat("/");
  };

  test("each operation is there or not, until its directory is synced", async () => {
    const acts: readonly (readonly [string, string, Act])[] = [
      ["/d/a=a", "/d/a=a /d/n=", async (host) => void await host.create("/d/n", 0o600)],
      ["/d/a=a", "/d/a=a /d/n=a", (host) => host.link("/d/a", "/d/n")],
      ["/d/a=a", "", (host) => host.remove("/d/a")],
      ["/d/a=a", "/d/a=a /d/n=n", (host) => host.outside.writeFile("/d/n", "n")],
      ["/d/a=a", "", (host) => host.outside.removeFile("/d/a")],
    ];
    for (const order of orders) {
      for (const [before, after, act] of acts) {
        const unsynced: Act = async (host, disk) => {
          await setUp(host, "/d/a");
          await act(host, disk);
          host.faults = () => ({ error: "EIO" });
          await assertRefused(host.syncDirectory("/d"), "syncDirectory", "/d", "EIO");
          host.faults = undefined;
        };
        const synced: Act = async (host, disk) => {
          await unsynced(host, disk);
          await host.syncDirectory("/d");
        };
        assert.deepEqual(await leftBy(order, unsynced), sorted(before, after));
        assert.deepEqual(await leftBy(order, synced), [after]);
      }
    }
  });

  test("a move is one operation of a journal, and two on another disk", async () => {
    const act: Act = async (host) => {
      await setUp(host, "/d/a");
      await host.rename("/d/a", "/e/b");
    };
    assert.deepEqual(await leftBy("prefix", act), sorted("/d/a=a", "/e/b=a"));
    assert.deepEqual(await leftBy("any", act), sorted("", "/d/a=a", "/d/a=a /e/b=a", "/e/b=a"));
    for (const [directory, left] of [["/d", ["", "/e/b=a"]], ["/e", ["/d/a=a /e/b=a", "/e/b=a"]]]) {
      const synced: Act = async (host, disk) => {
        await act(host, disk);
        await host.syncDirectory(directory as string);
      };
      assert.deepEqual(await leftBy("any", synced), left);
      assert.deepEqual(await leftBy("prefix", synced), ["/e/b=a"]);
    }
  });

  test("a move over a file can leave neither under the name, but with a journal", async () => {
    const act: Act = async (host) => {
      await setUp(host, "/d/a", "/d/b");
      await host.rename("/d/a", "/d/b");
    };
    assert.deepEqual(await leftBy("prefix", act), sorted("/d/a=a /d/b=b", "/d/b=a"));
    const left = sorted("", "/d/a=a", "/d/a=a /d/b=a", "/d/a=a /d/b=b", "/d/b=a", "/d/b=b");
    assert.deepEqual(await leftBy("any", act), left);
  });

  test("a journal keeps what came first, and a sync all up to the last change there", async () => {
    const act: Act = async (host) => {
      for (const path of ["/d/1", "/e/2", "/d/3", "/e/4"]) await host.create(path, 0o600);
    };
    const steps = ["", "/d/1=", "/d/1= /e/2=", "/d/1= /d/3= /e/2=", "/d/1= /d/3= /e/2= /e/4="];
    assert.deepEqual(await leftBy("prefix", act), sorted(...steps));
    assert.equal((await leftBy("any", act)).length, 16);
    const synced: Act = async (host, disk) => {
      await act(host, disk);
      await host.syncDirectory("/d");
    };
    assert.deepEqual(await leftBy("prefix", synced), sorted(...steps.slice(3)));
    assert.deepEqual(
      await leftBy("any", synced),
      ["", " /e/2=", " /e/2= /e/4=", " /e/4="].map((rest) => `/d/1= /d/3=${rest}`),
    );
  });

  test("a sync keeps what was changed since the last one there, and is not undone", async () => {
    const act: Act = async (host) => {
      await host.create("/d/1", 0o600);
      await host.syncDirectory("/d");
      await host.create("/e/2", 0o600);
      await host.syncDirectory("/d");
    };
    const removed: Act = async (host, disk) => {
      await act(host, disk);
      await host.remove("/d/1");
      await host.syncDirectory("/d");
      await host.create("/d/3", 0o600);
    };
    for (const order of orders) {
      assert.deepEqual(await leftBy(order, act), ["/d/1=", "/d/1= /e/2="]);
    }
    assert.deepEqual(await leftBy("any", removed), ["", "/d/3=", "/d/3= /e/2=", "/e/2="]);
    assert.deepEqual(await leftBy("prefix", removed), ["/d/3= /e/2=", "/e/2="]);
  });

  test("of the changes to one name the last that was kept counts", async () => {
    const act: Act = async (host) => {
      await setUp(host, "/d/a", "/d/b");
      await host.remove("/d/a");
      await host.link("/d/b", "/d/a");
      await host.remove("/d/a");
    };
    const left = ["/d/a=a /d/b=b", "/d/a=b /d/b=b", "/d/b=b"];
    for (const order of orders) assert.deepEqual(await leftBy(order, act), left);
  });

  test("what a lost directory held is lost with it", async () => {
    const act: Act = async (host) => {
      await host.makeDirectory("/d/new/sub", 0o700);
      await createFile(host, "/d/new/sub/a", "a");
      await host.syncDirectory("/d/new/sub");
    };
    assert.deepEqual(await leftBy("any", act), ["", "/d/new/sub/a=a"]);
    assert.deepEqual(await leftBy("prefix", act), ["/d/new/sub/a=a"]);
  });

  test("a directory keeps one of two names, and no loop is left", async () => {
    const moved = await leftBy("any", async (host) => {
      await setUp(host, "/d/x/a");
      await host.rename("/d/x", "/e/x");
    });
    assert.deepEqual(moved, ["", "/d/x/a=a", "/e/x/a=a"]);
    const looped = await leftBy("any", async (host) => {
      await setUp(host, "/d/x/a", "/d/y/b");
      await host.rename("/d/x", "/d/y/x");
      await host.rename("/d/y/x", "/d/x");
      await host.rename("/d/y", "/d/x/y");
    });
    assert.ok(looped.includes("/d/x/a=a /d/x/y/b=b"));
    for (const left of looped) {
      for (const file of ["a=a", "b=b"]) assert.ok(left.split(file).length <= 2, left);
    }
  });
});
