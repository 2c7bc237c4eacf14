import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { mergePatch, setAt, unsetAt } from "../../src/core/patch.ts";
import { describe, test } from "../support/kit.ts";

// RFC 7396, Appendix A: original, patch, result.
const appendixA: readonly (readonly [Json, Json, Json])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [["a", "b"], ["c", "d"], ["c", "d"]],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

describe("merge patch", () => {
  appendixA.forEach(([original, patch, result], row) => {
    test(`RFC 7396, Appendix A, row ${row + 1}`, () => {
      const before = JSON.stringify([original, patch]);
      assert.deepEqual(mergePatch(original, patch), result);
      assert.equal(JSON.stringify([original, patch]), before);
    });
  });

  test("shares what it does not touch", () => {
    const original = { kept: { deep: 1 }, changed: 1 };
    const result = mergePatch(original, { changed: 2 }) as typeof original;
    assert.equal(result.kept, original.kept);
  });

  test("a key named __proto__ becomes an own property and touches no prototype", () => {
    const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
    assert.ok(Object.hasOwn(result as object, "__proto__"));
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

describe("one path of a document", () => {
  test("setAt replaces, adds, appends and makes missing objects", () => {
    assert.deepEqual(setAt({ a: { b: 1 } }, ["a", "b"], 2), { a: { b: 2 } });
    assert.deepEqual(setAt({ a: [1] }, ["a", 1], 2), { a: [1, 2] });
    assert.deepEqual(setAt(undefined, ["a", "b.c"], 1), { a: { "b.c": 1 } });
    assert.deepEqual(setAt({ a: 1 }, [], "whole"), "whole");
  });

  test("setAt leaves the document as it is and shares the rest", () => {
    const document = { a: { b: 1 }, c: { d: 1 } };
    const result = setAt(document, ["a", "b"], 2) as typeof document;
    assert.deepEqual(document, { a: { b: 1 }, c: { d: 1 } });
    assert.equal(result.c, document.c);
  });

  for (
    const [what, document, path] of [
      ["through a string", { a: "text" }, ["a", "b"]],
      ["through null", { a: null }, ["a", "b"]],
      ["beyond the end of an array", { a: [1] }, ["a", 2]],
      ["by name into an array", { a: [1] }, ["a", "length"]],
      ["at a negative index", { a: [1] }, ["a", -1]],
    ] as const
  ) {
    test(`setAt refuses to go ${what}`, () => {
      assert.throws(() => setAt(document, path, 1), (error) => isHoldfastError(error, "INVALID"));
    });
  }

  test("setAt changes in place only what the same run of edits made", () => {
    const document = { a: { b: 1 }, c: [0] };
    const own = new WeakSet();
    const first = setAt(document, ["a", "b"], 2, own) as typeof document;
    const second = setAt(first, ["a", "b"], 3, own);
    const third = setAt(second, ["c", 1], 1, own);
    assert.equal(second, first);
    assert.equal(third, first);
    assert.deepEqual(third, { a: { b: 3 }, c: [0, 1] });
    assert.deepEqual(document, { a: { b: 1 }, c: [0] });
  });

  test("setAt refuses keys that reach prototypes", () => {
    for (const path of [["__proto__", "x"], ["a", "constructor"], ["prototype"]]) {
      assert.throws(() => setAt({}, path, 1, new WeakSet()), { code: "INVALID" });
    }
    assert.equal(({} as { x?: unknown }).x, undefined);
  });

  test("unsetAt removes a key or an element", () => {
    assert.deepEqual(unsetAt({ a: 1, b: 2 }, ["a"]), { b: 2 });
    assert.deepEqual(unsetAt({ a: [1, 2, 3] }, ["a", 1]), { a: [1, 3] });
  });

  test("unsetAt returns the very document where nothing is", () => {
    const document = { a: { b: 1 } };
    for (const path of [["x"], ["a", "x"], ["a", "b", "x"], ["toString"]]) {
      assert.equal(unsetAt(document, path), document);
    }
  });

  test("unsetAt refuses the root", () => {
    assert.throws(() => unsetAt({}, []), (error) => isHoldfastError(error, "INVALID"));
  });
});
