import { holdfastError, type Path, type PathStep } from "./error.ts";

/**
 * Writes a path as a JSON Pointer (RFC 6901), the form it has on the wire.
 *
 * @example
 * ```ts
 * import { formatPointer } from "holdfast";
 *
 * formatPointer(["models", "a/b", 0]); // "/models/a~1b/0"
 * ```
 */
export function formatPointer(path: Path): string {
  return path.map((step) => "/" + String(step).replaceAll("~", "~0").replaceAll("/", "~1")).join(
    "",
  );
}

/**
 * Copies a path that a caller gave.
 *
 * @param doing what it is for, in words of a message
 * @throws `UNSUPPORTED` when it is no array of keys and indices: the letters of a text would be taken for steps
 */
export function copyPath(path: Path, doing: string): PathStep[] {
  const isPath = Array.isArray(path) &&
    path.every((step) => typeof step === "string" || typeof step === "number");
  if (isPath) return [...path];
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot ${doing}: found ${Array.isArray(path) ? "steps of other kinds" : typeof path} ` +
      `where a path belongs; give an array of keys and indices, such as ["pool", "size"]`,
    { what: "path" },
  );
}

/**
 * Reads a JSON Pointer. Which tokens are indices is only known beside a document: give it to have numbers for those.
 *
 * @param pointer empty for the whole document, else beginning with a slash
 * @param document decides which tokens index arrays
 * @throws `INVALID` when it is no pointer
 */
export function parsePointer(pointer: string, document?: unknown): Path {
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) {
    throw invalidPath(
      pointer,
      "it is no JSON Pointer; write it like /models/0/name, with ~1 for / and ~0 for ~",
    );
  }
  const tokens = pointer.slice(1).split("/");
  return typed(tokens.map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~")), document);
}

/**
 * Reads a dotted path such as `models.fast.url`, the form it has on a command line. A key that itself holds dots is
 * found where the document has it.
 *
 * @throws `INVALID` where the document allows more than one reading
 */
export function parseDottedPath(dotted: string, document?: unknown): Path {
  if (dotted === "") return [];
  const steps = dotted.split(".");
  const readings = readingsOf(steps, document);
  if (readings.length > 1) {
    const pointers = readings.map(formatPointer).join(" or ");
    throw invalidPath(dotted, `it can mean ${pointers}; write it as one of these`);
  }
  if (readings[0] === undefined && steps.includes("")) {
    throw invalidPath(dotted, "it has an empty step; write it as a JSON Pointer");
  }
  return readings[0] ?? typed(steps, document);
}

/** Writes a path for a person: `models.fast.urls[0]`, or `the document` for the root. */
export function describePath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\p{L}\p{N}_$-]+$/u.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text === "" ? "the document" : text;
}

/** Every way to join neighbouring steps with dots that leads to something in the document; at most two are needed. */
function readingsOf(steps: readonly string[], document: unknown): Path[] {
  if (steps.length === 0) return [[]];
  const found: Path[] = [];
  for (let count = 1; count <= steps.length && found.length < 2; count++) {
    const key = steps.slice(0, count).join(".");
    if (typeof document !== "object" || document === null || !Object.hasOwn(document, key)) {
      continue;
    }
    const child = (document as Record<string, unknown>)[key];
    for (const rest of readingsOf(steps.slice(count), child)) {
      found.push([typedStep(key, document), ...rest]);
    }
  }
  return found;
}

function typed(tokens: readonly string[], document: unknown): Path {
  let value = document;
  return tokens.map((token) => {
    const step = typedStep(token, value);
    value = typeof value === "object" && value !== null && Object.hasOwn(value, step)
      ? (value as Record<PathStep, unknown>)[step]
      : undefined;
    return step;
  });
}

function typedStep(token: string, parent: unknown): PathStep {
  return Array.isArray(parent) && /^(0|[1-9]\d*)$/.test(token) ? Number(token) : token;
}

function invalidPath(path: string, found: string): Error {
  const message = `Cannot read the path ${JSON.stringify(path)}: found that ${found}`;
  return holdfastError("INVALID", message, {
    problems: [{ path: [], message, severity: "error" }],
  });
}
