// runs on: all
/** What subscribers get: in order, at their own pace, never in the middle of a change. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { ChangeSet } from "../../src/config/reports.ts";
import { applyChanges } from "../../src/core/change.ts";
import { describe, test } from "../support/kit.ts";
import { randomFrom } from "../support/random.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.object({
  rate: v.number(),
  models: v.optional(v.record(v.string(), v.boolean()), {}),
});

async function opened() {
  const { host, openConfig } = hostWith('{"rate":0}');
  const told = remember();
  const config = await openConfig(path, { schema, watch: false, ...told });
  return { host, config, told };
}

describe("a subscriber", () => {
  test("gets the new value, the old one and the difference", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe((next, previous, changeSet) => {
      got.push([next.rate, previous.rate, changeSet.changes, changeSet.from, changeSet.to]);
      assert.equal(next, config.value);
      got.push([changeSet.origin, changeSet.actor, changeSet.reason, changeSet.source]);
    });
    await config.set({ rate: 1 }, { actor: "ann", reason: "why" });
    assert.deepEqual(got, [
      [1, 0, [{ path: ["rate"], kind: "changed", before: 0, after: 1 }], 1, 2],
      ["commit", "ann", "why", path],
    ]);
  });

  test("is called at once if it asks, with the value alone", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe((...parameters) => got.push(parameters), { immediate: true });
    assert.deepEqual(got, [[{ rate: 0, models: {} }, undefined, undefined]]);
    await config.set({ rate: 1 });
    assert.equal(got.length, 2);
  });

  test("that is slow gets the newest value with the difference from what it last got", async () => {
    const { host, config } = await opened();
    const got: [number, number, ChangeSet][] = [];
    let release = () => {};
    config.subscribe(async ({ rate }, previous, changeSet) => {
      got.push([rate, previous.rate, changeSet]);
      await new Promise<void>((resolve) => release = resolve);
    });
    for (let rate = 1; rate <= 5; rate++) await config.set({ rate });
    assert.equal(got.length, 1);
    release();
    await host.advance(1);
    assert.deepEqual(got.map(([next, previous]) => [next, previous]), [[1, 0], [5, 1]]);
    const [, , { from, to, changes }] = got[1]!;
    assert.deepEqual([from, to], [2, 6]);
    assert.deepEqual(changes, [{ path: ["rate"], kind: "changed", before: 1, after: 5 }]);
  });

  test("that is slow hears who made the changes it missed, as long as all are known", async () => {
    const { host, config } = await opened();
    const got: [number, number, string | undefined][] = [];
    let release = () => {};
    config.subscribe(async (_next, _previous, { from, to, actor }) => {
      got.push([from, to, actor]);
      await new Promise<void>((resolve) => release = resolve);
    });
    const write = (rate: number, actor: string) => config.set({ rate }, { actor });
    await write(1, "ann");
    await write(2, "bob");
    await write(3, "eve");
    release();
    await host.advance(1);
    for (let rate = 4; rate <= 105; rate++) await write(rate, "zoe");
    release();
    await host.advance(1);
    assert.deepEqual(got, [[1, 2, "ann"], [2, 4, "bob, eve"], [4, 106, undefined]]);
  });

  test("that throws, rejects or never returns disturbs nobody and is reported", async () => {
    const { host, config, told } = await opened();
    const got: number[] = [];
    config.subscribe(() => {
      throw new Error("thrown");
    });
    config.subscribe(() => Promise.reject(new Error("rejected")));
    config.subscribe(() => new Promise(() => {}));
    config.subscribe(({ rate }) => void got.push(rate));
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    await host.advance(1);
    assert.deepEqual(got, [1, 2]);
    assert.equal(told.lines.filter((line) => /subscriber .*thrown/.test(line)).length, 2);
    assert.equal(told.lines.filter((line) => /subscriber .*rejected/.test(line)).length, 2);
  });

  test("may write, subscribe, stop itself and close from inside", async () => {
    const { host, config } = await opened();
    const got: number[] = [];
    const stop = config.subscribe(async ({ rate }) => {
      got.push(rate);
      if (rate === 1) await config.set({ rate: 2 });
      if (rate === 2) {
        stop();
        config.subscribe(() => config.close());
        await config.set({ rate: 3 });
      }
    });
    await config.set({ rate: 1 });
    await host.advance(10);
    assert.deepEqual(got, [1, 2]);
    await assert.rejects(config.set({ rate: 9 }), { code: "CLOSED" });
  });

  test("is called no more once it was stopped, by hand or by its signal", async () => {
    const { config } = await opened();
    const got: string[] = [];
    const abort = new AbortController();
    const stop = config.subscribe(() => got.push("stopped"));
    config.subscribe(() => got.push("aborted"), { signal: abort.signal });
    const writing = config.set({ rate: 1 });
    stop();
    stop();
    abort.abort();
    await writing;
    config.subscribe(() => got.push("never"), { signal: abort.signal, immediate: true });
    await config.set({ rate: 2 });
    assert.deepEqual(got, []);
  });

  test("that never settles is told of once, and not after it was stopped", async () => {
    const { host, config, told } = await opened();
    const busy = () => told.lines.filter((line) => /error A subscriber .* busy/.test(line));
    config.subscribe(() => new Promise(() => {}));
    config.subscribe(() => Promise.resolve());
    const stop = config.subscribe(() => new Promise(() => {}));
    await config.set({ rate: 1 });
    stop();
    await config.set({ rate: 2 });
    await host.advance(9_000);
    assert.deepEqual(busy(), []);
    await host.advance(60_000);
    assert.equal(busy().length, 1);
  });

  test("that never settles is not told of after the config was closed", async () => {
    const { host, config, told } = await opened();
    config.subscribe(() => new Promise(() => {}), { immediate: true });
    await config.close();
    await host.advance(60_000);
    assert.deepEqual(told.lines, []);
  });

  test("that throws what cannot even be told disturbs nobody", async () => {
    const { config, told } = await opened();
    const got: number[] = [];
    const hostile = new Error();
    Object.defineProperty(hostile, "message", {
      get: () => {
        throw new Error("worse");
      },
    });
    for (const thrown of [Object.create(null), hostile, undefined, Symbol("s")]) {
      config.subscribe(() => {
        throw thrown;
      });
      config.subscribe(() => Promise.reject(thrown));
    }
    config.subscribe(() => ({ then: () => assert.fail("then") }));
    config.subscribe(({ rate }) => void got.push(rate));
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    assert.deepEqual(got, [1, 2]);
    assert.equal(told.lines.filter((line) => /A subscriber .* threw/.test(line)).length, 18);
  });

  test("added inside of a listener gets what comes after, or the current value if it asks", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    const stop = config.subscribe(() => {
      stop();
      config.subscribe(({ rate }) => got.push(["late", rate]));
      config.subscribe(({ rate }) => got.push(["asked", rate]), { immediate: true });
    });
    await config.set({ rate: 1 });
    assert.deepEqual(got, [["asked", 1]]);
    await config.set({ rate: 2 });
    assert.deepEqual(got.slice(1), [["late", 2], ["asked", 2]]);
  });

  test("that another one stops, or closes the config on, is not called any more", async () => {
    const { config } = await opened();
    const got: string[] = [];
    config.subscribe(() => stop());
    const stop = config.subscribe(() => got.push("stopped"));
    config.subscribe(() => void config.close());
    config.subscribe(() => got.push("closed"));
    await config.set({ rate: 1 });
    assert.deepEqual(got, []);
  });

  test("that is busy with its greeting hears of what came meanwhile", async () => {
    const { host, config } = await opened();
    const got: unknown[] = [];
    let release = () => {};
    config.subscribe((next, previous) => {
      got.push([next.rate, previous?.rate]);
      return new Promise<void>((resolve) => release = resolve);
    }, { immediate: true });
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    assert.deepEqual(got, [[0, undefined]]);
    release();
    await host.advance(1);
    assert.deepEqual(got, [[0, undefined], [2, 0]]);
  });

  test("that is no function is refused", async () => {
    const { config } = await opened();
    assert.throws(() => config.subscribe("f" as never), { code: "UNSUPPORTED" });
  });
});

describe("a selector", () => {
  test("wakes only for its part, compared deeply", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe((value) => value.models, (models, previous) => got.push([models, previous]));
    config.subscribe(
      (value) => ({ keys: Object.keys(value.models) }),
      ({ keys }) => got.push(keys),
    );
    await config.setAt(["rate"], 1);
    assert.deepEqual(got, []);
    await config.setAt(["models", "a"], true);
    assert.deepEqual(got, [[{ a: true }, {}], ["a"]]);
    await config.setAt(["models", "a"], false);
    assert.deepEqual(got.slice(2), [[{ a: false }, { a: true }]]);
  });

  test("with its own equality compares with what the listener last got, so that no drift is lost", async () => {
    const { config } = await opened();
    const got: [number, number][] = [];
    config.subscribe((value) => value.rate, (rate, previous) => got.push([rate, previous]), {
      equals: (one, other) => Math.abs(one - other) < 5,
    });
    for (const rate of [4, 8, 12, 16]) await config.set({ rate });
    assert.deepEqual(got, [[8, 0], [16, 8]]);
  });

  test("may bring its own equality", async () => {
    const { config } = await opened();
    const got: number[] = [];
    config.subscribe((value) => value.rate, (rate) => got.push(rate), {
      equals: (one, other) => Math.abs(one - other) < 5,
    });
    await config.set({ rate: 4 });
    await config.set({ rate: 10 });
    assert.deepEqual(got, [10]);
  });

  test("is not asked again for what it gave before, and its listener costs nothing meanwhile", async () => {
    const { config } = await opened();
    const asked: number[] = [];
    config.subscribe((value) => {
      asked.push(value.rate);
      return Object.keys(value.models);
    }, () => assert.fail("called"));
    await config.set({ rate: 1 });
    assert.deepEqual(asked, [1, 0]);
    await config.set({ rate: 2 });
    await config.set({ rate: 3 });
    assert.deepEqual(asked, [1, 0, 2, 3]);
  });

  test("whose part a listener writes to wakes it no more often for that", async () => {
    const { config } = await opened();
    const got: string[][] = [];
    const listener = (keys: string[], previous: string[] | undefined) => {
      got.push([...keys], [...previous ?? []]);
      keys.push("mine");
    };
    config.subscribe((value) => Object.keys(value.models), listener, { immediate: true });
    await config.set({ rate: 1 });
    assert.deepEqual(got, [[], []]);
    await config.setAt(["models", "a"], true);
    assert.deepEqual(got.slice(2), [["a"], []]);
  });

  test("tells the difference since its part was compared, and who made that", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe(
      (value) => value.models,
      (_models, _previous, { from, to, changes, actor }) => {
        got.push([from, to, changes.map(({ path }) => path), actor]);
      },
    );
    await config.set({ rate: 1 }, { actor: "ann" });
    await config.set({ rate: 2 }, { actor: "ann" });
    await config.set({ rate: 2, models: { a: true } }, { actor: "bob" });
    assert.deepEqual(got, [[3, 4, [["models", "a"]], "bob"]]);
  });

  test("may build a set, a map or a date", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe((value) => new Set(Object.keys(value.models)), (keys) => got.push([...keys]));
    await config.set({ rate: 1 });
    await config.set({ rate: 2, models: { a: true } });
    assert.deepEqual(got, [["a"]]);
  });

  test("that finds nothing to select at first is called once it does", async () => {
    const { config } = await opened();
    const got: unknown[] = [];
    config.subscribe(
      (value) => (value.models["a"] as unknown as { valueOf(): boolean }).valueOf(),
      (a, previous) => got.push([a, previous]),
    );
    await config.set({ rate: 1 });
    await config.set({ rate: 1, models: { a: false } });
    await config.set({ rate: 2, models: { a: false } });
    await config.set({ rate: 2, models: { a: true } });
    assert.deepEqual(got, [[false, undefined], [true, false]]);
  });

  test("with an equality that throws is reported, and asked again at the next change", async () => {
    const { config, told } = await opened();
    const got: unknown[] = [];
    config.subscribe((value) => value.rate, (rate, previous) => got.push([rate, previous]), {
      equals: (one, other) => {
        if (one === 1) throw new Error("equals");
        return one === other;
      },
    });
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    assert.deepEqual(got, [[2, 0]]);
    assert.equal(told.lines.filter((line) => /equals/.test(line)).length, 1);
  });

  test("that throws is reported and tried again at the next change", async () => {
    const { config, told } = await opened();
    const got: number[] = [];
    config.subscribe(({ rate }) => {
      if (rate === 1) throw new Error("select");
      return rate;
    }, (rate) => got.push(rate));
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    await config.set({ rate: 3 });
    assert.ok(told.lines.some((line) => /select/.test(line)));
    assert.equal(got.at(-1), 3);
  });
});

describe("changes()", () => {
  test("gives every change to who keeps up, several as one to who does not", async () => {
    const { config } = await opened();
    const changes = config.changes();
    const first = changes.next();
    await config.set({ rate: 1 });
    assert.deepEqual((await first).value?.changes, [
      { path: ["rate"], kind: "changed", before: 0, after: 1 },
    ]);
    await config.set({ rate: 2 });
    await config.set({ rate: 3 });
    assert.deepEqual((await changes.next()).value?.changes, [
      { path: ["rate"], kind: "changed", before: 1, after: 3 },
    ]);
  });

  test("is silent about what was taken back before it was read", async () => {
    const { config } = await opened();
    const changes = config.changes();
    await config.set({ rate: 1 });
    await config.set({ rate: 0 });
    const next = changes.next();
    await config.set({ rate: 2 });
    assert.deepEqual((await next).value?.changes, [
      { path: ["rate"], kind: "changed", before: 0, after: 2 },
    ]);
  });

  test("counts from the call, not from the first read", async () => {
    const { config } = await opened();
    const changes = config.changes();
    await config.set({ rate: 1 });
    assert.equal((await changes.next()).value?.to, 2);
  });

  test("ends with the config, with its signal and with return(), even while it waits", async () => {
    const { config } = await opened();
    const abort = new AbortController();
    const [closed, aborted, returned] = [
      config.changes(),
      config.changes({ signal: abort.signal }),
      config.changes(),
    ];
    const waiting = [closed.next(), aborted.next(), returned.next()];
    abort.abort();
    await returned.return?.();
    await config.close();
    const done = { done: true, value: undefined };
    assert.deepEqual(await Promise.all(waiting), [done, done, done]);
    assert.deepEqual(await closed.next(), done);
    assert.deepEqual(await config.changes().next(), done);
  });

  test("answers several who wait, one change each, in order", async () => {
    const { config } = await opened();
    const changes = config.changes();
    const waiting = [changes.next(), changes.next()];
    await config.set({ rate: 1 });
    await config.set({ rate: 2 });
    assert.deepEqual((await Promise.all(waiting)).map(({ value }) => value?.to), [2, 3]);
  });

  test("a loop that breaks leaves nothing behind", async () => {
    const { config } = await opened();
    void config.set({ rate: 1 });
    for await (const { changes } of config.changes()) {
      assert.equal(changes.length, 1);
      break;
    }
    await config.set({ rate: 2 });
  });
});

test("whatever their pace, subscribers get an unbroken chain of values that ends with the newest", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomFrom(seed);
    const { host, config, told } = await opened();
    const releases = new Set<() => void>();
    const chains = [0, 1, 2, 3].map((pace) => {
      const chain: (typeof config.value)[] = [config.value];
      config.subscribe((next, previous, { changes }) => {
        assert.deepEqual(previous, chain.at(-1));
        assert.notEqual(changes.length, 0);
        assert.deepEqual(applyChanges(previous, changes), next);
        chain.push(next);
        if (random.below(4) >= pace) return;
        return new Promise<void>((resolve) => releases.add(resolve));
      });
      return chain;
    });
    for (let step = 0; step < 30; step++) {
      const key = random.pick(["a", "b"]);
      if (random.below(3) > 0) await config.set({ rate: random.below(3), models: { [key]: true } });
      else for (const release of releases) release();
      await host.advance(1);
    }
    // One that was released may be busy with what it missed.
    for (let round = 0; round < 3; round++) {
      for (const release of releases) release();
      await host.advance(1);
    }
    // What a listener throws is told there.
    assert.deepEqual(told.lines, [], `seed ${seed}`);
    for (const chain of chains) assert.deepEqual(chain.at(-1), config.value, `seed ${seed}`);
    await config.close();
  }
});
