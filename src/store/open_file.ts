import { holdfastError, isHoldfastError } from "../core/error.ts";
import type { Format } from "../format/format.ts";
import { uniqueId } from "../host/durable.ts";
import type { Host } from "../host/host.ts";
import { directoryOf } from "../host/path.ts";
import { watchDirectories } from "../host/watch.ts";
import type { Loaded, SourceContext, SourceWatch, SourceWatchOptions } from "../source/source.ts";
import { adoptEdit } from "./adopt.ts";
import { commitGeneration } from "./commit.ts";
import type { ConfigFile, Found } from "./config_file.ts";
import { Contention } from "./contention.ts";
import { FileReader } from "./file_reader.ts";
import { keptGenerations, readGeneration } from "./file_history.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import { type GenerationRecord, hashOf } from "./record.ts";
import type { Sight } from "./sight.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "./store.ts";
import { purgeBefore, tidy } from "./upkeep.ts";

/** Content that runs without a record: found where there is no log, or where none can be kept. */
interface Uncounted {
  readonly bytes: Uint8Array;
  readonly at: string;
}

/** A config file in use, with the log beside it. */
export class OpenFile implements OpenStore {
  readonly backend = "file";
  readonly #file: ConfigFile;
  readonly #format: Format;
  readonly #context: SourceContext;
  readonly #host: Host;
  readonly #reader: FileReader;
  #sight: Sight | undefined;
  /** The content that runs. */
  #current: Loaded | undefined;
  /** Set while what runs has no record. */
  #uncounted: Uncounted | undefined;
  /** The newest generation whose record was seen: no number up to there is given again. */
  #numbered = 0;
  /** The newest generation whose record was seen durable. */
  #durable = 0;
  #tidying: Promise<void> = Promise.resolve();
  readonly #contention: Contention = new Contention();

  constructor(file: ConfigFile, format: Format, context: SourceContext) {
    this.#file = file;
    this.#format = format;
    this.#context = context;
    this.#host = context.host;
    this.#reader = new FileReader(file, format, context);
  }

