/** Texts that are no document, each with the place of its fault, and texts that only look as if they were none. */

/** Stands in every text for what may be secret: it must come out nowhere. */
export const canary = "KanarienVogel7f3a";

/** A text with the place of its first fault. */
export interface ParseFault {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly line: number;
  readonly column: number;
}

// In the texts below, § stands for the canary and ¦ marks the place of the fault.
const texts: readonly (readonly [name: string, text: string])[] = [
  ["an empty file", "¦"],
  ["white space alone", "¦ \n\t "],
  ["a trailing comma in an object", '{\n  "a": "§",\n¦}\n'],
  ["a trailing comma in an array", '{ "a": ["§",¦] }'],
  ["a comma too many", '{ "a": "§",¦, "b": 1 }'],
  ["a comma in front", '{ ¦, "a": "§" }'],
  ["a missing comma", '{ "a": "§"\n  ¦"b": 1 }'],
  ["a missing colon", '{ "§" ¦1 }'],
  ["a missing value", '{ "§": ¦}'],
  ["a line comment", '¦// §\n{ "a": 1 }'],
  ["a line comment within", '{\n  "a": 1, ¦// §\n  "b": 2\n}'],
  ["a block comment", '{ "a": 1, ¦/* § */ "b": 2 }'],
  ["a shell comment", '{\n  ¦# §\n  "a": 1\n}'],
  ["a comment at the end", '{ "a": 1 }\n¦// §'],
  ["a key in single quotes", "{ ¦'§': 1 }"],
  ["a value in single quotes", "{ \"a\": ¦'§' }"],
  ["a key without quotes", "{ ¦§: 1 }"],
  ["a bare word", '{ "a": ¦§ }'],
  ["a word in capitals", '{ "§": ¦True }'],
  ["undefined", '{ "§": ¦undefined }'],
  ["NaN", '{ "§": ¦NaN }'],
  ["Infinity", '{ "§": ¦Infinity }'],
  ["minus Infinity", '{ "§": ¦-Infinity }'],
  ["a string that the line ends", '{\n  "a": ¦"§\n}'],
  ["a string that the file ends", '{\n  "a": ¦"§'],
  ["a string ended by a backslash", '{ "a": ¦"§\\"}'],
  ["a raw tab in a string", '{ "a": "§¦\t" }'],
  ["a raw NUL in a string", '{ "a": "§¦\0" }'],
  ["a raw NUL between tokens", '{ "a": "§"¦\0 }'],
  ["a NUL at the end", '{ "a": "§" }¦\0'],
  ["nothing but NULs", "¦\0\0\0\0"],
  ["an unknown escape", '{ "a": "§¦\\x41" }'],
  ["a short escape", '{ "a": "§¦\\u12" }'],
  ["an escape that is not hexadecimal", '{ "a": "§¦\\u12g4" }'],
  ["a key twice", '{ "k": "§", "b": 1, ¦"k": 2 }'],
  ["a key twice with equal values", '{ "k": "§", ¦"k": "§" }'],
  ["a key twice, deep down", '{ "a": [{}, { "b": { "§": 1,\n ¦"§": 2 } }] }'],
  ["a key twice, once as an escape", '{ "a": "§", ¦"\\u0061": 1 }'],
  ["a key twice, the empty one", '{ "": "§", ¦"": 1 }'],
  ["a key twice with a comma and a colon in it", '{ "x:\\",y": "§", ¦"x:\\",y": 1 }'],
  ["a number beyond 2^53", '{ "§": ¦9007199254740993 }'],
  ["the first number that is not safe", '{ "§": ¦9007199254740992 }'],
  ["a negative number beyond 2^53", '{ "§": ¦-9007199254740993 }'],
  ["a fraction beyond 2^53", '{ "§": ¦9007199254740993.5 }'],
  ["a number beyond all bounds", '{ "§": [1, ¦1e400] }'],
  ["a negative number beyond all bounds", '{ "§": ¦-1e400 }'],
  ["an integer of many digits", `{ "§": ¦${"9".repeat(400)} }`],
  ["a leading zero", '{ "§": ¦01 }'],
  ["a leading plus", '{ "§": ¦+1 }'],
  ["a leading point", '{ "§": ¦.5 }'],
  ["a trailing point", '{ "§": ¦1. }'],
  ["an exponent without digits", '{ "§": ¦1e }'],
  ["a lone minus", '{ "§": ¦- }'],
  ["a number in hexadecimal", '{ "§": ¦0x10 }'],
  ["a number with underscores", '{ "§": ¦1_000 }'],
  ["two documents", '{ "a": "§" }\n¦{ "b": 1 }'],
  ["a word behind the document", '{ "a": 1 } ¦§'],
  ["an object not closed", '{ "a": "§"¦'],
  ["an array not closed", '{ "a": ["§"¦'],
  ["an array closed by a brace", '{ "a": ["§"¦} }'],
  ["a closing brace too many", '{ "a": "§" }¦}'],
  ["a fault after lines of Windows", '{\r\n  "a": "§",\r\n  "b": ¦oops\r\n}'],
  ["a fault after characters of two units", '{ "ä😀": "§", ¦oops }'],
  ["a fault behind a byte order mark", '\ufeff{ "a": ¦§ }'],
  ["a second byte order mark", '\ufeff¦\ufeff{ "a": "§" }'],
  ["a space that JSON does not know", '{ "a":¦\u00a0"§" }'],
  ["the key __proto__", '{ "a": "§", ¦"__proto__": { "polluted": true } }'],
  ["the key __proto__ as an escape", '{ "§": { ¦"\\u005f_proto__": { "polluted": true } } }'],
  ["the key constructor", '{ "§": [{ ¦"constructor": { "prototype": { "polluted": true } } }] }'],
  ["the key prototype", '{ "§": 1,\n\n  ¦"prototype": 1 }'],
];

