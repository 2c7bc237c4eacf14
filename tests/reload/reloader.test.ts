// runs on: all
/** What a reloader does with the modules of a config. */
import assert from "node:assert/strict";
import type { ModuleContext } from "../../src/config/module.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import { describe, test } from "../support/kit.ts";
import { inTime, later, scene, type Value } from "../support/reloaded.ts";

describe("a reloader", () => {
  test("asks all modules concerned, then has each take its part over, in order", async () => {
    const { config, acts, held, module } = await scene();
    createReloader(config, { modules: () => [module("b"), module("c"), module("a")] });
    await config.patch({ a: 1, b: 2 });
    assert.deepEqual(acts, ["prepare b=2", "prepare a=1", "b=2", "a=1"]);
    assert.deepEqual(held, { a: 1, b: 2, c: 0 });
    assert.deepEqual(
      await config.plan({ a: 5, banner: 1 }).then((plan) => plan.ok && plan.actions),
      [
        { kind: "hot", paths: [["banner"]] },
        { kind: "reconfigure", module: "a", paths: [["a"]] },
      ],
    );
  });

  test("gives each what it prepared, its old part and what the part was taken from", async () => {
    const { config, module } = await scene();
    const seen: unknown[] = [];
    const modules = () => [
      module("a", {
        prepare: (_, { previous, snapshot, prepared }) => {
          seen.push(previous, snapshot.value.a, snapshot.hash, prepared);
          return "built";
        },
        reconfigure: (_, { previous, snapshot, prepared, signal }) => {
          seen.push(previous, snapshot.value.a, snapshot.generation, prepared, signal.aborted);
        },
      }),
    ];
    createReloader(config, { modules });
    await config.setAt(["a"], 3);
    assert.deepEqual(seen, [0, 3, "", undefined, 0, 3, 2, "built", false]);
  });

  test("changes modules that give no promise, and the value, in one turn", async () => {
    const { config, held, module } = await scene();
    const seen: string[] = [];
    const look = () => seen.push(`${held["a"]}${held["b"]}${held["c"]} ${config.value.a}`);
    const modules = () => [
      module("a", { reconfigure: () => void queueMicrotask(look) }),
      module("b", { reconfigure: () => void Promise.resolve().then(look) }),
      module("c", { reconfigure: () => void queueMicrotask(look) }),
    ];
    createReloader(config, { modules });
    await config.patch({ a: 1, b: 1, c: 1 });
    assert.deepEqual(seen, ["111 1", "111 1", "111 1"]);
  });

  test("calls the methods of a module that is an instance of a class on it", async () => {
    const { config } = await scene();
    class Doubler {
      readonly name = "doubler";
      #doubled = 0;
      get doubled(): number {
        return this.#doubled;
      }
      select({ a }: typeof config.value): number {
        return a;
      }
      prepare(a: number): number {
        return this.#doubled + 2 * a;
      }
      reconfigure(_: number, { prepared }: ModuleContext<Value, number, number>): void {
        this.#doubled = prepared ?? 0;
      }
    }
    const doubler = new Doubler();
    createReloader(config, { modules: () => [config.module(doubler)] });
    await config.setAt(["a"], 2);
    assert.equal(doubler.doubled, 4);
  });

  test("asks for the modules at every reload, with the value to come, and not before", async () => {
    const { config, held, module } = await scene();
    const asked: number[] = [];
    createReloader(config, {
      modules: (value) => {
        asked.push(value.a);
        return [module("a")];
      },
    });
    assert.deepEqual(asked, []);
    await config.setAt(["a"], 1);
    await config.setAt(["a"], 2);
    assert.deepEqual([asked, held["a"]], [[1, 2], 2]);
  });

  test("leaves alone what is hot, and refuses what no module selects", async () => {
    const { config, acts, module } = await scene();
    createReloader(config, { modules: () => [module("a")] });
    await config.setAt(["banner"], 1);
    await assert.rejects(config.patch({ other: 1, a: 1 }), (error: Error) => {
      assert.match(error.message, /no module selects \(other\).*hot\(\).*fullReload/);
      return true;
    });
    const plan = await config.plan({ other: 1, a: 1 });
    assert.match(plan.ok ? "" : plan.problems[0]!.message, /no module selects \(other\)/);
    assert.deepEqual([acts, config.value.banner, config.value.a], [[], 1, 0]);
    assert.equal(config.snapshot().generation, 2);
  });

  test("lets go of the config when it is closed, once what is under way is done", async () => {
    const { config, host, acts, held, module } = await scene();
    const gate = later();
    const modules = () => [module("a", { reconfigure: () => gate.promise })];
    const reloader = createReloader(config, { modules });
    const write = config.setAt(["a"], 1);
    await host.advance(0);
    let isClosed = false;
    const closed = reloader.close().then(() => isClosed = true);
    await host.advance(0);
    assert.deepEqual([acts, isClosed], [["prepare a=1", "a=1"], false]);
    gate.resolve();
    await Promise.all([write, closed]);
    assert.deepEqual([held["a"], config.value.a], [1, 1]);
    await config.setAt(["a"], 2);
    assert.deepEqual([held["a"], config.value.a], [1, 2]);
    await reloader.close();
    await createReloader(config, { modules }).close();
  });

  test("is told to end when the config is being closed", async () => {
    const { config, host, held, module } = await scene();
    const modules = () => [
      module("a", {
        reconfigure: (next, { signal }) => {
          if (next === 0) return;
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        },
      }, 50_000),
    ];
    createReloader(config, { modules, fullReload: () => assert.fail("nothing is built any more") });
    const write = assert.rejects(config.setAt(["a"], 1), /the config is being closed/);
    await host.advance(0);
    const closed = config.close();
    await inTime(host, Promise.all([write, closed]), 2000);
    assert.deepEqual([held["a"], config.value.a], [0, 0]);
  });

  test("calls no further module, and builds nothing, once the config is being closed", async () => {
    for (const isFull of [false, true]) {
      const { config, host, acts, module } = await scene();
      const gate = later();
      const modules = () => [module("a", { prepare: () => gate.promise }, 50_000)];
      const fullReload = () => assert.fail("nothing is built any more");
      createReloader(config, { modules, ...(isFull ? { fullReload } : {}) });
      const change = isFull ? { a: 1, other: 1 } : { a: 1 };
      const write = assert.rejects(config.patch(change), /being closed/);
      await host.advance(0);
      const closed = config.close();
      gate.resolve();
      await inTime(host, Promise.all([write, closed]), 2000);
      assert.deepEqual(acts, ["prepare a=1"]);
    }
  });
});

