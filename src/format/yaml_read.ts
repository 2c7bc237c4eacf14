import { Composer, type CST, type Document, Lexer, Parser } from "yaml";
import { depthMax } from "../core/limits.ts";
import { type Fault, readUntilFault, stop } from "./fault.ts";
import { messageOf } from "./yaml_fault.ts";
import type { YamlNode } from "./yaml_node.ts";
import { YamlTree } from "./yaml_tree.ts";

// A lone carriage return ends a line for YAML, but not for the parser: what follows would be part of a value or a comment.
const forbidden =
  // deno-lint-ignore no-control-regex -- those that YAML forbids
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]|\r(?!\n)/;

/**
 * What was read last. A write reads the text before it and the text after it, and then the latter is read again; held
 * weakly, since it takes hundreds of times the memory of the text.
 */
let last: WeakRef<{ readonly text: string; readonly root: YamlNode }> | undefined;

/** Reads the values of a YAML text with their places, or finds the first fault in it. */
export function readYaml(text: string): { root?: YamlNode; fault?: Fault } {
  const known = last?.deref();
  if (known?.text === text) return known;
  const { root, fault } = readUntilFault(() => read(text));
  if (root === undefined) return { fault: fault! };
  const found = { text, root };
  last = new WeakRef(found);
  return found;
}

function read(text: string): YamlNode {
  const bad = text.search(forbidden);
  if (bad !== -1) {
    throw text[bad] === "\r"
      ? stop(bad, "a carriage return without a line feed; end lines with a line feed")
      : stop(bad, "a control character; write it as an escape, in double quotes");
  }
  const options = {
    version: "1.2",
    schema: "core",
    merge: false,
    // Done here, since the parser takes time that grows with the square of the keys.
    uniqueKeys: false,
    keepSourceTokens: true,
    prettyErrors: false,
  } as const;
  const { tokens, end, isTooDeep } = tokensOf(text);
  const documents = [...new Composer(options).compose(tokens, false, end)];
  const [document, second] = documents;
  const [error] = documents.flatMap(({ errors }) => errors)
    // That something is missing behind the end says nothing where the rest was not read.
    .filter(({ pos }) => !isTooDeep || pos[0] < end)
    .toSorted((one, other) => one.pos[0] - other.pos[0]);
  if (error !== undefined) {
    throw stop(Math.min(error.pos[0], text.length), messageOf(error.code));
  }
  if (isTooDeep) throw stop(end, "nesting that is too deep", "depth");
  if (document === undefined || isEmpty(document as Document)) {
    throw stop(0, "nothing but white space and comments; write a document or remove the file");
  }
  if (second !== undefined) throw stop(second.range[0], messageOf("MULTIPLE_DOCS"));
  const { directives } = document;
  if (directives?.yaml.explicit === true && directives.yaml.version !== "1.2") {
    throw stop(0, "a document of another version of YAML; write it in YAML 1.2");
  }
  return new YamlTree(text).root((document as Document).contents);
}

/**
 * The syntax of the text, up to where it need not be read any further: what builds on it works recursively, so that the
 * depth is watched on the way, and what comes behind the first fault may be a million faults. A text that is too deep may
 * be so by a fault: each line that is further in than the key above it, which has a value, is a level of its own.
 */
function tokensOf(text: string): { tokens: CST.Token[]; end: number; isTooDeep: boolean } {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let documents = 0;
  const done = (end: number, isTooDeep: boolean) => {
    return { tokens: [...tokens, ...parser.end()], end, isTooDeep };
  };
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      tokens.push(token);
      if (token.type === "document") documents++;
      if (token.type === "error" || documents === 2) return done(text.length, false);
    }
    // The document and the value at hand stand on the stack too.
    if (parser.stack.length > depthMax + 3) return done(parser.offset, true);
  }
  return done(text.length, false);
}

function isEmpty({ contents }: Document): boolean {
  const node = contents as { range?: [number, number, number]; value?: unknown } | null;
  if (node === null) return true;
  return node.value === null && node.range?.[0] === node.range?.[1];
}
