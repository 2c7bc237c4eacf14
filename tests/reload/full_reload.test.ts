// runs on: all
/** What a reloader does where the program has to be built anew. */
import assert from "node:assert/strict";
import { createReloader } from "../../src/reload/reloader.ts";
import { describe, test } from "../support/kit.ts";
import { inTime, later, type Scene, scene } from "../support/reloaded.ts";

describe("a full reload by a function", () => {
  test("follows what no module selects, and then the value", async () => {
    const { config, module } = await scene();
    const seen: unknown[] = [];
    createReloader(config, {
      modules: () => [module("a")],
      fullReload: (snapshot, previous, { signal }) => {
        seen.push(snapshot.value.other, previous.value.other, config.value.other, signal.aborted);
      },
    });
    await config.patch({ other: 1, a: 1 });
    assert.deepEqual(seen, [1, 0, 0, false]);
    assert.equal(config.value.other, 1);
  });

  test("follows every change where there are no modules", async () => {
    const { config } = await scene();
    const built: number[] = [];
    createReloader(config, { fullReload: ({ value }) => void built.push(value.a) });
    await config.setAt(["a"], 1);
    assert.deepEqual(built, [1]);
  });

  test("follows a module that fails, once all were taken back", async () => {
    const { config, acts, module, told } = await scene();
    const failing = module("b", {
      reconfigure: (next) => {
        if (next === 1) throw new Error("cannot");
      },
    });
    createReloader(config, {
      modules: () => [module("a"), failing],
      fullReload: ({ value }) => void acts.push(`build ${value.a}${value.b}`),
    });
    await config.patch({ a: 1, b: 1 });
    assert.deepEqual(acts.slice(2), ["a=1", "b=1", "a=0", "build 11"]);
    assert.equal(config.value.b, 1);
    assert.ok(told.lines.some((line) => /^warn module "b".*\(cannot\); tries a full/.test(line)));
  });

  test("that fails is called the other way round", async () => {
    const { config } = await scene();
    const calls: string[] = [];
    createReloader(config, {
      fullReload: async ({ value }, previous) => {
        calls.push(`${previous.value.a}→${value.a}`);
        await Promise.resolve();
        if (value.a === 1) throw new Error("port taken");
      },
    });
    await assert.rejects(config.setAt(["a"], 1), /\(port taken\); the old program serves/);
    assert.deepEqual([calls, config.value.a], [["0→1", "1→0"], 0]);
  });

  test("that fails both ways is told loudly, and the next change is one whatever it is", async () => {
    const { config, told } = await scene();
    let isBroken = true;
    const built: number[] = [];
    createReloader(config, {
      fullReload: ({ value }) => {
        if (isBroken) throw new Error("no memory");
        built.push(value.banner);
      },
    });
    await assert.rejects(config.setAt(["a"], 1), /nothing may serve/);
    assert.ok(told.lines.some((line) => line.startsWith("error Nothing may serve")));
    assert.equal(config.status().problems.length > 0, true);
    isBroken = false;
    await config.setAt(["banner"], 1);
    await config.setAt(["banner"], 2);
    assert.deepEqual(built, [1]);
  });

  test("that ends after its time is brought back to what runs", async () => {
    const { config, host } = await scene();
    const gate = later();
    let serves = 0;
    createReloader(config, {
      timeoutMs: 1000,
      fullReload: async ({ value }) => {
        if (value.a === 1) await gate.promise;
        serves = value.a;
      },
    });
    await config.setAt(["a"], 2);
    await assert.rejects(inTime(host, config.setAt(["a"], 1)), /more than 1000 ms/);
    assert.equal(serves, 2);
    gate.resolve();
    await host.advance(0);
    assert.deepEqual([serves, config.value.a], [2, 2]);
  });

  test("that ends after its time, in the middle of another change, waits for the end of that", async () => {
    const { config, host, acts, module } = await scene();
    const gates = { late: later(), reconfigure: later() };
    createReloader(config, {
      modules: () => [module("a", { reconfigure: () => gates.reconfigure.promise })],
      timeoutMs: 1000,
      fullReload: ({ value }) => {
        acts.push(`build ${value.a}${value.other}`);
        return value.other === 1 ? gates.late.promise : undefined;
      },
    });
    await assert.rejects(inTime(host, config.setAt(["other"], 1)), /more than 1000 ms/);
    const write = config.setAt(["a"], 3);
    await host.advance(0);
    gates.late.resolve();
    await host.advance(0);
    assert.deepEqual(acts, ["build 01", "build 00", "prepare a=3", "a=3"]);
    gates.reconfigure.resolve();
    await write;
    await host.advance(0);
    assert.deepEqual(acts.slice(4), ["build 30"]);
  });
});

