import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import type { Host } from "../../src/host/host.ts";
import type { Loaded } from "../../src/source/source.ts";
import type { OpenStore, Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { describe, test, type TestContext } from "../support/kit.ts";

/** An empty store to be tried. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly host: Host;
  /** Lets time pass where the store lives. */
  readonly elapse: (ms: number) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What every store must do, whatever keeps its document. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  async function opened(t: TestContext): Promise<StoreUnderTest & { open: OpenStore }> {
    const under = await make();
    t.after(under.dispose);
    const open = await openOn(under);
    t.after(() => open.close());
    return { ...under, open };
  }

  const put = (open: OpenStore, document: Json, base: Loaded) =>
    open.commit({ document, base, refused: undefined, cause: { origin: "commit", calls: [] } });

  describe(`store contract on ${name}`, () => {
    test("an empty store holds nothing, at generation 0", async (t) => {
      const { open } = await opened(t);
      const { document, fault, hash, generation } = await open.load();
      assert.deepEqual({ document, fault, hash, generation }, {
        document: undefined,
        fault: undefined,
        hash: "",
        generation: 0,
      });
    });

    test("each commit is the next generation, and a load gives it back", async (t) => {
      const { open } = await opened(t);
      let base = await open.load();
      for (const [index, document] of [{ a: 1 }, { a: [1, { b: null }] }, "text"].entries()) {
        base = await put(open, document, base);
        const loaded = await open.load();
        assert.equal(base.generation, index + 1);
        assert.equal(loaded.generation, index + 1);
        assert.equal(loaded.hash, base.hash);
        assert.match(loaded.hash, /^sha256:[0-9a-f]{64}$/);
        assert.deepEqual(loaded.document, document);
      }
    });

    test("a commit on anything but the newest conflicts and stores nothing", async (t) => {
      const { open } = await opened(t);
      const empty = await open.load();
      const first = await put(open, { a: 1 }, empty);
      for (const stale of [empty, { ...first, generation: 0, hash: empty.hash }]) {
        await assert.rejects(put(open, { a: 2 }, stale), { code: "CONFLICT" });
      }
      assert.deepEqual((await open.load()).document, { a: 1 });
      assert.equal((await put(open, { a: 3 }, first)).generation, 2);
    });

    test("of two openings of one store, the one that lost sees what the other wrote", async (t) => {
      const under = await opened(t);
      const { open } = under;
      const other = await openOn(under);
      t.after(() => other.close());
      const base = await other.load();
      await put(open, { a: "one" }, await open.load());
      await assert.rejects(put(other, { a: "other" }, base), { code: "CONFLICT" });
      const seen = await other.adopt(await other.load());
      assert.deepEqual(seen.document, { a: "one" });
      assert.equal(seen.generation, 1);
      assert.equal((await put(other, { a: "other" }, seen)).generation, 2);
    });

    test("a watcher is told of another's commit, and of nothing after its end", async (t) => {
      const under = await opened(t);
      const { open, elapse } = under;
      let looks = 0;
      const watch = await open.watch({
        timing: { debounceMs: 0, pollMs: 60_000 },
        look: () => Promise.resolve(void looks++),
      });
      await eventually("the look after the start", () => looks > 0, elapse);
      const before = looks;
      const other = await openOn(under);
      t.after(() => other.close());
      const stored = await put(other, { a: 1 }, await other.load());
      await eventually("the watcher looked", () => looks > before, elapse);
      await watch.close();
      await watch.close();
      const after = looks;
      await put(other, { a: 2 }, stored);
      await elapse(50);
      assert.equal(looks, after);
    });
  });
}

async function openOn({ store, host }: StoreUnderTest): Promise<OpenStore> {
  return await store.open({ host, keepAlive: false, history: 50, warn: () => {} });
}
