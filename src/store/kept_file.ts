import { assertDocument, isPlainObject, type Json, valueAt } from "../core/document.ts";
import { hasErrno, isHoldfastError, type Path } from "../core/error.ts";
import { keptBytesMax } from "../core/limits.ts";
import { bounded } from "../host/bounded.ts";
import { makeDirectoryDurably } from "../host/durable.ts";
import { directoryOf } from "../host/path.ts";
import { unlocated } from "../source/content.ts";
import { judgeTrust } from "../source/file_trust.ts";
import { writeJsonFile } from "../source/json_file.ts";
import type { Given, Loaded, LoadedLayers, Place, SourceContext } from "../source/source.ts";

/** What is kept of a document that was good. */
interface Kept {
  readonly source: string;
  readonly generation: number;
  readonly hash: string;
  readonly at: string;
  /** Left out where only other layers held something. */
  readonly document?: Json;
  /** What the document came to with other layers; left out where there were none. */
  readonly whole?: Json;
}

/** What a kept file works with. */
export interface KeptFileParts {
  /** Absolute. */
  readonly path: string;
  /** The name of the source. */
  readonly source: string;
  readonly context: SourceContext;
  /** How long a write may hold up what runs. */
  readonly timeoutMs: number;
}

/** The file that holds the last good document of a source, for its owner alone: secrets are in it as they are. */
export class KeptFile {
  /** Absolute. */
  readonly path: string;
  readonly #parts: KeptFileParts;
  #hash: string | undefined;
  #next: Loaded | undefined;
  #writing: Promise<void> | undefined;

  constructor(parts: KeptFileParts) {
    this.path = parts.path;
    this.#parts = parts;
  }

  /** Writes what is good now, wholly or not at all. */
  async keep(loaded: Loaded): Promise<void> {
    if (loaded.hash === this.#hash) return;
    const { context: { host }, timeoutMs } = this.#parts;
    this.#next = loaded;
    // The one before is still being written, and this one comes after it.
    if (this.#writing !== undefined) return;
    this.#writing = this.#writeNewest().finally(() => {
      this.#writing = undefined;
    });
    // A disk that hangs is not to hold up what runs.
    await bounded(host, `keep the last good document in ${this.path}`, timeoutMs, this.#writing);
  }

  /**
   * What was kept, for a source that gives nothing to start from.
   *
   * @param reason why it does not, for the warning: "it cannot be reached"
   * @returns undefined where nothing is kept, or nothing that can be trusted
   */
  async read(reason: string): Promise<Loaded | undefined> {
    const kept = await this.#read();
    return kept === undefined ? undefined : this.#loadedFrom(kept, reason);
  }

  async #writeNewest(): Promise<void> {
    for (let next = this.#next; next !== undefined; next = this.#next) {
      this.#next = undefined;
      await this.#write(next);
      this.#hash = next.hash;
    }
  }

  async #write({ document, hash, generation, layers }: Loaded): Promise<void> {
    const { source, context: { host } } = this.#parts;
    const whole = layers?.compose(document);
    if (document === undefined && whole === undefined) {
      // What was removed is not to come back.
      await host.remove(this.path).catch((error: unknown) => {
        if (!hasErrno(error, "ENOENT")) throw error;
      });
    } else {
      const kept: Kept = {
        source,
        generation,
        hash,
        at: new Date(host.now()).toISOString(),
        ...(document === undefined ? {} : { document }),
        ...(layers === undefined || whole === undefined ? {} : { whole }),
      };
      await makeDirectoryDurably(host, directoryOf(this.path), 0o700);
      await writeJsonFile(host, this.path, {
        checksum: this.#checksum(kept),
        kept: kept as unknown as Json,
      });
    }
  }

  async #read(): Promise<Kept | undefined> {
    const { source, context: { warn } } = this.#parts;
    try {
      const found: unknown = JSON.parse(new TextDecoder().decode(await this.#readTrusted()));
      if (!isPlainObject(found) || !isPlainObject(found["kept"])) {
        throw new Error("no document in it");
      }
      const kept = found["kept"] as unknown as Kept;
      if (found["checksum"] !== this.#checksum(kept)) {
        throw new Error("a checksum that does not fit");
      }
      if (kept.source !== source) throw new Error(`a document of ${kept.source}`);
      for (const document of [kept.document, kept.whole]) {
        if (document !== undefined) assertDocument(document, `start from ${this.path}`);
      }
      return kept;
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return undefined;
      // The message of a text that is no JSON quotes it, and there may be secrets in it.
      const found = error instanceof SyntaxError ? "no JSON" : (error as Error).message;
      warn(
        isHoldfastError(error)
          ? found
          : `Cannot start from ${this.path}: found ${found}; remove it`,
      );
      return undefined;
    }
  }

  /** It decides what this process does as much as a config file. */
  async #readTrusted(): Promise<Uint8Array> {
    const { host, warn } = this.#parts.context;
    const { bytes, stat } = await host.read(this.path, keptBytesMax);
    if (!host.capabilities.modes) return bytes;
    const directories = [await host.stat(directoryOf(this.path))];
    const evidence = { path: this.path, file: stat, directories, trust: "owner" } as const;
    for (const warning of judgeTrust(host, evidence)) warn(warning);
    return bytes;
  }

  #checksum(kept: Kept): string {
    return this.#parts.context.host.hash(new TextEncoder().encode(JSON.stringify(kept)));
  }

  #loadedFrom({ document, whole: kept, hash, generation, at }: Kept, reason: string): Loaded {
    const { source, context: { upgrade } } = this.#parts;
    const whole = kept === undefined ? undefined : () => upgrade?.(kept, source) ?? kept;
    return {
      document,
      hash,
      generation,
      more: true,
      isStandIn: true,
      locate: unlocated(this.path),
      warnings: [
        `Started ${source} from ${this.path}, as it was at ${at}, since ${reason}`,
      ],
      resolvedPaths: [this.path],
      ...(whole === undefined ? {} : {
        layers: standInFor(whole),
        given: (path) => givenBy(whole(), path, { source: this.path }),
      }),
    };
  }
}

/** What several sources came to, which cannot be taken apart any more. */
function standInFor(whole: () => Json): LoadedLayers {
  return {
    held: [],
    parts: [],
    written: undefined,
    compose: whole,
    hiding: () => undefined,
  };
}

function givenBy(whole: Json, path: Path, place: Place): Given[] {
  const value = valueAt(whole, path) as Json | undefined;
  return value === undefined ? [] : [{ value, place }];
}
