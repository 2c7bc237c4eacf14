/** YAML: what is read, what aliases mean for edits, and how values are written in the style that is there. */
import assert from "node:assert/strict";
import { setAt, unsetAt } from "../../src/core/patch.ts";
import type { Json } from "../../src/core/document.ts";
import type { Path } from "../../src/core/error.ts";
import { yaml } from "../../src/format/yaml.ts";
import { describe, test } from "../support/kit.ts";

const read = (text: string) => yaml.decode(new TextEncoder().encode(text), "app.yaml").document;

function edit(text: string, path: Path, value?: Json): string {
  const document = read(text);
  const wanted = value === undefined ? unsetAt(document, path) : setAt(document, path, value);
  const after = yaml.encode(wanted, text);
  assert.deepEqual(read(after), wanted);
  return after;
}

describe("reading YAML", () => {
  const cases: [string, string, unknown][] = [
    ["the core schema", "[1, 0o17, 0x1f, -2.5e3, true, null, ~, yes, 1_000, 0b1]", [
      1,
      15,
      31,
      -2500,
      true,
      null,
      null,
      "yes",
      "1_000",
      "0b1",
    ]],
    ["dates as their text", "a: 2024-05-01\nb: 12:30:00", { a: "2024-05-01", b: "12:30:00" }],
    ["texts of several lines", "a: |\n  x\n   y\nb: >-\n  x\n  y\n", { a: "x\n y\n", b: "x y" }],
    ["tags of the core schema", "a: !!str 5\nb: !!int 7\nc: !!float 1.5", { a: "5", b: 7, c: 1.5 }],
    ["a quoted merge key", "'<<': {a: 1}", { "<<": { a: 1 } }],
    ["anchors on keys", "&a k: 1\nb: *a", { k: 1, b: "k" }],
    ["an anchor that is given again", "a: &x 1\nb: *x\nc: &x 2\nd: *x", { a: 1, b: 1, c: 2, d: 2 }],
    ["the version that is meant", "%YAML 1.2\n---\na: 1\n...\n", { a: 1 }],
    ["no more than a string", "text", "text"],
  ];
  for (const [what, text, expected] of cases) {
    test(what, () => {
      assert.deepEqual(read(text), expected);
      assert.equal(yaml.encode(expected as Json, text), text);
    });
  }

  test("thousands of keys take no time that grows with their square", () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `k${index}: ${index}`);
    assert.equal(Object.keys(read(lines.join("\n")) as object).length, 20_000);
  });

  test("places are found by path, or by the nearest thing above", () => {
    const text = '# c\na:\n  - x\n  - b: true\n"é": *é\n'.replace("*é", "{ y: 2 }");
    const paths = [["a", 1, "b"], ["a", 1, "none"], ["é", "y"], [], ["a", "1"]];
    const places = yaml.locate(text, paths).map(({ line, column }) => [line, column]);
    assert.deepEqual(places, [[4, 8], [4, 5], [5, 11], [2, 1], [3, 3]]);
    assert.deepEqual(yaml.locate("# c\na: {\n  x, y: 1}", [["a", "x"]]), [{ line: 3, column: 4 }]);
  });
});

describe("editing YAML with aliases", () => {
  const text = "base: &base\n  x: 1 # one\n  y: 2\none: *base # same\ntwo: *base\n";

  test("what changes at an alias is written out there, and nowhere else", () => {
    assert.equal(
      edit(text, ["one", "x"], 5),
      "base: &base\n  x: 1 # one\n  y: 2\none: # same\n  x: 5\n  y: 2\ntwo: *base\n",
    );
  });

  test("what changes at an anchor alone leaves what the aliases stood for", () => {
    assert.equal(
      edit(text, ["base", "x"], 5),
      "base: &base\n  x: 5 # one\n  y: 2\none: # same\n  x: 1\n  y: 2\ntwo:\n  x: 1\n  y: 2\n",
    );
  });

  test("what changes at an anchor and its aliases alike changes once", () => {
    const part = { x: 5, y: 2 };
    const after = yaml.encode({ base: part, one: part, two: part }, text);
    assert.equal(after, text.replace("x: 1", "x: 5"));
  });

  test("where the anchor goes, its aliases are written out", () => {
    assert.equal(edit(text, ["base"]), "one: # same\n  x: 1\n  y: 2\ntwo:\n  x: 1\n  y: 2\n");
    assert.equal(edit("a: &a 1\nb: [*a, 2]\n", ["a"]), "b: [1, 2]\n");
    assert.equal(edit("&k a: 1\nb: *k\n", ["a"]), "b: a\n");
  });

  test("an alias can become something else, or go", () => {
    assert.equal(edit(text, ["one"], "x"), text.replace("one: *base", "one: x"));
    assert.equal(edit(text, ["one"]), text.replace("one: *base # same\n", ""));
  });
});

