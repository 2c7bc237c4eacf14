import { hasErrno, holdfastError, isHoldfastError } from "../core/error.ts";
import { documentBytesMax, orphanAgeMs } from "../core/limits.ts";
import type { Format } from "../format/format.ts";
import { formatOf } from "../format/format_of.ts";
import {
  besideName,
  makeDirectoryDurably,
  replaceFile,
  sweepTemporaries,
} from "../host/durable.ts";
import type { FileRead, Host, HostStat } from "../host/host.ts";
import { absolutePath, baseName, directoryOf, joinPath, pathFromUrl } from "../host/path.ts";
import { watchDirectories } from "../host/watch.ts";
import type { Loaded, SourceContext, SourceWatch, SourceWatchOptions } from "../source/source.ts";
import { judgeTrust, type Trust } from "./file_trust.ts";
import type { OpenStore, Store, StoreChange } from "./store.ts";

/** How a config file is treated. */
export interface FileOptions {
  /** Whose files are accepted; `owner` when left out: root's and our own, not writable by everybody. */
  readonly trust?: Trust | undefined;
}

/**
 * A config file, read and written in the format that its extension names. A symbolic link is followed, and stays when the
 * file is written.
 *
 * @param path relative to the working directory at the time of opening, absolute, or a `file:` URL
 *
 * @example
 * ```ts
 * import { file, openConfig } from "holdfast";
 *
 * const path = await Deno.makeTempFile({ suffix: ".json" });
 * await Deno.writeTextFile(path, `{ "rate": 1 }`);
 * await using config = await openConfig(file(path), { watch: false });
 * console.log(config.value); // { rate: 1 }
 * ```
 */
export function file(path: string | URL, options: FileOptions = {}): Store {
  return {
    kind: "store",
    name: String(path),
    open: async (context) => {
      const { host } = context;
      const named = path instanceof URL ? pathFromUrl(path, host.capabilities.platform) : path;
      const format = formatOf(named);
      if (/[/\\]$/.test(named)) throw namesDirectory(named);
      return new OpenFile(
        await absolutePath(host, named),
        format,
        options.trust ?? "owner",
        context,
      );
    },
  };
}

/** The mode of everything written: only the owner reads a config, since it may hold secrets. */
const fileMode = 0o600;
const directoryMode = 0o700;

class OpenFile implements OpenStore {
  readonly backend = "file";
  readonly #path: string;
  readonly #format: Format;
  readonly #trust: Trust;
  readonly #context: SourceContext;
  readonly #host: Host;
  /** The content that the newest generation stands for. */
  #current: Loaded | undefined;
  #text: string | undefined;
  /** The last thing read, so that bytes which stay refused are not decoded at every look. */
  #seen: Loaded | undefined;
  #resolved: { readonly path: string; readonly directories: readonly HostStat[] } | undefined;
  #sweptAtMs: number | undefined;

  constructor(path: string, format: Format, trust: Trust, context: SourceContext) {
    this.#path = path;
    this.#format = format;
    this.#trust = trust;
    this.#context = context;
    this.#host = context.host;
  }

