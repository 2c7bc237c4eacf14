/** What a schema expects, place by place. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { mergeArrays, secret } from "../../src/core/mark.ts";
import { shapeOf } from "../../src/core/shape.ts";
import { describe, test } from "../support/kit.ts";

const kinds = (schema: unknown): string[] => [...shapeOf(schema)?.kinds ?? []].toSorted();

describe("the shape of a schema", () => {
  const cases: readonly (readonly [string, unknown, readonly string[]])[] = [
    ["a string", v.string(), ["string"]],
    ["a pipe", v.pipe(v.number(), v.minValue(1), secret()), ["number"]],
    ["a pipe before it transforms", v.pipe(v.string(), v.transform(Number), v.number()), [
      "string",
    ]],
    ["a pipe that narrows", v.pipe(v.unknown(), v.check(Boolean), v.string()), ["string"]],
    ["an option", v.optional(v.boolean(), true), ["boolean"]],
    ["what may be null", v.nullable(v.number()), ["null", "number"]],
    ["a union", v.union([v.string(), v.array(v.number())]), ["array", "string"]],
    ["a picklist", v.picklist(["a", "b"]), ["string"]],
    ["literals", v.union([v.literal(1), v.literal("x")]), ["number", "string"]],
    ["a variant", v.variant("type", [v.object({ type: v.literal("a") })]), ["object"]],
    ["a record", v.record(v.string(), v.number()), ["object"]],
    ["a recursive one", v.lazy(() => v.array(v.string())), ["array"]],
    ["anything", v.unknown(), []],
  ];
  for (const [name, schema, expected] of cases) {
    test(`is that of ${name}`, () => assert.deepEqual(kinds(schema), expected));
  }

  test("tells the names it knows, and whether it takes others", () => {
    const shape = shapeOf(
      v.object({ a: v.object({ b: v.number() }), m: v.record(v.string(), v.boolean()) }),
    )!;
    assert.deepEqual([shape.names, shape.isOpen], [["a", "m"], false]);
    assert.deepEqual([...shape.child("a")!.child("b")!.kinds], ["number"]);
    assert.equal(shape.child("c"), undefined);
    const map = shape.child("m")!;
    assert.ok(map.isOpen);
    assert.deepEqual([...map.child("any")!.kinds], ["boolean"]);
  });

  test("tells how arrays merge, wherever in the schema of a place that is said", () => {
    const rule = v.pipe(v.array(v.any()), mergeArrays("replace"));
    const schemas = [rule, v.optional(v.nullable(rule)), v.lazy(() => rule)];
    for (const schema of schemas) assert.equal(shapeOf(schema)!.arrays, "replace");
    assert.equal(shapeOf(v.array(v.any()))!.arrays, undefined);
  });

  test("is not known of other schemas", () => {
    assert.equal(
      shapeOf({ "~standard": { version: 1, vendor: "x", validate: () => ({}) } }),
      undefined,
    );
    assert.equal(shapeOf(undefined), undefined);
  });
});
