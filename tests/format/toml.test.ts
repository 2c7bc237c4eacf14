/** TOML: what is read, and where changes go. */
import assert from "node:assert/strict";
import { setAt, unsetAt } from "../../src/core/patch.ts";
import type { Json } from "../../src/core/document.ts";
import type { Path } from "../../src/core/error.ts";
import { toml } from "../../src/format/toml.ts";
import { describe, test } from "../support/kit.ts";

const read = (text: string) => toml.decode(new TextEncoder().encode(text), "app.toml").document;

function edit(text: string, path: Path, value?: Json): string {
  const document = read(text);
  const wanted = value === undefined ? unsetAt(document, path) : setAt(document, path, value);
  const after = toml.encode(wanted, text);
  assert.deepEqual(read(after), wanted);
  return after;
}

describe("reading TOML", () => {
  const cases: [string, string, unknown][] = [
    ["numbers", "a = [1_000, 0xff, 0o17, 0b11, +1, 1.5, 1e3, -0.5]", {
      a: [1000, 255, 15, 3, 1, 1.5, 1000, -0.5],
    }],
    ["the integer -0 as 0", "a = -0", { a: 0 }],
    [
      "dates and times as their text",
      "a = 1979-05-27 07:32:00.5-07:00\nb = 07:32\nc = 1979-05-27",
      {
        a: "1979-05-27 07:32:00.5-07:00",
        b: "07:32",
        c: "1979-05-27",
      },
    ],
    [
      "strings",
      "a = \"\\t\\u00e9\\x41\\e\"\nb = '\\t'\nc = \"\"\"\nx\\\n   y\"\"\"\"\nd = '''\n'x\n'''",
      {
        a: "\té" + "A\u001b",
        b: "\\t",
        c: 'xy"',
        d: "'x\n",
      },
    ],
    ["the lines of Windows as those of others", 'a = """\r\nx\r\ny"""\r\n', { a: "x\ny" }],
    ["dotted keys", 'a.b.c = 1\na.b."d.e" = 2\n[f.g]\nh.i = 3', {
      a: { b: { c: 1, "d.e": 2 } },
      f: { g: { h: { i: 3 } } },
    }],
    ["tables around tables", "[a.b]\nc = 1\n[a]\nd = 2", { a: { b: { c: 1 }, d: 2 } }],
    ["arrays of tables", "[[a]]\nb = 1\n[a.c]\nd = 1\n[[a.e]]\n[[a]]\n[[a.e]]\nf = 1", {
      a: [{ b: 1, c: { d: 1 }, e: [{}] }, { e: [{ f: 1 }] }],
    }],
    ["inline tables", "a = { b.c = 1, b.d = [{ e = 2 }],\n f = {}, }", {
      a: { b: { c: 1, d: [{ e: 2 }] }, f: {} },
    }],
    ["nothing but comments", "# nothing", {}],
  ];
  for (const [what, text, expected] of cases) {
    test(what, () => {
      assert.deepEqual(read(text), expected);
      assert.equal(toml.encode(expected as Json, text), text);
    });
  }

  test("places are found by path, or by the nearest thing above", () => {
    const text = "a = 1\n[b.c]\nd = [1,\n  { e = 2 }]\n[[f]]\ng = 1\n[[f]]\n h = 2\n";
    const paths = [["a"], ["b", "c", "d", 1, "e"], ["f", 1, "h"], ["f", 1, "none"], [], ["b", "x"]];
    const places = toml.locate(text, paths).map(({ line, column }) => [line, column]);
    assert.deepEqual(places, [[1, 5], [4, 9], [8, 6], [7, 1], [1, 1], [2, 2]]);
  });
});

describe("editing TOML", () => {
  const cases: [string, before: string, path: Path, value: Json | undefined, after: string][] = [
    ["a float stays one", "a = 1.5 # c", ["a"], 2, "a = 2.0 # c"],
    ["a date stays one", "a = 2024-05-01", ["a"], "2024-05-02", "a = 2024-05-02"],
    ["a date becomes a text", "a = 2024-05-01", ["a"], "soon", 'a = "soon"'],
    ["a text that looks like a date", 'a = "x"', ["a"], "2024-05-01", 'a = "2024-05-01"'],
    ["literal strings stay", "a = 'x'", ["a"], "\\d", "a = '\\d'"],
    [
      "texts of several lines stay",
      'a = """\nx\ny"""',
      ["a"],
      'p\n"""q',
      'a = """\np\n\\"\\"\\"q"""',
    ],
    [
      "the first key of all",
      "# The file.\n\n# a\n[a]\n",
      ["b"],
      1,
      "# The file.\n\nb = 1\n\n# a\n[a]\n",
    ],
    ["a key behind the others", "a = 1 # c\n\n[b]\n", ["c"], 1, "a = 1 # c\nc = 1\n\n[b]\n"],
    ["a key in an empty table", "[a] # c\n\n[b]\n", ["a", "x"], 1, "[a] # c\nx = 1\n\n[b]\n"],
    ["indented keys", "[a]\n  x = 1\n", ["a", "y"], 1, "[a]\n  x = 1\n  y = 1\n"],
    ["dotted keys", "a.x = 1\nb = 1\n", ["a", "y"], 2, "a.x = 1\na.y = 2\nb = 1\n"],
    ["the last dotted key goes", "a.x = 1\n", ["a", "x"], undefined, "a = {}\n"],
    ["the last key of a table goes", "[a]\nx = 1\n", ["a", "x"], undefined, "[a]\n"],
    ["the last table of a table goes", "[a.b] # c\nx = 1\n", ["a", "b"], undefined, "[a]\n"],
    [
      "an object gets a header",
      "[a]\nx = 1\n\n[b]\n",
      ["a", "y"],
      { z: 1 },
      "[a]\nx = 1\n\n[a.y]\nz = 1\n\n[b]\n",
    ],
    ["a table becomes a value", "x = 1\n[a]\ny = 1\n", ["a"], 5, "x = 1\na = 5\n"],
    ["a value becomes an object", "a = 1\n", ["a"], { b: 1 }, "a = { b = 1 }\n"],
    [
      "an element of an array of tables",
      "[[a]]\nx = 1\n\n[b]\n",
      ["a", 1],
      { x: 2 },
      "[[a]]\nx = 1\n\n[[a]]\nx = 2\n\n[b]\n",
    ],
    ["the last of them goes", "[[a]]\nx = 1\n", ["a", 0], undefined, "a = []\n"],
    [
      "an array over several lines",
      "a = [\n  1, # c\n  2\n]",
      ["a", 2],
      3,
      "a = [\n  1, # c\n  2,\n  3\n]",
    ],
    ["everything goes", "a = 1\n", ["a"], undefined, "# Nothing is set.\n"],
  ];
  for (const [what, before, path, value, after] of cases) {
    test(what, () => assert.equal(edit(before, path, value), after));
  }

  test("the first keys of all stand together", () => {
    const text = "[a]\nx = 1\n";
    assert.equal(toml.encode({ b: 1, c: 2, a: { x: 1 } }, text), `b = 1\nc = 2\n\n${text}`);
  });

  test("what TOML cannot carry is refused, naming the place", () => {
    assert.throws(() => toml.encode({ a: [{ b: null }] }), {
      code: "INVALID",
      message: /null, which TOML cannot carry/,
      details: {
        problems: [{
          path: ["a", 0, "b"],
          message: "null, which TOML cannot carry; remove the key",
          severity: "error",
        }],
      },
    });
    for (const document of [null, 1, "x", [1]]) {
      assert.throws(() => toml.encode(document), { code: "INVALID", message: /no object/ });
    }
  });
});
