import { assertDocument, isPlainObject, type Json, valueAt } from "../core/document.ts";
import { hasErrno, type HoldfastError, isHoldfastError, type Path } from "../core/error.ts";
import { keptBytesMax } from "../core/limits.ts";
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

/** The file that holds the last good document of a source, for its owner alone: secrets are in it as they are. */
export class KeptFile {
  /** Absolute. */
  readonly path: string;
  readonly #source: string;
  readonly #context: SourceContext;

  constructor(path: string, source: string, context: SourceContext) {
    this.path = path;
    this.#source = source;
    this.#context = context;
  }

  /** Writes what is good now, wholly or not at all. */
  async keep({ document, hash, generation, layers }: Loaded): Promise<void> {
    const { host } = this.#context;
    const whole = layers?.compose(document);
    if (document === undefined && whole === undefined) {
      // What was removed is not to come back.
      await host.remove(this.path).catch((error: unknown) => {
        if (!hasErrno(error, "ENOENT")) throw error;
      });
    } else {
      const kept: Kept = {
        source: this.#source,
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

  /**
   * What was kept, for a source that cannot be reached.
   *
   * @param error why it cannot
   * @returns undefined where nothing is kept, or nothing that can be trusted
   */
  async read(error: HoldfastError): Promise<Loaded | undefined> {
    const kept = await this.#read();
    return kept === undefined ? undefined : this.#loadedFrom(kept, error);
  }

  async #read(): Promise<Kept | undefined> {
    const { warn } = this.#context;
    try {
      const found: unknown = JSON.parse(new TextDecoder().decode(await this.#readTrusted()));
      if (!isPlainObject(found) || !isPlainObject(found["kept"])) {
        throw new Error("no document in it");
      }
      const kept = found["kept"] as unknown as Kept;
      if (found["checksum"] !== this.#checksum(kept)) {
        throw new Error("a checksum that does not fit");
      }
      if (kept.source !== this.#source) throw new Error(`a document of ${kept.source}`);
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
    const { host, warn } = this.#context;
    const { bytes, stat } = await host.read(this.path, keptBytesMax);
    if (!host.capabilities.modes) return bytes;
    const directories = [await host.stat(directoryOf(this.path))];
    const evidence = { path: this.path, file: stat, directories, trust: "owner" } as const;
    for (const warning of judgeTrust(host, evidence)) warn(warning);
    return bytes;
  }

  #checksum(kept: Kept): string {
    return this.#context.host.hash(new TextEncoder().encode(JSON.stringify(kept)));
  }

  #loadedFrom({ document, whole, hash, generation, at }: Kept, error: HoldfastError): Loaded {
    return {
      document,
      hash,
      generation,
      more: true,
      isStandIn: true,
      locate: unlocated(this.path),
      warnings: [
        `Started ${this.#source} from ${this.path}, as it was at ${at}, since it cannot be reached: ${error.message}`,
      ],
      resolvedPaths: [this.path],
      ...(whole === undefined ? {} : {
        layers: standInFor(whole),
        given: (path) => givenBy(whole, path, { source: this.path }),
      }),
    };
  }
}

/** What several sources came to, which cannot be taken apart any more. */
function standInFor(whole: Json): LoadedLayers {
  return {
    held: [],
    parts: [],
    written: undefined,
    compose: () => whole,
    hiding: () => undefined,
  };
}

function givenBy(whole: Json, path: Path, place: Place): Given[] {
  const value = valueAt(whole, path) as Json | undefined;
  return value === undefined ? [] : [{ value, place }];
}
