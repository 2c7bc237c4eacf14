import assert from "node:assert/strict";
import * as v from "valibot";
import { annotationsOf } from "../../src/core/annotation.ts";
import { secret } from "../../src/core/mark.ts";
import { diff } from "../../src/core/diff.ts";
import type { Json } from "../../src/core/document.ts";
import { keepSecrets, redact, redactChanges } from "../../src/core/redact.ts";
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
