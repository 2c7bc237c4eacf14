/** What every source must do, as a suite over any source: whoever follows one relies on no more than this. */
import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import { isHoldfastError, type Path } from "../../src/core/error.ts";
import type { Host } from "../../src/host/host.ts";
import type { Loaded, OpenSource, Source } from "../../src/source/source.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "../support/eventually.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import type { EditableUnderTest } from "./store_history.ts";

/** A source to be tried, whose document, with all that it is laid over, is `{ "rate": 1 }`. */
export interface SourceUnderTest {
  readonly source: Source;
  readonly host: Host;
  /** Somebody else makes the rate another one; undefined where nobody can. */
  readonly give?: ((rate: number) => Promise<void>) | undefined;
  /** Somebody else puts there what is no document; undefined where nobody can. */
  readonly spoil?: (() => Promise<void>) | undefined;
  /** Lets time pass where the source lives. */
  readonly elapse: (ms: number) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** A store to be followed, which others write and spoil. */
export async function storeAsSource(under: EditableUnderTest): Promise<SourceUnderTest> {
  const { store, host, save } = under;
  await commitRate(store, host, 1);
  const give = (rate: number) => commitRate(store, host, rate);
  return { ...under, source: store, give, spoil: async () => await save("{ what?") };
}

/** What another config does. */
export async function commitRate(store: Store, host: Host, rate: number): Promise<void> {
  const open = await store.open({ host, keepAlive: false, history: 50, warn: () => {} });
  const base = await open.load();
  const refused = base.more === true ? await open.load(base.generation) : undefined;
  const cause = { origin: "commit", calls: [] } as const;
  await open.commit({ document: { rate }, base, refused, cause });
  await open.close();
}

/** No poll within a test. */
const seldomMs = 600_000;

/** What every source must do, wherever its document comes from. */
export function sourceContract(name: string, make: () => Promise<SourceUnderTest>): void {
  describe(`source contract on ${name}`, () => {
    sourceLoadContract(make);
    sourceWatchContract(make);
  });
}

function sourceLoadContract(make: () => Promise<SourceUnderTest>): void {
  test("a load gives the document, a hash, a generation and a name", async (t) => {
    const { source, open } = await opened(make, t);
    const loaded = await open.load();
    const { fault, hash, generation, warnings, resolvedPaths } = loaded;
    assert.deepEqual([wholeOf(loaded), fault], [{ rate: 1 }, undefined]);
    assert.match(hash, /^sha256:[0-9a-f]{64}$/);
    assert.ok(Number.isSafeInteger(generation) && generation >= 0, String(generation));
    assert.ok(source.name !== "" && open.backend !== "");
    assert.ok([...warnings, ...resolvedPaths].every((text) => typeof text === "string"));
  });

  test("loads without a change are alike, and what one gave stays as it was", async (t) => {
    const { open, give } = await opened(make, t);
    const first = await open.load();
    const [document, whole] = [structuredClone(first.document), structuredClone(wholeOf(first))];
    assert.deepEqual(await contentOf(open), [{ rate: 1 }, first.hash]);
    first.locate([["rate"]]);
    await give?.(2);
    await open.load();
    assert.deepEqual([first.document, wholeOf(first)], [document, whole]);
  });

  test("loads at the same moment do not disturb each other", async (t) => {
    const { open } = await opened(make, t);
    const loads = await Promise.all(Array.from({ length: 12 }, () => open.load()));
    for (const loaded of loads) {
      assert.deepEqual([wholeOf(loaded), loaded.hash], [{ rate: 1 }, loads[0]!.hash]);
    }
  });

  test("locate gives a place for every path, in order", async (t) => {
    const { open } = await opened(make, t);
    const { locate } = await open.load();
    const paths: Path[] = [["rate"], [], ["no", "such", 0], ["rate", "below"], ["__proto__"]];
    const places = locate(paths);
    assert.equal(places.length, paths.length);
    for (const { source, line, column } of places) {
      assert.ok(typeof source === "string" && source !== "");
      for (const count of [line, column]) assert.ok(count === undefined || count >= 1);
    }
    assert.deepEqual(locate([]), []);
  });

  test("two openings know nothing of each other", async (t) => {
    const { open, give, reopen } = await opened(make, t);
    const other = await reopen();
    const before = await contentOf(other);
    await open.close();
    assert.deepEqual(await contentOf(other), before);
    if (give === undefined) return;
    await give(2);
    assert.deepEqual((await contentOf(other))[0], { rate: 2 });
  });

  test("closing twice is closing once", async (t) => {
    const { open } = await opened(make, t);
    await open.load();
    await Promise.all([open.close(), open.close()]);
    await open.close();
  });

  test("another document has another hash, and every opening sees it", async (t) => {
    const { open, give, reopen } = await opened(make, t);
    if (give === undefined) return;
    const [, first] = await contentOf(open);
    await give(2);
    const [document, hash] = await contentOf(open);
    assert.deepEqual(document, { rate: 2 });
    assert.notEqual(hash, first);
    assert.deepEqual(await contentOf(await reopen()), [document, hash]);
  });

  test("a document and its hash come from one read, whatever goes on meanwhile", async (t) => {
    const { open, give } = await opened(make, t);
    if (give === undefined) return;
    const loads: Promise<Loaded>[] = [];
    for (let rate = 2; rate <= 12; rate++) {
      loads.push(open.load(), open.load());
      await give(rate % 3);
      loads.push(open.load());
    }
    const rates = new Map<string, Json | undefined>();
    for (const loaded of await Promise.all(loads)) {
      assert.equal(loaded.fault, undefined);
      const whole = wholeOf(loaded);
      if (!rates.has(loaded.hash)) rates.set(loaded.hash, whole);
      assert.deepEqual(whole, rates.get(loaded.hash));
    }
  });

  test("what is no document is an answer with a code, and over once it is mended", async (t) => {
    const { open, give, spoil } = await opened(make, t);
    if (spoil === undefined) return;
    const before = await open.load();
    await spoil();
    // A store with a history would go back to the newest generation.
    const answer = await open.load(before.generation).catch((error: unknown) => ({ fault: error }));
    assert.ok(isHoldfastError(answer.fault), `no fault of holdfast: ${String(answer.fault)}`);
    if ("locate" in answer) {
      assert.notEqual(answer.hash, before.hash);
      assert.equal(answer.locate([["rate"]]).length, 1);
    }
    await give!(3);
    const after = await open.load();
    assert.deepEqual([wholeOf(after), after.fault], [{ rate: 3 }, undefined]);
  });
}

function sourceWatchContract(make: () => Promise<SourceUnderTest>): void {
  test("a watcher is told of a change, whether it is heard or only found by polling", async (t) => {
    for (const hears of [true, false]) {
      const under = await make();
      t.after(under.dispose);
      const host = hears ? under.host : deaf(under.host);
      const { open, give, elapse } = await opened(() => Promise.resolve({ ...under, host }), t);
      if (give === undefined) return;
      let seen: Json | undefined;
      const watch = await open.watch({
        timing: { debounceMs: 1, maxWaitMs: 5, pollMs: 20 },
        look: async () => void ([seen] = await contentOf(open)),
      });
      t.after(() => watch.close());
      for (const rate of [2, 3]) {
        await give(rate);
        await eventually(`rate ${rate} is seen`, () => isRate(seen, rate), elapse);
      }
    }
  });

  test("where nothing changes nobody is told, but for the look at the start", async (t) => {
    const { open, elapse } = await opened(make, t);
    let looks = 0;
    const watch = await open.watch({
      timing: { debounceMs: 1, maxWaitMs: 5, pollMs: seldomMs },
      look: async () => {
        looks++;
        await open.load();
      },
    });
    t.after(() => watch.close());
    assert.ok(["events", "polling"].includes(watch.mode));
    await elapse(200);
    // One for each part of what is composed.
    assert.ok(looks <= 2, `${looks} looks`);
  });

  test("no two looks at once, and what came during one leads to another", async (t) => {
    const { open, give, elapse } = await opened(make, t);
    let [looks, running, most] = [0, 0, 0];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => goOn = resolve);
    const watch = await open.watch({
      timing: { debounceMs: 0, maxWaitMs: 1, pollMs: 5 },
      look: async () => {
        looks++;
        most = Math.max(most, ++running);
        await held;
        await open.load();
        running--;
      },
    });
    t.after(() => watch.close());
    if (give === undefined) return;
    t.after(goOn);
    await give(2);
    await eventually("a look is under way", () => looks > 0, elapse);
    for (const rate of [3, 4, 5]) {
      await give(rate);
      await elapse(20);
    }
    assert.deepEqual([looks, most], [1, 1]);
    goOn();
    await eventually("there was another look", () => looks > 1, elapse);
    await elapse(20);
    assert.equal(most, 1);
  });