describe("a module that refuses", () => {
  const refusals: [string, () => unknown, RegExp][] = [
    ["by throwing", () => {
      throw new Error("too small");
    }, /module "b" refuses it \(too small\)/],
    ["by rejecting", () => Promise.reject(new Error("too big")), /\(too big\)/],
    ["by throwing nothing", () => {
      throw undefined;
    }, /it threw undefined/],
    ["by never answering", () => new Promise(() => {}), /more than 1000 ms.*waits for itself/],
  ];
  for (const [how, prepare, message] of refusals) {
    test(`${how} has nothing stored and the others let go`, async () => {
      const { config, host, acts, held, module } = await scene();
      const aborted: string[] = [];
      const noted = (name: "a" | "c") =>
        module(name, {
          prepare: (_, { signal }) => signal.addEventListener("abort", () => aborted.push(name)),
        });
      createReloader(config, { modules: () => [noted("a"), module("b", { prepare }), noted("c")] });
      const error = await inTime(host, config.patch({ a: 1, b: 1, c: 1 })).then(
        () => assert.fail("it was stored"),
        (error) => error,
      );
      assert.match(error.message, message);
      assert.deepEqual([error.code, error.details], ["RELOAD_REFUSED", { module: "b" }]);
      assert.deepEqual([aborted, held], [["a", "c"], { a: 0, b: 0, c: 0 }]);
      assert.deepEqual(acts, ["prepare a=1", "prepare b=1", "prepare c=1"]);
      assert.equal(config.snapshot().generation, 1);
    });
  }

  test("has refused though it answers after its time", async () => {
    const { config, host, acts, module } = await scene();
    const gate = later();
    createReloader(config, { modules: () => [module("a", { prepare: () => gate.promise })] });
    await assert.rejects(inTime(host, config.setAt(["a"], 1)), { code: "RELOAD_REFUSED" });
    gate.resolve();
    await host.advance(10_000);
    assert.deepEqual([acts, config.value.a], [["prepare a=1"], 0]);
  });

  test("counts where the program would be built anew", async () => {
    const { config, module } = await scene();
    let isRefusing = true;
    let signal: AbortSignal | undefined;
    const prepare = (_: number, context: { readonly signal: AbortSignal }) => {
      signal = context.signal;
      if (isRefusing) throw new Error("not now");
    };
    const built: number[] = [];
    createReloader(config, {
      modules: () => [module("a", { prepare })],
      fullReload: ({ value }) => void built.push(value.a),
    });
    await assert.rejects(config.patch({ a: 1, other: 1 }), /not now/);
    isRefusing = false;
    await config.patch({ a: 1, other: 1 });
    assert.deepEqual([built, signal?.aborted, config.value.other], [[1], true, 1]);
  });
});

