import { joinCauses } from "../../core/cause.ts";
import { diff } from "../../core/diff.ts";
import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { documentBytesMax, generationsToldMax, publicationLagMs } from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import type { Format } from "../../format/format.ts";
import { hashOf } from "../../host/hash.ts";
import { directoryOf } from "../../host/path.ts";
import { type Content, locatorOf, unlocated } from "../../source/content.ts";
import type {
  Loaded,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../../source/source.ts";
import { watchSourceIn } from "../../source/watched_directories.ts";
import type { RecordHeader } from "../record.ts";
import type { StoreChange } from "../store.ts";
import { notKept, tooLarge } from "../store_error.ts";
import type { Commit } from "./commit.ts";
import type { ConfigFile, Found } from "./config_file.ts";
import { LogPlace } from "./log_place.ts";
import { finishCommit, rollForward, settleGone } from "./recovery.ts";
import { keepRefused } from "./refused_texts.ts";
import { look, type Sight } from "./sight.ts";

/** A document as it is written. */
interface Encoded {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Reads a config file together with its log, brings the one up to date with the other, and decodes. */
export class FileReader {
  readonly #file: ConfigFile;
  readonly #format: Format;
  readonly #context: SourceContext;
  #place: LogPlace | undefined;
  #text: string | undefined;
  /** The last thing decoded, so that bytes which stay refused are not decoded at every look. */
  #decoded: Content & Pick<Loaded, "hash"> | undefined;
  #looked = false;
  #lag: { readonly key: string; readonly sinceMs: number } | undefined;

  constructor(file: ConfigFile, format: Format, context: SourceContext) {
    this.#file = file;
    this.#format = format;
    this.#context = context;
  }

  /** Where the links lead, and the log beside it. */
  get place(): LogPlace {
    const target = this.#file.target;
    if (this.#place?.path !== target) {
      const { host, warn } = this.#context;
      this.#place = new LogPlace(host, target, this.#file.trust, warn);
    }
    return this.#place!;
  }

  /** The same, though nobody looked yet. */
  async followed(): Promise<LogPlace> {
    if (!this.#looked) await this.#file.follow();
    return this.place;
  }

  /** Looks, and finishes what writers that died left undone. */
  async look(): Promise<Sight> {
    // The log is beside the file that the links lead to.
    await this.followed();
    const sight = await this.#look();
    const isFirst = !this.#looked;
    this.#looked = true;
    try {
      return await this.#recover(sight, isFirst) ? await this.#look() : sight;
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      this.#context.warn(`${error.message}; the newest generation is read from its record`);
      return await this.#look();
    }
  }

  /** Watches where the file is, and where the links to it lead. */
  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const directories = async () => {
      const target = await this.#file.follow();
      return [directoryOf(this.#file.path), directoryOf(target)];
    };
    return await watchSourceIn(directories, this.#context, options);
  }

  /** What a commit needs to know of the file. */
  parts(): Pick<Commit, "place" | "look" | "read" | "keepAside"> {
    const { place } = this;
    return {
      place,
      look: () => look({ read: () => this.#readJudged(), place: () => this.place }),
      read: () => this.#file.reread(),
      keepAside: (found, from) => this.keepAside(place, found, from),
    };
  }

  /** Keeps a text that is about to be lost, and says so. */
  async keepAside(place: LogPlace, found: Found, from: string | undefined): Promise<void> {
    const path = await keepRefused(place, found, from);
    this.#context.warn(
      `Found what somebody saved in ${this.#file.path} about to be lost; it is kept as ${path}`,
    );
  }

  /**
   * What the newest record holds, or the config file if that is the same.
   *
   * @param since the generation that ran before: the calls of all that came after it are told together
   */
  async recorded(sight: Sight, since: number): Promise<Loaded | undefined> {
    const { place, found } = sight;
    const header = await this.#withCallsSince(sight, since);
    const { generation, hash } = header;
    if (hash === "") return this.#loaded({ document: undefined, hash }, generation, header);
    if (found?.hash === hash) {
      const warnings = this.#file.judge(found.stat);
      return { ...this.#loaded(this.#decode(found), generation, header), warnings };
    }
    const record = await place.log.read(generation);
    if (record === undefined) return undefined;
    return this.#loaded(this.#decode({ bytes: record.text, hash }), generation, header);
  }

  async #withCallsSince({ place, view, newest }: Sight, since: number): Promise<RecordHeader> {
    const header = newest!;
    const between = view!.records.filter((record) => {
      return since > 0 && record > since && record < header.generation;
    });
    const told = between.slice(-generationsToldMax);
    const headers = await together(told.map((generation) => place.log.header(generation)));
    const count = since === 0 ? 1 : header.generation - since;
    return { ...header, ...joinCauses([...headers, header], count) };
  }

  /** What stands in the config file and has no record. */
  unrecorded(found: Found | undefined, generation: number): Loaded {
    if (found === undefined) return this.#loaded({ document: undefined, hash: "" }, generation);
    const warnings = this.#file.judge(found.stat);
    return { ...this.#loaded(this.#decode(found), generation), warnings };
  }

  /** What runs already, looked at once more. */
  again(current: Loaded, found: Found | undefined): Loaded {
    return found === undefined ? current : { ...current, warnings: this.#file.judge(found.stat) };
  }

  /** The document of a text that is kept. */
  readonly decodeText = (text: Uint8Array): Json => {
    return this.#format.decode(text, `the history of ${this.#file.path}`).document;
  };

  /** How a document is to be written: in the style of the last text, or the very way that a kept generation was. */
  async encode(
    { document, restores }: Pick<StoreChange, "document" | "restores">,
  ): Promise<Encoded> {
    const { path } = this.#file;
    if (document === undefined) return { text: "", bytes: new Uint8Array() };
    if (restores !== undefined) {
      const record = await this.place.log.read(restores.generation);
      // What was counted in this process alone may have been given another number, and this one to something else.
      if (record?.hash !== restores.hash) throw notKept(path, restores.generation);
      const kept = this.#format.decode(record.text, path);
      // One of an older version was migrated on its way.
      if (diff(kept.document, document).length === 0) return { ...kept, bytes: record.text };
    }
    const text = this.#format.encode(document, this.#text);
    const bytes = new TextEncoder().encode(text);
    if (bytes.length <= documentBytesMax) return { text, bytes };
    throw tooLarge(`write ${path}`, bytes.length);
  }

  /** The bytes of what runs, as they were if they are still known, else written anew. */
  async bytesOf(loaded: Loaded): Promise<Uint8Array> {
    const bytes = new TextEncoder().encode(this.#text);
    if (hashOf(this.#context.host, bytes) === loaded.hash) return bytes;
    return (await this.encode({ document: loaded.document })).bytes;
  }

  /** What was just written. */
  written(document: Json | undefined, text: string, record: RecordHeader): Loaded {
    this.#text = text;
    const { hash, generation } = record;
    return this.#loaded({ document, hash, locate: this.#locator(text) }, generation, record);
  }

  async #look(): Promise<Sight> {
    return await look({ read: () => this.#file.glance(), place: () => this.place });
  }

  async #readJudged(): Promise<Found | undefined> {
    const found = await this.#file.read();
    if (found !== undefined) this.#file.judge(found.stat);
    return found;
  }

  /**
   * A publication that lags behind is most likely about to be made. It is only made here at the first look, when whoever
   * began it may be gone, and when it did not come for a while.
   *
   * @returns whether anything was done
   */
  async #recover(sight: Sight, isFirst: boolean): Promise<boolean> {
    const { standing, view, place, found, newest } = sight;
    if (standing.kind === "unfinished") {
      await finishCommit(place, standing);
      return true;
    }
    const isMissing = standing.kind === "missing";
    const isLost = isMissing && (isFirst || view!.gone.length > 0);
    if (isLost || (isFirst && view !== undefined && view.gone.length > 0)) {
      await settleGone(this.parts(), sight);
    }
    if (standing.kind !== "stale" && !isLost) {
      this.#lag = undefined;
      return false;
    }
    const nowMs = this.#context.host.monotonic();
    const key = `${found?.stat.identity} ${newest?.generation}`;
    if (this.#lag?.key !== key) this.#lag = { key, sinceMs: nowMs };
    if (!isFirst && !isLost && nowMs - this.#lag.sinceMs < publicationLagMs) return false;
    if (isLost) {
      this.#context.warn(
        `Found no ${this.#file.path}: generation ${
          newest!.generation
        } is put back from ${place.log.directory}; ` +
          "to do without it, remove the document through a config",
      );
    }
    await rollForward(this.parts(), sight);
    return true;
  }

  #decode(
    { bytes, hash }: Pick<Found, "bytes" | "hash">,
  ): Content & Pick<Loaded, "hash"> {
    if (this.#decoded?.hash === hash) return this.#decoded;
    try {
      const { document, text } = this.#format.decode(bytes, this.#file.path);
      this.#text = text;
      this.#decoded = { document, hash, locate: this.#locator(text) };
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      this.#decoded = {
        document: undefined,
        fault: error,
        hash,
        locate: unlocated(this.#file.path),
      };
    }
    return this.#decoded;
  }

  #loaded(
    content: Pick<Loaded, "document" | "hash"> & Partial<Loaded>,
    generation: number,
    header?: RecordHeader,
  ): Loaded {
    return {
      generation,
      locate: unlocated(this.#file.path),
      warnings: [],
      resolvedPaths: [this.place.path],
      ...(header === undefined
        ? {}
        : { record: { origin: header.origin, calls: header.calls, at: header.at } }),
      ...content,
    };
  }

  #locator(text: string): Loaded["locate"] {
    return locatorOf(this.#format, text, this.#file.path);
  }
}
