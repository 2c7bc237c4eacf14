/** Writes documents in random styles, with comments and blank lines, as people do. */
import type { Random } from "../support/random.ts";
import type { Value } from "./random_document.ts";

/** Whether a value has parts. */
function hasParts(value: Value): value is Value[] | { [key: string]: Value } {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

export function randomJsonc(random: Random, document: Value, comments = true): string {
  const newline = random.pick(["\n", "\r\n"]);
  const unit = random.pick(["  ", "\t", "    "]);
  const note = (text: string) => comments && random.below(4) === 0 ? text : "";
  const write = (value: Value, indentation: string): string => {
    if (!hasParts(value)) {
      return Array.isArray(value) ? `[${note(" /* e */ ")}]` : JSON.stringify(value);
    }
    const isArray = Array.isArray(value);
    const [open, close] = isArray ? "[]" : "{}";
    const isLong = random.below(2) === 0;
    const inner = isLong ? indentation + unit : indentation;
    const items = Object.entries(value).map(([key, part]) => {
      return (isArray ? "" : `${JSON.stringify(key)}:${random.pick(["", " "])}`) +
        write(part, inner);
    });
    const end = comments && random.below(4) === 0 ? "," : "";
    if (!isLong) return `${open}${random.pick(["", " "])}${items.join(", ")}${end}${close}`;
    const lines = items.map((item, index) => {
      const comma = index < items.length - 1 ? "," : end;
      return note(`${inner}// before${newline}`) + inner + item + comma + note(" // behind") +
        note(newline);
    });
    return `${open}${note(" // open")}${newline}${
      lines.join(newline)
    }${newline}${indentation}${close}`;
  };
  const head = comments ? `// head${newline}` : "";
  return head + write(document, "") + note(`${newline}// tail`) + random.pick(["", newline]);
}

export function randomYaml(random: Random, document: Value): string {
  const newline = random.pick(["\n", "\r\n"]);
  const unit = random.pick(["  ", "    "]);
  const dash = random.pick(["", "  "]);
  const note = (text: string) => random.below(4) === 0 ? text : "";
  const scalar = (value: Value): string => {
    if (typeof value !== "string") return JSON.stringify(value);
    if (/^[a-z](?: [a-z])?$/.test(value) && random.below(2) === 0) return value;
    const isSimple = /^[ -~é]*$/u.test(value) && random.below(2) === 0;
    return isSimple ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
  };
  const flow = (value: Value): string => {
    if (!hasParts(value)) return Array.isArray(value) ? "[ ]" : scalar(value);
    const items = Object.entries(value).map(([key, part]) => {
      return Array.isArray(value) ? flow(part) : `${scalar(key)}: ${flow(part)}`;
    });
    const gap = random.below(4) === 0 ? ` # in${newline}           ` : " ";
    const text = items.join(`,${gap}`) + random.pick(["", "", ","]);
    return Array.isArray(value) ? `[${text}]` : `{ ${text} }`;
  };
  const lines = (value: Value, indentation: string): string[] => {
    const isArray = Array.isArray(value);
    return Object.entries(value as object).flatMap(([key, part]: [string, Value]) => {
      const name = isArray ? "-" : `${scalar(key)}:`;
      const front = note("&y ");
      const before = [note(`${indentation}# before`), note(" ")].filter((line) =>
        line.trim() || line
      );
      if (!hasParts(part) || random.below(4) === 0) {
        const isLiteral = typeof part === "string" && /^[a-z]+\n(?:[^ ].*)?[a-z]$/s.test(part) &&
          !part.includes("\t");
        if (isLiteral && random.below(2) === 0) {
          const rest = part.split("\n").map((line) => `${indentation}${unit}${line}`);
          return [...before, `${indentation}${name} ${front}|-`, ...rest];
        }
        const text = part === null && random.below(2) === 0 ? "" : ` ${front}${flow(part)}`;
        return [...before, indentation + name + text + note(" # behind")];
      }
      if (isArray && random.below(2) === 0) {
        const [first, ...rest] = lines(part, `${indentation}  `)
          .filter((line) => !line.includes("# before") && line.trim() !== "");
        return [...before, `${indentation}- ${first!.trimStart()}`, ...rest];
      }
      const inner = Array.isArray(part) && !isArray ? indentation + dash : indentation + unit;
      return [
        ...before,
        `${indentation}${name}${front && ` ${front}`}${note(" # open")}`,
        ...lines(part, inner),
      ];
    });
  };
  const body = hasParts(document) && random.below(5) > 0 ? lines(document, "") : [flow(document)];
  return ["# head", ...body, note("# tail")].join(newline) + random.pick(["", newline]);
}

export function randomToml(random: Random, document: { [key: string]: Value }): string {
  const newline = random.pick(["\n", "\r\n"]);
  const note = (text: string) => random.below(4) === 0 ? text : "";
  const quoted = (text: string) => {
    const isSimple = /^[ -&(-~é]*$/u.test(text) && random.below(2) === 0;
    return isSimple ? `'${text}'` : JSON.stringify(text);
  };
  const keyOf = (key: string) => /^[a-z0-9]+$/.test(key) && random.below(3) > 0 ? key : quoted(key);
  const value = (part: Value): string => {
    if (typeof part === "string") {
      const isLong = /^[ -&(-[\]-~]+\n[ -~\n]*[a-z]$/.test(part) && !/["'\\]/.test(part);
      if (isLong && newline === "\n" && random.below(2) === 0) {
        return random.pick([`"""\n${part}"""`, `'''\n${part}'''`, `"""${part}"""`]);
      }
      return quoted(part);
    }
    if (!hasParts(part)) return Array.isArray(part) ? `[${note(" ")}]` : JSON.stringify(part);
    if (Array.isArray(part)) {
      const isLong = random.below(2) === 0;
      const items = part.map((element) => value(element));
      if (!isLong) return `[${note(" ")}${items.join(", ")}${note(",")}]`;
      const comma = note(",");
      const lines = items.map((item, index) => {
        return `${note(`  # before${newline}`)}  ${item}${index < items.length - 1 ? "," : comma}${
          note(" # behind")
        }`;
      });
      return `[${newline}${lines.join(newline)}${newline}]`;
    }
    return `{ ${
      Object.entries(part).map(([key, member]) => `${keyOf(key)} = ${value(member)}`).join(", ")
    } }`;
  };
  const isTables = (part: Value) => {
    return Array.isArray(part) && part.length > 0 &&
      part.every((element) =>
        typeof element === "object" && element !== null && !Array.isArray(element)
      );
  };
  const lines = (
    table: { [key: string]: Value },
    path: string[],
    indentation: string,
  ): string[] => {
    const own: string[] = [];
    const sections: string[] = [];
    for (const [key, part] of Object.entries(table)) {
      const name = keyOf(key);
      const isTable = hasParts(part) && !Array.isArray(part);
      if (isTable && random.below(4) === 0) {
        const isFlat = Object.values(part).every((member) =>
          !hasParts(member) || random.below(2) === 0
        );
        for (const [inner, member] of Object.entries(part)) {
          if (isFlat) {
            own.push(
              `${indentation}${name}.${keyOf(inner)} = ${value(member)}${note(" # behind")}`,
            );
          }
        }
        if (isFlat) continue;
      }
      const header = [...path, name].join(".");
      if (isTable && random.below(2) === 0) {
        const inner = lines(part, [...path, name], indentation + note("  "));
        const isImplicit = inner[0]?.trimStart().startsWith("[") && random.below(2) === 0;
        sections.push(
          note(newline),
          ...isImplicit ? [] : [`[${header}]${note(" # header")}`],
          ...inner,
        );
      } else if (isTables(part) && random.below(3) > 0) {
        for (const element of part as { [key: string]: Value }[]) {
          sections.push(
            note(`${newline}# element`),
            `[[ ${header} ]]`,
            ...lines(element, [...path, name], indentation),
          );
        }
      } else {
        own.push(
          ...[note(`${indentation}# before`)].filter(Boolean),
          `${indentation}${name} = ${value(part)}${note(" # behind")}`,
        );
      }
    }
    return [...own, ...sections];
  };
  return ["# head", ...lines(document, [], ""), note("# tail")].join(newline) +
    random.pick(["", newline]);
}
