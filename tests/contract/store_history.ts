import assert from "node:assert/strict";
import type { Cause } from "../../src/core/cause.ts";
import type { Json } from "../../src/core/document.ts";
import type { Loaded } from "../../src/source/source.ts";
import type { OpenStore } from "../../src/store/store.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import type { StoreUnderTest } from "./store.ts";

const plain: Cause = { origin: "commit", calls: [] };

/** What every store must do with the generations that it keeps. */
export function storeHistoryContract(name: string, make: () => Promise<StoreUnderTest>): void {
  async function opened(t: TestContext, history: number = 50): Promise<OpenStore> {
    const { store, host, dispose } = await make();
    t.after(dispose);
    const open = await store.open({ host, keepAlive: false, history, warn: () => {} });
    t.after(() => open.close());
    return open;
  }

  const put = (open: OpenStore, document: Json | undefined, base: Loaded, cause = plain) =>
    open.commit({ document, base, refused: undefined, cause });

  async function filled(open: OpenStore, count: number): Promise<Loaded[]> {
    const stored = [await open.load()];
    for (let a = 1; a <= count; a++) stored.push(await put(open, { a }, stored.at(-1)!));
    return stored;
  }

  describe(`store contract on ${name}, history`, () => {
    test("an empty store has none", async (t) => {
      const open = await opened(t);
      assert.deepEqual(await open.generations(), []);
      assert.equal(await open.read(0), undefined);
      assert.equal(await open.read(1), undefined);
      assert.equal(await open.purge(1), 0);
    });

    test("tells the newest first, and gives back what is kept", async (t) => {
      const open = await opened(t);
      const stored = await filled(open, 3);
      assert.deepEqual(await open.generations(), [3, 2, 1]);
      for (const generation of [1, 2, 3]) {
        const { at, document, hash, parent, parentHash, origin, calls } =
          (await open.read(generation))!;
        assert.deepEqual({ document, hash, parent, parentHash, origin, calls }, {
          document: { a: generation },
          hash: stored[generation]!.hash,
          parent: generation - 1,
          parentHash: stored[generation - 1]!.hash,
          origin: "commit",
          calls: [],
        });
        assert.equal(new Date(at).toISOString(), at);
      }
      assert.equal(await open.read(4), undefined);
    });

    test("records why, and at whose request", async (t) => {
      const open = await opened(t);
      const causes: Cause[] = [
        { origin: "seed", calls: [] },
        {
          origin: "commit",
          calls: [
            { actor: "one", reason: "because", changes: [{ path: ["a", 0], kind: "added" }] },
            { changes: [{ path: [], kind: "changed" }], more: 3 },
          ],
        },
        { origin: "rollback", calls: [{ actor: "ä\n\u0000\u2028", changes: [] }] },
        { origin: "migration", calls: [] },
      ];
      let base = await open.load();
      for (const [a, cause] of causes.entries()) base = await put(open, { a }, base, cause);
      for (const [index, { origin, calls }] of causes.entries()) {
        const stored = (await open.read(index + 1))!;
        assert.deepEqual([stored.origin, stored.calls], [origin, calls]);
      }
      const { record } = await open.load();
      assert.deepEqual([record?.origin, record?.calls], ["migration", []]);
    });

    test("what is restored is a generation of its own, with the same content", async (t) => {
      const open = await opened(t);
      const stored = await filled(open, 2);
      const restored = await open.commit({
        document: { a: 1 },
        base: stored[2]!,
        refused: undefined,
        cause: { origin: "rollback", calls: [] },
        restores: { generation: 1, hash: stored[1]!.hash },
      });
      assert.deepEqual([restored.generation, restored.hash], [3, stored[1]!.hash]);
      const loaded = await open.load();
      assert.deepEqual(loaded.document, { a: 1 });
      assert.equal(loaded.generation, 3);
      const { parent, parentHash, origin, document } = (await open.read(3))!;
      assert.deepEqual({ parent, parentHash, origin, document }, {
        parent: 2,
        parentHash: stored[2]!.hash,
        origin: "rollback",
        document: { a: 1 },
      });
    });

    test("a removal is a generation, and the next one goes on counting", async (t) => {
      const open = await opened(t);
      const stored = await filled(open, 2);
      const removed = await put(open, undefined, stored[2]!);
      const loaded = await open.load();
      for (const { document, hash, generation, fault } of [removed, loaded]) {
        assert.deepEqual({ document, hash, generation, fault }, {
          document: undefined,
          hash: "",
          generation: 3,
          fault: undefined,
        });
      }
      assert.deepEqual(await open.generations(), [3, 2, 1]);
      assert.equal((await open.read(3))?.document, undefined);
      assert.equal((await open.read(3))?.hash, "");
      assert.deepEqual((await open.read(2))?.document, { a: 2 });
      await assert.rejects(put(open, { a: 9 }, stored[2]!), { code: "CONFLICT" });
      const again = await put(open, { a: 4 }, await open.adopt(loaded));
      assert.equal(again.generation, 4);
      assert.deepEqual([(await open.read(4))?.parent, (await open.read(4))?.parentHash], [3, ""]);
      assert.deepEqual((await open.load()).document, { a: 4 });
    });

    test("a purge deletes what is older, and never the newest", async (t) => {
      const open = await opened(t);
      const stored = await filled(open, 5);
      assert.equal(await open.purge(0), 0);
      assert.equal(await open.purge(1), 0);
      assert.equal(await open.purge(3), 2);
      assert.equal(await open.purge(3), 0);
      assert.deepEqual(await open.generations(), [5, 4, 3]);
      for (const gone of [1, 2]) assert.equal(await open.read(gone), undefined);
      assert.deepEqual((await open.read(3))?.document, { a: 3 });
      await assert.rejects(open.purge(6), { code: "CONFLICT" });
      assert.equal(await open.purge(5), 2);
      assert.deepEqual(await open.generations(), [5]);
      assert.deepEqual((await open.load()).document, { a: 5 });
      assert.equal((await put(open, { a: 6 }, stored[5]!)).generation, 6);
      assert.deepEqual(await open.generations(), [6, 5]);
    });

    test("keeps at least as much as is asked for, and not everything", async (t) => {
      const open = await opened(t, 3);
      await filled(open, 40);
      const kept = await open.generations();
      assert.ok(kept.length >= 3, `kept ${kept}`);
      assert.deepEqual(kept.slice(0, 3), [40, 39, 38]);
      for (const generation of kept) {
        assert.deepEqual((await open.read(generation))?.document, { a: generation });
      }
      assert.equal(await open.read(1), undefined);
    });

    test("is shared by all openings of a store", async (t) => {
      const { store, host, dispose } = await make();
      t.after(dispose);
      const context = { host, keepAlive: false, history: 50, warn: () => {} };
      const [one, other] = [await store.open(context), await store.open(context)];
      t.after(() => Promise.all([one.close(), other.close()]));
      const [, first] = await filled(one, 1);
      const second = await put(other, { a: 2 }, await other.adopt(await other.load()));
      assert.deepEqual(await one.generations(), [2, 1]);
      assert.deepEqual((await one.read(2))?.hash, second.hash);
      assert.deepEqual((await other.read(1))?.hash, first!.hash);
      assert.equal(await other.purge(2), 1);
      assert.deepEqual(await one.generations(), [2]);
      assert.equal(await one.read(1), undefined);
    });
  });
}

