import { isHoldfastError } from "../core/error.ts";
import type { Format } from "../format/format.ts";
import { uniqueId } from "../host/durable.ts";
import type { Host } from "../host/host.ts";
import type { Loaded, SourceContext, SourceWatch, SourceWatchOptions } from "../source/source.ts";
import { commitGeneration } from "./commit.ts";
import type { ConfigFile, Found } from "./config_file.ts";
import { Contention } from "./contention.ts";
import { FileReader } from "./file_reader.ts";
import { keptGenerations, readGeneration } from "./file_history.ts";
import { outdated } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import { type GenerationRecord, hashOf } from "./record.ts";
import { Recorder } from "./recorder.ts";
import { isOurs, type Sight } from "./sight.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "./store.ts";
import { Superseded } from "./superseded.ts";
import { purgeBefore, Upkeep } from "./upkeep.ts";

/** Content that runs without a record: found where there is no log, or where none can be kept. */
interface Uncounted {
  readonly stored: StoredGeneration;
  readonly bytes: Uint8Array;
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
  /** What somebody saved that could not be recorded, since it was replaced meanwhile. */
  #missed: Found | undefined;
  readonly #contention: Contention = new Contention();
  readonly #upkeep: Upkeep;
  readonly #recorder: Recorder;

  constructor(file: ConfigFile, format: Format, context: SourceContext) {
    this.#file = file;
    this.#format = format;
    this.#context = context;
    this.#host = context.host;
    const reader = this.#reader = new FileReader(file, format, context);
    const superseded = new Superseded((...lost) => reader.keepAside(...lost));
    const upkeep = this.#upkeep = new Upkeep(superseded, context.history);
    this.#recorder = new Recorder({ host: context.host, read: () => file.read(), upkeep });
  }

