import { diff } from "../../core/diff.ts";
import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { documentBytesMax, rereadMs, settleMsMax, settlePauseMs } from "../../core/limits.ts";
import { json } from "../../format/json.ts";
import { uniqueId } from "../../host/durable.ts";
import { hashOf } from "../../host/hash.ts";
import type {
  Loaded,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
} from "../../source/source.ts";
import type { OpenStore, StoreChange, StoredGeneration } from "../store.ts";
import { notKept, outdated, tooFar, tooLarge, withoutRecord } from "../store_error.ts";
import { PostgresContent, type Seen } from "./content.ts";
import { commitUnknown, isAnswer, mayHaveLanded, notStored, steppedBack } from "./error.ts";
import type { PostgresIntents } from "./intents.ts";
import type { PostgresLink } from "./link.ts";
import type { Attempt, Outcome, PostgresRows } from "./rows.ts";
import { watchRow } from "./watch.ts";

/** Where a document is in its database. */
export interface PostgresPlace {
  readonly link: PostgresLink;
  readonly rows: PostgresRows;
  readonly intents: PostgresIntents;
  readonly channel: string;
  /** The table of refused texts. */
  readonly refused: string;
  readonly key: string;
}

/** A document of a database in use. */
export class OpenPostgres implements OpenStore {
  readonly backend = "postgres";
  readonly #place: PostgresPlace;
  readonly #context: SourceContext;
  readonly #content: PostgresContent;
  /** As last seen; undefined while that is in doubt, so that nothing is answered from memory then. */
  #seen: Seen | undefined;
  #hasLooked = false;
  /** What was taken over or made here last. */
  #running: Pick<Loaded, "generation" | "hash"> = { generation: 0, hash: "" };
  /** What runs under a number of this process alone, since it could not be recorded. */
  #uncounted: Loaded | undefined;
  #foundAt: number | undefined;

  constructor(place: PostgresPlace, context: SourceContext) {
    this.#place = place;
    this.#context = context;
    this.#content = new PostgresContent(context.host, place.link.name);
  }

  async load(considered = 0): Promise<Loaded> {
    const isFirst = !this.#hasLooked;
    const seen = await this.#look();
    this.#hasLooked = true;
    const { loaded, row, isRecorded } = seen;
    if (isRecorded || row.newest === 0) return loaded;
    const { name } = this.#place.link;
    if (this.#uncounted?.hash === loaded.hash) return this.#uncounted;
    const isGone = loaded.document === undefined && loaded.fault === undefined;
    const isNews = !isFirst && row.newest > Math.max(considered, this.#running.generation);
    if (!isNews && !(isGone && isFirst)) return loaded;
    // What was stored last is known to have been good, which cannot be said of what stands there now.
    const stored = await this.#place.rows.history(row.newest);
    if (stored === undefined) return loaded;
    if (!isNews) {
      this.#context.warn(
        `Found the row of ${name} deleted; its generation ${row.newest} is read from the history`,
      );
    }
    return { ...this.#content.stored(stored), more: isNews };
  }

  async adopt({ more: _, ...loaded }: Loaded): Promise<Loaded> {
    if (loaded.record !== undefined) return this.#take(loaded);
    const seen = this.#seen;
    if (loaded.document === undefined || loaded.hash === this.#uncounted?.hash) return loaded;
    if (seen === undefined || seen.isRecorded || seen.loaded.hash !== loaded.hash) {
      throw this.#conflict(loaded.generation, seen?.row.newest ?? 0);
    }
    const { generation } = loaded;
    const cause = { origin: "external", calls: [] } as const;
    const running = this.#running;
    try {
      return await this.#make(
        { seen, base: running, text: seen.row.text, cause, isAside: false },
        loaded,
      );
    } catch (error) {
      if (!isHoldfastError(error, "READ_ONLY")) throw error;
      const { name } = this.#place.link;
      if (seen.row.newest < running.generation) {
        throw steppedBack(name, seen.row.newest, running.generation);
      }
      this.#context.warn(withoutRecord(name, error));
      return this.#uncounted = {
        ...loaded,
        generation: Math.max(generation, running.generation) + 1,
      };
    }
  }

  async commit(change: StoreChange): Promise<Loaded> {
    const { document, base, refused, cause } = change;
    const seen = this.#seen ?? await this.#look();
    const expected = refused ?? base;
    const { row, loaded } = seen;
    const isSame = expected.generation === loaded.generation && expected.hash === loaded.hash;
    const isUncounted = this.#uncounted !== undefined && expected.hash === loaded.hash;
    if (!isSame && !isUncounted) throw this.#conflict(base.generation, row.newest);
    const text = await this.#encode(change);
    // A text that is too long to be read is kept all the same.
    const isThere = row.text !== undefined || row.byteLength > 0;
    const isAside = refused !== undefined && !seen.isRecorded && isThere;
    const made = await this.#make({ seen, base, text, cause, isAside }, { document });
    if (isAside) {
      this.#context.warn(
        `Found what somebody saved in ${this.#place.link.name} about to be lost; it is kept in ${this.#place.refused}`,
      );
    }
    return made;
  }

  async generations(): Promise<readonly number[]> {
    return await this.#place.rows.generations(this.#context.history);
  }

