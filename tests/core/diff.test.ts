import assert from "node:assert/strict";
import { applyChanges, invertChanges } from "../../src/core/change.ts";
import { diff } from "../../src/core/diff.ts";
import { freeze, share } from "../../src/core/snapshot.ts";
import { describe, test } from "../support/kit.ts";
import { forSeeds, randomJson } from "../support/random.ts";

describe("diff", () => {
  test("names what was added, removed and changed", () => {
    assert.deepEqual(diff({ a: 1, b: 2, c: { d: 3 } }, { a: 1, c: { d: 4 }, e: 5 }), [
      { path: ["c", "d"], kind: "changed", before: 3, after: 4 },
      { path: ["e"], kind: "added", after: 5 },
      { path: ["b"], kind: "removed", before: 2 },
    ]);
  });

  test("compares arrays by index", () => {
    assert.deepEqual(diff([1, 2, 3], [1, 9]), [
      { path: [1], kind: "changed", before: 2, after: 9 },
      { path: [2], kind: "removed", before: 3 },
    ]);
    assert.deepEqual(diff([1], [1, 2]), [{ path: [1], kind: "added", after: 2 }]);
  });

  test("a changed type is a change of the whole part", () => {
    assert.deepEqual(diff({ a: [] }, { a: {} }), [
      { path: ["a"], kind: "changed", before: [], after: {} },
    ]);
    assert.deepEqual(diff({ a: null }, { a: {} }), [
      { path: ["a"], kind: "changed", before: null, after: {} },
    ]);
    assert.deepEqual(diff(0, "0"), [{ path: [], kind: "changed", before: 0, after: "0" }]);
  });

  test("the order of keys is no difference, an undefined member is one", () => {
    assert.deepEqual(diff({ a: 1, b: 2 }, { b: 2, a: 1 }), []);
    assert.deepEqual(diff({}, { a: undefined }), [
      { path: ["a"], kind: "added", after: undefined },
    ]);
    assert.deepEqual(diff({ a: NaN }, { a: NaN }), []);
  });

  test("inherited properties are not mistaken for members", () => {
    assert.deepEqual(diff({}, { toString: 1 }), [{ path: ["toString"], kind: "added", after: 1 }]);
  });

  test("is exhaustive, and its inverse leads back", () => {
    forSeeds(2000, (random) => {
      const before = randomJson(random, 4);
      const after = randomJson(random, 4);
      const changes = diff(before, after);
      assert.deepEqual(applyChanges(before, changes), after);
      assert.deepEqual(applyChanges(after, invertChanges(changes)), before);
      assert.equal(
        changes.length === 0,
        JSON.stringify(sorted(before)) === JSON.stringify(sorted(after)),
      );
    });
  });
});

describe("share", () => {
  test("an equal value is the very old one", () => {
    const { value: old } = share(undefined, { a: [{ b: 1 }] });
    assert.equal(share(old, { a: [{ b: 1 }] }).value, old);
  });

  test("unchanged parts keep their identity, the rest is frozen, the input is left alone", () => {
    forSeeds(1000, (random) => {
      const before = freeze(randomJson(random, 4));
      const next = randomJson(random, 4);
      const text = JSON.stringify(next);
      const { value } = share(before, next);
      assert.deepEqual(value, next);
      assert.equal(JSON.stringify(next), text);
      assertFrozen(value);
      assertShared(before, value);
    });
  });

  test("refuses what is not plain data, by its place", () => {
    const cases: [unknown, string][] = [
      [new Date(0), "an instance of Date"],
      [new Map(), "an instance of Map"],
      [() => 1, "a function"],
      [Symbol("s"), "a symbol"],
    ];
    for (const [part, found] of cases) {
      assert.throws(() => share({ a: 1 }, { a: [part] }), {
        code: "UNSUPPORTED",
        message: new RegExp(`at a\\[0\\]: found ${found}`),
      });
    }
  });

  test("a value that contains itself is refused, not followed for ever", () => {
    const endless: Record<string, unknown> = {};
    endless["self"] = endless;
    assert.throws(() => share(undefined, endless), { code: "UNSUPPORTED" });
    assert.throws(() => share({ self: { self: {} } }, endless), { code: "UNSUPPORTED" });
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).map(([key, part]) => [key, sorted(part)])
    .sort(([one], [other]) => String(one) < String(other) ? -1 : 1)
    .concat([["object"]]);
}

function assertFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value));
  Object.values(value).forEach(assertFrozen);
}

function assertShared(before: unknown, after: unknown): void {
  if (typeof before !== "object" || typeof after !== "object" || !before || !after) return;
  if (Array.isArray(before) !== Array.isArray(after)) return;
  if (diff(before, after).length === 0) assert.equal(before, after);
  for (const [key, part] of Object.entries(after)) {
    if (Object.hasOwn(before, key)) assertShared((before as Record<string, unknown>)[key], part);
  }
}