  test("closing a watch waits for the look under way, and nothing comes afterwards", async (t) => {
    const { open, give, elapse } = await opened(make, t);
    let looks = 0;
    let goOn = () => {};
    const held = new Promise<void>((resolve) => goOn = resolve);
    const watch = await open.watch({
      timing: { debounceMs: 0, maxWaitMs: 1, pollMs: 5 },
      look: async () => {
        looks++;
        await held;
      },
    });
    t.after(goOn);
    if (give !== undefined) {
      await give(2);
      await eventually("a look is under way", () => looks > 0, elapse);
    }
    let isClosed = false;
    const closings = [watch.close(), watch.close()].map((closing) => {
      return closing.then(() => isClosed = true);
    });
    await elapse(30);
    assert.equal(isClosed, looks === 0);
    goOn();
    await Promise.all(closings);
    await watch.close();
    const after = looks;
    await give?.(3);
    await elapse(50);
    assert.equal(looks, after);
  });

  test("a watch outlives what is no document", async (t) => {
    const { open, give, spoil, elapse } = await opened(make, t);
    if (spoil === undefined) return;
    const seen: unknown[] = [];
    const watch = await open.watch({
      timing: { debounceMs: 1, maxWaitMs: 5, pollMs: 20 },
      look: async () => {
        const loaded = await open.load().catch(() => undefined);
        // A store with a history may go back to the newest generation, and say that there is more.
        const isFault = loaded?.fault !== undefined || loaded?.more === true;
        seen.push(loaded === undefined || isFault ? "fault" : wholeOf(loaded));
      },
    });
    t.after(() => watch.close());
    await spoil();
    await eventually("it is seen", () => seen.at(-1) === "fault", elapse);
    await give!(4);
    await eventually("the mend is seen", () => isRate(seen.at(-1), 4), elapse);
  });
}

async function opened(make: () => Promise<SourceUnderTest>, t: TestContext) {
  const under = await make();
  t.after(under.dispose);
  const reopen = async (): Promise<OpenSource> => {
    const { source, host } = under;
    const open = await source.open({ host, keepAlive: false, history: 50, warn: () => {} });
    t.after(() => open.close());
    return open;
  };
  return { ...under, open: await reopen(), reopen };
}

async function contentOf(open: OpenSource): Promise<readonly [Json | undefined, string]> {
  const loaded = await open.load();
  return [wholeOf(loaded), loaded.hash];
}

function wholeOf({ document, layers }: Loaded): Json | undefined {
  return layers === undefined ? document : layers.compose(document);
}

/** A host whose watches never tell anything. */
function deaf(host: Host): Host {
  return { ...host, watch: () => Promise.resolve({ close: () => {} }) };
}

function isRate(document: unknown, rate: number): boolean {
  return JSON.stringify(document) === JSON.stringify({ rate });
}
