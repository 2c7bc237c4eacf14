// runs on: all
/** What a config does with the parts of a program that refuse a change or fail at it. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { holdfastError } from "../../src/core/error.ts";
import { attach, type Step } from "../../src/config/reconfigurer.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.object({ rate: v.optional(v.number(), 1), name: v.optional(v.string(), "a") });
const mode = { mode: 0o600 };

/** A config with a part of the program that does as it is told. */
async function opened({ target = path as string | Store, watched = false } = {}) {
  const { host, openConfig } = hostWith('{"rate":1}');
  const told = remember();
  const watch = watched ? {} : false;
  const config = await openConfig(target, { schema, watch, ...told });
  const calls: string[] = [];
  const part = { refuses: false, fails: false, has: 1 };
  const refused = (what: string) =>
    holdfastError("RELOAD_REFUSED", `Cannot reload: pool ${what}`, { module: "pool" });
  const rateOf = ({ next }: Step) => (next.value as { rate: number }).rate;
  const attachment = attach(config, {
    plan: () => [],
    prepare: (step) => {
      calls.push(`prepare ${rateOf(step)}`);
      if (part.refuses || rateOf(step) === 13) return Promise.reject(refused("refuses"));
      return Promise.resolve({
        carryOut: async (_next, swap) => {
          calls.push(`reconfigure ${rateOf(step)}`);
          await Promise.resolve();
          if (part.fails) throw refused("failed");
          part.has = rateOf(step);
          swap();
        },
        abandon: () => void calls.push("abandon"),
      });
    },
  });
  return { host, config, told, calls, part, attachment };
}

describe("a part of the program that refuses a write", () => {
  test("has nothing stored", async () => {
    const { host, config, part } = await opened();
    const files = host.outside.list();
    part.refuses = true;
    const before = config.snapshot();
    await assert.rejects(config.setAt(["rate"], 2), {
      code: "RELOAD_REFUSED",
      details: { module: "pool" },
    });
    assert.deepEqual(host.outside.list(), files);
    assert.equal(host.outside.readFile(path), '{"rate":1}');
    assert.equal(config.snapshot(), before);
    assert.equal(config.status().state, "ok");
    part.refuses = false;
    await config.setAt(["rate"], 2);
    assert.deepEqual([part.has, config.value.rate, config.snapshot().generation], [2, 2, 2]);
  });

  test("refuses that one of several that share a commit", async () => {
    const { config, part } = await opened();
    const writes = [
      config.setAt(["name"], "b"),
      config.update((draft) => void (draft.rate = 13)),
    ];
    const [first, second] = await Promise.allSettled(writes);
    assert.deepEqual([first!.status, second!.status], ["fulfilled", "rejected"]);
    assert.deepEqual([config.value, part.has], [{ rate: 1, name: "b" }, 1]);
  });

  test("is not asked where the value does not change", async () => {
    const { config, calls } = await opened();
    await config.setAt(["name"], "a");
    assert.deepEqual([config.snapshot().generation, calls], [2, []]);
  });
});

describe("a part of the program that fails at a write", () => {
  test("has the old content come back as a new generation", async () => {
    const { host, config, part, told } = await opened();
    part.fails = true;
    await assert.rejects(config.setAt(["rate"], 2), { code: "RELOAD_REFUSED" });
    assert.equal(host.outside.readFile(path), '{"rate":1}');
    const { value, generation, revision } = config.snapshot();
    assert.deepEqual([value.rate, generation, revision, part.has], [1, 3, 0, 1]);
    const [newest, failed] = await config.history();
    assert.deepEqual([newest!.generation, newest!.origin], [3, "rollback"]);
    assert.match(newest!.reason!, /pool failed to take over generation 2/);
    assert.deepEqual(failed!.changes, [{ path: ["rate"], kind: "changed", before: 1, after: 2 }]);
    const { state, stored, running, problems } = config.status();
    assert.deepEqual([state, stored.generation, running.generation], ["ok", 3, 3]);
    assert.match(problems[0]!.message, /pool failed/);
    assert.equal(told.lines.length, 1, told.lines.join("\n"));
    part.fails = false;
    await config.setAt(["rate"], 4);
    assert.deepEqual([config.snapshot().generation, config.status().problems], [4, []]);
  });

  test("runs the old one where that cannot come back, degraded", async () => {
    const inner = memory({ rate: 1 });
    let commits = 0;
    const target: Store = {
      ...inner,
      open: async (context) => {
        const store = await inner.open(context);
        const { commit } = store;
        store.commit = (change) => {
          const full = holdfastError("IO", "the disk is full", {
            operation: "write",
            path,
            errno: "ENOSPC",
          });
          return ++commits === 2 ? Promise.reject(full) : commit.call(store, change);
        };
        return store;
      },
    };
    const { config, part } = await opened({ target });
    part.fails = true;
    await assert.rejects(config.setAt(["rate"], 2), { code: "RELOAD_REFUSED" });
    const { state, stored, running } = config.status();
    assert.deepEqual([config.value.rate, state], [1, "degraded"]);
    assert.deepEqual([stored.generation, running.generation], [2, 1]);
    part.fails = false;
    await config.reload();
    assert.deepEqual([config.value.rate, part.has, config.status().state], [2, 2, "ok"]);
  });
});

