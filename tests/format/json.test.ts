import assert from "node:assert/strict";
import { depthMax } from "../../src/core/limits.ts";
import { formatOf } from "../../src/format/format_of.ts";
import { json } from "../../src/format/json.ts";
import { countWrittenMembers, scanJson } from "../../src/format/json_scan.ts";
import { describe, test } from "../support/kit.ts";
import { forSeeds, randomJson } from "../support/random.ts";

const encoder = new TextEncoder();
const read = (text: string | Uint8Array) =>
  json.decode(typeof text === "string" ? encoder.encode(text) : text, "app.json");

describe("JSON", () => {
  const refused: [string, string | Uint8Array, number, number, RegExp][] = [
    ["nothing", "", 1, 1, /nothing but white space/],
    ["white space", " \n\t", 1, 1, /nothing but white space/],
    ["a missing value", '{\n  "a": }', 2, 8, /found a closing brace where a value belongs/],
    ["a trailing comma", '{"a": 1,\n}', 2, 1, /found a closing brace where a key/],
    ["a trailing comma in an array", "[1,]", 1, 4, /found a closing bracket where a value/],
    ["a missing comma", '{"a": 1\n "b": 2}', 2, 2, /a comma or a closing brace/],
    ["a comment", '{ // c\n "a": 1}', 1, 3, /found a slash \(JSON has no comments\) where a key/],
    ["single quotes", "{'a': 1}", 1, 2, /found a single quote where a key/],
    ["a bare key", "{a: 1}", 1, 2, /a bare word where a key/],
    ["two documents", "{}\n{}", 2, 1, /where the end belongs/],
    ["an open object", '{"a": 1', 1, 8, /the end of the text/],
    ["an open string", '{"a": "canary\n}', 1, 7, /not closed/],
    ["an open string at the end", '["canary', 1, 2, /not closed/],
    ["an unknown escape", '["\\x41"]', 1, 3, /an escape/],
    ["a raw control character", '["a\tb"]', 1, 4, /a control character/],
    ["half of a surrogate pair", '{"a": "\\ud800"}', 1, 7, /half of a surrogate/],
    ["NUL", '["a\0b"]', 1, 4, /a control character/],
    ["NUL outside of strings", "{}\0", 1, 3, /where the end belongs/],
    ["a number with a leading zero", "[01]", 1, 2, /a number that JSON does not know/],
    ["a number with a plus", "[+1]", 1, 2, /where a value belongs/],
    ["a lone minus", "[-]", 1, 2, /a minus sign/],
    ["hexadecimal", "[0x1F]", 1, 2, /a number that JSON does not know/],
    ["NaN", "[NaN]", 1, 2, /where a value belongs/],
    ["infinity", '{"a": 1e400}', 1, 7, /not finite or beyond/],
    ["minus infinity", "[\n-1e400]", 2, 1, /not finite or beyond/],
    ["an integer that rounds", "[9007199254740993]", 1, 2, /not finite or beyond/],
    ["a key twice", '{"a": 1,\n "a": 2}', 2, 2, /a key that the object already has/],
    ["a key twice, spelt differently", '{"a": 1, "\\u0061": 2}', 1, 10, /already has/],
    ["a key twice, deep down", '{"x": [{"k": 1, "k": 1}]}', 1, 17, /already has/],
    ["__proto__", '{"__proto__": {}}', 1, 2, /not allowed/],
    ["__proto__, spelt differently", '{"__proto\\u005f_": {}}', 1, 2, /not allowed/],
    ["constructor", '{"a": {"constructor": 1}}', 1, 8, /not allowed/],
    ["prototype", '{"prototype": 1}', 1, 2, /not allowed/],
    ["bad UTF-8", Uint8Array.of(0x5b, 0x0a, 0x22, 0xff, 0x22, 0x5d), 2, 2, /not UTF-8/],
    ["UTF-8 cut short", Uint8Array.of(0x5b, 0x22, 0xc3), 1, 3, /not UTF-8/],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x7b, 0x00), 1, 1, /not UTF-8/],
  ];
  for (const [what, text, line, column, message] of refused) {
    test(`${what} is refused at its place`, () => {
      assert.throws(() => read(text), (error: Error & { details: unknown }) => {
        assert.deepEqual(error.details, { source: "app.json", line, column });
        assert.match(error.message, message);
        assert.match(error.message, new RegExp(`^Cannot read app\\.json:${line}:${column}: `));
        assert.doesNotMatch(error.message, /canary/);
        return true;
      });
    });
  }

  test("nesting beyond the limit is refused, however deep", () => {
    for (const depth of [depthMax + 1, 100_000, 1_000_000]) {
      assert.throws(() => read("[".repeat(depth) + "]".repeat(depth)), { code: "TOO_LARGE" });
    }
    assert.doesNotThrow(() => read("[".repeat(depthMax) + "]".repeat(depthMax)));
    assert.doesNotThrow(() => read('{"a":'.repeat(depthMax) + "1" + "}".repeat(depthMax)));
  });

  test("a string of many megabytes does not exhaust the scan", () => {
    const text = `{"a": "${"x\\n".repeat(3_000_000)}", "a": 1}`;
    assert.throws(() => read(text), { code: "PARSE", message: /already has/ });
  });

  test("a byte order mark is passed over", () => {
    assert.deepEqual(read(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)).document, {});
  });

  test("the fast way and the scan agree, and what is written reads back", () => {
    forSeeds(1000, (random) => {
      const document = randomJson(random, 5) as never;
      const text = json.encode(document);
      assert.deepEqual(read(text).document, document);
      assert.equal(scanJson(text), undefined);
      const cut = text.slice(0, random.below(text.length));
      const parses = (() => {
        try {
          JSON.parse(cut);
          return true;
        } catch {
          return false;
        }
      })();
      assert.equal(scanJson(cut) === undefined, parses, JSON.stringify(cut));
    });
  });

  test("members are counted whatever the strings hold", () => {
    const cases: [string, number][] = [
      ["[]", 0],
      ['{"a": 1, "b" : {"c":\n":"}}', 3],
      ['{"\\"": "\\\\", "x\\\\": "\\":"}', 2],
      ['["a:", "\\\\\\":", ":"]', 0],
    ];
    for (const [text, count] of cases) {
      JSON.parse(text);
      assert.equal(countWrittenMembers(text), count, text);
    }
  });

  test("places are found by path, or by the nearest thing above", () => {
    const text = '{\n  "a": [1,\n    {"b": true}],\n  "é": 2\n}';
    const paths = [["a", 1, "b"], ["a", 1, "missing", "x"], ["é"], [], ["a", "1"]];
    assert.deepEqual(json.locate(text, paths), [
      { line: 3, column: 11 },
      { line: 3, column: 5 },
      { line: 4, column: 8 },
      { line: 1, column: 1 },
      { line: 2, column: 8 },
    ]);
  });

  test("the indentation of the text before is kept, also where that is no JSON any more", () => {
    assert.equal(json.encode({ a: 1 }, '{\n\t"b": 1\n}'), '{\n\t"a": 1\n}');
    assert.equal(json.encode({ a: 1 }, '{\r\n    "b": 1}'), '{\r\n    "a": 1}');
    assert.equal(json.encode({ a: 1 }, '{\r\n    "b": oops}'), '{\r\n    "a": 1\r\n}\r\n');
    assert.equal(json.encode({ a: 1 }), '{\n  "a": 1\n}\n');
  });
});

test("the format follows the extension", async () => {
  assert.equal((await formatOf("/a.b/config")).name, "json");
  assert.equal((await formatOf("config.JSON")).name, "json");
  await assert.rejects(formatOf("config.xml"), { code: "UNSUPPORTED", message: /\.xml/ });
});
