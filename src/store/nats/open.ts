import { type Cause, joinCauses } from "../../core/cause.ts";
import { diff } from "../../core/diff.ts";
import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { generationsToldMax } from "../../core/limits.ts";
import { json } from "../../format/json.ts";
import type {
  Loaded,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../../source/source.ts";
import { type GenerationRecord, newRecord } from "../record.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "../store.ts";
import { notKept, outdated, tooFar } from "../store_error.ts";
import { NatsBucket, type NatsPlace } from "./bucket.ts";
import { NatsHistory } from "./history.ts";
import { NatsIntents } from "./intents.ts";
import { NatsLink } from "./link.ts";
import { decodeKept, loadedFrom, storedFrom } from "./loaded.ts";
import { putRecord } from "./put.ts";
import { type NatsSight, NatsView } from "./view.ts";
import { watchNats } from "./watch.ts";

/** One key of a bucket of NATS in use. */
export class OpenNats implements OpenStore {
  readonly backend = "nats";
  readonly #context: SourceContext;
  readonly #bucket: NatsBucket;
  readonly #history: NatsHistory;
  readonly #view: NatsView;
  readonly #link: NatsLink;
  readonly #intents: NatsIntents;
  #isFirst = true;
  /** What runs. */
  #running: Loaded | undefined;
  /** What runs at a number of this process alone, since it could not be recorded. */
  #uncounted: { readonly revision: number; readonly loaded: Loaded } | undefined;
  /** What the last look gave, so that it is not decoded again. */
  #decoded: { readonly sight: NatsSight; readonly loaded: Loaded } | undefined;

  constructor(place: NatsPlace, context: SourceContext) {
    this.#context = context;
    const bucket = this.#bucket = new NatsBucket(place, context.host);
    const history = this.#history = new NatsHistory(context.host, bucket);
    this.#view = new NatsView(context, bucket, history);
    this.#link = new NatsLink(place.connection);
    this.#intents = new NatsIntents(place, context, {
      isConnected: () => this.#link.isConnected,
      needBucket: async () => {
        await this.#view.last();
        await this.#needBucket();
      },
    });
  }

  async load(considered = 0): Promise<Loaded> {
    const sight = await this.#view.look();
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const { message, newest } = sight;
    if (message.kind === "record") return await this.#recorded(this.#shown(sight));
    if (this.#uncounted?.revision === message.revision) return this.#uncounted.loaded;
    const passed = Math.max(considered, this.#running?.generation ?? -1);
    const older = !isFirst && newest !== undefined && newest.generation > passed
      ? await this.#history.read(newest.generation)
      : undefined;
    if (older === undefined) return this.#shown(sight);
    const past = this.#decode({
      ...sight,
      message: {
        kind: "record",
        revision: 0,
        follows: { revision: 0, tag: "" },
        record: older,
      },
    });
    return { ...await this.#recorded(past), more: true };
  }

  async adopt(loaded: Loaded): Promise<Loaded> {
    if (loaded.record !== undefined || loaded.document === undefined) return this.#take(loaded);
    if (loaded === this.#uncounted?.loaded) return loaded;
    const sight = await this.#view.last();
    const { message, highest } = sight;
    if (message.kind !== "text" || this.#shown(sight).hash !== loaded.hash) {
      throw this.#conflict(loaded.generation, highest + 1);
    }
    const record = this.#next(sight, message.text, { origin: "external", calls: [] });
    try {
      return this.#take(await this.#put(record, message.revision));
    } catch (error) {
      const isLasting = isHoldfastError(error, "READ_ONLY") || isHoldfastError(error, "TOO_LARGE");
      if (!isLasting) throw error;
      this.#context.warn(`${error.message}; its generations are counted in this process alone`);
      const counted = { ...loaded, generation: record.generation };
      this.#uncounted = { revision: message.revision, loaded: counted };
      return this.#take(counted);
    }
  }

  async commit({ document, base, refused, cause, restores }: StoreChange): Promise<Loaded> {
    const sight = await this.#view.last();
    const { revision } = sight.message;
    const { generation, hash } = refused ?? base;
    const there = this.#uncounted?.revision === revision
      ? this.#uncounted.loaded
      : this.#shown(sight);
    if (there.generation !== generation || there.hash !== hash) {
      throw this.#conflict(generation, there.generation);
    }
    if (this.#view.isBehind) throw this.#view.lagging();
    const text = await this.#encode(sight, document, restores);
    await this.#needBucket();
    const record = this.#next(sight, text, cause);
    return this.#take(await this.#put(record, revision));
  }

  async generations(): Promise<readonly number[]> {
    if (!this.#view.hasBucket && await this.#bucket.describe() === undefined) return [];
    return (await this.#history.list()).map(({ generation }) => generation).toReversed();
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    const record = await this.#history.read(generation);
    return record === undefined ? undefined : storedFrom(record, this.#bucket.place.name);
  }

  async purge(before: number): Promise<number> {
    const kept = await this.#history.list();
    const newest = kept.at(-1);
    if (newest === undefined) return 0;
    const { generation: current } = newest;
    if (before > current) throw tooFar(this.#bucket.place.name, before, current);
    const first = kept.find(({ generation }) => generation >= before)!;
    const gone = kept.indexOf(first);
    if (gone > 0) await this.#bucket.purge(first.revision);
    return gone;
  }

  readIntent(): Promise<Json | undefined> {
    return this.#intents.read();
  }

  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return this.#intents.write(next, expected);
  }

  watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const { host, keepAlive, warn } = this.#context;
    const revision = () => this.#view.revision;
    const parts = { host, keepAlive, warn, bucket: this.#bucket, link: this.#link, revision };
    return Promise.resolve(watchNats(parts, options));
  }

  /** The connection stays open: it is the caller's. */
  close(): Promise<void> {
    this.#link.close();
    return Promise.resolve();
  }

  async #needBucket(): Promise<void> {
    if (!this.#view.hasBucket) this.#view.made(await this.#bucket.create(this.#context.history));
  }

  /** @returns the same content at its new generation */
  async #put(record: GenerationRecord, expected: number): Promise<Loaded> {
    const { host } = this.#context;
    const outcome = await putRecord({
      host,
      bucket: this.#bucket,
      history: this.#history,
      record,
      follows: this.#history.followed(expected),
      isConnected: () => this.#link.isConnected,
      isGone: () => this.#view.isGone(),
    });
    if (outcome.kind === "lost") {
      this.#view.lost(outcome.found);
      throw this.#conflict(record.parent, record.generation);
    }
    return this.#shown(this.#view.put(record, outcome.revision));
  }

  #next(
    { newest, highest }: NatsSight,
    text: Uint8Array | undefined,
    cause: Cause,
  ): GenerationRecord {
    return newRecord(this.#context.host, {
      generation: Math.max(highest, this.#uncounted?.loaded.generation ?? 0) + 1,
      parent: newest,
      cause,
      text,
    });
  }

  /** What is there, as it was decoded when it was first seen. */
  #shown(sight: NatsSight): Loaded {
    if (this.#decoded?.sight.message !== sight.message) {
      this.#decoded = { sight, loaded: this.#decode(sight) };
    }
    return this.#decoded!.loaded;
  }

  #decode(sight: NatsSight): Loaded {
    return loadedFrom(this.#context.host, sight, this.#bucket.place.name);
  }

  /** What a record holds, with the calls of all that came after what runs. */
  async #recorded(loaded: Loaded): Promise<Loaded> {
    const since = this.#running?.generation ?? 0;
    const { generation, record } = loaded;
    if (record === undefined || since === 0 || generation <= since + 1) return loaded;
    const kept = await this.#history.list();
    const passed = kept.filter((each) => each.generation > since && each.generation < generation)
      .slice(-generationsToldMax);
    return {
      ...loaded,
      record: { ...record, ...joinCauses([...passed, record], generation - since) },
    };
  }

  /** How a document is to be written: in the style of the last text, or the very way that a kept generation was. */
  async #encode(
    { message }: NatsSight,
    document: Json | undefined,
    restores: StoreChange["restores"],
  ): Promise<Uint8Array | undefined> {
    if (document === undefined) return undefined;
    const { name } = this.#bucket.place;
    if (restores !== undefined) {
      const record = await this.#history.read(restores.generation);
      if (record?.hash !== restores.hash) throw notKept(name, restores.generation);
      // One of an older version was migrated on its way.
      const isSame = diff(decodeKept(record.text, name), document).length === 0;
      if (isSame) return record.text;
    }
    const bytes = message.kind === "record" ? message.record.text : undefined;
    const previous = message.kind === "text" ? message.text : bytes;
    const style = previous === undefined ? undefined : new TextDecoder().decode(previous);
    return new TextEncoder().encode(json.encode(document, style));
  }

  #take({ more: _, ...loaded }: Loaded): Loaded {
    if (this.#uncounted?.loaded.hash !== loaded.hash) this.#uncounted = undefined;
    return this.#running = loaded;
  }

  #conflict(expected: number, current: number): Error {
    return outdated(this.#bucket.place.name, { expected, current });
  }
}
