// runs on: all
/** Bytes that are no document: refused at their place, at the first load and at a reload, and quoted nowhere. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { inspect } from "node:util";
import { isHoldfastError, openConfig } from "../../mod.ts";
import {
  type Ears,
  freshDirectory,
  listen,
  replace,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { canary, parseFaults, soundTexts } from "../support/parse_faults.ts";

describe("a text that is no document", () => {
  for (const { name, bytes, line, column } of parseFaults) {
    test(`with ${name} is refused at its place`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, bytes);
      const ears = listen();
      const opening = openConfig(path, { seed: {}, ...ears });
      await assert.rejects(opening, isRefusalAt(path, line, column));
      assertNoCanary("what was said at the first load", heard(ears));

      await replace(path, '{ "good": true }');
      const config = await openConfig(path, { watch: false, ...ears });
      context.after(() => config.close());
      await replace(path, bytes);
      await assert.rejects(config.reload(), isRefusalAt(path, line, column));
      await assert.rejects(config.reload(), isRefusalAt(path, line, column));
      assert.deepEqual(config.value, { good: true });
      const { state, problems } = config.status();
      assert.equal(state, "degraded");
      assert.deepEqual(problems.map((problem) => [problem.source, problem.line, problem.column]), [
        [path, line, column],
      ]);
      assert.equal(ears.refusals.length, 1);
      assert.equal(ears.events.filter(({ outcome }) => outcome === "refused").length, 1);
      assertNoCanary("the status", problems);
      assertNoCanary("what was said at the reload", heard(ears));
      assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    });
  }
});

describe("a text that is sound", () => {
  for (const [name, text, document] of soundTexts) {
    test(`with ${name} is taken`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, text);
      const config = await openConfig(path, { watch: false, ...listen() });
      context.after(() => config.close());
      assert.deepEqual(config.value, document);
    });
  }

  test("is taken up to the deepest nesting allowed, and written back", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, `{"a":${"[".repeat(127)}${"]".repeat(127)}}`);
    const config = await openConfig(path, { watch: false, ...listen() });
    context.after(() => config.close());
    await config.setAt(["b"], 1);
    const again = await openConfig(path, { watch: false, ...listen() });
    context.after(() => again.close());
    assert.deepEqual(again.value, config.value);
  });
});

describe("half of a surrogate pair", () => {
  test("in a file is refused at its place", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    for (const half of ["\\ud800", "\\udc00", "\\ude00\\ud83d"]) {
      await replace(path, `{\n  "a": "${half}"\n}`);
      await assert.rejects(openConfig(path, { ...listen() }), (error) => {
        return isHoldfastError(error, "PARSE") && error.details.line === 2;
      });
    }
  });

  test("in a write is refused, or comes back as it was", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, "{}");
    const config = await openConfig(path, { watch: false, ...listen() });
    context.after(() => config.close());
    const document = { a: "\ud800", "\udfff": 1 };
    const refused = await config.set(document).then(
      () => false,
      (error) => isHoldfastError(error, "INVALID"),
    );
    const again = await openConfig(path, { watch: false, ...listen() });
    context.after(() => again.close());
    assert.deepEqual(again.value, refused ? {} : document);
  });
});

function isRefusalAt(path: string, line: number, column: number): (error: unknown) => true {
  return (error) => {
    assert.ok(isHoldfastError(error, "PARSE"), inspect(error));
    assert.deepEqual(error.details, { source: path, line, column }, error.message);
    assert.ok(error.message.includes(`${path}:${line}:${column}: found `), error.message);
    assertNoCanary("the error", error);
    return true;
  };
}

function heard({ infos, refusals, warnings, errors, events }: Ears): unknown {
  return [infos, refusals, warnings, errors, events];
}

function assertNoCanary(what: string, told: unknown): void {
  const text = inspect(told, { depth: Infinity, showHidden: true });
  assert.ok(!text.includes(canary), `${what} quotes the content: ${text}`);
}
