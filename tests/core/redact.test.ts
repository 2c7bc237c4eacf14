import assert from "node:assert/strict";
import * as v from "valibot";
import { annotationsOf, restartRequired, secret } from "../../src/core/annotation.ts";
import { diff } from "../../src/core/diff.ts";
import type { Json } from "../../src/core/document.ts";
import { keepSecrets, redact, redactChanges } from "../../src/core/redact.ts";
import { holdForRestart } from "../../src/core/restart.ts";
import { describe, test } from "../support/kit.ts";

const placeholder = { $secret: "unchanged" };
const annotations = annotationsOf(v.looseObject({
  name: v.string(),
  keys: v.array(v.object({ id: v.string(), token: v.pipe(v.string(), secret()) })),
  vault: v.pipe(v.looseObject({}), secret()),
}));
const document = {
  name: "n",
  keys: [{ id: "a", token: "canary-1" }],
  vault: { deep: "canary-2" },
};

describe("redact", () => {
  test("puts the placeholder for secrets alone", () => {
    assert.deepEqual(redact(document, annotations), {
      name: "n",
      keys: [{ id: "a", token: placeholder }],
      vault: placeholder,
    });
    assert.equal(redact(document, undefined), document);
  });

  test("a changed secret only says that it changed, above, at and below its place", () => {
    const after = {
      name: "m",
      keys: [{ id: "a", token: "canary-3" }, { id: "b", token: "canary-4" }],
      vault: { deep: "canary-5", "canary-key": 1 },
    };
    const changes = redactChanges(diff(document, after), annotations);
    assert.deepEqual(changes, [
      { path: ["name"], kind: "changed", before: "n", after: "m" },
      { path: ["keys", 0, "token"], kind: "changed", before: placeholder, after: placeholder },
      { path: ["keys", 1], kind: "added", after: { id: "b", token: placeholder } },
      { path: ["vault"], kind: "changed", before: placeholder, after: placeholder },
    ]);
    const removal = redactChanges(diff(after, { name: "m" }), annotations);
    assert.doesNotMatch(JSON.stringify(removal), /canary/);
  });
});

describe("a placeholder written back", () => {
  test("keeps what is there", () => {
    const shown = redact(document, annotations) as unknown as Json;
    assert.deepEqual(keepSecrets(shown, document), document);
  });

  test("is refused where nothing is", () => {
    assert.throws(() => keepSecrets({ keys: [{ token: placeholder }] }, { keys: [] }), {
      code: "INVALID",
      message: /secret at keys\[0\]\.token/,
    });
  });

  test("is refused in an array that grew or shrank, where an index may mean another secret", () => {
    const current = { keys: [{ token: "a" }, { token: "b" }] };
    assert.throws(() => keepSecrets({ keys: [{ token: placeholder }] }, current), {
      code: "INVALID",
    });
  });

  test("a document without one comes back as it is", () => {
    const next = { a: [1, { b: "$secret" }], $secret: "something else" };
    assert.equal(keepSecrets(next, {}), next);
  });
});

describe("values that wait for a restart", () => {
  const guarded = annotationsOf(v.looseObject({
    port: v.pipe(v.number(), restartRequired()),
    pools: v.record(v.string(), v.looseObject({ size: v.pipe(v.number(), restartRequired()) })),
  }));

  test("keep their running value while the rest of the same edit applies", () => {
    const running = { port: 1, rate: 1, pools: { a: { size: 1, on: true } } };
    const next = { port: 2, rate: 2, pools: { a: { size: 2, on: false }, b: { size: 3 } } };
    assert.deepEqual(holdForRestart(running, next, guarded), {
      value: { port: 1, rate: 2, pools: { a: { size: 1, on: false }, b: { size: 3 } } },
      pending: [
        { path: ["port"], running: 1, stored: 2 },
        { path: ["pools", "a", "size"], running: 1, stored: 2 },
      ],
    });
    assert.equal(next.port, 2);
  });

  test("are pending no more once they are reverted", () => {
    const running = { port: 1 };
    assert.deepEqual(holdForRestart(running, { port: 1, rate: 5 }, guarded), {
      value: { port: 1, rate: 5 },
      pending: [],
    });
  });

  test("stay when what holds them is taken away, and apply with what comes anew", () => {
    const held = annotationsOf(v.object({
      db: v.optional(v.object({ port: v.pipe(v.number(), restartRequired()) })),
    }));
    const running = { db: { port: 5 } };
    for (const next of [{}, { db: null }]) {
      const { value, pending } = holdForRestart(running, next, held);
      assert.deepEqual([value, pending.map(({ path }) => path)], [running, [["db"]]]);
    }
    assert.deepEqual(holdForRestart({}, running, held), { value: running, pending: [] });
  });

  test("in an array keep the whole array, whose elements have no names", () => {
    const listed = annotationsOf(v.object({
      hosts: v.array(v.object({ port: v.pipe(v.number(), restartRequired()) })),
    }));
    const running = { hosts: [{ port: 1 }] };
    for (const hosts of [[], [{ port: 2 }], [{ port: 9 }, { port: 1 }]]) {
      assert.deepEqual(holdForRestart(running, { hosts }, listed), {
        value: running,
        pending: [{ path: ["hosts"], running: running.hosts, stored: hosts }],
      });
    }
  });

  test("stay when they are removed, and stay away when they are added", () => {
    assert.deepEqual(holdForRestart({ port: 1 }, {}, guarded).value, { port: 1 });
    assert.deepEqual(holdForRestart({}, { port: 1 }, guarded).value, {});
  });
});