describe("an edit from outside that a part of the program fails at", () => {
  test("stays where it is, degraded, and is tried again with growing pauses", async () => {
    const { host, config, part, calls, told } = await opened({ watched: true });
    part.fails = true;
    host.outside.replaceFile(path, '{"rate":2}', mode);
    await host.advance(1000);
    const { state, problems, stored, running } = config.status();
    assert.deepEqual([state, config.value.rate], ["degraded", 1]);
    assert.match(problems[0]!.message, /pool failed/);
    assert.deepEqual([stored.generation, running.generation], [2, 1]);
    assert.equal(host.outside.readFile(path), '{"rate":2}');
    await host.advance(60_000);
    const tries = calls.filter((call) => call === "reconfigure 2").length;
    assert.ok(tries >= 4 && tries <= 8, `${tries} tries`);
    assert.equal(told.lines.length, 1, told.lines.join("\n"));
    part.fails = false;
    await config.reload();
    assert.deepEqual([config.value.rate, config.status().state, part.has], [2, "ok", 2]);
  });

  test("is taken over by itself once that can", async () => {
    const { host, config, part } = await opened({ watched: true });
    part.refuses = true;
    host.outside.replaceFile(path, '{"rate":2}', mode);
    await host.advance(1000);
    assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
    part.refuses = false;
    await host.advance(3000);
    assert.deepEqual([config.value.rate, config.status().state, part.has], [2, "ok", 2]);
  });

  test("gives way to the next edit at once", async () => {
    const { host, config, part } = await opened({ watched: true });
    part.fails = true;
    host.outside.replaceFile(path, '{"rate":2}', mode);
    await host.advance(1000);
    part.fails = false;
    host.outside.replaceFile(path, '{"rate":3}', mode);
    await host.advance(1000);
    assert.deepEqual([config.value.rate, config.status().state, part.has], [3, "ok", 3]);
  });

  test("is no base for a patch, and gives way to a whole document", async () => {
    const { host, config, part } = await opened({ watched: true });
    part.fails = true;
    host.outside.replaceFile(path, '{"rate":2}', mode);
    await host.advance(1000);
    part.fails = false;
    part.refuses = true;
    await assert.rejects(config.setAt(["name"], "b"), { code: "CONFLICT" });
    part.refuses = false;
    const { snapshot } = await config.set({ rate: 9 });
    assert.deepEqual([snapshot.value.rate, part.has, config.status().state], [9, 9, "ok"]);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [3, 2, 1]);
  });
});

describe("coming", () => {
  test("while a write is under way, it gets that one too", async () => {
    for (let turns = 0; turns < 60; turns++) {
      const { openConfig } = hostWith();
      const config = await openConfig(memory({ rate: 1 }), { schema, watch: false, ...remember() });
      const writing = config.setAt(["rate"], 2);
      for (let turn = 0; turn < turns; turn++) await null;
      let has = config.value.rate;
      const take = ({ next }: Step) => void (has = (next.value as typeof config.value).rate);
      attach(config, {
        plan: () => [],
        prepare: (step) =>
          Promise.resolve({
            carryOut: (_next, swap) => Promise.resolve(void [take(step), swap()]),
            abandon: () => {},
          }),
      });
      await writing;
      assert.deepEqual([has, config.value.rate], [2, 2], `attached after ${turns} turns`);
    }
  });
});

describe("leaving", () => {
  test("a reconfigurer that was detached is not asked any more, and another may come", async () => {
    const { config, calls, attachment } = await opened();
    attachment.detach();
    await config.setAt(["rate"], 2);
    assert.deepEqual(calls, []);
  });
});
