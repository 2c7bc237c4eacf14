/** Random documents, and random changes to them. */
import type { Random } from "../support/random.ts";

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const texts = [
  "",
  "a",
  "b c",
  "null",
  "1e3",
  "- x",
  "# no",
  "x: y",
  "it's",
  'say "hi"',
  "é😀",
  "\\",
  "yes",
];
const keys = ["a", "b", "c.d", "", "0", "two words", "#k", "<<", "on", "é", "a'b", 'q"q', "~"];

export interface Choices {
  /** TOML has no null. */
  readonly hasNull: boolean;
}

export function randomValue(random: Random, depth: number, choices: Choices): Value {
  const kind = random.below(depth > 0 ? 9 : 5);
  if (kind === 0) return choices.hasNull ? null : true;
  if (kind === 1) return random.below(2) === 0;
  if (kind === 2) return random.pick([0, 1, -7, 2.5, 1e-7, 9007199254740991, 123456]);
  if (kind === 3) return random.pick(texts);
  if (kind === 4) {
    return random.pick([
      "line\nline",
      "one\n\ntwo\n",
      " lead\nx",
      "tab\there",
      "\r\n",
      "end \nx",
      "\u0000\u001b",
    ]);
  }
  if (kind < 7) return randomObject(random, depth - 1, choices);
  return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1, choices));
}

export function randomObject(random: Random, depth: number, choices: Choices): Value {
  return Object.fromEntries(
    Array.from({ length: random.below(5) }, () => [
      random.pick(keys),
      randomValue(random, depth, choices),
    ]),
  );
}

/** Changes a document in one random place. */
export function randomEdit(random: Random, document: Value, choices: Choices): Value {
  if (typeof document !== "object" || document === null) return randomValue(random, 2, choices);
  const entries = Object.entries(document);
  const descends = random.below(3) > 0 && entries.length > 0;
  if (Array.isArray(document)) {
    const copy = [...document];
    const at = random.below(copy.length + 1);
    if (descends) {
      const index = random.below(copy.length);
      copy[index] = randomEdit(random, copy[index]!, choices);
    } else if (random.below(2) === 0) copy.splice(at, 1);
    else copy.splice(at, 0, randomValue(random, 2, choices));
    return copy;
  }
  const [key, value] = entries.length > 0 ? random.pick(entries) : ["a", 1 as Value];
  if (descends) return { ...document, [key]: randomEdit(random, value, choices) };
  const copy = { ...document };
  if (random.below(2) === 0) delete copy[key];
  else copy[random.pick(keys)] = randomValue(random, 2, choices);
  return copy;
}
