// runs on: node-24
import assert from "node:assert/strict";
import * as v from "valibot";
import { annotationsOf } from "../../src/core/annotation.ts";
import { hot, secret } from "../../src/core/mark.ts";
import { applyChanges } from "../../src/core/change.ts";
import { diff } from "../../src/core/diff.ts";
import { isPlainObject } from "../../src/core/document.ts";
import type { Path } from "../../src/core/error.ts";
import { planChange, type PlannedAction, type PlannedModule } from "../../src/core/plan.ts";
import { freeze, share } from "../../src/core/snapshot.ts";
import { describe, test } from "../support/kit.ts";
import { forSeeds, type Random, randomJson } from "../support/random.ts";

// deno-lint-ignore no-explicit-any -- A selector may ask for anything of a value whose shape the test knows.
type Anything = any;

/** A module that can be reconfigured. */
function module(name: string, select: (value: Anything) => unknown): PlannedModule {
  return { name, select, reconfigure: () => {} };
}

interface Question {
  readonly schema?: v.GenericSchema;
  readonly known?: readonly string[];
  readonly unsettled?: readonly string[];
  readonly pending?: readonly Path[];
}

/** What becomes of a change. */
function planned(
  before: unknown,
  after: unknown,
  modules: readonly PlannedModule[] | undefined,
  { schema, known, unsettled, pending = [] }: Question = {},
): readonly PlannedAction[] {
  const old = freeze(before);
  const { value, changes } = share(old, after);
  return planChange({
    before: old,
    after: value,
    changes,
    modules,
    known: known && new Set(known),
    unsettled: unsettled && new Set(unsettled),
    pending: pending.map((path) => ({ path, running: 1, stored: 2 })),
    annotations: annotationsOf(schema),
  }).actions;
}

const reconfigure = (name: string, ...paths: Path[]): PlannedAction => {
  return { kind: "reconfigure", module: name, paths };
};
const unclaimed = (...paths: Path[]): PlannedAction => {
  return { kind: "full_reload", reasons: [{ why: "unclaimed", paths }] };
};

const base = { pool: { size: 1, hosts: ["a", "b"] }, rate: { limit: 5, burst: 9 }, banner: "hi" };
const pool = module("pool", (value) => value.pool);
const rate = module("rate", (value) => value.rate);

describe("a change is planned", () => {
  test("as a reconfiguration of the module that selects it", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 } };
    assert.deepEqual(planned(base, next, [pool, rate]), [reconfigure("pool", ["pool", "size"])]);
  });

  test("as one of every module that selects it, in their order", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 }, rate: { limit: 6, burst: 9 } };
    const whole = module("whole", (value) => value);
    assert.deepEqual(planned(base, next, [whole, rate, pool]), [
      reconfigure("whole", ["pool", "size"], ["rate", "limit"]),
      reconfigure("rate", ["rate", "limit"]),
      reconfigure("pool", ["pool", "size"]),
    ]);
  });

  test("as a full reload where nobody selects it, in place of all else", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 }, banner: "ho" };
    assert.deepEqual(planned(base, next, [pool, rate]), [unclaimed(["banner"])]);
  });

  test("as hot where nobody selects it, and the schema says so there or above", () => {
    const schema = v.object({
      pool: v.any(),
      rate: v.pipe(v.object({ limit: v.number(), burst: v.number() }), hot()),
      banner: v.pipe(v.string(), hot()),
    });
    const next = { ...base, pool: { ...base.pool, size: 2 }, banner: "ho", rate: { limit: 6 } };
    assert.deepEqual(planned(base, next, [pool], { schema }), [
      { kind: "hot", paths: [["rate", "limit"], ["rate", "burst"], ["banner"]] },
      reconfigure("pool", ["pool", "size"]),
    ]);
  });

  test("as hot where nothing is there to reload", () => {
    const actions = planned(base, { ...base, banner: "ho" }, undefined, { pending: [["port"]] });
    assert.deepEqual(actions, [
      { kind: "hot", paths: [["banner"]] },
      { kind: "restart_required", paths: [["port"]] },
    ]);
  });

  test("as a full reload where there are no modules", () => {
    assert.deepEqual(planned(base, { ...base, banner: "ho" }, []), [
      { kind: "full_reload", reasons: [{ why: "no modules", paths: [["banner"]] }] },
    ]);
  });

  test("beside what waits for a restart", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 } };
    assert.deepEqual(planned(base, next, [pool], { pending: [["port"]] }), [
      reconfigure("pool", ["pool", "size"]),
      { kind: "restart_required", paths: [["port"]] },
    ]);
  });

  test("without a path that leads into a secret", () => {
    const schema = v.object({ keys: v.pipe(v.record(v.string(), v.string()), secret()) });
    const actions = planned({ keys: { alice: "1" } }, { keys: { bob: "1" } }, [], { schema });
    assert.deepEqual(actions, [
      { kind: "full_reload", reasons: [{ why: "no modules", paths: [["keys"]] }] },
    ]);
  });

  test("as nothing where nothing changed", () => {
    assert.deepEqual(planned(base, structuredClone(base), [pool]), []);
  });
});