describe("a module that fails", () => {
  test("has those before it undone in reverse, with their old parts", async () => {
    const { config, acts, held, module } = await scene();
    const signals: string[] = [];
    const noted = (name: "a" | "b" | "c") =>
      module(name, {
        reconfigure: (next, { signal, previous, prepared }) => {
          signal.addEventListener("abort", () => signals.push(`${name} ${held[name]}`));
          if (next === 0) assert.deepEqual([previous, prepared], [1, undefined]);
          if (name === "c" && next === 1) throw new Error("no more sockets");
        },
        prepare: () => "built",
      });
    createReloader(config, { modules: () => [noted("a"), noted("b"), noted("c")] });
    const error = await config.patch({ a: 1, b: 1, c: 1 }).then(() => undefined, (error) => error);
    assert.match(
      error.message,
      /module "c" failed \(no more sockets\); the others were taken back/,
    );
    assert.deepEqual(error.details, { module: "c" });
    assert.deepEqual(acts.slice(3), ["a=1", "b=1", "c=1", "b=0", "a=0"]);
    assert.deepEqual(held, { a: 0, b: 0, c: 0 });
    assert.deepEqual(signals.toSorted(), ["a 0", "b 0", "c 0"]);
    // What was stored came back.
    assert.deepEqual([config.value.a, config.snapshot().generation], [0, 3]);
  });

  test("shows nobody a mixture where none gives a promise", async () => {
    const { config, held, module } = await scene();
    const seen: string[] = [];
    const look = () => seen.push(Object.values(held).join(""));
    createReloader(config, {
      modules: () => [
        module("a", { reconfigure: () => void queueMicrotask(look) }),
        module("b", {
          reconfigure: (next) => {
            queueMicrotask(look);
            if (next === 1) throw new Error("no");
          },
        }),
      ],
    });
    await assert.rejects(config.patch({ a: 1, b: 1 }), { code: "RELOAD_REFUSED" });
    assert.deepEqual(seen, ["000", "000", "000"]);
  });

  test("gets its old part a moment later, since it may have changed in part", async () => {
    const { config, host, acts, held, module } = await scene();
    let isHalf = false;
    const half = module("b", {
      reconfigure: (next) => {
        isHalf = next === 1;
        if (isHalf) throw new Error("no");
      },
    });
    createReloader(config, { modules: () => [module("a"), half] });
    await assert.rejects(config.patch({ a: 1, b: 1 }), { code: "RELOAD_REFUSED" });
    assert.deepEqual([acts.slice(2), isHalf], [["a=1", "b=1", "a=0"], true]);
    await host.advance(1000);
    assert.deepEqual([acts.at(-1), isHalf, held], ["b=0", false, { a: 0, b: 0, c: 0 }]);
    assert.equal(acts.length, 6);
  });

  test("and cannot be undone stops no other, is told, and is tried at the next change", async () => {
    const { config, host, acts, held, told, module } = await scene();
    const broken = { b: true };
    const modules = () => [
      module("a"),
      module("b", {
        reconfigure: () => {
          if (broken.b) throw new Error("stuck");
        },
      }),
      module("c"),
    ];
    createReloader(config, { modules });
    await assert.rejects(config.patch({ a: 1, b: 1 }), /"b" failed \(stuck\)/);
    await host.advance(1000);
    assert.deepEqual(held, { a: 0, b: 0, c: 0 });
    assert.ok(
      told.lines.some((line) => /^error Module "b".*\(stuck\)/.test(line)),
      told.lines.join(),
    );
    broken.b = false;
    acts.length = 0;
    await config.setAt(["c"], 1);
    assert.deepEqual(acts, ["prepare b=0", "prepare c=1", "b=0", "c=1"]);
    acts.length = 0;
    await config.setAt(["c"], 2);
    assert.deepEqual(acts, ["prepare c=2", "c=2"]);
  });

  test("by being late is undone, and once more when it is done after all", async () => {
    const { config, host, acts, held, module } = await scene();
    const gate = later();
    const modules = () => [
      module("a"),
      module("b", { reconfigure: (next) => next === 1 ? gate.promise : undefined }),
    ];
    createReloader(config, { modules });
    await assert.rejects(inTime(host, config.patch({ a: 1, b: 1 })), /more than 1000 ms/);
    assert.deepEqual([acts.slice(2), held], [["a=1", "b=1", "a=0", "b=0"], { a: 0, b: 0, c: 0 }]);
    await config.setAt(["a"], 7);
    gate.resolve();
    await host.advance(0);
    assert.deepEqual([acts.at(-1), held, config.value.b], ["b=0", { a: 7, b: 0, c: 0 }, 0]);
  });

  test("and heeds its signal is undone only when it has come to its end", async () => {
    const { config, host, acts, module } = await scene();
    createReloader(config, {
      modules: () => [
        module("a", {
          reconfigure: (next, { signal }) =>
            next === 0 ? undefined : new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                void host.sleep(100, { keepAlive: false }).then(() => {
                  acts.push("ended");
                  reject(signal.reason);
                });
              });
            }),
        }),
      ],
    });
    await assert.rejects(inTime(host, config.setAt(["a"], 1)), /more than 1000 ms/);
    assert.deepEqual(acts, ["prepare a=1", "a=1", "ended", "a=0"]);
    await host.advance(10_000);
    assert.equal(acts.length, 4);
  });

  test("since it waits for a reload from inside is ended by its time", async () => {
    const { config, host, held, module } = await scene();
    const inner: Promise<unknown>[] = [];
    const reconfigure = async (next: number) => {
      if (next !== 1) return;
      inner.push(config.setAt(["c"], 5));
      await inner[0];
    };
    createReloader(config, { modules: () => [module("a", { reconfigure }), module("c")] });
    await assert.rejects(inTime(host, config.setAt(["a"], 1)), /waits for itself/);
    await inTime(host, Promise.all(inner));
    await host.advance(10_000);
    assert.deepEqual(held, { a: config.value.a, b: 0, c: config.value.c });
    assert.deepEqual(held, { a: 0, b: 0, c: 5 });
  });
});