  get #generation(): number {
    return this.#current?.generation ?? 0;
  }

  async load(): Promise<Loaded> {
    const read = await this.#read();
    if (read === undefined) return this.#loaded({ document: undefined, hash: "" });
    const hash = this.#hash(read.bytes);
    const known = [this.#current, this.#seen].find((loaded) => loaded?.hash === hash);
    if (this.#resolved === undefined) await this.#resolve();
    const warnings = this.#judge(read.stat);
    if (known !== undefined) return { ...known, generation: this.#generation, warnings };
    this.#seen = { ...this.#decode(read.bytes, hash), warnings };
    return this.#seen;
  }

  adopt(loaded: Loaded): Promise<Loaded> {
    this.#current = { ...loaded, generation: this.#generation + 1 };
    return Promise.resolve(this.#current);
  }

  async commit({ document, base, refused }: StoreChange): Promise<Loaded> {
    const text = this.#format.encode(document, this.#text);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > documentBytesMax) throw tooLarge(this.#path, bytes.length);
    const hash = this.#hash(bytes);
    const target = await this.#target();
    await this.#sweep(target);
    await replaceFile(this.#host, target, {
      bytes,
      mode: fileMode,
      beforeRename: () => this.#makeWay(target, base, refused),
    });
    this.#text = text;
    this.#current = {
      ...this.#loaded({ document, hash, locate: this.#locator(text) }),
      generation: base.generation + 1,
      resolvedPaths: [target],
    };
    return this.#current;
  }

  async watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    return await watchDirectories(this.#host, {
      ...timing,
      look,
      directories: async () => {
        const target = await this.#resolve();
        return [directoryOf(this.#path), directoryOf(target)];
      },
      keepAlive: this.#context.keepAlive,
      warn: this.#context.warn,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Undefined when nothing is there. */
  async #read(): Promise<FileRead | undefined> {
    try {
      return await this.#host.read(this.#path, documentBytesMax);
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Finds out where the links lead: at the start and at every poll, since most looks find the known content. */
  async #resolve(): Promise<string> {
    const path = await this.#host.resolve(this.#path).catch(() => this.#path);
    const directories: HostStat[] = [];
    for (const directory of new Set([directoryOf(this.#path), directoryOf(path)])) {
      const stat = await this.#host.stat(directory).catch(() => undefined);
      if (stat !== undefined) directories.push(stat);
    }
    this.#resolved = { path, directories };
    return path;
  }

  async #whereLinksLead(): Promise<string | undefined> {
    try {
      return await this.#host.resolve(this.#path);
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  #judge(file: HostStat): readonly string[] {
    if (!this.#host.capabilities.modes) return [];
    return judgeTrust({
      path: this.#path,
      file,
      directories: this.#resolved?.directories ?? [],
      userId: this.#host.userId(),
      trust: this.#trust,
    });
  }

  #decode(bytes: Uint8Array, hash: string): Loaded {
    try {
      const { document, text } = this.#format.decode(bytes, this.#path);
      this.#text = text;
      return this.#loaded({ document, hash, locate: this.#locator(text) });
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      return this.#loaded({ document: undefined, hash, fault: error });
    }
  }

  #loaded(found: Pick<Loaded, "document" | "hash"> & Partial<Loaded>): Loaded {
    return {
      generation: this.#generation,
      locate: (paths) => paths.map(() => ({ source: this.#path })),
      warnings: [],
      resolvedPaths: [this.#resolved?.path ?? this.#path],
      ...found,
    };
  }

  #locator(text: string): Loaded["locate"] {
    return (paths) => {
      const positions = this.#format.locate(text, paths);
      return positions.map((position) => ({ source: this.#path, ...position }));
    };
  }

  /** Where to write: the file behind the links, in a directory that is made if need be. */
  async #target(): Promise<string> {
    const found = await this.#whereLinksLead();
    if (found !== undefined) return found;
    const directory = directoryOf(this.#path);
    await makeDirectoryDurably(this.#host, directory, directoryMode);
    const name = baseName(this.#path);
    const isThere = (await this.#host.list(directory)).includes(name);
    if (!isThere) return joinPath(await this.#host.resolve(directory), name);
    // Either a link that leads nowhere, or somebody else's file that came this very moment.
    const came = await this.#whereLinksLead();
    if (came !== undefined) return came;
    throw holdfastError(
      "UNSAFE_FILE",
      `Cannot write ${this.#path}: found a symbolic link to nothing; make its target, or remove the link`,
      { path: this.#path, found: "dangling link" },
    );
  }

  /** The last look before the rename: only what the change was computed from, or what was refused, may be replaced. */
  async #makeWay(target: string, base: Loaded, refused: Loaded | undefined): Promise<void> {
    const read = await this.#read();
    if (read !== undefined) this.#judge(read.stat);
    const found = read === undefined ? "" : this.#hash(read.bytes);
    // A link that was swapped meanwhile leads elsewhere, even if to the same content.
    if (found !== (refused ?? base).hash || await this.#target() !== target) {
      throw holdfastError(
        "CONFLICT",
        `Cannot write ${this.#path}: found that it changed since generation ${base.generation}; read it and try again`,
        { expected: base.generation, current: base.generation + 1 },
      );
    }
    if (refused !== undefined && read !== undefined) {
      await this.#keepAside(target, read.bytes, found);
    }
  }

  async #keepAside(target: string, bytes: Uint8Array, hash: string): Promise<void> {
    const [, digits = ""] = hash.split(":");
    const name = `${besideName(this.#host, target)}.refused.${digits.slice(0, 16)}`;
    const aside = joinPath(directoryOf(target), name);
    await replaceFile(this.#host, aside, { bytes, mode: fileMode });
    this.#context.warn(
      `A write replaces the refused content of ${this.#path}; it is kept as ${aside}`,
    );
  }

  /** At the first write, and again when what was too young then may be an orphan by now. */
  async #sweep(target: string): Promise<void> {
    const nowMs = this.#host.monotonic();
    if (this.#sweptAtMs !== undefined && nowMs - this.#sweptAtMs <= orphanAgeMs) return;
    await sweepTemporaries(this.#host, target);
    this.#sweptAtMs = nowMs;
  }

  #hash(bytes: Uint8Array): string {
    return `sha256:${this.#host.hash(bytes)}`;
  }
}

function namesDirectory(path: string): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${path}: found a slash at the end, which names a directory; give the path of a file`,
    { what: "path of a directory" },
  );
}

function tooLarge(path: string, found: number): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot write ${path}: found a document of ${found} bytes, allowed are ${documentBytesMax}; make it smaller`,
    { what: "document in bytes", limit: documentBytesMax, found },
  );
}
