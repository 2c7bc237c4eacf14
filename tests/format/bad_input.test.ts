/** What the readers of JSONC, YAML and TOML refuse: at its place, quickly, and without telling what may be secret. */
import assert from "node:assert/strict";
import type { Json } from "../../src/core/document.ts";
import {
  aliasedValuesMax,
  depthMax,
  jsoncLengthMax,
  tomlLengthMax,
  yamlLengthMax,
} from "../../src/core/limits.ts";
import type { Format } from "../../src/format/format.ts";
import { jsonc } from "../../src/format/jsonc.ts";
import { toml } from "../../src/format/toml.ts";
import { yaml } from "../../src/format/yaml.ts";
import { describe, test } from "../support/kit.ts";
import { canary, type Fault, jsoncFaults, tomlFaults, yamlFaults } from "./faults.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const kinds: readonly [Format, readonly Fault[], simple: string][] = [
  [jsonc, jsoncFaults, '// c\n{ "a": "é" }'],
  [yaml, yamlFaults, "# c\na: é"],
  [toml, tomlFaults, "# c\na = 'é'"],
];

for (const [format, faults, simple] of kinds) {
  const read = (bytes: Uint8Array) => format.decode(bytes, "app").document;
  describe(format.name, () => {
    for (const [what, marked, message] of faults) {
      test(`${what} is refused at its place`, () => {
        const [before = "", after = ""] = marked.replaceAll("§", canary).split("¦");
        const lines = before.split("\n");
        const place = { source: "app", line: lines.length, column: lines.at(-1)!.length + 1 };
        for (const mark of ["", "\ufeff"]) {
          assert.throws(() => read(bytesOf(mark + before + after)), (error: Error) => {
            assert.deepEqual(
              { ...(error as unknown as { details: object }).details },
              place,
              error.message,
            );
            assert.match(error.message, message);
            assert.doesNotMatch(JSON.stringify([error.message, error.cause]), new RegExp(canary));
            return true;
          });
        }
      });
    }

    test("bytes that are no UTF-8 are refused at their place", () => {
      const bytes = bytesOf(simple);
      bytes[bytes.indexOf(0xc3)] = 0xff;
      const column = simple.split("\n")[1]!.indexOf("é") + 1;
      const details = { source: "app", line: 2, column };
      assert.throws(() => read(bytes), { code: "PARSE", details });
      for (const utf16 of [[0xff, 0xfe, 0x61, 0], [0xfe, 0xff, 0, 0x61]]) {
        assert.throws(() => read(Uint8Array.from(utf16)), { code: "PARSE" });
      }
    });

    test("a byte order mark is passed over, and kept", () => {
      const marked = `\ufeff${simple}`;
      const { document, text } = format.decode(bytesOf(marked), "app");
      assert.deepEqual(document, { a: "é" });
      assert.equal(format.encode(document, text), marked);
      assert.equal(
        format.encode({ a: "e" }, text),
        format.encode({ a: "e" }, simple).replace(/^/, "\ufeff"),
      );
      assert.deepEqual(format.locate(text, [["a"]]), format.locate(simple, [["a"]]));
    });
  });
}

describe("depth", () => {
  const times = (text: string, count: number) => text.repeat(count);
  const forms: [string, Format, (depth: number) => string][] = [
    ["JSONC, arrays", jsonc, (depth) => `//\n${times("[", depth)}${times("]", depth)}`],
    ["JSONC, objects", jsonc, (depth) => `${times('{"a":', depth)}1/**/${times("}", depth)}`],
    ["YAML, brackets", yaml, (depth) => times("[", depth) + times("]", depth)],
    ["YAML, braces", yaml, (depth) => `${times("{a: ", depth)}1${times("}", depth)}`],
    ["YAML, dashes", yaml, (depth) => `${times("- ", depth)}a`],
    [
      "YAML, keys",
      yaml,
      (depth) => Array.from({ length: depth }, (_, at) => `${times(" ", at)}a:`).join("\n"),
    ],
    ["TOML, arrays", toml, (depth) => `a = ${times("[", depth - 1)}${times("]", depth - 1)}`],
    [
      "TOML, inline tables",
      toml,
      (depth) => `a = ${times("{a=", depth - 1)}1${times("}", depth - 1)}`,
    ],
    ["TOML, dotted keys", toml, (depth) => `a${times(".a", depth - 1)} = 1`],
    ["TOML, headers", toml, (depth) => `[a${times(".a", depth - 2)}]`],
    ["TOML, arrays of tables", toml, (depth) => `[[a]]\n[[a${times(".a", depth - 4)}]]\n`],
  ];
  for (const [what, format, write] of forms) {
    test(`${what}: up to the limit and no further`, () => {
      format.decode(bytesOf(write(depthMax)), "app");
      const depths = what === "YAML, keys" ? [depthMax + 1, 2000] : [depthMax + 1, 10_000];
      for (const depth of depths) {
        assert.throws(() => format.decode(bytesOf(write(depth)), "app"), { code: "TOO_LARGE" });
      }
    });
  }
});