describe("a module", () => {
  const reasonFor = (actions: readonly PlannedAction[]) => {
    const [action] = actions;
    assert.equal(action?.kind, "full_reload");
    return action.reasons;
  };
  const cases: [string, unknown, unknown, PlannedModule, string][] = [
    ["without reconfigure", base, { ...base, banner: "ho" }, {
      name: "m",
      select: (value: Anything) => value.banner,
    }, "fixed"],
    ["whose part was not there", {}, { m: { a: 1 } }, module("m", (value) => value.m), "added"],
    ["whose part is gone", { m: { a: 1 } }, {}, module("m", (value) => value.m), "removed"],
    [
      "that throws where its part was not there",
      {},
      { m: { a: 1 } },
      module("m", (value) => value.m.a),
      "added",
    ],
    [
      "of another kind now",
      { m: { type: "redis", size: 1 } },
      { m: { type: "disk", size: 1 } },
      { ...module("m", (value) => value.m.size), kind: (value: Anything) => value.m.type },
      "retyped",
    ],
  ];
  for (const [what, before, after, given, why] of cases) {
    test(`${what} is a full reload`, () => {
      const reasons = reasonFor(planned(before, after, [given]));
      assert.deepEqual(reasons[0]?.why, why);
      assert.equal(reasons[0]?.module, "m");
    });
  }

  test("that came or went since the last change is a full reload", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 } };
    const known = ["pool", "gone"];
    assert.deepEqual(reasonFor(planned(base, next, [pool, rate], { known })), [
      { why: "added", module: "rate", paths: [] },
      { why: "removed", module: "gone", paths: [] },
    ]);
    assert.deepEqual(reasonFor(planned(base, next, [pool], { known: [] })), [
      { why: "added", module: "pool", paths: [["pool", "size"]] },
    ]);
  });

  test("that may hold another part is concerned whatever changed", () => {
    const next = { ...base, pool: { ...base.pool, size: 2 } };
    assert.deepEqual(planned(base, next, [pool, rate], { unsettled: ["rate"] }), [
      reconfigure("pool", ["pool", "size"]),
      reconfigure("rate"),
    ]);
  });

  test("whose parts cannot be compared is refused by name", () => {
    const odd = module("odd", (value) => new Map([["size", value.pool.size]]));
    assert.throws(() => planned(base, { ...base, banner: "ho" }, [odd]), {
      code: "RELOAD_REFUSED",
      details: { module: "odd" },
    });
  });
});

