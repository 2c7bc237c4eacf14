// runs on: all
/** Nesting and sizes that would exhaust a process: bounded, whichever way they come. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { isHoldfastError, type Json, openConfig } from "../../mod.ts";
import {
  assertUntouched,
  type Attempt,
  type Draft,
  open,
  start,
} from "../support/attacked_config.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

describe("what is too much", () => {
  const deep = 1_000_000;
  const texts: Readonly<Record<string, string>> = {
    "arrays": "[".repeat(deep) + "]".repeat(deep),
    "arrays that are not closed": "[".repeat(deep),
    "objects": '{"a":'.repeat(deep) + "1" + "}".repeat(deep),
    "objects in arrays": '[{"a":'.repeat(deep) + "1" + "}]".repeat(deep),
    "one level more than is allowed": "[".repeat(129) + "]".repeat(129),
  };
  for (const [name, text] of Object.entries(texts)) {
    test(`a file nested too deep, of ${name}, is refused`, async (context) => {
      const { path, config } = await open(context);
      await replace(path, text);
      await assert.rejects(openConfig(path, { seed: {}, ...listen() }), { code: "TOO_LARGE" });
      await assert.rejects(config.reload(), { code: "TOO_LARGE" });
      assert.deepEqual(config.value, { version: 2, a: { b: 1 } });
      await replace(path, '{ "good": 1 }');
      await config.reload();
      assert.deepEqual(config.value, { good: 1 });
    });
  }

  const nested = (): Json => {
    let value: Json = 1;
    for (let level = 0; level < deep; level++) value = [value];
    return value;
  };
  const endless: { self?: unknown } = {};
  endless.self = endless;
  const attempts: Readonly<Record<string, Attempt>> = {
    "set": (config) => config.set(nested()),
    "setAt": (config) => config.setAt(["a"], nested()),
    "setAt by its path": (config) => config.setAt(Array<string>(deep).fill("x"), 1),
    "patch": (config) => config.patch({ a: nested() }),
    "update": (config) =>
      config.update((draft) => {
        (draft as Draft)["x"] = nested();
      }),
    "set, in a circle": (config) => config.set(endless as Json),
    "update, in a circle": (config) =>
      config.update((draft) => {
        (draft as Draft)["x"] = draft;
      }),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    test(`nesting without bounds is refused in ${name}`, async (context) => {
      const opened = await open(context);
      const code = await attempt(opened.config).then(
        () => "nothing",
        (error) => isHoldfastError(error) ? error.code : String(error),
      );
      assert.equal(code, "TOO_LARGE");
      await assertUntouched(opened);
    });
  }

  test("a file beyond 64 MiB is refused unread", { timeoutMs: 60_000 }, async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, start);
    const ears = listen();
    const { host, looksMore } = countLooks();
    const config = await openConfig(path, { host, watch: brisk, ...ears });
    context.after(() => config.close());
    await fs.truncate(path, 64 * 1024 * 1024 + 1);
    await until("it is noticed", () => config.status().state === "degraded");
    await looksMore();
    assert.match(config.status().problems[0]?.message ?? "", /67108865 bytes/);
    assert.equal(ears.refusals.length, 1);
    await assert.rejects(openConfig(path, { seed: {}, ...listen() }), {
      code: "TOO_LARGE",
      details: { what: "file", limit: 67108864, found: 67108865 },
    });
    await replace(path, '{ "good": 1 }');
    await until("the next good edit is applied", () => config.status().state === "ok");
    assert.deepEqual(config.value, { good: 1 });
  });

  test("a document beyond 64 MiB is not written", { timeoutMs: 60_000 }, async (context) => {
    const opened = await open(context);
    const text = "x".repeat(64 * 1024 * 1024);
    await assert.rejects(opened.config.setAt(["a", "c"], text), { code: "TOO_LARGE" });
    await assertUntouched(opened);
  });
});