/** A store whose place other programs can write. */
export interface EditableUnderTest extends StoreUnderTest {
  /** Puts a text in the place of what is stored, as an editor does. */
  readonly save: (text: string) => Promise<void>;
}

/** What a store must do about those who write past it. */
export function storeEditsContract(name: string, make: () => Promise<EditableUnderTest>): void {
  describe(`store contract on ${name}, edits`, () => {
    test("what somebody else wrote becomes a generation when it is adopted", async (t) => {
      const { store, host, dispose, save } = await make();
      t.after(dispose);
      const context = { host, keepAlive: false, history: 50, warn: () => {} };
      const [open, other] = [await store.open(context), await store.open(context)];
      t.after(() => Promise.all([open.close(), other.close()]));
      const stored = await open.commit({
        document: { a: 1 },
        base: await open.load(),
        refused: undefined,
        cause: plain,
      });
      await save('{"a":5}');
      const loaded = await open.load();
      assert.deepEqual([loaded.document, loaded.record], [{ a: 5 }, undefined]);
      const adopted = await open.adopt(loaded);
      assert.deepEqual([adopted.generation, adopted.hash], [2, loaded.hash]);
      assert.equal(adopted.record?.origin, "external");
      const { origin, calls, parent, parentHash, document } = (await open.read(2))!;
      assert.deepEqual({ origin, calls, parent, parentHash, document }, {
        origin: "external",
        calls: [],
        parent: 1,
        parentHash: stored.hash,
        document: { a: 5 },
      });
      const seen = await other.load();
      assert.deepEqual([seen.generation, seen.record?.origin], [2, "external"]);
      assert.deepEqual(await other.generations(), [2, 1]);
      const conflicting = { document: { a: 6 }, base: stored, refused: undefined, cause: plain };
      await assert.rejects(open.commit(conflicting), { code: "CONFLICT" });
      const next = await open.commit({ ...conflicting, base: adopted });
      assert.equal(next.generation, 3);
    });
  });
}
