import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import { intentBytesMax } from "../../src/core/limits.ts";
import type { OpenStore } from "../../src/store/store.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import type { StoreUnderTest } from "./store.ts";

const first = { id: "one", base: 1, beat: 0 };
const second = { id: "other", base: 1, beat: 0 };

/** What every store must do with the intent that it keeps beside its document. */
export function storeIntentContract(name: string, make: () => Promise<StoreUnderTest>): void {
  async function opened(t: TestContext, count = 1): Promise<readonly [OpenStore, ...OpenStore[]]> {
    const { store, host, dispose } = await make();
    t.after(dispose);
    const warnings: string[] = [];
    t.after(() => assert.deepEqual(warnings, []));
    const warn = (message: string) => void warnings.push(message);
    const all: OpenStore[] = [];
    for (let index = 0; index < count; index++) {
      const open = await store.open({ host, keepAlive: false, history: 50, warn });
      t.after(() => open.close());
      all.push(open);
    }
    return all as [OpenStore, ...OpenStore[]];
  }

  const put = async (open: OpenStore, document: Json) => {
    const base = await open.load();
    return await open.commit({
      document,
      base,
      refused: undefined,
      cause: { origin: "commit", calls: [] },
    });
  };

  describe(`store contract on ${name}, intents`, () => {
    test("an empty store has none, and takes one before any document", async (t) => {
      const [open] = await opened(t);
      assert.equal(await open.readIntent(), undefined);
      assert.equal(await open.writeIntent(first, undefined), true);
      assert.deepEqual(await open.readIntent(), first);
      const { document, generation } = await open.load();
      assert.deepEqual([document, generation], [undefined, 0]);
      assert.deepEqual(await open.generations(), []);
      assert.equal((await put(open, { a: 1 })).generation, 1);
      assert.deepEqual(await open.readIntent(), first);
    });

    test("one is replaced only where it is the one expected", async (t) => {
      const [open] = await opened(t);
      await put(open, { a: 1 });
      assert.equal(await open.writeIntent(undefined, first), false);
      assert.equal(await open.writeIntent(first, second), false);
      assert.equal(await open.readIntent(), undefined);
      assert.equal(await open.writeIntent(first, undefined), true);
      assert.equal(await open.writeIntent(second, undefined), false);
      assert.equal(await open.writeIntent(second, { ...first, beat: 1 }), false);
      assert.deepEqual(await open.readIntent(), first);
      // Whatever the order of its keys.
      const { id, ...rest } = first;
      assert.equal(await open.writeIntent({ ...first, beat: 1 }, { ...rest, id }), true);
      assert.equal(await open.writeIntent(undefined, first), false);
      assert.equal(await open.writeIntent(undefined, { ...first, beat: 1 }), true);
      assert.equal(await open.readIntent(), undefined);
      assert.equal(await open.writeIntent(undefined, { ...first, beat: 1 }), false);
      assert.equal(await open.writeIntent(second, undefined), true);
      assert.deepEqual(await open.readIntent(), second);
    });

    test("it is shared by all openings, and of those who race one wins", async (t) => {
      const all = await opened(t, 4);
      await put(all[0], { a: 1 });
      let expected: Json | undefined;
      for (let round = 0; round < 5; round++) {
        const given = all.map((_, index) => ({ id: `${index}`, beat: round }));
        const results = await Promise.all(
          all.map((open, index) => open.writeIntent(given[index]!, expected)),
        );
        assert.equal(results.filter((isWritten) => isWritten).length, 1, `round ${round}`);
        expected = given[results.indexOf(true)]!;
        for (const open of all) assert.deepEqual(await open.readIntent(), expected);
      }
      const removals = await Promise.all(all.map((open) => open.writeIntent(undefined, expected)));
      assert.equal(removals.filter((isRemoved) => isRemoved).length, 1);
    });

    test("it disturbs neither generations nor commits, and they do not disturb it", async (t) => {
      const [open, other] = await opened(t, 2);
      const stored = await put(open, { a: 1 });
      let intent: Json | undefined;
      for (let beat = 0; beat < 20; beat++) {
        const next = { id: "one", beat };
        assert.equal(await other!.writeIntent(next, intent), true);
        intent = next;
      }
      const loaded = await open.load();
      assert.deepEqual([loaded.generation, loaded.hash], [1, stored.hash]);
      // On what was seen before the intent came.
      const change = { refused: undefined, cause: { origin: "commit", calls: [] } } as const;
      const next = await open.commit({ ...change, document: { a: 2 }, base: stored });
      assert.equal(next.generation, 2);
      assert.equal(await open.purge(2), 1);
      assert.deepEqual(await open.generations(), [2]);
      assert.deepEqual(await open.readIntent(), intent);
      const removed = await open.commit({ ...change, document: undefined, base: next });
      assert.deepEqual(await open.readIntent(), intent);
      assert.equal(await other!.writeIntent(undefined, intent), true);
      assert.deepEqual(await open.generations(), [3, 2]);
      assert.equal((await open.load()).generation, removed.generation);
    });

    test("any JSON is one, up to a limit", async (t) => {
      const [open] = await opened(t);
      let expected: Json | undefined;
      for (const next of [null, 0, "ä\n\u0000\u2028", [], {}, { a: [1, { b: null }] }]) {
        const text = JSON.stringify(next);
        // What no text of PostgreSQL holds as it is, JSON escapes.
        assert.equal(await open.writeIntent(next, expected), true, text);
        assert.deepEqual(await open.readIntent(), next);
        expected = next;
      }
      const largest = "x".repeat(intentBytesMax - 2);
      assert.equal(await open.writeIntent(largest, expected), true);
      assert.equal(await open.readIntent(), largest);
      await assert.rejects(open.writeIntent(`${largest}x`, largest), { code: "TOO_LARGE" });
      assert.equal(await open.readIntent(), largest);
    });
  });
}
