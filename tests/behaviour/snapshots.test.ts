// runs on: all
/** What a reader holds never changes, whatever goes on: reloads at the same time, in a row, or overlapping. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as v from "valibot";
import { openConfig } from "../../mod.ts";
import {
  countLooks,
  freshDirectory,
  listen,
  replace,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

const schema = v.looseObject({
  count: v.number(),
  echo: v.object({ count: v.number() }),
  still: v.optional(v.object({ list: v.array(v.object({ name: v.string() })) }), {
    list: [{ name: "default" }],
  }),
});

const still = { list: [{ name: "a" }, { name: "b" }] };
const documentOf = (count: number): string =>
  JSON.stringify({ count, echo: { count }, still, moving: [{ same: true }, { count }] });

const hashOf = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex");

function assertDeeplyFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value), `not frozen: ${JSON.stringify(value)}`);
  for (const part of Object.values(value)) assertDeeplyFrozen(part);
}

describe("readers and reloads", () => {
  test("100,000 reads during 100 reloads", { timeoutMs: 60_000 }, async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    const held = new Map<object, { snapshot: unknown; hash: string }>();
    let reloading = true;

    const hold = () => {
      const snapshot = config.snapshot();
      if (held.has(snapshot)) return;
      held.set(snapshot, { snapshot: structuredClone(snapshot), hash: hashOf(snapshot.value) });
    };
    const reload = async () => {
      for (let count = 1; count <= 100; count++) {
        await replace(path, documentOf(count));
        const snapshot = await config.reload();
        assert.equal(snapshot.value.count, count);
        hold();
      }
      reloading = false;
    };
    const read = async () => {
      let reads = 0;
      while (reloading || reads < 100_000) {
        for (let burst = 0; burst < 500; burst++, reads++) {
          const { value } = config;
          if (value !== config.snapshot().value) assert.fail("value and snapshot disagree");
          if (value.count !== value.echo.count) assert.fail("a torn value");
        }
        hold();
        await wait(0);
      }
      return reads;
    };
    hold();
    const [reads] = await Promise.all([read(), reload()]);
    assert.ok(reads >= 100_000);
    assert.equal(held.size, 101);
    const first = config.value.still;
    for (const [snapshot, { snapshot: copy, hash }] of held) {
      assert.deepEqual(snapshot, copy);
      assertDeeplyFrozen(snapshot);
      const { value } = snapshot as ReturnType<typeof config.snapshot>;
      assert.equal(hashOf(value), hash);
      assert.equal(value.still, first, "what does not change keeps its identity");
    }
  });

  test("unchanged parts keep their identity, and only they", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(1));
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    const before = config.value;
    await replace(path, documentOf(2));
    await config.reload();
    const after = config.value;
    const movingBefore = before["moving"] as readonly object[];
    const movingAfter = after["moving"] as readonly object[];
    assert.notEqual(after, before);
    assert.notEqual(after.echo, before.echo);
    assert.notEqual(movingAfter, movingBefore);
    assert.equal(movingAfter[0], movingBefore[0]);
    assert.notEqual(movingAfter[1], movingBefore[1]);
    assert.equal(after.still, before.still);
    await config.setAt(["count"], 3);
    assert.equal(config.value.still, before.still);
    assert.equal(config.value.echo, after.echo);
    assert.equal(config.value["moving"], movingAfter);
    await config.setAt(["still", "list", 1, "name"], "c");
    assert.equal(config.value.still.list[0], before.still.list[0]);
    assert.deepEqual(before.still, still);
  });

  test("overlapping reloads and writes finish in order", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const gates: (() => void)[] = [];
    const real = countLooks().host;
    let gated = false;
    const { host } = countLooks({
      read: async (at, bytesMax) => {
        const read = await real.read(at, bytesMax);
        // What was read is old by the time that it is handed over.
        if (gated) await new Promise<void>((resolve) => gates.push(resolve));
        return read;
      },
    });
    const config = await openConfig(path, { schema, host, watch: false, ...listen() });
    context.after(() => config.close());
    gated = true;
    const finished: string[] = [];
    const note = (name: string) => () => void finished.push(`${name} ${config.value.count}`);
    await replace(path, documentOf(1));
    const first = config.reload().then(note("first"));
    while (gates.length === 0) await wait(1);
    await replace(path, documentOf(2));
    const all = Promise.all([
      first,
      config.reload().then(note("second")),
      config.update((draft) => void (draft.count = 3)).then(note("third")),
      config.reload().then(note("fourth")),
    ]).then(() => gated = false);
    while (gated) {
      assert.ok(gates.length <= 1, "two looks overlap");
      gates.shift()?.();
      await wait(1);
    }
    await all;
    // The first look took its file anew, since it changed before it was recorded.
    assert.deepEqual(finished, ["first 2", "second 2", "third 3", "fourth 3"]);
  });

  test("reloads and writes at once never step back", { timeoutMs: 60_000 }, async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    const generations: number[] = [];
    const revisions: number[] = [];
    config.subscribe(() => {
      generations.push(config.snapshot().generation);
      revisions.push(config.snapshot().revision);
    });
    await Promise.all(Array.from({ length: 60 }, async (_, index) => {
      if (index % 2 === 0) await config.reload();
      else {
        await config.update((draft) => {
          draft.count += 1;
          draft.echo.count += 1;
        });
      }
    }));
    assert.equal(config.value.count, 30);
    assert.equal(config.value.echo.count, 30);
    for (const counts of [generations, revisions]) {
      assert.deepEqual(counts, counts.toSorted((one, other) => one - other));
    }
  });
});
