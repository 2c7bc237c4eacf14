import assert from "node:assert/strict";
import {
  describePath,
  formatPointer,
  parseDottedPath,
  parsePointer,
} from "../../src/core/pointer.ts";
import { describe, test } from "../support/kit.ts";

describe("JSON Pointer", () => {
  // RFC 6901, section 5.
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "m~n": 8, " ": 7 };
  const rows: [string, (string | number)[]][] = [
    ["", []],
    ["/foo", ["foo"]],
    ["/foo/0", ["foo", 0]],
    ["/", [""]],
    ["/a~1b", ["a/b"]],
    ["/c%d", ["c%d"]],
    ["/ ", [" "]],
    ["/m~0n", ["m~n"]],
    ["/m~01", ["m~1"]],
  ];
  for (const [pointer, path] of rows) {
    test(`${JSON.stringify(pointer)} is read and written`, () => {
      assert.deepEqual(parsePointer(pointer, document), path);
      assert.equal(formatPointer(path), pointer);
    });
  }

  test("a digit is an index only in an array", () => {
    assert.deepEqual(parsePointer("/a/0", { a: { 0: 1 } }), ["a", "0"]);
    assert.deepEqual(parsePointer("/a/01", { a: [1] }), ["a", "01"]);
    assert.deepEqual(parsePointer("/a/0"), ["a", "0"]);
  });

  for (const bad of ["foo", "/a~", "/a~2b"]) {
    test(`${bad} is refused`, () => {
      assert.throws(() => parsePointer(bad), { code: "INVALID", message: /no JSON Pointer/ });
    });
  }
});

describe("dotted path", () => {
  test("is split at dots, with indices where arrays are", () => {
    assert.deepEqual(parseDottedPath("a.b"), ["a", "b"]);
    assert.deepEqual(parseDottedPath("a.0.b", { a: [{}] }), ["a", 0, "b"]);
    assert.deepEqual(parseDottedPath("", {}), []);
  });

  test("finds a key that holds dots", () => {
    assert.deepEqual(
      parseDottedPath("hosts.a.example.port", { hosts: { "a.example": { port: 1 } } }),
      [
        "hosts",
        "a.example",
        "port",
      ],
    );
  });

  test("is refused where the document allows two readings", () => {
    assert.throws(() => parseDottedPath("a.b", { a: { b: 1 }, "a.b": 2 }), {
      code: "INVALID",
      message: /\/a\/b or \/a\.b/,
    });
  });

  test("is refused with an empty step", () => {
    assert.throws(() => parseDottedPath("a..b"), { code: "INVALID" });
  });
});

test("a path is described for a person", () => {
  assert.equal(describePath([]), "the document");
  assert.equal(describePath(["models", "fast", "urls", 0]), "models.fast.urls[0]");
  assert.equal(describePath(["a.b", "c"]), '["a.b"].c');
});
