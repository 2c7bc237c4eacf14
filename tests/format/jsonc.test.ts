/** JSONC and JSON: where changes go. */
import assert from "node:assert/strict";
import { setAt, unsetAt } from "../../src/core/patch.ts";
import type { Json } from "../../src/core/document.ts";
import type { Path } from "../../src/core/error.ts";
import { json } from "../../src/format/json.ts";
import { jsonc } from "../../src/format/jsonc.ts";
import { describe, test } from "../support/kit.ts";

function edit(text: string, path: Path, value?: Json): string {
  const format = /\/[/*]|,\s*[\]}]/.test(text) ? jsonc : json;
  const read = (from: string) => format.decode(new TextEncoder().encode(from), "app").document;
  const document = read(text);
  const wanted = value === undefined ? unsetAt(document, path) : setAt(document, path, value);
  const after = format.encode(wanted, text);
  assert.deepEqual(read(after), wanted);
  return after;
}

describe("editing JSON", () => {
  const cases: [string, before: string, path: Path, value: Json | undefined, after: string][] = [
    ["a value", '{"a":1, "b" : 2}', ["b"], 3, '{"a":1, "b" : 3}'],
    ["a key without any white space", '{"a":1}', ["b"], { c: [1] }, '{"a":1,"b":{"c":[1]}}'],
    ["a key on the line of others", '{ "a": 1 }', ["b"], { c: 2 }, '{ "a": 1, "b": { "c": 2 } }'],
    [
      "a key on a line of its own",
      '{\n\t"a": 1\n}',
      ["b"],
      [1],
      '{\n\t"a": 1,\n\t"b": [\n\t\t1\n\t]\n}',
    ],
    [
      "the indentation of a file that begins with a comment",
      '// c\n{\n\t"a": 1\n}',
      ["b"],
      [1],
      '// c\n{\n\t"a": 1,\n\t"b": [\n\t\t1\n\t]\n}',
    ],
    ["the last key goes", '{\n  "a": 1,\n  "b": 2\n}\n', ["b"], undefined, '{\n  "a": 1\n}\n'],
    ["the only key goes", '{\n  "a": 1\n}\n', ["a"], undefined, "{}\n"],
    [
      "a key in an empty object",
      '{\n  "a": {}\n}',
      ["a", "b"],
      1,
      '{\n  "a": {\n    "b": 1\n  }\n}',
    ],
    ["an element in the middle", "[1, 2, 3]", [1], undefined, "[1, 3]"],
    [
      "the lines of Windows",
      '{\r\n  "a": 1\r\n}\r\n',
      ["b"],
      2,
      '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n',
    ],
    [
      "numbers keep how they are written",
      '{"a":1.50,"b":1E2,"c":0}',
      ["c"],
      1,
      '{"a":1.50,"b":1E2,"c":1}',
    ],
    [
      "a comment behind the last",
      '{\n  "a": 1 // c\n}',
      ["b"],
      2,
      '{\n  "a": 1, // c\n  "b": 2\n}',
    ],
    ["a comma at the end", '{\n  "a": 1,\n}', ["b"], 2, '{\n  "a": 1,\n  "b": 2,\n}'],
    [
      "the last before a comma at the end",
      '{\n  "a": 1,\n  "b": 2,\n}',
      ["b"],
      undefined,
      '{\n  "a": 1,\n}',
    ],
    ["a key beside comments alone", "{\n  // c\n}", ["a"], 1, '{\n  // c\n  "a": 1\n}'],
    [
      "comments stay where all goes",
      '{\n  // c\n  "a": 1 // d\n}',
      ["a"],
      undefined,
      "{\n  // c\n}",
    ],
  ];
  for (const [what, before, path, value, after] of cases) {
    test(what, () => assert.equal(edit(before, path, value), after));
  }

  test("places are found behind comments", () => {
    const text = '// c\n{ /* "a": */ "a": [1, // c\n  { "b": 2 },] }';
    assert.deepEqual(jsonc.locate(text, [["a", 1, "b"], ["a", 0]]), [
      { line: 3, column: 10 },
      { line: 2, column: 20 },
    ]);
  });
});

test("a comment of JSONC ends at a carriage return too, so that no member is lost", () => {
  const text = '{ "a": 1 // c\r, "b": 2 }';
  const { document } = jsonc.decode(new TextEncoder().encode(text), "app");
  assert.deepEqual(document, { a: 1, b: 2 });
  assert.equal(jsonc.encode({ a: 1, b: 3 }, text), text.replace("2", "3"));
});
