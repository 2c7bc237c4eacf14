// runs on: all
/** JSON Patches on a config: all of one or nothing, and nothing told that is secret. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { secret } from "../../src/core/mark.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import type { JsonPatchOperation } from "../../src/core/json_patch.ts";
import { toEnvelope } from "../../src/config/envelope.ts";
import { describe, test } from "../support/kit.ts";
import { namesInLog } from "../support/log_disk.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.object({
  rate: v.pipe(v.number(), v.maxValue(100)),
  list: v.optional(v.array(v.number()), []),
  password: v.optional(v.pipe(v.string(), secret())),
  old: v.optional(v.pipe(v.string(), secret())),
});
const watch = false;

async function opened() {
  const { host, openConfig } = hostWith('{"rate":0,"list":[1,2,3],"password":"canary"}');
  const told = remember();
  const config = await openConfig(path, { schema, watch, ...told });
  const stored = () => JSON.parse(host.outside.readFile(path));
  return { host, config, stored, told };
}

describe("a JSON Patch", () => {
  test("is applied in order and is one generation", async () => {
    const { config, stored } = await opened();
    const { changeSet, snapshot } = await config.jsonPatch([
      { op: "test", path: "/rate", value: 0 },
      { op: "replace", path: "/rate", value: 5 },
      { op: "remove", path: "/list/0" },
      { op: "add", path: "/list/-", value: 9 },
      { op: "move", from: "/list/2", path: "/list/0" },
      { op: "test", path: "/list", value: [9, 2, 3] },
    ], { actor: "me", reason: "patch" });
    assert.deepEqual(stored(), { rate: 5, list: [9, 2, 3], password: "canary" });
    assert.deepEqual([snapshot.generation, snapshot.value.rate], [2, 5]);
    assert.deepEqual([changeSet.actor, changeSet.reason], ["me", "patch"]);
    assert.ok(changeSet.calls![0]!.changes.length > 0);
  });

  test("that changes nothing stores nothing", async () => {
    const { host, config } = await opened();
    const { changeSet } = await config.jsonPatch([
      { op: "add", path: "/rate", value: 1 },
      { op: "add", path: "/rate", value: 0 },
    ]);
    assert.deepEqual([changeSet.from, changeSet.to, changeSet.changes], [1, 1, []]);
    await config.jsonPatch([]);
    assert.deepEqual(namesInLog(host.outside, ""), []);
  });

  const refused: [string, unknown, (string | number)[]][] = [
    ["a test that fails", [{ op: "test", path: "/rate", value: 1 }], ["rate"]],
    ["a test of a secret", [{ op: "test", path: "/password", value: "x" }], ["password"]],
    ["nothing to remove", [{ op: "remove", path: "/none" }], ["none"]],
    ["nothing to replace", [{ op: "replace", path: "/list/7", value: 1 }], ["list", 7]],
    ["a place beyond the end", [{ op: "add", path: "/list/4", value: 1 }], ["list", 4]],
    ["a value the schema refuses", [{ op: "add", path: "/rate", value: 101 }], ["rate"]],
    ["an unknown operation", [{ op: "merge", path: "/rate", value: 1 }], []],
    ["no pointer", [{ op: "remove", path: "rate" }], []],
    ["no list", { op: "remove", path: "/rate" }, []],
    ["a forbidden key", [{ op: "add", path: "/__proto__", value: {} }], ["__proto__"]],
    ["no JSON", [{ op: "add", path: "/rate", value: 1n }], ["rate"]],
  ];
  for (const [what, operations, place] of refused) {
    test(`with ${what} is refused whole, with the place`, async () => {
      const { host, config, told } = await opened();
      const before = host.outside.readFile(path);
      const first: JsonPatchOperation = { op: "replace", path: "/rate", value: 7 };
      const all = Array.isArray(operations) ? [first, ...operations] : operations;
      await assert.rejects(config.jsonPatch(all as never), (error) => {
        assert.ok(isHoldfastError(error, "INVALID"), String(error));
        const [problem] = error.details.problems;
        assert.deepEqual(problem!.path, place);
        assert.equal(problem!.severity, "error");
        assert.doesNotMatch(JSON.stringify([error.details, told]) + error.message, /canary/);
        return true;
      });
      assert.equal(host.outside.readFile(path), before);
      assert.deepEqual(namesInLog(host.outside, ""), []);
      assert.deepEqual([config.value.rate, config.status().state], [0, "ok"]);
    });
  }

  test("takes a copy: what the caller does to it later does not matter", async () => {
    const { config, stored } = await opened();
    const value = [7];
    const operations: JsonPatchOperation[] = [{ op: "add", path: "/list", value }];
    const writing = config.jsonPatch(operations);
    value.push(8);
    operations.length = 0;
    await writing;
    assert.deepEqual(stored().list, [7]);
  });

  test("may bring the placeholder back, which keeps the secret that is there", async () => {
    const { config, stored, told } = await opened();
    const shown = toEnvelope(config.snapshot()).document as Record<string, never>;
    assert.doesNotMatch(JSON.stringify(shown), /canary/);
    await config.jsonPatch([
      { op: "replace", path: "", value: { ...shown, rate: 3 } },
      { op: "replace", path: "/password", value: shown["password"]! },
    ]);
    assert.deepEqual(stored(), { rate: 3, list: [1, 2, 3], password: "canary" });
    const nothing = config.jsonPatch([{ op: "add", path: "/old", value: shown["password"]! }]);
    await assert.rejects(nothing, (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      assert.deepEqual(error.details.problems[0]!.path, ["old"]);
      return true;
    });
    assert.doesNotMatch(JSON.stringify([told, await config.history()]), /canary/);
  });

  test("shares a commit, and is refused alone", async () => {
    const { config, stored } = await opened();
    const answers = await Promise.allSettled([
      config.setAt(["rate"], 1),
      config.jsonPatch([{ op: "test", path: "/rate", value: 0 }]),
      config.jsonPatch([
        { op: "test", path: "/rate", value: 1 },
        { op: "add", path: "/list/0", value: 0 },
      ]),
    ]);
    assert.deepEqual(answers.map(({ status }) => status), ["fulfilled", "rejected", "fulfilled"]);
    assert.deepEqual([stored().rate, stored().list], [1, [0, 1, 2, 3]]);
    assert.equal(config.snapshot().generation, 2);
  });
});
