// runs on: all
/** Where reloads meet other layers, deadlines and trials. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { holdfastError } from "../../src/core/error.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { OpenStore, Store, StoreChange } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";
import { inTime } from "../support/reloaded.ts";

const part = v.optional(v.number(), 0);
const schema = v.object({ a: part, b: part, c: part });
type Key = "a" | "b" | "c";
const mode = { mode: 0o600 };
const overlay = "/etc/app/overlay.json";
const kept = "/etc/app/last.json";

/** A config with a module for each member, which may be told to do something before it takes its part. */
async function opened(
  target: string | Store,
  options: { lastGood?: string; timeoutMs?: number } = {},
) {
  const { host, openConfig } = hostWith('{"a":0}');
  host.outside.writeFile(overlay, '{"b":1}', mode);
  const told = remember();
  const config = await openConfig(target, { schema, watch: false, ...told, ...options });
  const held: Record<Key, number> = { ...config.value };
  const acts: { prepare?(key: Key): unknown; reconfigure?(key: Key, next: number): unknown } = {};
  const modules = (["a", "b", "c"] as const).map((name) =>
    config.module({
      name,
      select: (value) => value[name],
      prepare: () => acts.prepare?.(name),
      reconfigure: (next) => {
        acts.reconfigure?.(name, next);
        held[name] = next;
      },
    })
  );
  createReloader(config, { modules: () => modules });
  return { host, config, told, held, acts };
}

describe("a layer that a module fails at", () => {
  for (const refuses of ["prepare", "reconfigure"] as const) {
    test(`in ${refuses} does not count as running after a write to the head`, async () => {
      const layers = [file(path), file(overlay)];
      const { host, config, held, acts } = await opened(layered({ layers, head: 0 }));
      acts.reconfigure = (key, next) => {
        if (refuses === "reconfigure" && key === "b" && next === 2) throw new Error("no");
      };
      acts.prepare = (key) => {
        if (refuses === "prepare" && key === "b") throw new Error("no");
      };
      host.outside.writeFile(overlay, '{"b":2}', mode);
      await assert.rejects(config.reload(), { code: "RELOAD_REFUSED" });
      const { hash } = config.snapshot().sources[1]!;
      await config.setAt(["a"], 7);
      assert.deepEqual([config.value, held], [{ a: 7, b: 1, c: 0 }, { a: 7, b: 1, c: 0 }]);
      assert.equal(config.status().state, "degraded");
      assert.equal(config.snapshot().sources[1]!.hash, hash);
      Object.assign(acts, { prepare: undefined, reconfigure: undefined });
      await config.reload();
      assert.deepEqual([config.value, held], [{ a: 7, b: 2, c: 0 }, { a: 7, b: 2, c: 0 }]);
      assert.equal(config.status().state, "ok");
    });
  }
});

describe("a call whose time is over while modules are asked", () => {
  test("is not stored with those that it shares a commit with", async () => {
    const { host, config, acts } = await opened(memory({}), { timeoutMs: 1000 });
    acts.prepare = () => host.sleep(300, { keepAlive: false });
    const first = config.setAt(["a"], 1);
    await host.advance(50);
    acts.prepare = () => host.sleep(850, { keepAlive: false });
    const late = config.setAt(["b"], 2);
    late.catch(() => {});
    await host.advance(200);
    // Its time begins later, so that it waits longer.
    const shared = config.setAt(["c"], 3);
    shared.catch(() => {});
    await host.advance(60);
    await first;
    acts.prepare = () => {};
    await host.advance(860);
    await assert.rejects(late, { code: "TIMEOUT" });
    await inTime(host, shared);
    assert.deepEqual(config.value, { a: 1, b: 0, c: 3 });
  });
});

describe("a plan on trial", () => {
  test("asks the modules once where another one waits", async () => {
    const { config, acts } = await opened(memory({}));
    await config.apply(await config.plan({ a: 1 }), { confirmWithinMs: 60_000 });
    let asked = 0;
    acts.prepare = () => asked++;
    const plan = await config.plan({ a: 2 });
    await assert.rejects(config.apply(plan, { confirmWithinMs: 60_000 }), { code: "CONFLICT" });
    assert.equal(asked, 1);
  });

  test("that somebody wrote over keeps nothing from being the last good", async () => {
    const { host, config } = await opened(path, { lastGood: kept });
    await config.apply(await config.plan({ a: 1 }), { confirmWithinMs: 60_000 });
    assert.match(host.outside.readFile(kept), /"a": 0/);
    host.outside.writeFile(path, '{"a":5}', mode);
    await config.reload();
    assert.match(host.outside.readFile(kept), /"a": 5/);
  });
});

type Commit = OpenStore["commit"];

/** A store whose commits are made in a way of their own. */
function storeThat(
  inner: Store,
  commits: (commit: Commit, change: StoreChange) => ReturnType<Commit>,
): Store {
  return {
    ...inner,
    open: async (context) => {
      const opened = await inner.open(context);
      const commit = opened.commit.bind(opened);
      return Object.assign(opened, { commit: (change: StoreChange) => commits(commit, change) });
    },
  };
}

/** A store whose next answer to a commit can be lost. */
function forgetful(): { readonly store: Store; lose(): void } {
  let loses = false;
  const store = storeThat(memory({}), async (commit, change) => {
    const stored = await commit(change);
    if (!loses) return stored;
    loses = false;
    throw holdfastError("COMMIT_UNKNOWN", "Cannot tell", { source: "memory" });
  });
  return { store, lose: () => void (loses = true) };
}

