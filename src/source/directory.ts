import { isForbiddenKey, isPlainObject } from "../core/document.ts";
import { type HoldfastError, isHoldfastError } from "../core/error.ts";
import { formatOf } from "../format/format_of.ts";
import { absolutePath, baseName, directoryOf, joinPath } from "../host/path.ts";
import { type Content, contentOf, unlocated } from "./content.ts";
import { type DirectoryFile, type DirectoryFiles, readFiles } from "./directory_files.ts";
import { isOpenToAll, judgeTrust, type Trust } from "./file_trust.ts";
import { writeJsonFile } from "./json_file.ts";
import { composeLayers, type Layer, noObject, unfit } from "./layers.ts";
import type {
  Loaded,
  OpenSource,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "./source.ts";
import { watchSourceIn } from "./watched_directories.ts";

/** How the files of a directory make a document. */
export interface DirectoryOptions {
  /**
   * `merged` (the default): as layers in the order of their names, the later over the earlier. `byName`: each under its own
   * name without the extension.
   */
  readonly as?: "merged" | "byName" | undefined;
  /**
   * Where to write the document, as JSON with mode 0600, whenever a good one was loaded. It replaces what is there; in the
   * directory itself, a file of that name is no part of the document.
   */
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

interface FileContent extends Content {
  readonly hash: string;
}

class OpenDirectory implements OpenSource {
  readonly backend = "directory";
  readonly #path: string;
  readonly #compiled: string | undefined;
  readonly #options: DirectoryOptions;
  readonly #context: SourceContext;
  /** By their names: what did not change is not decoded again. */
  #contents: ReadonlyMap<string, FileContent> = new Map();

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
    const compiled = await this.#compiledName();
    const found = await readFiles(this.#context.host, this.#path, (name) => {
      return !name.startsWith(".") && extensions.test(name) && name !== compiled;
    });
    const { files, hash } = found;
    const contents = await Promise.all(files.map((file) => this.#contentOf(file)));
    this.#contents = new Map(files.map(({ name }, index) => [name, contents[index]!]));
    const layers = files.map((file, index) => this.#layerOf(file, contents[index]!));
    const composed = composeLayers({ ...this.#context, upgrade: undefined }, layers, undefined);
    // The files have no states of their own in a snapshot: they are one source.
    const { layers: _, ...loaded } = composed;
    const fault = composed.fault ?? this.#faultOf(layers);
    return {
      ...loaded,
      ...(fault === undefined ? {} : { fault }),
      document: fault === undefined ? composed.document ?? {} : undefined,
      hash,
      warnings: [...await this.#warningsOf(found), ...loaded.warnings],
      locate: (paths) =>
        paths.map((path) => loaded.given!(path)[0]?.place ?? { source: this.#path }),
    };
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    return await watchSourceIn(() => Promise.resolve([this.#path]), this.#context, options);
  }

  async applied({ document }: Loaded): Promise<void> {
    if (this.#compiled === undefined || document === undefined) return;
    await writeJsonFile(this.#context.host, this.#compiled, document);
  }

  async close(): Promise<void> {}

  /** The name of the compiled document if it is in this very directory, by whatever path: it is no part of itself. */
  async #compiledName(): Promise<string | undefined> {
    if (this.#compiled === undefined) return undefined;
    const { host } = this.#context;
    const place = await host.resolve(directoryOf(this.#compiled)).catch(() => undefined);
    return place === await host.resolve(this.#path) ? baseName(this.#compiled) : undefined;
  }

  async #contentOf({ name, bytes, hash }: DirectoryFile): Promise<FileContent> {
    const known = this.#contents.get(name);
    if (known?.hash === hash) return known;
    const path = joinPath(this.#path, name);
    try {
      return { ...contentOf(await formatOf(path), bytes, path), hash };
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      return { document: undefined, fault: error, hash, locate: unlocated(path) };
    }
  }

  #layerOf({ name, stat }: DirectoryFile, content: FileContent): Layer {
    const { trust = "owner" } = this.#options;
    const path = joinPath(this.#path, name);
    const evidence = { path, file: stat, directories: [], trust };
    const warnings = judgeTrust(this.#context.host, evidence);
    const loaded = { ...content, generation: 0, warnings, resolvedPaths: [path] };
    if (this.#options.as !== "byName" || content.document === undefined) {
      return { name: path, loaded };
    }
    return {
      name: path,
      loaded: {
        ...loaded,
        document: { [keyOf(path)]: content.document },
        locate: (paths) => content.locate(paths.map((own) => own.slice(1))),
      },
    };
  }

  /** Why files that are documents are none together. */
  #faultOf(layers: readonly Layer[]): HoldfastError | undefined {
    if (this.#options.as !== "byName") {
      const odd = layers.find(({ loaded }) => !isPlainObject(loaded.document));
      return odd === undefined || layers.length === 1 ? undefined : unfit(odd.name, noObject, []);
    }
    const keys = layers.map(({ name }) => keyOf(name));
    for (const [index, key] of keys.entries()) {
      const { name } = layers[index]!;
      if (isForbiddenKey(key)) return unfit(name, `${key} as its name, which is no key`, []);
      const other = layers[keys.indexOf(key)]!.name;
      if (other !== name) {
        return unfit(name, `${other} of the same name; rename one of them`, [key]);
      }
    }
    return undefined;
  }

  async #warningsOf({ dangling }: DirectoryFiles): Promise<string[]> {
    const { host } = this.#context;
    const warnings = dangling.map((name) => {
      return `${
        joinPath(this.#path, name)
      } is a link to nothing and is passed over; mend or remove it`;
    });
    if (!host.capabilities.modes) return warnings;
    const stat = await host.stat(this.#path);
    if (isOpenToAll(stat)) {
      warnings.push(`everybody can put files into ${this.#path}; chmod o-w it`);
    }
    return warnings;
  }
}

/** The name of a file without its extension. */
function keyOf(path: string): string {
  return baseName(path).replace(extensions, "");
}
