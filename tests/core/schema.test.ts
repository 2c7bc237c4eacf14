import assert from "node:assert/strict";
import * as v from "valibot";
import { secret, warnIf } from "../../src/core/mark.ts";
import { type StandardSchema, validate } from "../../src/core/schema.ts";
import { describe, test } from "../support/kit.ts";

describe("validate", () => {
  const schema = v.object({
    limits: v.optional(v.object({ rps: v.optional(v.number(), 5) }), {}),
    models: v.optional(v.record(v.string(), v.object({ upstream: v.string() })), {}),
  });

  test("fills in nested defaults and freezes", () => {
    const result = validate(schema, {});
    assert.deepEqual(result, {
      ok: true,
      value: { limits: { rps: 5 }, models: {} },
      problems: [],
    });
    assert.ok(result.ok && Object.isFrozen(result.value.limits));
  });

  test("lists every problem with its path", () => {
    const result = validate(schema, { limits: { rps: "5" }, models: { "a.b": {} } });
    assert.equal(result.ok, false);
    assert.deepEqual(result.problems.map(({ path, severity }) => ({ path, severity })), [
      { path: ["limits", "rps"], severity: "error" },
      { path: ["models", "a.b", "upstream"], severity: "error" },
    ]);
  });

  test("rules across fields name their place", () => {
    const crossed = v.pipe(
      v.object({ low: v.number(), high: v.number() }),
      v.forward(v.check(({ low, high }) => low <= high, "low is above high"), ["low"]),
    );
    assert.deepEqual(validate(crossed, { low: 2, high: 1 }).problems, [
      { path: ["low"], message: "low is above high", severity: "error" },
    ]);
  });

  test("warns without refusing, at every place that the warning is attached to", () => {
    const advised = v.object({
      pools: v.record(v.string(), v.array(v.pipe(v.number(), warnIf((n) => n > 9, "is high")))),
    });
    assert.deepEqual(validate(advised, { pools: { a: [1, 10], b: [11] } }), {
      ok: true,
      value: { pools: { a: [1, 10], b: [11] } },
      problems: [
        { path: ["pools", "a", 1], message: "is high", severity: "warning" },
        { path: ["pools", "b", 0], message: "is high", severity: "warning" },
      ],
    });
  });

  test("no message shows a secret, whatever has its place", () => {
    const guarded = v.object({
      token: v.pipe(v.string(), v.minLength(20), secret()),
      auth: v.object({ password: v.pipe(v.string(), secret()) }),
      either: v.union([v.pipe(v.picklist(["x"]), secret()), v.number()]),
      vault: v.pipe(v.object({ deep: v.optional(v.boolean(), true) }), secret()),
    });
    const canary = "canary-4711";
    const documents = [
      canary,
      { token: canary, auth: canary, either: canary },
      { token: 4711, auth: { password: 4711 }, either: true },
      { token: [canary], auth: [canary], either: { canary } },
      { token: canary, auth: { password: "" }, either: 1, vault: { deep: canary } },
    ];
    for (const document of documents) {
      const { ok, problems } = validate(guarded, document);
      assert.equal(ok, false);
      assert.ok(problems.length >= 1);
      assert.doesNotMatch(JSON.stringify(problems), /4711/);
    }
  });

  test("a secret's own rule may quote it, and is not told for that", () => {
    const pair = v.object({ user: v.string(), pass: v.string() });
    const quoting = v.object({
      pair: v.pipe(pair, v.check(() => false, ({ input }) => `no ${input.pass}`), secret()),
    });
    const { problems } = validate(quoting, { pair: { user: "u", pass: "canary" } });
    assert.deepEqual(problems.map(({ path }) => path), [["pair"]]);
    assert.doesNotMatch(JSON.stringify(problems), /canary/);
  });

  test("a rule's own message is told though there are secrets below", () => {
    const ruled = v.pipe(
      v.object({ token: v.pipe(v.string(), secret()), rate: v.number() }),
      v.check(({ rate }) => rate > 0, "set a rate"),
    );
    assert.deepEqual(validate(ruled, { token: "t", rate: 0 }).problems, [
      { path: [], message: "set a rate", severity: "error" },
    ]);
  });

  test("a warning whose test throws, made for another option of a union, is none", () => {
    const either = v.nullable(v.pipe(v.string(), warnIf((text) => text.startsWith("a"), "is a")));
    assert.deepEqual(validate(either, null), { ok: true, value: null, problems: [] });
    assert.equal(validate(either, "a").problems.length, 1);
  });

  test("a secret under a misspelt key is not quoted either", () => {
    const strict = v.objectWithRest({ password: v.pipe(v.string(), secret()) }, v.never());
    const { problems } = validate(strict, { password: "p", passwrod: "canary" });
    assert.equal(problems.length, 1);
    assert.doesNotMatch(JSON.stringify(problems), /canary/);
  });

  test("a schema of another library may write into what it gets", () => {
    const writing: StandardSchema<unknown, unknown> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) => ({ value: Object.assign(value as object, { added: true }) }),
      },
    };
    const document = Object.freeze({ a: 1 });
    assert.deepEqual(validate(writing, document), {
      ok: true,
      value: { a: 1, added: true },
      problems: [],
    });
    assert.deepEqual(document, { a: 1 });
  });

  test("takes any Standard Schema", () => {
    const odd: StandardSchema<number, string> = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value) =>
          typeof value === "number"
            ? { value: `n${value}` }
            : { issues: [{ message: "no number", path: [{ key: "a" }, "b", 0] }] },
      },
    };
    assert.deepEqual(validate(odd, 1), { ok: true, value: "n1", problems: [] });
    assert.deepEqual(validate(odd, "1").problems, [
      { path: ["a", "b", 0], message: "no number", severity: "error" },
    ]);
  });

  test("says that an asynchronous schema needs openConfig", () => {
    const slow = v.pipeAsync(v.string(), v.checkAsync(async () => await true));
    assert.throws(() => validate(slow, "a"), { code: "UNSUPPORTED", message: /openConfig/ });
  });

  test("refuses a schema whose output is no plain data", () => {
    const dated = v.object({ at: v.pipe(v.string(), v.transform((text) => new Date(text))) });
    assert.throws(() => validate(dated, { at: "2000-01-01" }), {
      code: "UNSUPPORTED",
      message: /at at: found an instance of Date/,
    });
  });
});
