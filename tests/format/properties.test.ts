// runs on: node-24
/** Random documents in random styles, changed at random: what is written reads back, and nothing else changes. */
import assert from "node:assert/strict";
import { parse } from "smol-toml";
import { isHoldfastError } from "../../src/core/error.ts";
import type { Format } from "../../src/format/format.ts";
import { json } from "../../src/format/json.ts";
import { jsonc } from "../../src/format/jsonc.ts";
import { toml } from "../../src/format/toml.ts";
import { yaml } from "../../src/format/yaml.ts";
import { describe, test } from "../support/kit.ts";
import { forSeeds, type Random } from "../support/random.ts";
import { randomEdit, randomObject, randomValue, type Value } from "./random_document.ts";
import { randomJsonc, randomToml, randomYaml } from "./random_text.ts";

interface Kind {
  readonly format: Format;
  readonly document: (random: Random) => Value;
  readonly text: (random: Random, document: Value) => string;
}

const kinds: readonly Kind[] = [
  {
    format: json,
    document: (random) => randomValue(random, 4, { hasNull: true }),
    text: (random, document) => randomJsonc(random, document, false),
  },
  {
    format: jsonc,
    document: (random) => randomValue(random, 4, { hasNull: true }),
    text: randomJsonc,
  },
  {
    format: yaml,
    document: (random) => randomValue(random, 4, { hasNull: true }),
    text: randomYaml,
  },
  {
    format: toml,
    document: (random) => randomObject(random, 3, { hasNull: false }),
    text: (random, document) => randomToml(random, document as { [key: string]: Value }),
  },
];

const bytesOf = (text: string) => new TextEncoder().encode(text);
const rounds = 1500;
const options = { timeoutMs: 120_000 };

for (const { format, document: newDocument, text: newText } of kinds) {
  describe(format.name, () => {
    const decode = (text: string) => format.decode(bytesOf(text), "random").document;
    const isToml = format === toml;
    const choices = { hasNull: !isToml };
    const change = (random: Random, document: Value): Value => {
      const after = randomEdit(random, document, choices);
      return isToml && (typeof after !== "object" || Array.isArray(after)) ? document : after;
    };

    test("random texts are read for what they mean, and stay when nothing changes", options, () => {
      forSeeds(rounds, (random) => {
        const document = newDocument(random);
        const text = newText(random, document);
        assert.deepEqual(decode(text), document, text);
        assert.equal(format.encode(document, text), text);
        assert.equal(format.encode(document, `\ufeff${text}`), `\ufeff${text}`);
      });
    });

    test("what is written anew reads back", options, () => {
      forSeeds(rounds, (random) => {
        const document = newDocument(random);
        assert.deepEqual(decode(format.encode(document)), document);
        assert.deepEqual(decode(format.encode(document, "{ [ broken")), document);
      });
    });

    test("what is edited reads back, and hardly ever is the text written anew", options, () => {
      let anew = 0;
      forSeeds(rounds, (random) => {
        const before = newDocument(random);
        const text = newText(random, before);
        let after = before;
        for (let count = random.below(4); count >= 0; count--) after = change(random, after);
        const written = format.encode(after, text);
        assert.deepEqual(decode(written), after, text);
        if (text.includes("head") && !written.includes("head")) anew++;
      });
      assert.ok(anew <= rounds / 200, `${anew} of ${rounds}`);
    });

    test("a document that has nothing to do with the text reads back all the same", options, () => {
      forSeeds(rounds / 3, (random) => {
        const text = newText(random, newDocument(random));
        const after = newDocument(random);
        assert.deepEqual(decode(format.encode(after, text)), after, text);
      });
    });

    test(
      "a text that was tampered with is read or refused, and what is written over it reads back",
      options,
      () => {
        const signs = [
          "",
          "\n",
          "#",
          "[",
          "]",
          "{",
          "}",
          ":",
          "=",
          '"',
          "'",
          ",",
          "- ",
          "&a ",
          "*a",
          "|",
        ];
        forSeeds(rounds, (random) => {
          const document = newDocument(random);
          const text = newText(random, document);
          const at = random.below(text.length + 1);
          const rest = text.slice(at + random.below(3));
          const bad = (text.slice(0, at) + random.pick(signs) + rest).toWellFormed();
          try {
            const found = format.decode(bytesOf(bad), "random");
            assert.equal(format.encode(found.document, bad), bad);
          } catch (error) {
            if (!isHoldfastError(error, "PARSE")) throw error;
            assert.match(error.message, /^Cannot read random:\d+:\d+: found /);
          }
          assert.deepEqual(decode(format.encode(document, bad)), document, bad);
        });
      },
    );
  });
}

/** Without the objects that have no prototype. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("another reader of TOML takes what is written for the same", options, () => {
  forSeeds(rounds, (random) => {
    const before = randomObject(random, 3, { hasNull: false });
    const text = randomToml(random, before as { [key: string]: Value });
    // It leaves the line breaks of Windows within texts as they are.
    const read = plain(parse(text.replaceAll("\r\n", "\n")));
    assert.deepEqual(read, before, text);
    const after = randomObject(random, 3, { hasNull: false });
    assert.deepEqual(plain(parse(toml.encode(after))), after);
    const written = toml.encode(after, text).replaceAll("\r\n", "\n");
    assert.deepEqual(plain(parse(written)), after, text);
  });
});
