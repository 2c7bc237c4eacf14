import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { together } from "../../core/promise.ts";
import type { Format } from "../../format/format.ts";
import type {
  Loaded,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../../source/source.ts";
import { newRecord } from "../record.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "../store.ts";
import { outdated, withoutHistory, withoutRecord } from "../store_error.ts";
import type { ConfigFile, Found } from "./config_file.ts";
import { Contention } from "./contention.ts";
import { generationOf, keptGenerations, readGeneration } from "./history.ts";
import { FileIntents } from "./intents.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import { FileReader } from "./reader.ts";
import { Recorder, type RecorderParts } from "./recorder.ts";
import { finishCommit } from "./recovery.ts";
import { RunningContent } from "./running_content.ts";
import type { Sight } from "./sight.ts";
import { Superseded } from "./superseded.ts";
import { purgeBefore, Upkeep } from "./upkeep.ts";

/** A config file in use, with the log beside it. */
export class OpenFile implements OpenStore {
  readonly backend = "file";
  readonly #file: ConfigFile;
  readonly #context: SourceContext;
  readonly #reader: FileReader;
  #sight: Sight | undefined;
  readonly #content: RunningContent = new RunningContent();
  /** What somebody saved that could not be recorded, since it was replaced meanwhile. */
  #missed: Found | undefined;
  readonly #contention: Contention = new Contention();
  readonly #upkeep: Upkeep;
  readonly #recorderParts: RecorderParts;
  readonly #intents: FileIntents;
  #recorder: { readonly of: LogPlace; readonly recorder: Recorder } | undefined;

  constructor(file: ConfigFile, format: Format, context: SourceContext) {
    this.#file = file;
    this.#context = context;
    const reader = this.#reader = new FileReader(file, format, context);
    const superseded = new Superseded((...lost) => reader.keepAside(...lost));
    const upkeep = this.#upkeep = new Upkeep(superseded, context.history);
    this.#intents = new FileIntents(() => reader.followed(), context.warn);
    this.#recorderParts = { host: context.host, read: () => file.reread(), upkeep };
  }

  async load(considered = 0): Promise<Loaded> {
    const isFirst = this.#sight === undefined;
    let sight = await this.#reader.look();
    if (await this.#recordMissed(sight)) sight = await this.#reader.look();
    this.#sight = sight;
    this.#upkeep.goOn(sight.place);
    const { found, newest, standing } = sight;
    if (standing.kind === "unlogged") return this.#loadUnlogged(found);
    const current = this.#content.recorded;
    const isNewest = current?.generation === newest?.generation && current?.hash === newest?.hash;
    // What is missing at first could not be put back; later on, somebody deleted it.
    const isOurs = standing.kind === "current" || standing.kind === "stale" ||
      standing.kind === "unfinished" || (standing.kind === "missing" && isFirst);
    if (isOurs && current !== undefined && isNewest) return this.#reader.again(current, found);
    // What runs under a number of this process alone may have lost that number to another.
    const running = current?.generation ?? (this.#content.current?.generation ?? 1) - 1;
    const isNews = newest !== undefined && !isFirst &&
      newest.generation > Math.max(considered, running);
    if (newest !== undefined && (isOurs || isNews)) {
      const [loaded] = await together([
        this.#reader.recorded(sight, this.#content.current?.generation ?? 0),
        this.#recorderOf(sight.place).secure(sight.place, newest.generation),
      ]);
      // It was collected just now, so there is a newer one.
      if (loaded === undefined) return await this.load(considered);
      return isOurs ? loaded : { ...loaded, more: true };
    }
    if (this.#content.uncounted !== undefined && this.#content.current?.hash === found?.hash) {
      return this.#reader.again(this.#content.current!, found);
    }
    return this.#reader.unrecorded(found, newest?.generation ?? sight.view?.top ?? 0);
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    if (loaded.record !== undefined) return this.#take(loaded);
    const sight = this.#sight!;
    const { found, standing, place } = sight;
    if (found === undefined || found.hash !== loaded.hash || loaded === this.#content.current) {
      return loaded;
    }
    if (standing.kind === "unlogged" && this.#content.current === undefined) {
      const counted = await this.#count(loaded, found);
      if (counted.generation > 1) this.#context.warn(withoutHistory(this.#file.path));
      return counted;
    }
    try {
      await place.open();
      if (standing.kind === "unfinished") {
        await finishCommit(place, standing);
        throw this.#conflict(sight.view!.top, standing.generation);
      }
      await this.#recordCurrent(place);
      const edit = { loaded, bytes: found.bytes, found };
      const recorder = this.#recorderOf(place);
      return this.#take(await recorder.record(place, sight, this.#content.recorded, edit));
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      if (error.code === "CONFLICT") {
        this.#missed = found;
        throw error;
      }
      const view = await place.view().catch(() => undefined);
      const [top, seen] = [view?.top ?? 0, sight.view?.top ?? 0];
      if (top > Math.max(seen, this.#content.recorded?.generation ?? 0)) {
        throw this.#conflict(seen, top);
      }
      this.#context.warn(withoutRecord(this.#file.path, error));
      return await this.#count(loaded, found);
    }
  }

  async commit(change: StoreChange): Promise<Loaded> {
    // Where something runs its place is known; the commit finds out if a link was swapped.
    if ((this.#content.current?.hash ?? "") === "") await this.#file.writableTarget();
    const parts = this.#reader.parts();
    const { place } = parts;
    const top = Math.max(change.base.generation, this.#seen(place)?.view?.top ?? 0);
    const waits = change.waits ?? (() => true);
    return await this.#contention.inTurn(place, top, waits, () => this.#commit(change, parts));
  }

  async #commit(change: StoreChange, parts: ReturnType<FileReader["parts"]>): Promise<Loaded> {
    const { document, base, refused, cause } = change;
    const { place } = parts;
    const { text, bytes } = await this.#reader.encode(change);
    const isNew = await place.open();
    const isLost = this.#content.current === undefined
      ? base.generation > 0
      : isNew && this.#content.current.record !== undefined && await place.view() === undefined;
    // The log was deleted: what runs is the first of a new one.
    if (isLost) await this.#startAnew(base);
    const isRecorded = await this.#recordCurrent(place);
    const current = this.#content.current?.generation ?? 0;
    // What was recorded just now is the base, though its number may be another one.
    const isBase = current === base.generation || isRecorded || isLost;
    if (!isBase) throw this.#conflict(base.generation, current);
    // A generation that another process found good and this one refused is in the history already.
    const newest = this.#seen(place)?.newest;
    const isTheirs = refused !== undefined && (newest?.generation ?? 0) > current;
    const parent = isTheirs ? newest : this.#content.current;
    const isLogged = this.#content.recorded !== undefined;
    const record = newRecord(this.#context.host, {
      generation: await this.#recorderOf(place).next(place, this.#seen(place), isLogged),
      parent,
      cause,
      text: document === undefined ? undefined : bytes,
    });
    const refusedHash = refused?.record === undefined ? refused?.hash : undefined;
    const numbered = (view: LogView) => this.#contention.numbered(view);
    const { generation, id } = record;
    const commit = { ...parts, record, attempt: id, refusedHash, numbered };
    const { published, view } = await this.#upkeep.commit(commit);
    this.#upkeep.after(place, { generation, id, view, isReached: published });
    return this.#take(this.#reader.written(document, text, record));
  }

  async generations(): Promise<readonly number[]> {
    const { place } = this.#reader;
    const kept = await keptGenerations(place, this.#context.history);
    await this.#recorderOf(place).secure(place, kept[0] ?? 0);
    const { uncounted } = this.#content;
    return uncounted === undefined ? kept : [uncounted.stored.generation, ...kept];
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    const { place, decodeText } = this.#reader;
    const recorded = await readGeneration(place, generation, decodeText);
    if (recorded !== undefined) return recorded;
    const uncounted = this.#content.uncounted?.stored;
    return uncounted?.generation === generation ? uncounted : undefined;
  }

  async purge(before: number): Promise<number> {
    await this.#upkeep.idle();
    return await purgeBefore(this.#reader.parts(), before);
  }

  readIntent(): Promise<Json | undefined> {
    return this.#intents.read();
  }

  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return this.#intents.write(next, expected);
  }

  watch(options: SourceWatchOptions): Promise<SourceWatch> {
    return this.#reader.watch(options);
  }

  async close(): Promise<void> {
    await this.#upkeep.finish(this.#reader.place);
    await this.abandon();
  }

  async abandon(): Promise<void> {
    await this.#contention.leave();
  }

  #loadUnlogged(found: Found | undefined): Loaded {
    if (this.#content.current?.record !== undefined) {
      this.#context.warn(withoutHistory(this.#file.path));
      this.#content.forget();
    }
    const current = this.#content.current;
    if (current !== undefined && current.hash === (found?.hash ?? "")) {
      return this.#reader.again(current, found);
    }
    return this.#reader.unrecorded(found, current?.generation ?? 0);
  }

  /** Counts content in this process alone. */
  async #count(loaded: Loaded, { bytes }: Found): Promise<Loaded> {
    const sight = this.#sight!;
    const isRecorded = this.#content.recorded !== undefined;
    const next = await this.#recorderOf(sight.place).next(sight.place, sight, isRecorded);
    const generation = Math.max(next, (this.#content.current?.generation ?? 0) + 1);
    return this.#content.takeUncounted({ ...loaded, generation }, bytes, this.#now());
  }

  /** Takes what runs for the first of a new log, after the old one was deleted. */
  async #startAnew(base: Loaded): Promise<void> {
    this.#sight = undefined;
    this.#content.forget();
    if (base.document === undefined) return;
    this.#content.takeUncounted(base, await this.#reader.bytesOf(base), this.#now());
  }

  /** Gives what runs the record that it lacks, so that the next generation has something to build on. */
  async #recordCurrent(place: LogPlace): Promise<boolean> {
    const { uncounted, current: loaded } = this.#content;
    if (uncounted === undefined || loaded === undefined) return false;
    const known = await this.#recorderOf(place).find(place, this.#seen(place), loaded.hash);
    if (known !== undefined) {
      // Somebody else recorded it, and maybe went on from there.
      this.#content.take({ ...loaded, generation: known.generation, record: known });
      return false;
    }
    const found = this.#sight?.found?.hash === loaded.hash ? this.#sight.found : undefined;
    const edit = { loaded, bytes: uncounted.bytes, found };
    const recording = this.#recorderOf(place).record(place, this.#seen(place), undefined, edit);
    this.#content.take(await recording);
    return true;
  }

  /** @returns whether the log changed */
  async #recordMissed(sight: Sight): Promise<boolean> {
    const missed = this.#missed;
    this.#missed = undefined;
    if (missed === undefined || missed.hash === sight.found?.hash) return false;
    const recorder = this.#recorderOf(sight.place);
    const isRecorded = await recorder.recordMissed(sight, this.#content.recorded, {
      loaded: this.#content.current!,
      bytes: missed.bytes,
      found: undefined,
    });
    // By its text alone: what is edited in place is in a file of ours.
    if (!isRecorded && await generationOf(sight.place, missed.hash) === undefined) {
      await this.#reader.keepAside(sight.place, missed, undefined).catch(() => {});
    }
    return isRecorded;
  }

  #recorderOf(place: LogPlace): Recorder {
    if (this.#recorder?.of !== place) {
      const startsAfter = this.#recorder?.recorder.newest ?? 0;
      this.#recorder = { of: place, recorder: new Recorder(this.#recorderParts, startsAfter) };
    }
    return this.#recorder.recorder;
  }

  #seen(place: LogPlace): Sight | undefined {
    return this.#sight?.place === place ? this.#sight : undefined;
  }

  #take({ more: _, ...loaded }: Loaded): Loaded {
    this.#recorderOf(this.#reader.place).took(loaded.generation);
    return this.#content.take(loaded);
  }

  #conflict(expected: number, current: number): Error {
    return outdated(this.#file.path, { expected, current });
  }

  #now(): string {
    return new Date(this.#context.host.now()).toISOString();
  }
}
