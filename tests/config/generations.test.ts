// runs on: all
/** Generations as a program sees them: expected, asked for, shared between processes, and made by people. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { ChangeSet } from "../../src/config/reports.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, recordsOn } from "../support/log_disk.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });
const watch = false;

async function opened(text = '{"rate":0}') {
  const { host, openConfig } = hostWith(text);
  const config = await openConfig(path, { schema, watch, actor: "us", ...remember() });
  return { host, config };
}

describe("an expected generation", () => {
  test("of another number is a CONFLICT that tells both, for every kind of write", async () => {
    const { host, config } = await opened();
    await config.setAt(["rate"], 1);
    const before = host.outside.readFile(path);
    const writes = [
      (expectedGeneration: number) => config.set({ rate: 2 }, { expectedGeneration }),
      (expectedGeneration: number) => config.setAt(["rate"], 2, { expectedGeneration }),
      (expectedGeneration: number) => config.unset(["rate"], { expectedGeneration }),
      (expectedGeneration: number) => config.patch({ rate: 2 }, { expectedGeneration }),
      (expectedGeneration: number) =>
        config.jsonPatch([{ op: "replace", path: "/rate", value: 2 }], { expectedGeneration }),
      (expectedGeneration: number) =>
        config.update((draft) => void (draft.rate = 2), { expectedGeneration }),
      (expectedGeneration: number) => config.rollback(1, { expectedGeneration }),
      (expectedGeneration: number) => config.remove({ expectedGeneration }),
    ];
    for (const write of writes) {
      for (const expected of [0, 1, 3, 1e9]) {
        await assert.rejects(write(expected), (error) => {
          assert.ok(isHoldfastError(error, "CONFLICT"), String(error));
          assert.deepEqual({ ...error.details }, { expected, current: 2 });
          return true;
        });
      }
    }
    assert.deepEqual(recordsOn(host.outside), [1, 2]);
    assert.equal(host.outside.readFile(path), before);
    for (const [index, write] of writes.entries()) {
      const at = 2 + 2 * index;
      const { changeSet } = await write(at);
      assert.deepEqual([changeSet.from, changeSet.to], [at, at + 1]);
      await config.set({ rate: 50 + index }, { expectedGeneration: at + 1 });
    }
  });

  test("is met by what another process wrote a moment ago, and not by what it replaced", async () => {
    const { start } = diskWith('{"rate":0}');
    const [one, other] = [
      await start().openConfig(path, { schema, watch }),
      await start().openConfig(path, { schema, watch }),
    ];
    await one.setAt(["rate"], 1);
    await assert.rejects(other.setAt(["rate"], 2, { expectedGeneration: 1 }), {
      code: "CONFLICT",
      details: { expected: 1, current: 2 },
    });
    const { changeSet } = await other.setAt(["rate"], 2, { expectedGeneration: 2 });
    assert.equal(changeSet.to, 3);
    assert.deepEqual((await one.history()).map(({ generation }) => generation), [3, 2, 1]);
  });
});

describe("who and why", () => {
  test("stand in the change set, in the history and in the audit", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    const told = remember();
    const config = await openConfig(path, { schema, watch, actor: "us", ...told });
    await config.setAt(["rate"], 1);
    const { changeSet } = await config.setAt(["rate"], 2, { actor: "them", reason: "why not" });
    assert.deepEqual([changeSet.actor, changeSet.reason], ["them", "why not"]);
    const [newest, older, first] = await config.history();
    assert.deepEqual([newest!.actor, newest!.reason], ["them", "why not"]);
    assert.deepEqual([older!.actor, older!.reason], ["us", undefined]);
    assert.deepEqual([first!.actor, first!.reason, first!.calls], [
      undefined,
      undefined,
      undefined,
    ]);
    await host.advance(1);
    const last = told.events.at(-1)!;
    assert.deepEqual([last.actor, last.reason, last.origin], ["them", "why not", "commit"]);
    const { source, oldHash, newHash, at, from, to, changes, calls } = changeSet;
    assert.deepEqual({ ...newest }, {
      generation: 3,
      origin: "commit",
      actor: "them",
      reason: "why not",
      source,
      oldHash,
      newHash,
      at: newest!.at,
      from,
      to,
      changes,
      calls,
    });
    assert.equal(new Date(at).toISOString(), at);
  });

  test("are told of each call that shared a commit, with the places it changed", async () => {
    for (const target of [path, memory({ rate: 0 })]) {
      const { openConfig } = hostWith('{"rate":0}');
      const config = await openConfig(target, { schema, watch });
      const written = await Promise.all([
        config.setAt(["rate"], 1, { actor: "a", reason: "one" }),
        config.setAt(["names", "x"], true, { actor: "b" }),
        config.unset(["rate"], { reason: "three" }),
        config.patch({ names: { y: 1 } }, { actor: "a", reason: "one" }),
      ]);
      const calls = [
        { actor: "a", reason: "one", changes: [{ path: ["rate"], kind: "changed" }] },
        { actor: "b", changes: [{ path: ["names"], kind: "added" }] },
        { reason: "three", changes: [{ path: ["rate"], kind: "removed" }] },
        { actor: "a", reason: "one", changes: [{ path: ["names", "y"], kind: "added" }] },
      ];
      const [newest] = await config.history();
      assert.deepEqual(newest!.calls, calls);
      assert.deepEqual([newest!.actor, newest!.reason], ["a, b", "one; three"]);
      for (const { changeSet, snapshot } of written) {
        assert.equal(snapshot.generation, 2);
        assert.deepEqual(changeSet.calls, calls);
        assert.deepEqual([changeSet.actor, changeSet.reason], ["a, b", "one; three"]);
      }
    }
  });

  test("are bounded: of a call that changes very much only so many places are recorded", async () => {
    const { config } = await opened("{}");
    const document = Object.fromEntries(Array.from({ length: 250 }, (_, key) => [`k${key}`, key]));
    await config.set(document, { actor: "a" });
    const [{ calls = [] } = {}] = await config.history();
    assert.equal(calls[0]!.changes.length, 100);
    assert.equal(calls[0]!.more, 150);
  });
});

describe("two processes on one disk", () => {
  test("count together, and a subscriber there gets origin, actor and reason of the record", async () => {
    const { disk, start } = diskWith('{"rate":0}');
    const one = await start().openConfig(path, { schema, watch: {} });
    const other = await start().openConfig(path, { schema, watch: {} });
    const heard: ChangeSet[] = [];
    other.subscribe((_next, _previous, changeSet) => void heard.push(changeSet));
    const acts = [
      () => one.setAt(["rate"], 1, { actor: "a", reason: "r" }),
      () => one.rollback(1, { actor: "b", reason: "s" }),
      () => one.remove({ actor: "c" }),
      () => one.set({ rate: 4 }, { actor: "d" }),
    ];
    for (const act of acts) {
      const { snapshot } = await act();
      await disk.advance(2000);
      assert.deepEqual(
        [other.snapshot().generation, other.snapshot().hash, other.value],
        [snapshot.generation, snapshot.hash, snapshot.value],
      );
    }
    assert.deepEqual(
      heard.map(({ from, to, origin, actor, reason }) => [from, to, origin, actor, reason]),
      [
        [1, 2, "commit", "a", "r"],
        [2, 3, "rollback", "b", "s"],
        [3, 4, "commit", "c", undefined],
        [4, 5, "commit", "d", undefined],
      ],
    );
    assert.deepEqual(await one.history(), await other.history());
  });

  test("write in turns without losing one, and agree", async () => {
    const { disk, outside, start } = diskWith('{"rate":0}');
    const configs = await Promise.all(
      [1, 2, 3].map(() => start().openConfig(path, { schema, watch })),
    );
    for (let round = 0; round < 5; round++) {
      await Promise.all(configs.map((config) => config.update((draft) => void draft.rate!++)));
    }
    assert.equal(JSON.parse(outside.readFile(path)).rate, 15);
    await Promise.all(configs.map((config) => config.reload()));
    await disk.settle();
    const generations = (await configs[0]!.history()).map(({ generation }) => generation);
    assert.deepEqual(generations, generations.map((_, index) => generations.length - index));
    for (const config of configs) {
      assert.equal(config.value.rate, 15);
      assert.deepEqual(await config.history(), await configs[0]!.history());
    }
  });
});

describe("a text that was there before", () => {
  const one = '{ "rate": 1 }\n';
  for (const how of ["replaceFile", "writeFile"] as const) {
    test(`stays when a person saves it again, by ${how}, as a generation of their own`, async () => {
      const { disk, outside, start } = diskWith(one);
      const config = await start().openConfig(path, { schema, watch });
      await config.setAt(["rate"], 2);
      await config.setAt(["rate"], 1);
      await config.setAt(["rate"], 2);
      const wasAt3 = (await config.history())[1]!;
      assert.equal(wasAt3.generation, 3);
      const two = outside.readFile(path);
      for (const text of [one, two, one]) {
        const { generation } = config.snapshot();
        outside[how](path, text, { mode: 0o600 });
        await config.reload();
        assert.equal(config.snapshot().generation, generation + 1);
        assert.equal((await config.history())[0]!.origin, "external");
        await disk.advance(5000);
        assert.equal(outside.readFile(path), text);
      }
      assert.equal(config.value.rate, 1);
      const later = await start().openConfig(path, { schema, watch });
      assert.equal(outside.readFile(path), one);
      assert.deepEqual(later.snapshot().generation, config.snapshot().generation);
      await later.setAt(["rate"], 9);
      assert.equal(later.snapshot().generation, config.snapshot().generation + 1);
    });

    test(`stays when it is saved by ${how} while nothing runs`, async () => {
      const { outside, start } = diskWith(one);
      const first = await start().openConfig(path, { schema, watch });
      await first.setAt(["rate"], 2);
      await first.setAt(["rate"], 3);
      await first.close();
      outside[how](path, one, { mode: 0o600 });
      const config = await start().openConfig(path, { schema, watch });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 4]);
      assert.equal((await config.history())[0]!.origin, "external");
      assert.equal(outside.readFile(path), one);
    });
  }

  test("that is saved unchanged is no new generation, and the next write is the next one", async () => {
    const { outside, start } = diskWith(one);
    const config = await start().openConfig(path, { schema, watch });
    await config.setAt(["rate"], 2);
    outside.replaceFile(path, outside.readFile(path), { mode: 0o600 });
    await config.reload();
    assert.equal(config.snapshot().generation, 2);
    await config.setAt(["rate"], 3);
    assert.equal(config.snapshot().generation, 3);
    assert.deepEqual((await config.history()).map(({ origin }) => origin), [
      "commit",
      "commit",
      "external",
    ]);
  });
});

describe("what happened between two looks", () => {
  async function seen(isEdited: boolean) {
    const { outside, start } = diskWith('{"rate":0}');
    const reader = await start().openConfig(path, { watch: false, ...remember() });
    const writer = await start().openConfig(path, { watch: false, ...remember() });
    const changeSets: ChangeSet[] = [];
    reader.subscribe((_value, _before, changeSet) => void changeSets.push(changeSet));
    await writer.setAt(["rate"], 1, { actor: "ann" });
    if (isEdited) {
      outside.replaceFile(path, '{"rate":2}', { mode: 0o600 });
      await writer.reload();
    }
    await writer.setAt(["rate"], 3, { actor: "bob" });
    await reader.reload();
    assert.equal(changeSets.length, 1);
    return changeSets[0]!;
  }

  test("is told together with who did it", async () => {
    const { actor, origin, from, to, calls } = await seen(false);
    assert.deepEqual([from, to, origin, actor, calls?.length], [1, 3, "commit", "ann, bob", 2]);
  });

  test("is put down to nobody where a person had a hand in it", async () => {
    const { actor, origin, from, to } = await seen(true);
    assert.deepEqual([from, to, origin, actor], [1, 4, "external", undefined]);
  });
});

test("a config on the memory of a process tells as well who did what between two looks", async () => {
  const { openConfig } = hostWith();
  const store = memory({ rate: 0 });
  const [reader, writer] = [
    await openConfig(store, { watch: false, ...remember() }),
    await openConfig(store, { watch: false, ...remember() }),
  ];
  const changeSets: ChangeSet[] = [];
  reader.subscribe((_value, _before, changeSet) => void changeSets.push(changeSet));
  await writer.setAt(["rate"], 1, { actor: "ann" });
  await writer.setAt(["rate"], 2, { actor: "bob" });
  await reader.reload();
  assert.deepEqual(changeSets.map(({ actor, from, to }) => [actor, from, to]), [[
    "ann, bob",
    1,
    3,
  ]]);
});
