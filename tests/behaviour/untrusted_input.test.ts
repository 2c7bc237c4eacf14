// runs on: all
/** Keys that reach prototypes and values that JSON cannot carry: refused whichever way they come. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { isHoldfastError, type Json, memory, openConfig } from "../../mod.ts";
import {
  assertUnpolluted,
  assertUntouched,
  type Attempt,
  type Draft,
  open,
} from "../support/attacked_config.ts";
import { freshDirectory, listen, writePrivate } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

/** An object with an own key of any name, as a parser makes it. */
function own(key: string, value: unknown): Json {
  return JSON.parse(JSON.stringify({ [`${key}!`]: value }).replace(`${key}!`, key)) as Json;
}

for (const key of ["__proto__", "constructor", "prototype"]) {
  const bad = own(key, { polluted: true });
  const attempts: Readonly<Record<string, Attempt>> = {
    "set": (config) => config.set(bad),
    "set, deep down": (config) => config.set({ list: [{ x: bad }] }),
    "setAt as the path": (config) => config.setAt([key], { polluted: true }),
    "setAt within the path": (config) => config.setAt([key, "polluted"], true),
    "setAt at the end of the path": (config) => config.setAt(["a", key], true),
    "setAt in the value": (config) => config.setAt(["a"], bad),
    "patch": (config) => config.patch(bad),
    "patch, deep down": (config) => config.patch({ a: { c: bad } }),
    "update": (config) =>
      config.update((draft) => {
        Object.defineProperty(draft as object, key, {
          value: { polluted: true },
          enumerable: true,
        });
      }),
    "update by assignment": (config) =>
      config.update((draft) => {
        (draft as Draft)[key] = { polluted: true };
      }),
    "update by assignment, deep down": (config) =>
      config.update((draft) => {
        ((draft as Draft)["a"] as Draft)[key] = { polluted: true };
      }),
  };
  describe(`the key ${key}`, () => {
    for (const [name, attempt] of Object.entries(attempts)) {
      test(`in ${name} is refused`, async (context) => {
        const opened = await open(context);
        await assert.rejects(attempt(opened.config), { code: "INVALID" });
        await assertUntouched(opened);
      });
    }

    test("in unset removes nothing", async (context) => {
      const opened = await open(context);
      await opened.config.unset([key]);
      await opened.config.unset(["a", key, "toString"]);
      await assertUntouched(opened);
    });

    test("in a seed is refused", async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await assert.rejects(openConfig(path, { seed: bad, ...listen() }), { code: "INVALID" });
      assert.deepEqual(await fs.readdir(directory), []);
      assertUnpolluted();
    });

    test("in a memory store is refused", () => {
      assert.throws(() => memory(bad), { code: "INVALID" });
      assertUnpolluted();
    });

    test("in what a migration returns is refused", async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      await writePrivate(path, '{ "version": 1 }');
      const migrations = { 1: () => ({ version: 2, a: bad }) };
      await assert.rejects(openConfig(path, { migrations, ...listen() }), (error) => {
        return isHoldfastError(error, "MIGRATION") || isHoldfastError(error, "INVALID");
      });
      assert.equal(await fs.readFile(path, "utf8"), '{ "version": 1 }');
      assertUnpolluted();
    });

    test("in what a schema makes of it reaches no prototype", async (context) => {
      const { path } = await open(context);
      const schema = v.pipe(v.unknown(), v.transform(() => ({ a: bad })));
      const opening = openConfig(path, { schema, watch: false, ...listen() });
      const config = await opening.catch((error: unknown) => {
        assert.ok(isHoldfastError(error), String(error));
      });
      if (config !== undefined) {
        context.after(() => config.close());
        const made = config.value.a as { readonly polluted?: boolean };
        assert.equal(Object.getPrototypeOf(made), Object.prototype);
        assert.equal(made.polluted, undefined);
      }
      assertUnpolluted();
    });
  });
}

describe("what JSON cannot carry", () => {
  const values: Readonly<Record<string, unknown>> = {
    "NaN": NaN,
    "infinity": -Infinity,
    "a number beyond 2^53": 2 ** 53,
    "a bigint": 1n,
    "a date": new Date(0),
    "a map": new Map([["a", 1]]),
    "an error": new Error("no"),
    "a function": () => 1,
    "a symbol": Symbol("no"),
    "an array with a hole": [1, , 3],
    "an instance of a class": new (class Point {
      x = 1;
    })(),
  };
  for (const [name, value] of Object.entries(values)) {
    test(`${name} is refused in setAt and in update`, async (context) => {
      const opened = await open(context);
      const { config } = opened;
      await assert.rejects(config.setAt(["a", "list"], [value] as Json), { code: "INVALID" });
      await assert.rejects(config.setAt(["a", "b"], value as Json), { code: "INVALID" });
      const changing = config.update((draft) => {
        ((draft as Draft)["a"] as Draft)["b"] = value;
      });
      await assert.rejects(changing, { code: "INVALID" });
      await assertUntouched(opened);
    });

    test(`${name} is refused in what a migration returns`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, '{ "version": 1 }');
      const migrations = { 1: () => ({ version: 2, a: value }) as Record<string, Json> };
      await assert.rejects(openConfig(path, { migrations, ...listen() }), (error) => {
        return isHoldfastError(error, "MIGRATION") || isHoldfastError(error, "INVALID");
      });
      assert.equal(await fs.readFile(path, "utf8"), '{ "version": 1 }');
    });
  }

  test("undefined is refused, but a member that is undefined counts as absent", async (context) => {
    const opened = await open(context);
    const { config, path } = opened;
    await assert.rejects(config.set(undefined as unknown as Json), { code: "INVALID" });
    await assert.rejects(config.setAt(["a", "b"], undefined), { code: "INVALID" });
    await assert.rejects(config.setAt(["a", "b"], [undefined]), { code: "INVALID" });
    await assertUntouched(opened);
    await config.update((draft) => {
      ((draft as Draft)["a"] as Draft)["b"] = undefined;
      (draft as Draft)["c"] = { d: undefined, e: 1 };
    });
    await config.setAt(["f"], { g: undefined, h: [{ i: undefined }] });
    const expected = { version: 2, a: {}, c: { e: 1 }, f: { h: [{}] } };
    assert.deepEqual(config.value, expected);
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), expected);
  });

  test("a value that cannot be frozen is refused before anything is stored", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const day = v.pipe(v.string(), v.transform((text) => new Date(text)));
    const schema = v.object({ rate: v.number(), day: v.optional(day) });
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await assert.rejects(config.setAt(["day"], "2020-02-02"), (error) => isHoldfastError(error));
    assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 1 }');
    assert.equal(config.snapshot().generation, 1);
    await config.setAt(["rate"], 2);
    assert.deepEqual(config.value, { rate: 2 });
    const again = await openConfig(path, { schema, watch: false, ...listen() });
    await again.close();
  });
});