describe("a plan on trial, stored without a word", () => {
  test("waits to be confirmed, and is taken back", async () => {
    const { store, lose } = forgetful();
    const { host, config, held } = await opened(store);
    lose();
    const applied = config.apply(await config.plan({ a: 1 }), { confirmWithinMs: 3000 });
    await assert.rejects(applied, { code: "COMMIT_UNKNOWN" });
    assert.deepEqual([held.a, config.status().unconfirmed?.generation], [1, 2]);
    await host.advance(4000);
    assert.deepEqual([held.a, config.status().unconfirmed], [0, undefined]);
    lose();
    await config.apply(await config.plan({ a: 2 }), { confirmWithinMs: 3000 }).catch(() => {});
    assert.equal(await config.confirm(), 4);
    await host.advance(4000);
    assert.equal(held.a, 2);
  });
});

describe("a health check", () => {
  test("may write or confirm by itself", async () => {
    const { config } = await opened(memory({}));
    const write = async () => void await config.setAt(["b"], 2);
    await config.apply(await config.plan({ a: 1 }), { healthCheck: write });
    const confirm = async () => void await config.confirm();
    await config.apply(await config.plan({ a: 3 }), { healthCheck: confirm });
    assert.deepEqual(config.value, { a: 3, b: 2, c: 0 });
  });
});

describe("a module that could not be taken back", () => {
  /** Module b takes nothing new, and module a does not take its old part again. */
  async function stuck() {
    const stage = await opened(path);
    let heals = false;
    stage.acts.reconfigure = (key, next) => {
      if (!heals && (key === "b" ? next === 1 : key === "a" && next === 0)) {
        throw new Error("stuck");
      }
    };
    return { ...stage, heal: () => void (heals = true) };
  }

  test("takes over what runs at the next look, after a write that was taken back", async () => {
    const { config, held, heal } = await stuck();
    await assert.rejects(config.patch({ a: 1, b: 1 }), { code: "RELOAD_REFUSED" });
    assert.deepEqual([config.value.a, held.a, config.status().state], [0, 1, "degraded"]);
    await assert.rejects(config.reload(), { code: "RELOAD_REFUSED" });
    assert.equal(config.status().state, "degraded");
    heal();
    const before = config.snapshot();
    await config.reload();
    assert.deepEqual([held, config.status().state], [{ a: 0, b: 0, c: 0 }, "ok"]);
    assert.deepEqual([config.snapshot(), config.status().problems], [before, []]);
  });

  test("takes over what runs when a person puts that back", async () => {
    const { host, config, held, heal } = await stuck();
    host.outside.writeFile(path, '{"a":1,"b":1}', mode);
    await assert.rejects(config.reload(), { code: "RELOAD_REFUSED" });
    host.outside.writeFile(path, '{"a":0}', mode);
    await assert.rejects(config.reload(), { code: "RELOAD_REFUSED" });
    assert.deepEqual([held.a, config.status().state], [1, "degraded"]);
    heal();
    await config.reload();
    assert.deepEqual([held, config.status().state], [{ a: 0, b: 0, c: 0 }, "ok"]);
  });

  test("holds up no write that it can take", async () => {
    const { config, held } = await stuck();
    await assert.rejects(config.patch({ a: 1, b: 1 }), { code: "RELOAD_REFUSED" });
    await config.reload().catch(() => {});
    await assert.rejects(config.patch({ c: 2 }), { code: "RELOAD_REFUSED" });
    await config.set({ a: 2, c: 2 }).catch((error: unknown) => assert.fail(String(error)));
    assert.deepEqual([held.a, config.value.a], [2, 2]);
  });
});

describe("a write that a module fails at", () => {
  /** A store that fails with one error, once, at a commit after the next. */
  function failing(code: "CONFLICT" | "UNAVAILABLE") {
    let untilFailure = Infinity;
    const error = code === "CONFLICT"
      ? holdfastError(code, "Cannot write: found another's turn", { expected: 2, current: 2 })
      : holdfastError(code, "Cannot write", { source: "memory" });
    const store = storeThat(memory({}), async (commit, change) => {
      if (untilFailure-- === 0) throw error;
      return await commit(change);
    });
    return { store, fail: () => void (untilFailure = 1) };
  }
  const refuseB = (key: Key, next: number) => {
    if (key === "b" && next === 1) throw new Error("no");
  };

  test("is taken back though the turn is lost to nobody's write", async () => {
    const { store, fail } = failing("CONFLICT");
    const { config, acts } = await opened(store);
    acts.reconfigure = refuseB;
    fail();
    await assert.rejects(config.setAt(["b"], 1), { code: "RELOAD_REFUSED" });
    const { state, stored, running } = config.status();
    assert.deepEqual([state, stored.generation, running.generation], ["ok", 3, 3]);
  });

  test("is told as stored where it cannot be taken back, to each of its calls", async () => {
    const { store, fail } = failing("UNAVAILABLE");
    const { config, acts } = await opened(store);
    acts.reconfigure = refuseB;
    fail();
    const calls = await Promise.allSettled([config.setAt(["b"], 1), config.setAt(["c"], 1)]);
    for (const call of calls) {
      assert.match(String(call.status === "rejected" && call.reason), /generation 2 stays/);
    }
    assert.equal(config.status().stored.generation, 2);
  });
});
