// runs on: all
/** Dry runs, and changes that are made exactly as they were planned. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { restartRequired, warnIf } from "../../src/core/mark.ts";
import type { AcceptedPlan, Plan } from "../../src/config/plan.ts";
import { overrides } from "../../src/source/overrides.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.object({
  rate: v.optional(v.pipe(v.number(), v.maxValue(100), warnIf((rate) => rate > 50, "is high")), 1),
  port: v.optional(v.pipe(v.number(), restartRequired()), 80),
});
const watch = false;

async function opened() {
  const { host, openConfig } = hostWith('{"rate":1}');
  const config = await openConfig(path, { schema, watch, ...remember() });
  return { host, config };
}

function accepted(plan: Plan): AcceptedPlan {
  assert.ok(plan.ok, "the plan is accepted");
  return plan;
}

describe("a plan", () => {
  test("says what a patch would come to, and changes nothing", async () => {
    const { host, config } = await opened();
    const [before, files] = [config.snapshot(), host.outside.list()];
    const plan = accepted(await config.plan({ rate: 60, port: 81 }));
    assert.equal(plan.baseGeneration, 1);
    assert.deepEqual(plan.changes, [
      { path: ["rate"], kind: "changed", before: 1, after: 60 },
      { path: ["port"], kind: "added", after: 81 },
    ]);
    assert.deepEqual(plan.actions, [
      { kind: "hot", paths: [["rate"]] },
      { kind: "restart_required", paths: [["port"]] },
    ]);
    assert.deepEqual(plan.problems.map(({ path, severity }) => [path, severity]), [
      [["rate"], "warning"],
    ]);
    assert.match(plan.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(config.snapshot(), before);
    assert.deepEqual(host.outside.list(), files);
  });

  test("of what is not allowed says why", async () => {
    const { config } = await opened();
    const plan = await config.plan({ rate: 101 });
    assert.ok(!plan.ok);
    assert.deepEqual(plan.problems.map(({ path }) => path), [["rate"]]);
    await assert.rejects(config.apply(plan), {
      code: "INVALID",
      details: { problems: plan.problems },
    });
    for (const bad of [undefined, () => 1, { rate: 1n }]) {
      assert.equal((await config.plan(bad)).ok, false);
    }
  });

  test("is made exactly as it was planned", async () => {
    const { config } = await opened();
    const patch = { rate: 2 };
    const plan = await config.plan(patch);
    patch.rate = 3;
    const { snapshot, changeSet } = await config.apply(plan, { actor: "me", reason: "as planned" });
    assert.deepEqual([snapshot.value.rate, snapshot.generation], [2, 2]);
    assert.deepEqual([changeSet.actor, changeSet.reason], ["me", "as planned"]);
    assert.deepEqual(changeSet.changes, accepted(plan).changes);
  });

  test("of nothing makes no generation", async () => {
    const { config } = await opened();
    const plan = accepted(await config.plan({ rate: 1 }));
    assert.deepEqual([plan.changes, plan.actions], [[], []]);
    const { snapshot } = await config.apply(plan);
    assert.equal(snapshot.generation, 1);
  });

  test("is a conflict once somebody else wrote, and when it is applied twice", async () => {
    const { config } = await opened();
    const plan = await config.plan({ rate: 2 });
    await config.setAt(["port"], 82);
    await assert.rejects(config.apply(plan), {
      code: "CONFLICT",
      details: { expected: 1, current: 2 },
    });
    const again = await config.plan({ rate: 2 });
    await config.apply(again);
    await assert.rejects(config.apply(again), { code: "CONFLICT" });
    assert.equal(config.snapshot().generation, 3);
  });

  test("sees an edit that was not noticed yet, and is a conflict after one", async () => {
    const { host, config } = await opened();
    host.outside.replaceFile(path, '{"rate":5}', { mode: 0o600 });
    const plan = accepted(await config.plan({ rate: 6 }));
    assert.deepEqual(plan.changes, [{ path: ["rate"], kind: "changed", before: 5, after: 6 }]);
    host.outside.replaceFile(path, '{"rate":7}', { mode: 0o600 });
    await assert.rejects(config.apply(plan), { code: "CONFLICT" });
    assert.equal(config.value.rate, 7);
  });

  test("survives being sent, and one that was altered does not count", async () => {
    const { config } = await opened();
    const plan = accepted(JSON.parse(JSON.stringify(await config.plan({ rate: 2 }))));
    await assert.rejects(config.apply({ ...plan, patch: { rate: 3 } }), { code: "CONFLICT" });
    assert.equal(config.value.rate, 1);
    await config.apply(plan);
    assert.equal(config.value.rate, 2);
  });

  test("is asked for where something else is to be applied", async () => {
    const { config } = await opened();
    const { digest: _, ...half } = accepted(await config.plan({ rate: 2 }));
    for (const other of [undefined, null, 2, {}, { rate: 2 }, { ok: true }, { ok: false }, half]) {
      await assert.rejects(config.apply(other as Plan), {
        code: "UNSUPPORTED",
        message: /is no plan; give what plan\(\) resolves to/,
      });
    }
    assert.equal(config.snapshot().generation, 1);
  });

  test("warns of what a later layer hides", async () => {
    const { openConfig } = hostWith();
    const layers = [memory({ rate: 1 }), overrides({ rate: 9 }, { name: "flags" })];
    const config = await openConfig(layered({ layers, head: 0 }), { schema, watch, ...remember() });
    const plan = accepted(await config.plan({ rate: 2 }));
    assert.deepEqual(plan.actions, []);
    assert.deepEqual(plan.problems.map(({ path, source, severity }) => [path, source, severity]), [
      [["rate"], "flags", "warning"],
    ]);
  });
});