describe("a full reload in steps", () => {
  /** A program that logs, and fails where it is told to. */
  function program({ config, acts }: Scene) {
    const fails = new Set<string>();
    const act = (what: string) => {
      acts.push(what);
      if (fails.has(what)) throw new Error(`${what} failed`);
    };
    const reloader = createReloader(config, {
      timeoutMs: 1000,
      fullReload: {
        instance: "p0",
        build: ({ value }) => {
          act(`build p${value.a}`);
          return `p${value.a}`;
        },
        start: (instance) => act(`start ${instance}`),
        stop: async (instance) => act(`stop ${instance}`),
      },
    });
    return { reloader, fails };
  }

  test("builds, stops the old and starts the new", async () => {
    const setting = await scene();
    const { reloader } = program(setting);
    await setting.config.setAt(["a"], 1);
    assert.deepEqual(setting.acts, ["build p1", "stop p0", "start p1"]);
    const instance: string = reloader.instance;
    assert.equal(instance, "p1");
  });

  test("gives the modules of the program that serves their changes", async () => {
    const { config } = await scene();
    const taken: string[] = [];
    const program = (born: number) => ({
      modules: [
        config.module({
          name: "b",
          select: ({ b }) => b,
          reconfigure: (b) => taken.push(`${born} takes ${b}`),
        }),
      ],
    });
    const reloader = createReloader(config, {
      modules: (_, { modules }) => modules,
      fullReload: {
        instance: program(0),
        build: ({ value }) => program(value.a),
        start() {},
        stop() {},
      },
    });
    await config.setAt(["b"], 1);
    await config.patch({ a: 1, b: 2 });
    await config.setAt(["b"], 3);
    assert.deepEqual(taken, ["0 takes 1", "1 takes 3"]);
    await reloader.close();
  });

  const failures: [string, string[], string[], RegExp][] = [
    ["cannot be built leaves the old alone", ["build p1"], ["build p1"], /the old program serves/],
    [
      "cannot be started is stopped, and the old started again",
      ["start p1"],
      ["build p1", "stop p0", "start p1", "stop p1", "start p0"],
      /start p1 failed\); the old program serves/,
    ],
    [
      "has to wait for one that cannot be stopped is let go",
      ["stop p0"],
      ["build p1", "stop p0", "stop p1", "start p0"],
      /stopping the old program failed/,
    ],
    [
      "cannot be started, like the old, is told loudly",
      ["start p1", "start p0"],
      ["build p1", "stop p0", "start p1", "stop p1", "start p0", "stop p0"],
      /nothing may serve/,
    ],
  ];
  for (const [what, failing, expected, message] of failures) {
    test(`that ${what}`, async () => {
      const setting = await scene();
      const { reloader, fails } = program(setting);
      for (const step of failing) fails.add(step);
      await assert.rejects(setting.config.setAt(["a"], 1), message);
      assert.deepEqual([setting.acts, reloader.instance], [expected, "p0"]);
      assert.equal(setting.config.value.a, 0);
      fails.clear();
      await setting.config.setAt(["a"], 2);
      assert.deepEqual([reloader.instance, setting.config.value.a], ["p2", 2]);
    });
  }

  test("is not built to its end once the config is being closed", async () => {
    const { config, host, acts } = await scene();
    createReloader(config, {
      timeoutMs: 30_000,
      fullReload: {
        instance: "old",
        build: (_next, { signal }) =>
          new Promise<string>((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("told to end")));
          }),
        start: (instance) => void acts.push(`start ${instance}`),
        stop: (instance) => void acts.push(`stop ${instance}`),
      },
    });
    const write = config.setAt(["a"], 1);
    const refused = assert.rejects(write, /being closed.*the old program serves/);
    await host.advance(10);
    const begunMs = host.monotonic();
    await inTime(host, config.close(), 1000);
    await refused;
    assert.ok(host.monotonic() - begunMs <= 1000);
    assert.deepEqual(acts, []);
  });

  test("stops a candidate that is there only after its time", async () => {
    const { config, host, acts } = await scene();
    const gate = later();
    createReloader(config, {
      timeoutMs: 1000,
      fullReload: {
        instance: "old",
        build: async () => {
          await gate.promise;
          return "late";
        },
        start: (instance) => void acts.push(`start ${instance}`),
        stop: (instance) => void acts.push(`stop ${instance}`),
      },
    });
    await assert.rejects(inTime(host, config.setAt(["a"], 1)), /more than 1000 ms/);
    gate.resolve();
    await host.advance(0);
    assert.deepEqual(acts, ["stop late"]);
  });

  test("has the old built anew where a module could not be taken back", async () => {
    const { config, acts, module } = await scene();
    const stuck = module("a", {
      reconfigure: (next) => {
        if (next === 0) throw new Error("stuck");
      },
    });
    const failing = module("b", {
      reconfigure: () => {
        throw new Error("no");
      },
    });
    createReloader(config, {
      modules: () => [stuck, failing],
      fullReload: {
        instance: "p0",
        build: ({ value }) => {
          acts.push(`build p${value.a}`);
          if (value.a === 1) throw new Error("no");
          return `new p${value.a}`;
        },
        start: (instance) => void acts.push(`start ${instance}`),
        stop: (instance) => void acts.push(`stop ${instance}`),
      },
    });
    await assert.rejects(config.patch({ a: 1, b: 1 }), { code: "RELOAD_REFUSED" });
    const built = ["build p1", "build p0", "stop p0", "start new p0"];
    assert.deepEqual(acts.slice(2), ["a=1", "b=1", "a=0", ...built]);
  });
});
