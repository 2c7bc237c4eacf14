import assert from "node:assert/strict";
import { migrate, type Migrations, versionRange } from "../../src/core/migration.ts";
import { describe, test } from "../support/kit.ts";

const migrations: Migrations = {
  1: ({ url, ...rest }) => ({ ...rest, version: 2, urls: [url] }),
  2: (document) => {
    document.urls.push("added");
    return document;
  },
};

describe("migration", () => {
  test("chains the steps from any known version", () => {
    assert.deepEqual(migrate({ version: 1, url: "a" }, migrations, "c"), {
      document: { version: 3, urls: ["a", "added"] },
      from: 1,
      to: 3,
    });
    assert.deepEqual(migrate({ version: 2, urls: [] }, migrations, "c").document, {
      version: 3,
      urls: ["added"],
    });
  });

  test("the newest version passes as it is", () => {
    const document = { version: 3, urls: [] };
    assert.equal(migrate(document, migrations, "c").document, document);
  });

  test("the document that came in is left as it is, even by a step that changes its own", () => {
    const document = Object.freeze({ version: 2, urls: Object.freeze(["a"]) });
    migrate(document, migrations, "c");
    assert.deepEqual(document.urls, ["a"]);
  });

  for (
    const [what, document] of [
      ["a missing version", {}],
      ["no object", ["version"]],
      ["a newer version", { version: 4 }],
      ["an unknown old version", { version: 0 }],
      ["a version that is no integer", { version: 1.5 }],
      ["a version in quotes", { version: "1" }],
    ] as const
  ) {
    test(`refuses ${what} by name`, () => {
      assert.throws(() => migrate(document, migrations, "app.json"), {
        code: "UNSUPPORTED_VERSION",
        message: /app\.json.*know 1 to 3/,
      });
    });
  }

  test("a step that throws, or returns another version or no object, is named", () => {
    const cause = new Error("inside");
    const steps: [Migrations, RegExp][] = [
      [{
        1: () => {
          throw cause;
        },
      }, /from version 1 to 2: the step threw/],
      [{ 1: () => ({ version: 7 }) }, /returned version 7; return version 2/],
      [{ 1: () => undefined as never }, /returned no object/],
      [{ 1: () => ({ a: { b: NaN } }) as never }, /at a\.b: number is not finite/],
    ];
    for (const [step, message] of steps) {
      assert.throws(() => migrate({ version: 1 }, step, "c"), { code: "MIGRATION", message });
    }
    assert.throws(() => migrate({ version: 1 }, steps[0]![0], "c"), { cause });
  });

  test("a chain with a gap, or none at all, is refused at once", () => {
    const same: Migrations[1] = (document) => document;
    assert.throws(() => versionRange({ 1: same, 3: same }), { code: "UNSUPPORTED" });
    assert.throws(() => versionRange({}), { code: "UNSUPPORTED" });
  });
});
