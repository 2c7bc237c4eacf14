import { hasErrno, type HoldfastError, holdfastError, isHoldfastError } from "../core/error.ts";
import { directoryFilesMax, documentBytesMax, looksMax } from "../core/limits.ts";
import { formatOf } from "../format/format_of.ts";
import { hashOf } from "../host/hash.ts";
import type { FileRead } from "../host/host.ts";
import { absolutePath, joinPath } from "../host/path.ts";
import { watchDirectories } from "../host/watch.ts";
import { writeCompiled } from "./compiled.ts";
import { judgeTrust, type Trust } from "./file_trust.ts";
import { composeLayers } from "./layers.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "./source.ts";

/** How the files of a directory make a document. */
export interface DirectoryOptions {
  /**
   * `merged` (the default): as layers in the order of their names, the later over the earlier. `byName`: each under its own
   * name without the extension.
   */
  readonly as?: "merged" | "byName" | undefined;
  /** Where to write the document, as JSON with mode 0600, whenever a good one was loaded. */
  readonly compileTo?: string | undefined;
  /** Whose files are accepted; `owner` when left out. */
  readonly trust?: Trust | undefined;
}

const extensions = /\.(?:json|jsonc|ya?ml|toml)$/i;

/**
 * The config files of a directory as one document: those with a known extension, in the order of their names. What else is
 * there is ignored, and so are names that begin with a dot and directories below. All that changed is taken over together.
 *
 * @param path relative to the working directory at the time of opening, or absolute
 *
 * @example
 * ```ts
 * import { directory, openConfig } from "holdfast";
 *
 * const path = await Deno.makeTempDir();
 * await Deno.writeTextFile(`${path}/10-base.json`, `{ "rate": 1, "burst": 2 }`);
 * await Deno.writeTextFile(`${path}/20-local.json`, `{ "rate": 5 }`);
 * const config = await openConfig(directory(path), { watch: false });
 * console.log(config.value); // { rate: 5, burst: 2 }
 * await config.close();
 * ```
 */
export function directory(path: string, options: DirectoryOptions = {}): Source {
  return {
    kind: "source",
    name: path,
    open: async (context) => {
      const { compileTo } = options;
      const compiled = compileTo === undefined
        ? undefined
        : await absolutePath(context.host, compileTo);
      return new OpenDirectory(await absolutePath(context.host, path), compiled, options, context);
    },
  };
}

class OpenDirectory implements OpenSource {
  readonly backend = "directory";
  readonly #path: string;
  readonly #compiled: string | undefined;
  readonly #options: DirectoryOptions;
  readonly #context: SourceContext;

  constructor(
    path: string,
    compiled: string | undefined,
    options: DirectoryOptions,
    context: SourceContext,
  ) {
    this.#path = path;
    this.#compiled = compiled;
    this.#options = options;
    this.#context = context;
  }

  async load(): Promise<Loaded> {
    const files = await this.#read();
    const layers = await Promise.all([...files].map(async ([name, read]) => {
      const path = joinPath(this.#path, name);
      return { name: path, loaded: this.#nest(name, await this.#decode(path, read)) };
    }));
    const composed = composeLayers({ ...this.#context, upgrade: undefined }, layers, undefined);
    const clash = this.#options.as === "byName"
      ? clashOf([...files.keys()], this.#path)
      : undefined;
    // The files have no states of their own in a snapshot: they are one source.
    const { layers: parts, ...loaded } = composed;
    return {
      ...loaded,
      ...(clash === undefined ? {} : { fault: clash }),
      document: loaded.document ?? {},
      hash: this.#hashOf(files),
      given: parts!.given,
    };
  }

  async watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    const { host, keepAlive, warn } = this.#context;
    return await watchDirectories(host, {
      ...timing,
      look,
      directories: () => Promise.resolve([this.#path]),
      keepAlive,
      warn,
    });
  }

  async applied({ document }: Loaded): Promise<void> {
    if (this.#compiled === undefined || document === undefined) return;
    await writeCompiled(this.#context.host, this.#compiled, document);
  }

  async close(): Promise<void> {}

  /** All files at one moment: none changed, came or went while they were read. */
  async #read(): Promise<Map<string, FileRead>> {
    let before = await this.#readOnce();
    for (let look = 0; look < looksMax; look++) {
      const again = await this.#readOnce();
      if (this.#hashOf(before) === this.#hashOf(again)) return again;
      before = again;
    }
    throw holdfastError(
      "UNAVAILABLE",
      `Cannot read ${this.#path}: found it changed during each of ${looksMax} looks; try again`,
      { source: this.#path },
    );
  }

  async #readOnce(): Promise<Map<string, FileRead>> {
    const { host } = this.#context;
    const names = (await host.list(this.#path)).filter((name) => this.#isConfig(name)).toSorted();
    if (names.length > directoryFilesMax) throw tooMany(this.#path, names.length);
    const files = new Map<string, FileRead>();
    for (const name of names) {
      const path = joinPath(this.#path, name);
      try {
        if ((await host.stat(path)).kind !== "file") continue;
        files.set(name, await host.read(path, documentBytesMax));
      } catch (error) {
        if (!hasErrno(error, "ENOENT")) throw error;
      }
    }
    return files;
  }

  #isConfig(name: string): boolean {
    return !name.startsWith(".") && extensions.test(name) &&
      joinPath(this.#path, name) !== this.#compiled;
  }

  async #decode(path: string, { bytes, stat }: FileRead): Promise<Loaded> {
    const { host } = this.#context;
    const { trust = "owner" } = this.#options;
    const warnings = host.capabilities.modes
      ? judgeTrust({ path, file: stat, directories: [], userId: host.userId(), trust })
      : [];
    const found = { generation: 0, hash: hashOf(host, bytes), warnings, resolvedPaths: [path] };
    try {
      const format = await formatOf(path);
      const { document, text } = format.decode(bytes, path);
      return {
        ...found,
        document,
        locate: (paths) =>
          format.locate(text, paths).map((position) => ({ source: path, ...position })),
      };
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      return {
        ...found,
        document: undefined,
        fault: error,
        locate: (paths) => paths.map(() => ({ source: path })),
      };
    }
  }

  /** Under its own name, where that is asked for. */
  #nest(name: string, loaded: Loaded): Loaded {
    if (this.#options.as !== "byName" || loaded.document === undefined) return loaded;
    const key = name.replace(extensions, "");
    return {
      ...loaded,
      document: { [key]: loaded.document },
      locate: (paths) => loaded.locate(paths.map((path) => path.slice(1))),
    };
  }

  #hashOf(files: ReadonlyMap<string, FileRead>): string {
    const { host } = this.#context;
    const lines = [...files].map(([name, { bytes }]) =>
      `${JSON.stringify(name)} ${host.hash(bytes)}`
    );
    return hashOf(host, new TextEncoder().encode(lines.join("\n")));
  }
}

function clashOf(names: readonly string[], path: string): HoldfastError | undefined {
  const keys = names.map((name) => name.replace(extensions, ""));
  const clash = keys.find((key, index) => keys.indexOf(key) !== index);
  if (clash === undefined) return undefined;
  const message = `Cannot read ${path}: found two files named ${clash}; rename one of them`;
  return holdfastError("INVALID", message, {
    problems: [{ path: [clash], message, severity: "error" }],
  });
}

function tooMany(path: string, found: number): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found ${found} config files, allowed are ${directoryFilesMax}; remove some`,
    { what: "files in a directory", limit: directoryFilesMax, found },
  );
}