describe("a change is claimed", () => {
  const claimed = (select: (value: Anything) => unknown, before: unknown, after: unknown) => {
    return planned(before, after, [module("m", select)]);
  };
  const cases: [string, (value: Anything) => unknown, Anything, Path][] = [
    ["by a value", (value) => value.pool.size, { pool: { size: 2 } }, ["pool", "size"]],
    ["by something worked out", (value) => value.pool.size * 2, { pool: { size: 2 } }, [
      "pool",
      "size",
    ]],
    ["by what is built of parts", ({ pool, rate }) => ({ pool, rate }), { pool: { size: 2 } }, [
      "pool",
      "size",
    ]],
    ["by what is built of values", (value) => [value.pool.size], { pool: { size: 2 } }, [
      "pool",
      "size",
    ]],
    ["by an element of an array", (value) => value.pool.hosts[1], { pool: { hosts: ["a", "c"] } }, [
      "pool",
      "hosts",
      1,
    ]],
    ["by the elements that are left", (value) => [...value.pool.hosts], {
      pool: { hosts: ["a"] },
    }, ["pool", "hosts", 1]],
    ["by the keys", (value) => Object.keys(value.pool), { pool: { weight: 1 } }, [
      "pool",
      "weight",
    ]],
  ];
  for (const [what, select, edit, path] of cases) {
    test(what, () => {
      const next = { ...base, pool: { ...base.pool, ...edit.pool } };
      assert.deepEqual(claimed(select, base, next), [reconfigure("m", path)]);
    });
  }

  test("where only another change lets it count", () => {
    const select = (value: Anything) => value.on ? value.rate : 0;
    assert.deepEqual(claimed(select, { on: false, rate: 1 }, { on: true, rate: 2 }), [
      reconfigure("m", ["on"], ["rate"]),
    ]);
  });

  test("in every leaf of what was added as a whole, or not at all", () => {
    const select = (value: Anything) => value.rate?.limit ?? 10;
    assert.deepEqual(claimed(select, {}, { rate: { limit: 5 } }), [reconfigure("m", ["rate"])]);
    assert.deepEqual(claimed(select, {}, { rate: { limit: 5, burst: 9 } }), [
      unclaimed(["rate", "burst"]),
    ]);
    assert.deepEqual(claimed(select, { rate: { limit: 5, burst: 9 } }, {}), [
      unclaimed(["rate", "burst"]),
    ]);
    assert.deepEqual(claimed(select, { rate: null }, { rate: { limit: 5, burst: 9 } }), [
      unclaimed(["rate", "burst"]),
    ]);
  });

  test("by no other element than the one that is selected", () => {
    const select = (value: Anything) => value.slice(3);
    assert.deepEqual(claimed(select, [1, 2, 3, 4], [1, 2]), [unclaimed([2])]);
  });

  test("by keys alone, not by what stands there", () => {
    const select = (value: Anything) => Object.keys(value.models);
    const next = { models: { a: { rate: 1 }, b: { rate: 2 } } };
    assert.deepEqual(claimed(select, { models: { a: { rate: 1 } } }, next), [
      unclaimed(["models", "b"]),
    ]);
    // A trial that took a key out and put it back would change the order for all later ones.
    const reordered = { models: { a: 1, c: 1 }, x: 2 };
    const [action] = claimed(select, { models: { b: 1, a: 1 }, x: 1 }, reordered);
    assert.ok(action?.kind === "full_reload");
    assert.ok(action.reasons.some(({ paths }) => paths.some(([step]) => step === "x")));
  });

  test("by nobody where there are too many to try", () => {
    const many = (value: number) => Array.from({ length: 5000 }, () => value);
    const select = (value: Anything) => value.reduce((sum: number, one: number) => sum + one, 0);
    assert.equal(claimed(select, many(1), many(2))[0]?.kind, "full_reload");
    assert.equal(claimed((value) => value, many(1), many(2))[0]?.kind, "reconfigure");
  });
});

describe("a plan", () => {
  test("accounts for every change, and leaves the values as they are", () => {
    forSeeds(1500, (random) => {
      const [before, after] = [freeze(randomJson(random, 4)), randomJson(random, 4)];
      const { value, changes } = share(before, after);
      const texts = [JSON.stringify(before), JSON.stringify(value)];
      const modules = randomModules(random);
      const { actions, concerned } = planChange({
        before,
        after: value,
        changes,
        modules,
        pending: [],
        annotations: undefined,
      });
      assert.deepEqual([JSON.stringify(before), JSON.stringify(value)], texts);
      if (actions.some(({ kind }) => kind === "full_reload")) return;
      const told = new Set(
        actions.flatMap((action) => "paths" in action ? action.paths : []).map(String),
      );
      for (const { path } of changes) assert.ok(told.has(String(path)), String(path));
      assertHeld({ before, after: value, concerned, modules });
    });
  });
});

/** Where nothing is a full reload, no module that is left alone has another part. */
function assertHeld({ before, after, concerned, modules }: {
  readonly before: unknown;
  readonly after: unknown;
  readonly concerned: readonly { readonly module: PlannedModule }[];
  readonly modules: readonly PlannedModule[];
}): void {
  const names = concerned.map(({ module }) => module.name);
  for (const { name, select } of modules) {
    if (!names.includes(name)) assert.deepEqual(select(after), select(before));
  }
  assert.deepEqual(applyChanges(before, diff(before, after)), after);
}

function randomModules(random: Random): PlannedModule[] {
  const at = (key: string) => (value: unknown) => isPlainObject(value) ? value[key] ?? 0 : 0;
  return Array.from({ length: 1 + random.below(4) }, (_, index) => {
    const keys = ["a", "b", "c.d", ""].filter(() => random.below(2) === 0).map(at);
    return module(
      `m${index}`,
      random.pick([
        (value: unknown) => [value],
        (value: unknown) => keys.map((take) => take(value)),
        (value: unknown) => JSON.stringify(keys.map((take) => take(value))),
      ]),
    );
  });
}
