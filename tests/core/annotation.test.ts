import assert from "node:assert/strict";
import * as v from "valibot";
import { annotationsAt, annotationsOf, isHot } from "../../src/core/annotation.ts";
import { hot, restartRequired, secret, warnIf } from "../../src/core/mark.ts";
import { describe, test } from "../support/kit.ts";

const word = v.pipe(v.string(), secret());

describe("annotations are found", () => {
  const schemas: [string, v.GenericSchema, (string | number)[]][] = [
    ["in an object", v.object({ a: word }), ["a"]],
    ["in a strict object", v.strictObject({ a: word }), ["a"]],
    ["in a loose object", v.looseObject({ a: word }), ["a"]],
    ["in the rest of an object", v.objectWithRest({ b: v.number() }, word), ["x"]],
    ["below optional", v.object({ a: v.optional(word, "") }), ["a"]],
    ["below nullish", v.object({ a: v.nullish(word) }), ["a"]],
    ["on what is optional", v.object({ a: v.pipe(v.optional(v.string()), secret()) }), ["a"]],
    ["in an array", v.array(v.object({ a: word })), [7, "a"]],
    ["in a tuple", v.tuple([v.number(), word]), [1]],
    ["in the rest of a tuple", v.tupleWithRest([v.number()], word), [3]],
    ["in a record", v.record(v.string(), word), ["any.key"]],
    ["in a union", v.object({ a: v.union([v.number(), word]) }), ["a"]],
    [
      "in a variant",
      v.variant("kind", [
        v.object({ kind: v.literal("a"), x: v.number() }),
        v.object({ kind: v.literal("b"), x: word }),
      ]),
      ["x"],
    ],
    [
      "in an intersection",
      v.intersect([v.object({ b: v.number() }), v.object({ a: word })]),
      ["a"],
    ],
    ["below a pipe of schemas", v.object({ a: v.pipe(v.unknown(), word) }), ["a"]],
    ["below a check", v.pipe(v.object({ a: word }), v.check(() => true)), ["a"]],
    ["below a brand", v.pipe(v.object({ a: word }), v.brand("b"), v.readonly()), ["a"]],
    ["below lazy", v.object({ a: v.lazy(() => word) }), ["a"]],
  ];
  for (const [where, schema, path] of schemas) {
    test(where, () => {
      const annotations = annotationsOf(schema);
      assert.equal(annotationsAt(annotations, path)?.secret, true);
      assert.equal(annotations?.mayHoldSecret, true);
      assert.equal(annotationsAt(annotations, ["elsewhere", "deeper"])?.secret ?? false, false);
    });
  }

  test("at every depth of a recursive schema", () => {
    interface Tree {
      token?: string | undefined;
      next?: Tree | undefined;
    }
    const tree: v.GenericSchema<Tree> = v.object({
      token: v.optional(word),
      next: v.optional(v.lazy(() => tree)),
    });
    const annotations = annotationsOf(tree);
    assert.equal(annotationsAt(annotations, ["next", "next", "next", "token"])?.secret, true);
    assert.equal(annotationsAt(annotations, ["next", "next"])?.secret, false);
  });

  test("with their kinds told apart", () => {
    const annotations = annotationsOf(v.object({
      port: v.pipe(v.number(), restartRequired()),
      rate: v.pipe(v.number(), warnIf((rate) => rate > 10, "is high")),
    }));
    assert.equal(annotationsAt(annotations, ["port"])?.restartRequired, true);
    assert.equal(annotationsAt(annotations, ["port"])?.secret, false);
    assert.deepEqual(
      annotationsAt(annotations, ["rate"])?.advice.map(({ message }) => message),
      ["is high"],
    );
    assert.equal(annotations?.mayHoldSecret, false);
  });
});

describe("annotations", () => {
  test("a schema without any has none, and neither has a schema of another library", () => {
    assert.equal(annotationsOf(v.object({ a: v.string() })), undefined);
    assert.equal(annotationsOf({ "~standard": {} }), undefined);
    assert.equal(annotationsOf(undefined), undefined);
  });

  test("valibot takes them for metadata and validates as before", () => {
    assert.equal(v.parse(word, "text"), "text");
    assert.equal(v.is(word, 1), false);
  });

  for (
    const [what, schema] of [
      ["an object", v.pipe(v.object({ a: word }), v.transform((value) => ({ b: value.a })))],
      ["an array", v.pipe(v.array(word), v.mapItems((item) => item))],
      [
        "something far above",
        v.pipe(v.object({ x: v.optional(v.record(v.string(), word)) }), v.transform((x) => x)),
      ],
    ] as const
  ) {
    test(`a transformation of ${what} above one is refused`, () => {
      assert.throws(() => annotationsOf(schema), {
        code: "UNSUPPORTED",
        message: /transformation .* above an annotated value/,
      });
    });
  }

  test("a transformation of the annotated value itself, or beside it, is fine", () => {
    const schema = v.object({
      a: v.pipe(v.string(), v.trim(), secret()),
      b: v.pipe(v.object({ c: v.string() }), v.transform((value) => value.c)),
    });
    assert.equal(annotationsAt(annotationsOf(schema), ["a"])?.secret, true);
  });

  test("a lazy part that needs its input is refused, not passed over", () => {
    const schema = v.lazy((input: unknown) =>
      (input as { kind: string }).kind === "a" ? word : v.number()
    );
    assert.throws(() => annotationsOf(schema), { code: "UNSUPPORTED", message: /lazy/ });
  });
});

describe("what is declared harmless", () => {
  const schema = v.object({
    texts: v.pipe(v.record(v.string(), v.object({ size: v.number() })), hot()),
    pool: v.object({ banner: v.optional(v.pipe(v.string(), hot()), "") }),
  });
  const annotations = annotationsOf(schema);

  test("is so there and below, and nowhere else", () => {
    assert.equal(isHot(annotations, ["texts"]), true);
    assert.equal(isHot(annotations, ["texts", "a", "size"]), true);
    assert.equal(isHot(annotations, ["pool", "banner"]), true);
    for (const path of [[], ["pool"], ["pool", "other"], ["elsewhere"]]) {
      assert.equal(isHot(annotations, path), false);
    }
    assert.equal(isHot(annotationsOf(v.pipe(v.object({}), hot())), []), true);
    assert.equal(isHot(undefined, ["texts"]), false);
  });

  test("is refused below a transformation, which could move it", () => {
    const moved = v.pipe(schema, v.transform(({ pool }) => pool));
    assert.throws(() => annotationsOf(moved), { code: "UNSUPPORTED" });
  });
});