  async load(considered = 0): Promise<Loaded> {
    const isFirst = this.#sight === undefined;
    const sight = this.#sight = await this.#reader.look();
    const { found, newest, standing } = sight;
    if (standing.kind === "unlogged") return this.#loadUnlogged(found);
    const current = this.#uncounted === undefined ? this.#current : undefined;
    const isNewest = current?.generation === newest?.generation && current?.hash === newest?.hash;
    // What is missing at first could not be put back; later on, somebody deleted it.
    const isOurs = standing.kind === "current" || standing.kind === "stale" ||
      standing.kind === "unfinished" || (standing.kind === "missing" && isFirst);
    if (isOurs && current !== undefined && isNewest) return this.#reader.again(current, found);
    const isNews = newest !== undefined && !isFirst &&
      newest.generation > Math.max(considered, current?.generation ?? 0);
    if (newest !== undefined && (isOurs || isNews)) {
      const loaded = await this.#reader.recorded(sight, newest);
      // It was collected just now, so there is a newer one.
      if (loaded === undefined) return await this.load(considered);
      return isOurs ? loaded : { ...loaded, more: true };
    }
    if (this.#uncounted !== undefined && this.#current?.hash === found?.hash) {
      return this.#reader.again(this.#current!, found);
    }
    return this.#reader.unrecorded(found, newest?.generation ?? sight.view?.top ?? 0);
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    if (loaded.record !== undefined) {
      // Visible is not yet durable.
      if (loaded.generation > this.#durable) await this.#reader.place.log.sync();
      return this.#take(loaded);
    }
    const { found, standing, place } = this.#sight!;
    if (found === undefined || found.hash !== loaded.hash || loaded === this.#current) {
      return loaded;
    }
    const isFirst = standing.kind === "unlogged" && this.#current === undefined;
    if (isFirst) return await this.#count(loaded, found);
    try {
      await place.open();
      await this.#recordCurrent(place);
      return await this.#record(place, loaded, found);
    } catch (error) {
      if (!isHoldfastError(error) || error.code === "CONFLICT") throw error;
      const view = await place.view().catch(() => undefined);
      const [top, seen] = [view?.top ?? 0, this.#sight?.view?.top ?? 0];
      if (top > Math.max(seen, this.#numbered)) throw this.#conflict(seen, top);
      this.#context.warn(`${error.message}; the edit runs without a record of its own`);
      return await this.#count(loaded, found);
    }
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const { document, base, refused, cause } = change;
    await this.#tidying;
    // Where something runs its place is known; the commit finds out if a link was swapped.
    if ((this.#current?.hash ?? "") === "") await this.#file.writableTarget();
    const parts = this.#reader.parts();
    const { place } = parts;
    const { text, bytes } = await this.#reader.encode(change);
    const isNew = await place.open();
    // The log was deleted, or another one is there: the next look tells where its numbers go on.
    if (isNew && this.#current?.record !== undefined && await place.view() === undefined) {
      throw this.#conflict(base.generation, 0);
    }
    await this.#recordCurrent(place);
    const current = this.#current?.generation ?? 0;
    if (current !== base.generation) throw this.#conflict(base.generation, current);
    // A generation that another process found good and this one refused is in the history already.
    const parent = refused?.record === undefined ? base : refused;
    const record: GenerationRecord = {
      generation: await this.#next(place),
      parent: parent.generation,
      parentHash: parent.hash,
      id: uniqueId(this.#host),
      hash: document === undefined ? "" : hashOf(this.#host, bytes),
      at: this.#now(),
      origin: cause.origin,
      calls: cause.calls,
      text: bytes,
    };
    if (await this.#contention.standBack(place, current)) {
      throw this.#conflict(current, record.generation);
    }
    const { published, view } = await commitGeneration({
      ...parts,
      record,
      attempt: record.id,
      refusedHash: refused?.record === undefined ? refused?.hash : undefined,
    }).catch(async (error: unknown) => {
      if (isHoldfastError(error, "CONFLICT")) {
        await this.#contention.lost(place, record.generation).catch(() => {});
      }
      throw error;
    });
    await this.#contention.won(place, view, record.id).catch(() => {});
    this.#durable = record.generation;
    this.#tidyAfter(place, record, view, published);
    return this.#take(this.#reader.written(document, text, record));
  }

  async generations(): Promise<readonly number[]> {
    const kept = await keptGenerations(this.#reader.place, this.#context.history);
    return this.#uncounted === undefined ? kept : [this.#current!.generation, ...kept];
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    if (this.#uncounted !== undefined && this.#current?.generation === generation) {
      const { document, hash } = this.#current;
      const origin = { parent: 0, parentHash: "", origin: "external", calls: [] } as const;
      return { generation, hash, document, at: this.#uncounted.at, ...origin };
    }
    return await readGeneration(this.#reader.place, generation, (text) => {
      const source = `generation ${generation} of ${this.#file.path}`;
      return this.#format.decode(text, source).document;
    });
  }

  async purge(before: number): Promise<number> {
    await this.#tidying;
    const sight = await this.#reader.look();
    if (sight.view === undefined) return 0;
    if (sight.standing.kind !== "current" || before > sight.newest!.generation) {
      throw this.#conflict(before, sight.newest?.generation ?? 0);
    }
    return before > 1 ? await purgeBefore(sight, before) : 0;
  }

  async watch({ timing, look }: SourceWatchOptions): Promise<SourceWatch> {
    return await watchDirectories(this.#host, {
      ...timing,
      look,
      directories: async () => {
        const target = await this.#file.follow();
        return [directoryOf(this.#file.path), directoryOf(target)];
      },
      keepAlive: this.#context.keepAlive,
      warn: this.#context.warn,
    });
  }

  async close(): Promise<void> {
    await this.#tidying;
    await this.#contention.leave(this.#reader.place).catch(() => {});
  }

  #loadUnlogged(found: Found | undefined): Loaded {
    if (this.#current?.record !== undefined) {
      this.#context.warn(
        `Found no history beside ${this.#file.path} any more; its generations go on at a number that was never used`,
      );
      this.#current = undefined;
    }
    const current = this.#current;
    if (current !== undefined && current.hash === (found?.hash ?? "")) {
      return this.#reader.again(current, found);
    }
    return this.#reader.unrecorded(found, current?.generation ?? 0);
  }

  /** Counts content in this process alone. */
  async #count(loaded: Loaded, { bytes, stat }: Found): Promise<Loaded> {
    const next = await this.#next(this.#sight!.place);
    const generation = Math.max(next, (this.#current?.generation ?? 0) + 1);
    this.#uncounted = { bytes, at: new Date(stat.modifiedMs).toISOString() };
    return this.#current = { ...loaded, generation };
  }

  /** Gives what runs the record that it lacks, so that the next generation has something to build on. */
  async #recordCurrent(place: LogPlace): Promise<void> {
    if (this.#uncounted === undefined || this.#current === undefined) return;
    const { bytes } = this.#uncounted;
    const { found } = this.#sight!;
    const isThere = found?.hash === this.#current.hash;
    await this.#record(place, this.#current, isThere ? found : undefined, bytes);
  }

  async #record(
    place: LogPlace,
    loaded: Loaded,
    found: Found | undefined,
    bytes: Uint8Array = found!.bytes,
  ): Promise<Loaded> {
    const newest = this.#sight?.place === place ? this.#sight.newest : undefined;
    const parent = this.#current?.record === undefined ? newest : this.#current;
    const record: GenerationRecord = {
      generation: await this.#next(place),
      parent: parent?.generation ?? 0,
      parentHash: parent?.hash ?? "",
      id: uniqueId(this.#host),
      hash: loaded.hash,
      at: this.#now(),
      origin: "external",
      calls: [],
      text: bytes,
    };
    const view = await adoptEdit({ place, record, found, read: () => this.#file.read() });
    this.#durable = record.generation;
    this.#tidyAfter(place, record, view, found !== undefined);
    const { generation, origin, calls, at } = record;
    return this.#take({ ...loaded, generation, record: { origin, calls, at } });
  }

  /** The number after every one that was given, as far as is known: the compare-and-swap finds out the rest. */
  async #next(place: LogPlace): Promise<number> {
    const sight = this.#sight?.place === place ? this.#sight : undefined;
    const after = sight?.standing.kind === "edited" ? sight.standing.after : 0;
    let marked = 0;
    if (sight?.view === undefined && this.#current?.record === undefined) {
      marked = await place.mark().catch(() => 0);
      // A mark without records says that they were deleted; or they have come since.
      if (marked > 0 && await place.view() !== undefined) throw this.#conflict(0, marked);
    }
    return Math.max(sight?.view?.top ?? 0, after, marked, this.#numbered) + 1;
  }

  #take(loaded: Loaded): Loaded {
    this.#uncounted = undefined;
    this.#numbered = Math.max(this.#numbered, loaded.generation);
    this.#durable = Math.max(this.#durable, loaded.generation);
    return this.#current = loaded;
  }

  #tidyAfter(
    place: LogPlace,
    record: GenerationRecord,
    view: LogView,
    isReached: boolean,
  ): void {
    // What cannot be cleared away now can be after the next commit.
    this.#tidying = this.#tidying
      .then(() => tidy(place, record, view, { history: this.#context.history, isReached }))
      .catch(() => {});
  }

  #conflict(expected: number, current: number): Error {
    return holdfastError(
      "CONFLICT",
      `Cannot write ${this.#file.path}: found generation ${current}, expected ${expected}; read it and try again`,
      { expected, current },
    );
  }

  #now(): string {
    return new Date(this.#host.now()).toISOString();
  }
}