// Bytes that are no UTF-8 stand where ¦ is.
const bytes: readonly (readonly [name: string, text: string, bad: readonly number[]])[] = [
  ["a byte of Latin-1", '{ "a": "§", "stra¦e": 1 }', [0xdf]],
  ["a byte that never occurs", '{\n  "ä😀": "§¦"\n}', [0xff]],
  ["an overlong slash", '{ "a": "§¦" }', [0xc0, 0xaf]],
  ["a surrogate in UTF-8", '{ "a": "§¦" }', [0xed, 0xa0, 0x80]],
  ["a code point beyond the last", '{ "a": "§¦" }', [0xf4, 0x90, 0x80, 0x80]],
  ["a character cut short within", '{ "a": "§¦" }', [0xe2, 0x82]],
  ["a lone continuation byte", '{ "a": "§" }\n\n ¦', [0x80]],
  ["a text in UTF-16", "¦", [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
];

/** Every text that is to be refused. */
export const parseFaults: readonly ParseFault[] = [
  ...texts.map(([name, text]) => place(name, text, [])),
  ...bytes.map(([name, text, bad]) => place(name, text, bad)),
];

/** Texts that a strict but sound reader takes, with the document they mean. */
export const soundTexts: readonly (readonly [name: string, text: string, document: unknown])[] = [
  ["a byte order mark", '\ufeff{ "a": 1 }', { a: 1 }],
  ["lines of Windows", '{\r\n\t"a": 1\r\n}\r\n', { a: 1 }],
  ["the largest and smallest numbers", '{ "a": [9007199254740991, -9007199254740991, 5e-324] }', {
    a: [9007199254740991, -9007199254740991, 5e-324],
  }],
  ["a number with an exponent", '{ "a": [1E+2, 10e-1, 0.1e1] }', { a: [100, 1, 1] }],
  ["names of inherited things", '{ "toString": 1, "valueOf": { "hasOwnProperty": 2 } }', {
    toString: 1,
    valueOf: { hasOwnProperty: 2 },
  }],
  ["a key as an escape", '{ "\\u0061": 1, "b": 2 }', { a: 1, b: 2 }],
  ["equal keys of different objects", '{ "a": { "k": 1 }, "b": [{ "k": 1 }, { "k": 1 }] }', {
    a: { k: 1 },
    b: [{ k: 1 }, { k: 1 }],
  }],
  ["strings that look like members", '{ "a": "\\"b\\": 1", "b": ["x", ":"], "c\\\\": "\\\\" }', {
    a: '"b": 1',
    b: ["x", ":"],
    "c\\": "\\",
  }],
  ["a pair of surrogates", '{ "a": "\\ud83d\\ude00" }', { a: "😀" }],
  ["separators of JavaScript", '{ "a": "\u2028\u2029" }', { a: "\u2028\u2029" }],
  ["a document that is an array", '[1, "a", null]', [1, "a", null]],
];

function place(name: string, marked: string, bad: readonly number[]): ParseFault {
  const [before = "", after = ""] = marked.replaceAll("§", canary).split("¦");
  const encoder = new TextEncoder();
  const lines = before.replace(/^\ufeff/, "").split("\n");
  return {
    name,
    bytes: new Uint8Array([...encoder.encode(before), ...bad, ...encoder.encode(after)]),
    line: lines.length,
    column: lines.at(-1)!.length + 1,
  };
}
