// runs on: node-24
/** Long files in the style of real projects: an edit changes the lines it is about and no other. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { mergePatch, setAt, unsetAt } from "../../src/core/patch.ts";
import type { Json } from "../../src/core/document.ts";
import { formatOf } from "../../src/format/format_of.ts";
import { describe, test } from "../support/kit.ts";
import { type SampleCase, sampleCases } from "./sample_cases.ts";

const textOf = async (name: string) => {
  return await readFile(new URL(`samples/${name}`, import.meta.url), "utf8");
};

function patched(document: Json, [path, value]: SampleCase): Json {
  return value === undefined ? unsetAt(document, path) : setAt(document, path, value);
}

/** The lines of one text that the other does not have, in order, by their longest common sequence. */
function lineDiff(before: string, after: string): { gone: string[]; come: string[] } {
  const [one, other] = [before.split("\n"), after.split("\n")];
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      lengths[row]![column] = one[row] === other[column]
        ? lengths[row + 1]![column + 1]! + 1
        : Math.max(lengths[row + 1]![column]!, lengths[row]![column + 1]!);
    }
  }
  const gone: string[] = [];
  const come: string[] = [];
  let [row, column] = [0, 0];
  while (row < one.length || column < other.length) {
    if (row < one.length && column < other.length && one[row] === other[column]) {
      row++;
      column++;
    } else if (
      column === other.length ||
      (row < one.length && lengths[row + 1]![column]! >= lengths[row]![column + 1]!)
    ) gone.push(one[row++]!.trim());
    else come.push(other[column++]!.trim());
  }
  return { gone, come };
}

function sample(name: string, cases: readonly SampleCase[]): void {
  const load = async () => {
    const [text, format] = [await textOf(name), await formatOf(name)];
    const decode = (from: string) => format.decode(new TextEncoder().encode(from), name).document;
    return { text, format, decode, document: decode(text) };
  };
  describe(name, () => {
    test("has some three hundred lines, and stays as it is when nothing changes", async () => {
      const { text, format, document } = await load();
      assert.ok(text.split("\n").length >= 250);
      assert.equal(format.encode(structuredClone(document), text), text);
      const crlf = text.replaceAll("\n", "\r\n");
      const again = format.decode(new TextEncoder().encode(crlf), name);
      assert.equal(format.encode(again.document, crlf), crlf);
    });

    for (const one of cases) {
      const [path, value, gone, come] = one;
      test(`${value === undefined ? "without" : "with another"} ${path.join(".")}`, async () => {
        const { text, format, decode, document } = await load();
        const wanted = patched(document, one);
        const after = format.encode(wanted, text);
        assert.deepEqual(decode(after), wanted);
        assert.deepEqual(lineDiff(text, after), { gone, come });
      });
    }

    test("all of these at once", async () => {
      const { text, format, decode, document } = await load();
      const wanted = cases.reduce(patched, document);
      const after = format.encode(wanted, text);
      assert.deepEqual(decode(after), wanted);
      const { gone, come } = lineDiff(text, after);
      const sorted = (lines: readonly string[]) => lines.toSorted();
      assert.deepEqual(sorted(gone), sorted(cases.flatMap(([, , lines]) => lines)));
      assert.deepEqual(sorted(come), sorted(cases.flatMap(([, , , lines]) => lines)));
    });

    test("with the lines of Windows, each change gives the same lines", async () => {
      const { text, format, decode, document } = await load();
      const crlf = text.replaceAll("\n", "\r\n");
      assert.deepEqual(mergePatch(decode(crlf), {}), decode(crlf));
      for (const one of cases) {
        const after = format.encode(patched(decode(crlf), one), crlf);
        assert.doesNotMatch(after, /(?<!\r)\n/);
        const plain = format.encode(patched(document, one), text);
        assert.equal(after.replaceAll("\r\n", "\n"), plain, one[0].join("."));
      }
    });
  });
}

for (const [name, cases] of Object.entries(sampleCases)) sample(name, cases);
