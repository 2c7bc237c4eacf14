import type { Mutant } from "./mutant.ts";

const badInput = "format/bad_input";

/** Faults in reading and writing the formats. */
export const formatMutants: readonly Mutant[] = [
  {
    name: "an edited YAML text is not read back",
    file: "src/format/yaml.ts",
    from: "return isEqual(after?.value, document) ? result : undefined;",
    to: "return result;",
    tests: "format/properties",
    by: "yaml / what is edited reads back",
  },
  {
    name: "a YAML alias follows an anchor that changed alone",
    file: "src/format/yaml_edit.ts",
    from: "if (target === undefined || !isEqual(target, value))",
    to: "if (!isEqual(node.value, value))",
    tests: "format/yaml",
    by: "what changes at an anchor alone leaves what the aliases stood for",
  },
  {
    name: "a YAML alias counts once, whatever it stands for",
    file: "src/format/yaml_tree.ts",
    from: "this.#aliased += target.size;",
    to: "this.#aliased += 1;",
    tests: badInput,
    by: "do not go around the limits of depth and of memory",
  },
  {
    name: "a comma within a comment of YAML counts",
    file: "src/format/yaml_tree.ts",
    from: String.raw`/\s*(?:#[^\n]*\n\s*)*,/y`,
    to: String.raw`/(?:\s|#[^\n]*)*,/y`,
    tests: badInput,
    by: "YAML, a comment of signs before a closing bracket",
  },
  {
    name: "a second key of YAML wins",
    file: "src/format/yaml_tree.ts",
    from: "if (seen.has(name)) throw stop(",
    to: "if (seen.size < 0) throw stop(",
    tests: badInput,
    by: "yaml / a key twice is refused at its place",
  },
  {
    name: "what stands between two comments of JSONC passes for a comment",
    file: "src/format/json_edit.ts",
    from: String.raw`\/\*(?:[^*\n]|\*(?!\/))*\*\/`,
    to: String.raw`\/\*[^\n]*?\*\/`,
    tests: badInput,
    by: "JSONC, many comments on one line",
  },
  {
    name: "the indentation of JSONC is looked for in front of its bracket",
    file: "src/format/json_edit.ts",
    from: "indentationUnit(text.slice(root.start))",
    to: "indentationUnit(text)",
    tests: "format/jsonc",
    by: "the indentation of a file that begins with a comment",
  },
  {
    name: "JSONC may be of any length",
    file: "src/format/json.ts",
    from: 'assertLength("JSONC", body, jsoncLengthMax',
    to: 'assertLength("JSONC", body, Infinity',
    tests: badInput,
    by: "JSONC text in characters",
  },
  {
    name: "a table of TOML takes room on the stack",
    file: "src/format/toml_write.ts",
    from: "for (const line of writeSection([...keys, key], value)) lines.push(line);",
    to: "lines.push(...writeSection([...keys, key], value));",
    tests: badInput,
    by: "TOML, a table of very many members",
  },
  {
    name: "the hour 24 is a time of TOML",
    file: "src/format/toml_date.ts",
    from: "Number(hour) <= 23",
    to: "Number(hour) <= 24",
    tests: "format/conformance",
    by: "TOML: 702 of the 712",
  },
];