  async read(generation: number): Promise<StoredGeneration | undefined> {
    const stored = await this.#place.rows.history(generation);
    if (stored === undefined) return undefined;
    const { text: _, ...header } = stored;
    return { ...header, document: this.#content.decoded(stored) };
  }

  async purge(before: number): Promise<number> {
    const { rows, link } = this.#place;
    const [newest = 0] = await rows.generations(1);
    if (newest > 0 && before > newest) throw tooFar(link.name, before, newest);
    return await rows.purge(Math.min(Math.max(before, 0), newest));
  }

  readIntent(): Promise<Json | undefined> {
    return this.#place.intents.read();
  }

  writeIntent(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    return this.#place.intents.write(next, expected);
  }

  async watch(options: SourceWatchOptions): Promise<SourceWatch> {
    const { link, channel, key } = this.#place;
    const sightings = {
      foundAt: () => this.#foundAt,
      isBlind: () => this.#seen === undefined,
    };
    return await watchRow(link, channel, key, this.#context, options, sightings);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Reads the row, or finds by a glance that it is the one that was read before. */
  async #look(): Promise<Seen> {
    const { rows, link: { host } } = this.#place;
    const known = this.#seen;
    // Until the glance has succeeded, what is in memory counts for nothing.
    this.#seen = undefined;
    if (known !== undefined && host.monotonic() - known.atMs < rereadMs) {
      // A server that answers, though not this, is asked for everything.
      const stamp = await rows.glance().catch((error: unknown) => {
        if (!isAnswer(error)) throw error;
      });
      if (stamp === known.row.stamp) return this.#seen = known;
    }
    const row = await rows.read(this.#running.generation);
    const seen = this.#content.see(row, this.#running.generation);
    // Without anything to compare with, it may be what was there all along; and of a row that was only moved nobody is told.
    const isNews = known !== undefined &&
      (known.row.generation !== row.generation || known.loaded.hash !== seen.loaded.hash);
    if (isNews) this.#foundAt = host.monotonic();
    return this.#seen = seen;
  }

  async #encode({ document, restores }: StoreChange): Promise<string | undefined> {
    if (document === undefined) return undefined;
    const { link: { name }, rows } = this.#place;
    if (restores !== undefined) {
      const kept = await rows.history(restores.generation);
      if (kept?.hash !== restores.hash) throw notKept(name, restores.generation);
      // One of an older version was migrated on its way.
      const isSame = diff(this.#content.decoded(kept)!, document).length === 0;
      if (isSame) return kept.text;
    }
    const text = json.encode(document, this.#seen?.row.text);
    const { length } = new TextEncoder().encode(text);
    if (length <= documentBytesMax) return text;
    throw tooLarge(`write ${name}`, length);
  }

  async #make(making: Making, content: { readonly document: Json | undefined }): Promise<Loaded> {
    const { seen, base, text, cause, isAside } = making;
    const { host, history } = this.#context;
    const at = new Date(host.now()).toISOString();
    const hash = text === undefined ? "" : hashOf(host, new TextEncoder().encode(text));
    const record = { id: uniqueId(host), hash, at, ...cause };
    const { version } = seen.row;
    const attempt: Attempt = { version, base, kept: history, isAside, text, record };
    const outcome = await this.#carryOut(attempt, Math.max(base.generation, seen.row.newest));
    if (outcome.kind !== "made") {
      this.#seen = undefined;
      throw this.#conflict(base.generation, outcome.newest);
    }
    const { generation } = outcome;
    const made = this.#content.made(content.document, text, { generation, ...record });
    this.#seen = outcome.version === undefined
      ? undefined
      : this.#content.seenMade(made, text, outcome.version);
    return this.#take(made);
  }

  /** @param newest before it */
  async #carryOut(attempt: Attempt, newest: number): Promise<Outcome> {
    const { rows, link } = this.#place;
    try {
      return await rows.commit(attempt);
    } catch (error) {
      this.#seen = undefined;
      if (isHoldfastError(error, "CONFLICT")) {
        return { kind: "conflict", newest: newest + 1 };
      }
      if (!mayHaveLanded(error)) throw error;
      const outcome = await this.#settle(attempt.record.id, error);
      if (outcome.kind !== "lost") return outcome;
      if (outcome.newest <= newest) throw notStored(link.name, link.sql.options, error);
      // Its record may have been collected since, unless the number that it would have is another's.
      const isTaken = await rows.history(newest + 1).then(
        (other) => other !== undefined,
        () => false,
      );
      if (isTaken) return { kind: "conflict", newest: outcome.newest };
      throw commitUnknown(link.name, error);
    }
  }

  /** Asks what became of a commit until somebody answers, but not for ever. */
  async #settle(id: string, error: unknown): Promise<Outcome> {
    const { rows, link: { host, name } } = this.#place;
    const giveUpAt = host.monotonic() + settleMsMax;
    for (;;) {
      try {
        return await rows.settle(id);
      } catch {
        if (host.monotonic() >= giveUpAt) throw commitUnknown(name, error);
        await host.sleep(settlePauseMs, { keepAlive: false });
      }
    }
  }

  #take(loaded: Loaded): Loaded {
    const { generation, hash } = loaded;
    this.#running = { generation, hash };
    this.#uncounted = undefined;
    return loaded;
  }

  #conflict(expected: number, current: number): Error {
    return outdated(this.#place.link.name, { expected, current });
  }
}

interface Making extends Pick<StoreChange, "cause">, Pick<Attempt, "base" | "text" | "isAside"> {
  readonly seen: Seen;
}