describe("a reloader refuses", () => {
  const lists: [string, () => unknown, RegExp][] = [
    ["modules() that throws", () => {
      throw new Error("not yet");
    }, /modules\(\) throws \(not yet\)/],
    ["modules() that gives no array", () => "pool", /modules\(\) gives string/],
    ["modules() that gives a promise", async () => [], /modules\(\) gives a promise/],
    ["what is no module", () => [null], /of modules\(\)\[0\], found null/],
    ["a module without a name", () => [{ select: () => 1 }], /found no name/],
    ["a module without select", () => [{ name: "a" }], /found no select/],
    [
      "a module whose prepare is no function",
      () => [{ name: "a", select() {}, prepare: 1 }],
      /number as prepare/,
    ],
    [
      "a module with no time",
      () => [{ name: "a", select() {}, timeoutMs: 0 }],
      /no timeoutMs above 0/,
    ],
    [
      "two modules of one name",
      () => [{ name: "pool", select() {} }, { name: "pool", select() {} }],
      /two of the name "pool"/,
    ],
  ];
  for (const [what, modules, message] of lists) {
    test(what, async () => {
      const { config } = await scene();
      createReloader(config, { modules: modules as () => [] });
      await assert.rejects(config.setAt(["a"], 1), (error: Error & { code?: string }) => {
        assert.equal(error.code, "RELOAD_REFUSED");
        assert.match(error.message, message);
        return true;
      });
      assert.equal(config.snapshot().generation, 1);
    });
  }

  test("options that cannot be used, a config of others and a second of its kind", async () => {
    const { config } = await scene();
    const create = (options: unknown) => () => createReloader(config, options as object);
    assert.throws(create(null), { code: "UNSUPPORTED", message: /found null as its options/ });
    assert.throws(create({ modules: [] }), /found object as modules/);
    assert.throws(create({ fullReload: { build() {} } }), /found no full reload/);
    assert.throws(create({ fullReload: null }), /found no full reload/);
    assert.throws(create({ timeoutMs: NaN }), /no timeoutMs above 0/);
    assert.throws(() => createReloader({} as typeof config), { code: "UNSUPPORTED" });
    const promised = Promise.resolve(config) as unknown as typeof config;
    assert.throws(() => createReloader(promised), { message: /found a promise; await/ });
    createReloader(config);
    assert.throws(create({}), { code: "UNSUPPORTED", details: { what: "second reloader" } });
    await config.close();
  });

  test("a config that was closed", async () => {
    const { config } = await scene();
    await config.close();
    assert.throws(() => createReloader(config), { code: "CLOSED" });
  });
});
