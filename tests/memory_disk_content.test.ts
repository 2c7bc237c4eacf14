// runs on: all
import assert from "node:assert/strict";
import type { MemoryHost } from "../adapters/memory.ts";
import { assertRefused } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";
import { type Act, leftBy } from "./support/power_cuts.ts";

/** What can be left of the content of one file whose name is durable. */
async function contentsLeftBy(act: Act): Promise<string[]> {
  const left = await leftBy("any", async (host, disk) => {
    await act(host, disk);
    await host.syncDirectory("/d");
  });
  return left.map((one) => one.replace("/d/a=", ""));
}

async function append(host: MemoryHost, ...texts: string[]): Promise<void> {
  const file = await host.create("/d/a", 0o600);
  for (const text of texts) {
    if (text === "sync") await file.sync();
    else if (text === "failing sync") {
      host.faults = () => ({ error: "EIO" });
      await assertRefused(file.sync(), "sync", "/d/a", "EIO");
      host.faults = undefined;
    } else await file.write(new TextEncoder().encode(text));
  }
}

const sorted = (...texts: string[]): string[] => texts.sort();

describe("what a power cut leaves of a content", () => {
  test("nothing, all, a beginning, or a beginning and zeros, when it was never synced", async () => {
    const left = await contentsLeftBy((host) => append(host, "a", "b"));
    assert.deepEqual(left, sorted("", "ab", "a", "__", "a_"));
  });

  test("all that was synced, by any name and any process", async () => {
    assert.deepEqual(await contentsLeftBy((host) => append(host, "ab", "sync")), ["ab"]);
    const synced = await contentsLeftBy(async (host, disk) => {
      await append(host, "ab");
      await host.link("/d/a", "/e/b");
      await disk.process().sync("/e/b");
    });
    assert.deepEqual(synced, sorted("ab", "ab /e/b=ab"));
  });

  test("all that was synced and some of what came after", async () => {
    const left = await contentsLeftBy((host) => append(host, "a", "sync", "bc"));
    assert.deepEqual(left, sorted("a", "abc", "ab", "a__", "ab_"));
  });

  test("the old, the new, a torn one or a mixture, when it was written over", async () => {
    const left = await contentsLeftBy((_, { outside }) => {
      outside.writeFile("/d/a", "xyz");
      outside.writeFile("/d/a", "AB", { synced: false });
    });
    assert.deepEqual(left, sorted("xyz", "AB", "", "A", "__", "A_", "Ayz", "ABz", "xB"));
  });

  test("what was written over before it was synced, too", async () => {
    const left = await contentsLeftBy((_, { outside }) => {
      for (const text of ["1", "2", "3"]) outside.writeFile("/d/a", text, { synced: false });
    });
    assert.deepEqual(left, sorted("", "1", "2", "3", "_"));
    const synced = await contentsLeftBy((_, { outside }) => {
      for (const text of ["1", "2"]) outside.writeFile("/d/a", text, { synced: false });
      outside.sync("/d/a");
      outside.writeFile("/d/a", "3", { synced: false });
    });
    assert.deepEqual(synced, sorted("", "2", "3", "_"));
  });

  test("what another program wrote, unless it does not sync", async () => {
    const acts = ["writeFile", "replaceFile"] as const;
    for (const act of acts) {
      assert.deepEqual(await contentsLeftBy((_, { outside }) => outside[act]("/d/a", "x")), ["x"]);
      const unsynced = await contentsLeftBy((_, { outside }) => {
        outside[act]("/d/a", "x", { synced: false });
      });
      assert.deepEqual(unsynced, sorted("", "_", "x"));
    }
  });

  test("no more for later syncs, once a sync has failed", async () => {
    for (const last of [[], ["sync"], ["failing sync"], ["sync", "sync"]]) {
      const left = await contentsLeftBy((host) => append(host, "ab", "failing sync", ...last));
      assert.deepEqual(left, sorted("", "ab", "a", "__", "a_"), last.join());
    }
    const twice = await contentsLeftBy((host) => {
      return append(host, "a", "sync", "b", "failing sync", "c", "failing sync", "sync");
    });
    assert.deepEqual(twice, sorted("a", "abc", "ab", "a__", "ab_"));
    const byPath = await contentsLeftBy(async (host) => {
      await append(host, "a");
      host.faults = ({ operation }) => operation === "sync" ? { error: "EIO" } : undefined;
      await assertRefused(host.sync("/d/a"), "sync", "/d/a", "EIO");
      await assertRefused(host.sync("/d/none"), "sync", "/d/none", "EIO");
      host.faults = undefined;
      await host.sync("/d/a");
    });
    assert.deepEqual(byPath, sorted("", "a", "_"));
  });

  test("what was written after a failed sync and synced, with a hole before it or without", async () => {
    const acts = ["a", "sync", "bc", "failing sync", "d", "sync"];
    const left = await contentsLeftBy((host) => append(host, ...acts));
    assert.deepEqual(left, sorted("a__d", "ab_d", "a_cd", "abcd"));
    const twice = await contentsLeftBy((host) =>
      append(host, ...acts, "e", "failing sync", "sync")
    );
    for (const content of twice) assert.match(content, /^a[b_][c_]d[e_]?$/);
    assert.ok(twice.includes("a__d") && twice.includes("abcde"));
  });

  test("all that was written anew after a failed sync, and all that was synced before one", async () => {
    const anew = await contentsLeftBy(async (host, { outside }) => {
      await append(host, "ab", "failing sync");
      outside.writeFile("/d/a", "ab", { synced: false });
      await host.sync("/d/a");
    });
    assert.deepEqual(anew, ["ab"]);
    const before = await contentsLeftBy((host) => append(host, "ab", "sync", "failing sync"));
    assert.deepEqual(before, ["ab"]);
  });

  test("an empty file where it was emptied and the sync failed, or what it held", async () => {
    const left = await contentsLeftBy(async (host, { outside }) => {
      outside.writeFile("/d/a", "x");
      outside.writeFile("/d/a", "", { synced: false });
      host.faults = ({ operation }) => operation === "sync" ? { error: "EIO" } : undefined;
      await assertRefused(host.sync("/d/a"), "sync", "/d/a", "EIO");
      host.faults = undefined;
      await host.sync("/d/a");
    });
    assert.deepEqual(left, ["", "x"]);
  });
});
