import {
  hasErrno,
  type HoldfastError,
  holdfastError,
  isHoldfastError,
  type Path,
} from "../core/error.ts";
import { variablesFileBytesMax } from "../core/limits.ts";
import { describePath } from "../core/pointer.ts";
import { hashOf } from "../host/hash.ts";
import { absolutePath, directoryOf } from "../host/path.ts";
import { readVariables } from "./dotenv.ts";
import { judgeTrust, type Trust } from "./file_trust.ts";
import type {
  Loaded,
  OpenSource,
  Place,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "./source.ts";
import {
  documentOf,
  environment,
  type Variable,
  type VariableDocument,
} from "./variable_document.ts";
import { type Naming, VariableNames } from "./variable_path.ts";
import { watchSourceIn } from "./watched_directories.ts";

/** Which variables count, and how their names are read. */
export interface EnvOptions {
  /** What the names begin with, such as `APP_`; other variables are not looked at. */
  readonly prefix: string;
  /** What stands between the steps of a path; `__` when left out. */
  readonly separator?: string | undefined;
  /** Files such as `.env`, the later over the earlier and the environment over all of them; missing ones are passed over. */
  readonly files?: string | readonly string[] | undefined;
  /** Whose files are accepted; `owner` when left out: root's and our own, not writable by everybody. */
  readonly trust?: Trust | undefined;
}

/**
 * The variables of the environment, read as the schema expects: numbers, booleans, lists with commas, JSON, or text.
 * `APP_POOL__MAX_SIZE` is `pool.maxSize`; what the schema does not name, such as the keys of a record, is in lower case.
 *
 * @throws `UNSUPPORTED` without a prefix, and for an empty separator
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
  const { prefix, separator = "__", files = [], trust = "owner" } = options ?? {};
  if (typeof prefix !== "string") throw withoutPrefix();
  if (separator === "") throw withoutSeparator(prefix);
  return {
    kind: "source",
    name: `${environment} (${prefix}…)`,
    open: async (context) => {
      const named = typeof files === "string" ? [files] : files;
      const paths = await Promise.all(named.map((path) => absolutePath(context.host, path)));
      return new OpenEnv({ naming: { prefix, separator }, paths, trust, context });
    },
  };
}

interface Parts {
  readonly naming: Naming;
  readonly paths: readonly string[];
  readonly trust: Trust;
  readonly context: SourceContext;
}

/** What one look at the files and at the environment gave. */
interface Read {
  /** Those that count, each name once; the later ones count over the earlier. */
  readonly variables: readonly Variable[];
  /** Those of the same names that do not, the strongest last. */
  readonly overridden: readonly Variable[];
  readonly warnings: readonly string[];
  /** Why a file cannot be read. */
  readonly fault: HoldfastError | undefined;
  /** Over the bytes of the files and all that was found in the environment. */
  readonly hash: string;
}

class OpenEnv implements OpenSource {
  readonly backend = "env";
  readonly #parts: Parts;
  readonly #names: VariableNames;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#names = new VariableNames(parts.naming, parts.context.shape);
  }

  async load(): Promise<Loaded> {
    const { naming, paths } = this.#parts;
    const { variables, overridden, warnings, fault: broken, hash } = await this.#read();
    const made = documentOf(variables, overridden, this.#names, naming.prefix !== "");
    const fault = broken ?? unfit(made.problems);
    return {
      ...(fault === undefined ? { document: made.document } : { document: undefined, fault }),
      generation: 0,
      hash,
      warnings: [...warnings, ...made.warnings],
      resolvedPaths: paths,
      locate: (wanted) => wanted.map((path) => made.placeOf(path) ?? this.#placeFor(path)),
      given: made.given,
    };
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const { paths, context } = this.#parts;
    const directories = [...new Set(paths.map(directoryOf))];
    return await watchSourceIn(() => Promise.resolve(directories), context, options);
  }

  async close(): Promise<void> {}

  /** Where something is looked for that no variable gives. */
  #placeFor(path: Path): Place {
    const variable = this.#names.nameOf(path);
    return variable === undefined ? { source: environment } : { source: environment, variable };
  }

  async #read(): Promise<Read> {
    const { paths, naming: { prefix }, context: { host } } = this.#parts;
    const variables = new Map<string, Variable>();
    const overridden: Variable[] = [];
    const take = (variable: Variable): void => {
      overridden.push(...variables.has(variable.name) ? [variables.get(variable.name)!] : []);
      // Anew, so that the order is that of the ones that count.
      variables.delete(variable.name);
      variables.set(variable.name, variable);
    };
    const warnings: string[] = [];
    const seen: unknown[] = [];
    let fault: HoldfastError | undefined;
    for (const path of paths) {
      const found = await this.#readFile(path);
      if (found === undefined) continue;
      warnings.push(...found.warnings);
      seen.push([path, hashOf(host, found.bytes)]);
      try {
        for (const { name, value, ...at } of readVariables(found.bytes, path)) {
          if (!name.startsWith(prefix)) continue;
          take({ name, text: value, place: { source: path, variable: name, ...at } });
        }
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        fault ??= error;
      }
    }
    const listed = host.variableNames();
    if (listed === undefined) warnings.push(this.#unlisted());
    // Where the names may not be listed, those that the schema knows may be asked for.
    for (const name of (listed ?? this.#names.listed).toSorted()) {
      const text = name.startsWith(prefix) ? host.variable(name) : undefined;
      if (text === undefined) continue;
      seen.push([name, text]);
      take({ name, text, place: { source: environment, variable: name } });
    }
    const hash = hashOf(host, new TextEncoder().encode(JSON.stringify(seen)));
    return { variables: [...variables.values()], overridden, warnings, fault, hash };
  }

  async #readFile(
    path: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly warnings: readonly string[] } | undefined> {
    const { trust, context: { host } } = this.#parts;
    try {
      const { bytes, stat } = await host.read(path, variablesFileBytesMax);
      if (!host.capabilities.modes) return { bytes, warnings: [] };
      // The file alone may be open to us.
      const directory = await host.stat(directoryOf(path)).catch(() => []);
      const directories = [directory].flat();
      return { bytes, warnings: judgeTrust(host, { path, file: stat, directories, trust }) };
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /**
   * @returns what is to be told
   * @throws `IO` where nothing could ever be read
   */
  #unlisted(): string {
    const { paths } = this.#parts;
    const refused =
      `Cannot list the variables of ${environment}: found that this runtime does not permit it (EACCES)`;
    if (paths.length === 0 && this.#names.listed.length === 0) {
      throw holdfastError("IO", `${refused}; on Deno, run again with --allow-env`, {
        operation: "list",
        path: environment,
        errno: "EACCES",
      });
    }
    return `${refused}; those that the schema names count where each may be read; on Deno, allow --allow-env`;
  }
}

function unfit(problems: VariableDocument["problems"]): HoldfastError | undefined {
  const [first, ...more] = problems;
  if (first === undefined) return undefined;
  const rest = more.length === 0 ? "" : `, and ${more.length} more`;
  const found = `${first.variable ?? describePath(first.path)}: ${first.message}${rest}`;
  return holdfastError("INVALID", `Cannot read ${environment}: found ${found}`, { problems });
}

function withoutPrefix(): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot read the variables of ${environment}: found no prefix; give one, as env({ prefix: "APP_" })`,
    { what: "prefix" },
  );
}

function withoutSeparator(prefix: string): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot read variables ${prefix}…: found an empty separator; give one, such as __`,
    { what: "separator" },
  );
}