describe("editing YAML", () => {
  const cases: [string, before: string, path: Path, value: Json | undefined, after: string][] = [
    ["a number becomes a quoted text", "a: 1 # c", ["a"], "1", 'a: "1" # c'],
    ["single quotes stay", "a: 'x'", ["a"], "it's", "a: 'it''s'"],
    ["double quotes stay", 'a: "x"', ["a"], "y", 'a: "y"'],
    ["a literal text stays one", "a: |\n    x\nb: 1\n", ["a"], "y\nz\n", "a: |\n  y\n  z\nb: 1\n"],
    ["nothing becomes something", "a:\nb: 1", ["a"], 2, "a: 2\nb: 1"],
    ["nothing with a comment", "a: # c\nb: 1", ["a"], 2, "a: 2 # c\nb: 1"],
    ["a text becomes an object", "a: x # c\nb: 1\n", ["a"], { y: 1 }, "a: # c\n  y: 1\nb: 1\n"],
    ["an object becomes a text", "a: # c\n  y: 1\n  z: 2\nb: 1\n", ["a"], "x", "a: x # c\nb: 1\n"],
    [
      "the last key of an object goes",
      "a:\n  y: 1\nb: 1\n",
      ["a", "y"],
      undefined,
      "a: {}\nb: 1\n",
    ],
    [
      "a key follows the last one",
      "a:\n  x: 1 # c\n\n# d\nb: 1\n",
      ["a", "y"],
      2,
      "a:\n  x: 1 # c\n  y: 2\n\n# d\nb: 1\n",
    ],
    ["the file has no line break at its end", "a: 1", ["b"], { c: 1 }, "a: 1\nb:\n  c: 1"],
    [
      "the indentation is that of the file",
      "a:\n    x: 1\n",
      ["b"],
      { c: [1] },
      "a:\n    x: 1\nb:\n    c:\n        - 1\n",
    ],
    ["lists stand where lists stand", "a:\n- 1\n", ["b"], [1], "a:\n- 1\nb:\n- 1\n"],
    ["the first key behind a dash goes", "- a: 1\n  b: 2\n", [0, "a"], undefined, "- b: 2\n"],
    ["an element goes", "- 1\n- 2 # c\n# d\n- 3\n", [1], undefined, "- 1\n# d\n- 3\n"],
    [
      "within braces",
      "a: {x: 1, y: [1, 2]} # c\n",
      ["a", "y", 1],
      undefined,
      "a: {x: 1, y: [1]} # c\n",
    ],
    [
      "a comma at the end stays",
      "a: [\n  1, # c\n  2,\n]\n",
      ["a", 2],
      3,
      "a: [\n  1, # c\n  2,\n  3,\n]\n",
    ],
    ["an explicit key", "? a\n: 1\n? b\n: 2\n", ["a"], undefined, "? b\n: 2\n"],
    ["behind a document marker", "--- # c\na: 1\n...\n", ["b"], 2, "--- # c\na: 1\nb: 2\n...\n"],
    ["what would be read as something else is quoted", "a: 1\n", ["b"], "no", 'a: 1\nb: "no"\n'],
    ["a tag that stands for nothing", "a: !!null # c\nb: 1\n", ["a"], 2, "a: 2 # c\nb: 1\n"],
    [
      "a key without a colon between braces",
      "a: {x, y: 1} # c\n",
      ["a", "z"],
      2,
      "a: {x, y: 1, z: 2} # c\n",
    ],
    ["a key that looks like a merge", "a: 1\n", ["<<"], 2, 'a: 1\n"<<": 2\n'],
  ];
  for (const [what, before, path, value, after] of cases) {
    test(what, () => assert.equal(edit(before, path, value), after));
  }
});
