// runs on: all
import assert from "node:assert/strict";
import { diff } from "../../src/core/diff.ts";
import { deepEqual } from "../../src/core/equal.ts";
import { describe, test } from "../support/kit.ts";
import { forSeeds, randomJson } from "../support/random.ts";

describe("equality in depth", () => {
  test("holds exactly where nothing differs", () => {
    forSeeds(2000, (random) => {
      const [one, other] = [randomJson(random, 3), randomJson(random, 3)];
      assert.equal(deepEqual(one, other), diff(one, other).length === 0);
      assert.ok(deepEqual(one, structuredClone(one)));
    });
  });

  class Point {
    readonly x = 1;
  }
  const circle = () => {
    const round: { self?: unknown } = {};
    return round.self = round;
  };
  const cases: [string, unknown, unknown, boolean][] = [
    ["NaN", NaN, NaN, true],
    ["zeros", 0, -0, true],
    ["a member that is undefined and none", { a: undefined }, {}, false],
    ["an array and an object", [], {}, false],
    ["null and an object", null, {}, false],
    ["sets", new Set(["a", "b"]), new Set(["b", "a"]), true],
    ["sets of other members", new Set(["a"]), new Set(["b"]), false],
    ["maps", new Map([["a", [1]]]), new Map([["a", [1]]]), true],
    ["maps of other values", new Map([["a", [1]]]), new Map([["a", [2]]]), false],
    ["maps of other keys", new Map([["a", undefined]]), new Map([["b", undefined]]), false],
    ["dates", new Date(5), new Date(5), true],
    ["other dates", new Date(5), new Date(6), false],
    ["a date and an object", new Date(5), {}, false],
    ["instances of a class, which may hold more than they show", new Point(), new Point(), false],
    ["what never ends", circle(), circle(), false],
    ["functions", () => 1, () => 1, false],
  ];
  for (const [name, one, other, expected] of cases) {
    test(`of ${name}: ${expected}`, () => {
      assert.equal(deepEqual(one, other), expected);
      assert.equal(deepEqual(other, one), expected);
    });
  }
});
