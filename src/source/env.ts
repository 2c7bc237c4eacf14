import { assertDocument, isPlainObject, type Json } from "../core/document.ts";
import { hasErrno, type HoldfastError, isHoldfastError, type Path } from "../core/error.ts";
import { variablesFileBytesMax } from "../core/limits.ts";
import { hashOf } from "../host/hash.ts";
import { absolutePath, directoryOf } from "../host/path.ts";
import { watchDirectories } from "../host/watch.ts";
import { readVariables } from "./dotenv.ts";
import type {
  Loaded,
  OpenSource,
  Place,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "./source.ts";
import { type Naming, pathOfVariable, variableNamesOf } from "./variable_path.ts";
import { readVariable } from "./variable_value.ts";

/** Which variables count, and how their names are read. */
export interface EnvOptions {
  /** What the names begin with, such as `APP_`; other variables are not looked at. */
  readonly prefix: string;
  /** What stands between the steps of a path; `__` when left out. */
  readonly separator?: string | undefined;
  /** Files such as `.env`, the later over the earlier and the environment over all of them; missing ones are passed over. */
  readonly files?: string | readonly string[] | undefined;
}

/** A variable with a value, and where it stands. */
interface Variable {
  readonly name: string;
  readonly text: string;
  readonly place: Place;
}

/**
 * The variables of the environment, read as the schema expects: numbers, booleans, lists with commas, JSON, or text.
 * `APP_POOL__MAX_SIZE` is `pool.maxSize`.
 *
 * @example
 * ```ts
 * import { env, openConfig } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ port: v.optional(v.number(), 8080) });
 * const config = await openConfig(env({ prefix: "APP_" }), { schema });
 * console.log(config.value.port); // 8080, or what APP_PORT says
 * await config.close();
 * ```
 */
export function env(options: EnvOptions): Source {
  const { prefix, separator = "__", files = [] } = options;
  const naming = { prefix, separator };
  return {
    kind: "source",
    name: `the environment (${prefix}…)`,
    open: async (context) => {
      const named = typeof files === "string" ? [files] : files;
      const paths = await Promise.all(named.map((path) => absolutePath(context.host, path)));
      return new OpenEnv(naming, paths, context);
    },
  };
}

class OpenEnv implements OpenSource {
  readonly backend = "env";
  readonly #naming: Naming;
  readonly #paths: readonly string[];
  readonly #context: SourceContext;

  constructor(naming: Naming, paths: readonly string[], context: SourceContext) {
    this.#naming = naming;
    this.#paths = paths;
    this.#context = context;
  }

  async load(): Promise<Loaded> {
    try {
      return this.#loaded(await this.#variables());
    } catch (error) {
      if (!isHoldfastError(error, "PARSE") && !isHoldfastError(error, "INVALID")) throw error;
      return { ...this.#loaded([]), fault: error as HoldfastError };
    }
  }

  async watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    const { host, keepAlive, warn } = this.#context;
    const directories = new Set(this.#paths.map(directoryOf));
    return await watchDirectories(host, {
      ...timing,
      look,
      directories: () => Promise.resolve([...directories]),
      keepAlive,
      warn,
    });
  }

  async close(): Promise<void> {}

  #loaded(variables: readonly Variable[]): Loaded {
    const { host, shape } = this.#context;
    const warnings: string[] = [];
    const found: { readonly path: Path; readonly value: Json; readonly place: Place }[] = [];
    for (const { name, text, place } of variables) {
      const meant = pathOfVariable(name, this.#naming, shape);
      if (meant.path !== undefined) {
        found.push({ path: meant.path, value: readVariable(text, meant.shape), place });
        continue;
      }
      const { nearest } = meant;
      const advice = nearest === undefined ? "remove it" : `did you mean ${nearest}?`;
      warnings.push(
        `Cannot use the variable ${name}: found nothing of that name in the schema; ${advice}`,
      );
    }
    // What is said of a part counts over what is said of the whole.
    found.sort((one, other) => one.path.length - other.path.length);
    let document: Json = {};
    for (const { path, value } of found) document = put(document, path, value);
    assertDocument(document, "read the environment");
    const lines = variables.map(({ name, text }) => JSON.stringify([name, text]));
    const bytes = new TextEncoder().encode(lines.toSorted().join("\n"));
    return {
      document,
      generation: 0,
      hash: hashOf(host, bytes),
      warnings,
      resolvedPaths: this.#paths,
      locate: (paths) => {
        return paths.map((path) => {
          const giving = found.findLast((one) => one.path.every((step, at) => path[at] === step));
          return giving?.place ?? { source: "the environment" };
        });
      },
    };
  }

  async #variables(): Promise<Variable[]> {
    const { host, shape } = this.#context;
    const { prefix } = this.#naming;
    const variables = new Map<string, Variable>();
    for (const path of this.#paths) {
      for (const variable of await this.#read(path)) variables.set(variable.name, variable);
    }
    // Where the names may not be listed, those that the schema knows may be asked for.
    const names = new Set([...host.variableNames(), ...variableNamesOf(this.#naming, shape)]);
    for (const name of names) {
      const text = name.startsWith(prefix) ? host.variable(name) : undefined;
      if (text === undefined) continue;
      variables.set(name, { name, text, place: { source: "the environment", variable: name } });
    }
    return [...variables.values()].filter(({ name }) => name.startsWith(prefix));
  }

  async #read(path: string): Promise<Variable[]> {
    try {
      const { bytes } = await this.#context.host.read(path, variablesFileBytesMax);
      return readVariables(new TextDecoder().decode(bytes), path).map((variable) => {
        const { name, value, line, column } = variable;
        return { name, text: value, place: { source: path, variable: name, line, column } };
      });
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return [];
      throw error;
    }
  }
}

/** Puts a value at a path of a document that is being made. */
function put(document: Json | undefined, path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === "number") {
    const items = Array.isArray(document) ? [...document as Json[]] : [];
    items[step] = put(items[step], rest, value);
    // A hole is no value.
    return Array.from(items, (item) => item ?? null);
  }
  const members = isPlainObject(document) ? document as Record<string, Json> : {};
  return Object.fromEntries([
    ...Object.entries(members),
    [step, put(Object.hasOwn(members, step) ? members[step] : undefined, rest, value)],
  ]);
}
