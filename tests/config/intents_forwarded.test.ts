// runs on: all
/** Stores that are laid around another one keep their intents where that one does. */
import assert from "node:assert/strict";
import { file } from "../../src/store/file/file.ts";
import { withLastGood } from "../../src/store/last_good.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { storeIntentContract } from "../contract/store_intent.ts";
import { memoryHostUnderTest } from "../support/host_under_test.ts";
import { describe, test } from "../support/kit.ts";

const around: Record<string, (directory: string) => readonly [around: Store, within: Store]> = {
  layers: () => {
    const head = memory();
    return [layered({ layers: [memory(), head, memory()], head: 1 }), head];
  },
  "a file that extends others": (directory) => {
    const path = `${directory}/config.json`;
    return [file(path, { extends: true }), file(path)];
  },
  "a store with a last good document": (directory) => {
    const store = memory();
    return [withLastGood(store, `${directory}/kept.json`, 1000) as Store, store];
  },
};

for (const [name, make] of Object.entries(around)) {
  storeIntentContract(name, async () => {
    const under = await memoryHostUnderTest();
    return { ...under, store: make(under.directory)[0] };
  });

  describe(`the intent of ${name}`, () => {
    test("is that of the store within", async (t) => {
      const { host, directory, dispose } = await memoryHostUnderTest();
      t.after(dispose);
      const context = { host, keepAlive: false, history: 50, warn: () => {} };
      const [outer, inner] = make(directory);
      const [open, within] = [await outer.open(context), await inner.open(context)];
      t.after(() => Promise.all([open.close(), within.close()]));
      assert.equal(await open.writeIntent("outer", undefined), true);
      assert.equal(await within.readIntent(), "outer");
      assert.equal(await within.writeIntent("inner", "outer"), true);
      assert.equal(await open.readIntent(), "inner");
    });
  });
}
