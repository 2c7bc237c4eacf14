/** Layers: the later wins, nothing is lost on the way, and it can be told who gave what. */
import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import { isReset, mergeLayers, reset, valuesAt } from "../../src/core/layer.ts";
import { describe, test } from "../support/kit.ts";

describe("merged layers", () => {
  const cases: readonly (readonly [string, readonly (Json | undefined)[], Json | undefined])[] = [
    ["none", [], undefined],
    ["absent ones", [undefined, { a: 1 }, undefined], { a: 1 }],
    ["objects by key", [{ a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }], { a: { b: 1, c: 3, d: 4 } }],
    ["null is a value", [{ a: 1 }, { a: null }], { a: null }],
    ["arrays replace", [{ a: [1, 2, 3] }, { a: [4] }], { a: [4] }],
    ["an empty array replaces", [{ a: [1] }, { a: [] }], { a: [] }],
    ["an object over a value", [{ a: 1 }, { a: { b: 2 } }], { a: { b: 2 } }],
    ["a value over an object", [{ a: { b: 2 } }, { a: 1 }], { a: 1 }],
    ["three of them", [{ a: 1 }, { a: 2, b: 2 }, { b: 3 }], { a: 2, b: 3 }],
    ["a root that is no object", [{ a: 1 }, [2]], [2]],
    [
      "named entries by name, the first order kept",
      [{ m: [{ name: "x", p: 1, q: 1 }, { name: "y" }] }, {
        m: [{ name: "y", z: 2 }, { name: "x", p: 3 }, { name: "n" }],
      }],
      { m: [{ name: "x", p: 3, q: 1 }, { name: "y", z: 2 }, { name: "n" }] },
    ],
    [
      "a name twice replaces",
      [{ m: [{ name: "x", p: 1 }] }, { m: [{ name: "x" }, { name: "x" }] }],
      {
        m: [{ name: "x" }, { name: "x" }],
      },
    ],
    ["a reset takes back", [{ a: { b: 1, c: 2 } }, { a: { b: { $default: true } } }], {
      a: { c: 2 },
    }],
    ["a value after a reset", [{ a: 1 }, { a: { $default: true } }, { a: 2 }], { a: 2 }],
    ["a reset of the whole", [{ a: 1 }, { $default: true }], {}],
    ["a value after a reset of the whole", [{ a: 1 }, { $default: true }, { b: 2 }], { b: 2 }],
    ["a reset with nothing below", [{ a: { b: { $default: true }, c: 1 } }], { a: { c: 1 } }],
    ["a reset in what replaces", [{ a: 1 }, { a: { b: { $default: true } } }], { a: {} }],
    ["a reset in an array", [{ m: [{ name: "x", p: { $default: true }, q: [1] }] }], {
      m: [{ name: "x", q: [1] }],
    }],
    ["an empty array over named entries", [{ m: [{ name: "x" }] }, { m: [] }], { m: [] }],
    ["a reset of an object", [{ a: { b: 1 } }, { a: { $default: true } }, { a: { c: 2 } }], {
      a: { c: 2 },
    }],
  ];
  for (const [name, documents, expected] of cases) {
    test(name, () => {
      const before = JSON.stringify(documents);
      assert.deepEqual(mergeLayers(documents), expected);
      assert.equal(JSON.stringify(documents), before, "a layer was changed");
    });
  }

  test("of named entries replace where a rule says so", () => {
    const documents = [{ m: [{ name: "x", p: 1 }] }, { m: [{ name: "y" }] }];
    const rule = (path: readonly unknown[]) => path.join("/") === "m" ? "replace" : undefined;
    assert.deepEqual(mergeLayers(documents, rule), { m: [{ name: "y" }] });
  });

  test("of named entries keep them under an empty array where a rule says by name", () => {
    const documents = [{ m: [{ name: "x", p: 1 }] }, { m: [] }];
    assert.deepEqual(mergeLayers(documents, () => "byName"), { m: [{ name: "x", p: 1 }] });
  });

  test("make every key an own property, so that the check of documents sees it", () => {
    const merged = mergeLayers([{}, JSON.parse('{"__proto__":{"x":1}}')]);
    assert.ok(Object.hasOwn(merged as object, "__proto__"));
    assert.equal(({} as { x?: number }).x, undefined);
  });
});

describe("the values of a path", () => {
  const documents = [
    { pool: { size: 1, name: "a" }, m: [{ name: "x", p: 1 }, { name: "y", p: 2 }] },
    undefined,
    { pool: { size: 5 }, m: [{ name: "y", p: 3 }] },
    { pool: { size: 9 } },
  ];

  test("are told from the winner down", () => {
    const found = valuesAt(documents, ["pool", "size"]);
    assert.deepEqual(found.map(({ layer, value }) => [layer, value]), [[3, 9], [2, 5], [0, 1]]);
  });

  test("are found in named entries wherever a layer has them", () => {
    const found = valuesAt(documents, ["m", 1, "p"]);
    assert.deepEqual(found, [
      { layer: 2, path: ["m", 0, "p"], value: 3 },
      { layer: 0, path: ["m", 1, "p"], value: 2 },
    ]);
  });

  test("tell the reset above them", () => {
    const found = valuesAt([{ a: { b: 1 } }, { a: reset }], ["a", "b"]);
    assert.deepEqual(found.map(({ layer, path }) => [layer, path]), [[1, ["a"]], [0, ["a", "b"]]]);
    assert.ok(isReset(found[0]!.value));
  });

  test("tell what took the place of an object or an array, where nothing is left", () => {
    const documents = [{ a: { b: 1 }, m: [1, 2, 3] }, { a: 5, m: [9] }];
    assert.deepEqual(valuesAt(documents, ["a", "b"]), [
      { layer: 1, path: ["a"], value: 5 },
      { layer: 0, path: ["a", "b"], value: 1 },
    ]);
    assert.deepEqual(valuesAt(documents, ["m", 2]), [
      { layer: 1, path: ["m"], value: [9] },
      { layer: 0, path: ["m", 2], value: 3 },
    ]);
    assert.deepEqual(valuesAt(documents, ["m", 0]).map(({ value }) => value), [9, 1]);
    const again = valuesAt([...documents, { a: { c: 2 } }], ["a", "b"]);
    assert.deepEqual(again.map(({ layer, path }) => [layer, path]), [[2, ["a"]], [0, ["a", "b"]]]);
  });

  test("of a reset count only until a layer above says something", () => {
    const found = valuesAt([{ a: { b: 1 } }, { a: reset }, { a: { b: 2 } }], ["a", "b"]);
    assert.deepEqual(found.map(({ layer }) => layer), [2, 1, 0]);
  });

  test("are none where no layer has one", () => {
    assert.deepEqual(valuesAt(documents, ["nobody"]), []);
    assert.deepEqual(valuesAt([], []), []);
    for (const path of [["m", "length"], ["m", ""], ["__proto__"], ["pool", "toString"]]) {
      assert.deepEqual(valuesAt(documents, path), []);
    }
  });
});