  async load(considered = 0): Promise<Loaded> {
    const isFirst = this.#sight === undefined;
    let sight = await this.#reader.look();
    if (await this.#recordMissed(sight)) sight = await this.#reader.look();
    this.#sight = sight;
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
      await this.#recorder.secure(this.#reader.place, loaded.generation);
      return this.#take(loaded);
    }
    const sight = this.#sight!;
    const { found, standing, place } = sight;
    if (found === undefined || found.hash !== loaded.hash || loaded === this.#current) {
      return loaded;
    }
    const isFirst = standing.kind === "unlogged" && this.#current === undefined;
    if (isFirst) {
      const counted = await this.#count(loaded, found);
      if (counted.generation > 1) this.#tellLost();
      return counted;
    }
    try {
      await place.open();
      await this.#recordCurrent(place);
      const { bytes } = found;
      return this.#take(
        await this.#recorder.record(place, sight, this.#recorded, { loaded, bytes, found }),
      );
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      if (error.code === "CONFLICT") {
        this.#missed = found;
        throw error;
      }
      const view = await place.view().catch(() => undefined);
      const [top, seen] = [view?.top ?? 0, sight.view?.top ?? 0];
      if (top > Math.max(seen, this.#recorded?.generation ?? 0)) throw this.#conflict(seen, top);
      this.#context.warn(`${error.message}; the edit runs without a record of its own`);
      return await this.#count(loaded, found);
    }
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const { document, base, refused, cause } = change;
    await this.#upkeep.idle();
    // Where something runs its place is known; the commit finds out if a link was swapped.
    if ((this.#current?.hash ?? "") === "") await this.#file.writableTarget();
    const parts = this.#reader.parts();
    const { place } = parts;
    const { text, bytes } = await this.#reader.encode(change);
    const isNew = await place.open();
    const isLost = this.#current === undefined
      ? base.document !== undefined
      : isNew && this.#current.record !== undefined && await place.view() === undefined;
    // The log was deleted: what runs is the first of a new one.
    if (isLost) {
      this.#sight = undefined;
      this.#runUncounted(base, await this.#reader.bytesOf(base));
    }
    const isRecorded = await this.#recordCurrent(place);
    const current = this.#current?.generation ?? 0;
    // What was recorded just now is the base, though its number may be another one.
    if (current !== base.generation && !isRecorded) throw this.#conflict(base.generation, current);
    // A generation that another process found good and this one refused is in the history already.
    const isTheirs = refused?.record !== undefined;
    const parent = isTheirs ? refused : isRecorded ? this.#current! : base;
    const record: GenerationRecord = {
      generation: await this.#recorder.next(place, this.#seen(place), this.#recorded !== undefined),
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
    const { generation, id } = record;
    this.#upkeep.after(place, { generation, id, view, isReached: published });
    return this.#take(this.#reader.written(document, text, record));
  }

  async generations(): Promise<readonly number[]> {
    const { place } = this.#reader;
    const kept = await keptGenerations(place, this.#context.history);
    await this.#recorder.secure(place, kept[0] ?? 0);
    return this.#uncounted === undefined ? kept : [this.#uncounted.stored.generation, ...kept];
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    const recorded = await readGeneration(this.#reader.place, generation, (text) => {
      const source = `generation ${generation} of ${this.#file.path}`;
      return this.#format.decode(text, source).document;
    });
    if (recorded !== undefined) return recorded;
    return this.#uncounted?.stored.generation === generation ? this.#uncounted.stored : undefined;
  }

  async purge(before: number): Promise<number> {
    await this.#upkeep.idle();
    const sight = await this.#reader.look();
    if (sight.view === undefined) return 0;
    if (sight.standing.kind !== "current" || before > sight.newest!.generation) {
      throw this.#conflict(before, sight.newest?.generation ?? 0);
    }
    return before > 1 ? await purgeBefore(sight, before) : 0;
  }

  watch(options: SourceWatchOptions): Promise<SourceWatch> {
    return this.#reader.watch(options);
  }

  async close(): Promise<void> {
    await this.#upkeep.idle();
    await this.#contention.leave(this.#reader.place).catch(() => {});
  }

  #loadUnlogged(found: Found | undefined): Loaded {
    if (this.#current?.record !== undefined) {
      this.#tellLost();
      this.#current = undefined;
    }
    const current = this.#current;
    if (current !== undefined && current.hash === (found?.hash ?? "")) {
      return this.#reader.again(current, found);
    }
    return this.#reader.unrecorded(found, current?.generation ?? 0);
  }

  #tellLost(): void {
    this.#context.warn(
      `Found no history beside ${this.#file.path} any more; its generations go on at a number that was never used`,
    );
  }

  /** Counts content in this process alone. */
  async #count(loaded: Loaded, { bytes }: Found): Promise<Loaded> {
    const sight = this.#sight!;
    const next = await this.#recorder.next(sight.place, sight, this.#recorded !== undefined);
    const generation = Math.max(next, (this.#current?.generation ?? 0) + 1);
    return this.#runUncounted({ ...loaded, generation }, bytes);
  }

  #runUncounted({ record: _, ...loaded }: Loaded, bytes: Uint8Array): Loaded {
    const { generation, hash, document } = loaded;
    const origin = { parent: 0, parentHash: "", origin: "external", calls: [] } as const;
    this.#uncounted = { bytes, stored: { generation, hash, document, at: this.#now(), ...origin } };
    return this.#current = loaded;
  }

  /** Gives what runs the record that it lacks, so that the next generation has something to build on. */
  async #recordCurrent(place: LogPlace): Promise<boolean> {
    if (this.#uncounted === undefined || this.#current === undefined) return false;
    const { bytes } = this.#uncounted;
    const loaded = this.#current;
    const found = this.#sight?.found;
    const isThere = found?.hash === loaded.hash;
    this.#current = await this.#recorder.record(place, this.#seen(place), undefined, {
      loaded,
      bytes,
      found: isThere ? found : undefined,
    });
    this.#uncounted = undefined;
    return true;
  }

  /**
   * What somebody saved, and saved over again while it was being recorded, is recorded all the same, if nothing else came in
   * between; otherwise it is kept aside.
   *
   * @returns whether the log changed
   */
  async #recordMissed(sight: Sight): Promise<boolean> {
    const missed = this.#missed;
    this.#missed = undefined;
    const { place, view, newest, found, standing } = sight;
    if (missed === undefined || missed.hash === found?.hash || view === undefined) return false;
    if (await isOurs(place, view, missed)) return false;
    const isNext = standing.kind === "edited" && newest?.generation === this.#current?.generation;
    try {
      if (!isNext) throw this.#conflict(newest?.generation ?? 0, view.top);
      const loaded = this.#current!;
      const { bytes } = missed;
      await this.#recorder.record(place, sight, this.#recorded, {
        loaded,
        bytes,
        found: undefined,
      });
      return true;
    } catch {
      await this.#reader.keepAside(place, missed, undefined).catch(() => {});
      return false;
    }
  }

  /** What runs, if it has a record. */
  get #recorded(): Loaded | undefined {
    return this.#current?.record === undefined ? undefined : this.#current;
  }

  #seen(place: LogPlace): Sight | undefined {
    return this.#sight?.place === place ? this.#sight : undefined;
  }

  #take({ more: _, ...loaded }: Loaded): Loaded {
    this.#uncounted = undefined;
    this.#recorder.took(loaded.generation);
    return this.#current = loaded;
  }

  #conflict(expected: number, current: number): Error {
    return outdated(this.#file.path, { expected, current });
  }

  #now(): string {
    return new Date(this.#host.now()).toISOString();
  }
}