describe("aliases", () => {
  const laughs = (levels: number) => {
    const rows = Array.from({ length: levels }, (_, level) => {
      const part = level === 0 ? "lol" : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 10 }, () => part).join(", ")}]`;
    });
    return rows.join("\n");
  };

  test("may stand for much, but not for everything", () => {
    assert.equal(JSON.stringify(yaml.decode(bytesOf(laughs(4)), "app").document).length, 69_149);
    for (const levels of [6, 10, 100]) {
      assert.throws(() => yaml.decode(bytesOf(laughs(levels)), "app"), {
        code: "TOO_LARGE",
        details: { what: "values that aliases stand for", limit: aliasedValuesMax },
      });
    }
  });

  test("do not go around the limits of depth and of memory", () => {
    const deep = Array.from(
      { length: 200 },
      (_, at) => `a${at}: &a${at} ${at === 0 ? "[]" : `[*a${at - 1}]`}`,
    );
    assert.throws(() => yaml.decode(bytesOf(deep.join("\n")), "app"), { code: "TOO_LARGE" });
    const long = `a: &a ${"x".repeat(100_000)}\nb: [${"*a, ".repeat(10_000)}]`;
    assert.throws(() => yaml.decode(bytesOf(long), "app"), { code: "TOO_LARGE" });
  });

  test("each stand for a value of its own", () => {
    const { document } = yaml.decode(bytesOf("a: &a {x: 1}\nb: *a"), "app");
    const { a, b } = document as { a: Json; b: Json };
    assert.deepEqual(a, b);
    assert.notEqual(a, b);
  });
});

describe("length", () => {
  const limits: [Format, number, string][] = [
    [yaml, yamlLengthMax, "YAML text in characters"],
    [toml, tomlLengthMax, "TOML text in characters"],
    [jsonc, jsoncLengthMax, "JSONC text in characters"],
  ];
  for (const [format, limit, what] of limits) {
    test(`${what}: no more than the limit`, { timeoutMs: 60_000 }, () => {
      for (const length of [limit + 1, 64 * 1024 * 1024 + 1]) {
        const bytes = new Uint8Array(length).fill(0x61);
        const details = { what, limit, found: length };
        assert.throws(() => format.decode(bytes, "app"), { code: "TOO_LARGE", details });
      }
      const long = { a: "x".repeat(limit) };
      assert.throws(() => format.encode(long), { code: "TOO_LARGE" });
      assert.throws(() => format.encode(long, format.encode({ a: "" })), { code: "TOO_LARGE" });
    });
  }
});

test("YAML, many lines too far in are told at the first, not as nesting", () => {
  const text = `a:\n  b: 1\n${"   c: 2\n".repeat(500)}`;
  assert.throws(() => yaml.decode(bytesOf(text), "app"), {
    code: "PARSE",
    details: { source: "app", line: 2, column: 6 },
  });
});

describe("texts that are tiresome to read", () => {
  // A pattern that can take the same characters in several ways takes very long, and takes the wrong ones.
  const many = 150_000;
  const signs = "#".repeat(28);
  const stars = "/**/".repeat(22);
  const cases: [string, Format, text: string, after: Json, expected: string][] = [
    [
      "YAML, a comment of signs before a closing bracket",
      yaml,
      `a: [\n  1, # x, y\n  2 ${signs}, z\n]\n`,
      { a: [1, 2, 3] },
      `a: [\n  1, # x, y\n  2, ${signs}, z\n  3\n]\n`,
    ],
    [
      "JSONC, many comments on one line",
      jsonc,
      `[\n  1, ${stars} 2 ${stars}\n]`,
      [1, 3, 2],
      `[\n  1, 3, ${stars} 2 ${stars}\n]`,
    ],
  ];
  for (const [what, format, text, after, expected] of cases) {
    test(what, () => assert.equal(format.encode(after, text), expected));
  }

  const lists: [string, Format, write: (items: string) => string, wrap: (items: Json) => Json][] = [
    ["JSONC", jsonc, (items) => `[${items}] // c`, (items) => items],
    ["YAML", yaml, (items) => `[${items}] # c`, (items) => items],
    ["TOML", toml, (items) => `a = [${items}] # c`, (items) => ({ a: items })],
  ];
  for (const [what, format, write, wrap] of lists) {
    test(`${what}, a list of very many items`, { timeoutMs: 120_000 }, () => {
      const items = Array.from({ length: many }, (_, index) => index % 10);
      const kept = items.slice(0, 10);
      const text = write(items.join(","));
      assert.equal(format.encode(wrap(kept), text), write(kept.join(",")));
    });
  }

  test("TOML, a table of very many members that is written anew", { timeoutMs: 120_000 }, () => {
    const table = Object.fromEntries(Array.from({ length: many }, (_, index) => [`k${index}`, 1]));
    assert.equal(toml.encode({ a: { b: table } }).split("\n").length, many + 4);
  });
});
