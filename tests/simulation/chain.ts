import { isDeepStrictEqual } from "node:util";
import type { Call, CountedDocument } from "./calls.ts";
import type { LogFiles, LogRecord } from "./log_files.ts";

/** Says that a rule was broken. */
export type Breach = (rule: string, message: string) => void;

/** What a chain of records is judged by. */
export interface ChainParts {
  readonly calls: ReadonlyMap<string, Call>;
  /** Whether somebody from outside wrote the text of this hash. */
  readonly isForeign: (hash: string) => boolean;
  /** The text of the seed, as a document. */
  readonly seed: CountedDocument | undefined;
  readonly breach: Breach;
  /** Looks for records that appeared since the last look. */
  readonly observe: () => void;
  /** Whether content may run without a record of its own, since none can be kept. */
  readonly mayLackRecords: boolean;
}

/**
 * What is known of every generation from the moment it appeared, and of what anybody was told about it. A record that
 * nobody was told of may be lost in a power cut; any other may not.
 */
export class Chain {
  readonly #parts: ChainParts;
  readonly #records = new Map<number, LogRecord>();
  /** Where each call stands. */
  readonly #made = new Map<string, number>();
  readonly #hashes = new Set<string>();
  readonly #exposed = new Map<number, string>();
  readonly #passedOver = new Set<number>();
  #floor = 0;
  #mayPassOver = false;
  #isLoose = false;

  /** Whether parts of the log were deleted, so that a number may come again. */
  get isLoose(): boolean {
    return this.#isLoose;
  }
  #acknowledged = 0;
  #published = 0;
  #isBroken = false;

  constructor(parts: ChainParts) {
    this.#parts = parts;
  }

  /** The records that appeared and were not lost, collected ones included. */
  get records(): ReadonlyMap<number, LogRecord> {
    return this.#records;
  }

  /** Numbers without a record, for a power cut. */
  get passedOver(): readonly number[] {
    return [...this.#passedOver];
  }

  /** Whether a text ever was a generation. */
  holds(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  /** Whether a call stands in a generation. */
  has(call: Call): boolean {
    return this.#made.has(call.id);
  }

  /** Takes note of what is new in the log. */
  observed({ records, torn, floor }: LogFiles): void {
    this.#floor = Math.max(this.#floor, floor);
    for (const generation of torn) this.#parts.breach("torn record", `${generation}`);
    for (const record of [...records.values()].sort((a, b) => a.generation - b.generation)) {
      this.#linked(record);
    }
  }

  #linked(record: LogRecord): void {
    const { generation, id } = record;
    const { breach } = this.#parts;
    const known = this.#records.get(generation);
    if (known !== undefined) {
      if (known.id === id) return;
      // The writer finds out by the floor, and acknowledges nothing.
      if (generation <= this.#floor) return;
      breach("number used again", `${generation} was ${known.id}, is ${id}`);
    }
    this.#judgeParent(record);
    this.#judgeContent(record);
    for (const { reason = "" } of record.calls) {
      const before = this.#made.get(reason);
      if (before !== undefined) breach("made twice", `${reason} in ${before} and ${generation}`);
      if (this.#parts.calls.get(reason)?.state === "refused") {
        breach("refused and yet made", `${reason} in ${generation}`);
      }
      this.#made.set(reason, generation);
    }
    // An edit stands in the config file already.
    if (record.origin === "external") this.#published = generation;
    this.#records.set(generation, record);
    this.#hashes.add(record.hash);
  }

  /** The config file is about to become that of a generation. */
  published(generation: number): void {
    if (generation < this.#published && !this.#isBroken) {
      this.#parts.breach("published file goes back", `from ${this.#published} to ${generation}`);
    }
    this.#published = Math.max(this.#published, generation);
  }

  /** Somebody was told of a generation. */
  expose(who: string, generation: number, hash: string): void {
    if (generation === 0 || this.#isLoose) return;
    const { breach, observe, mayLackRecords, isForeign } = this.#parts;
    if (!this.#records.has(generation)) observe();
    const record = this.#records.get(generation);
    if (record === undefined) {
      // A file without a log is told of as a generation, and gets its record later. So it is where a power cut left
      // nothing but the mark of the log.
      const isBehindMark = this.#mayPassOver && generation % 1000 === 1;
      if (generation > 1 && !isBehindMark && !this.#isBroken && !mayLackRecords) {
        breach("no such generation", `${generation} (${who})`);
      }
      return;
    }
    // What stood in a file without a log counts as the first generation for all who read it before the log began.
    const isFirst = record.parent === 0 && (record.origin === "external" || isForeign(hash));
    if (isFirst) return;
    // An edit that cannot be recorded runs all the same, under the next number.
    if (record.hash !== hash && mayLackRecords && isForeign(hash)) return;
    if (record.hash !== hash) {
      breach("two contents of one generation", `${generation}: ${record.hash}, ${hash} (${who})`);
    }
    this.#exposed.set(generation, hash);
  }

  /** The call was acknowledged with a generation. */
  acknowledged(call: Call, generation: number, hash: string): void {
    this.expose(call.process, generation, hash);
    this.#acknowledged = Math.max(this.#acknowledged, generation);
    const made = this.#made.get(call.id);
    if (made !== generation && !this.#isBroken) {
      const found = made === undefined ? "in none" : `in ${made}`;
      this.#parts.breach("acknowledged, not made", `${call.id} for ${generation}, found ${found}`);
    }
  }

  /** After a power cut: what nobody was told of may be gone, all else must be there. */
  reconcile(log: LogFiles): void {
    const { breach } = this.#parts;
    this.#floor = log.floor;
    this.#published = 0;
    this.#mayPassOver = true;
    // A deletion may be undone by it.
    this.#isLoose ||= this.#isBroken;
    for (const torn of log.torn) {
      if (torn > log.floor) breach("torn record", `${torn}`);
    }
    const lost = [...this.#records].filter(([generation, { id }]) => {
      return generation > log.floor && log.records.get(generation)?.id !== id;
    });
    for (const [generation, record] of lost) {
      if (this.#exposed.has(generation)) breach("lost in a power cut", `${generation}`);
      this.#records.delete(generation);
      for (const { reason = "" } of record.calls) this.#made.delete(reason);
    }
    const oldest = Math.min(...lost.map(([generation]) => generation));
    for (const generation of this.#records.keys()) {
      if (generation > oldest) breach("hole after a power cut", `${oldest} below ${generation}`);
    }
  }

  /**
   * Somebody deleted the log, or a part of it.
   *
   * @param isWhole then at least no number is given twice
   */
  broken(isWhole: boolean): void {
    this.#isBroken = true;
    this.#records.clear();
    this.#made.clear();
    this.#isLoose ||= !isWhole;
  }

  #judgeParent({ generation, parent, parentHash }: LogRecord): void {
    if (this.#isBroken) {
      return;
    }
    const before = this.#records.get(Math.max(...this.#records.keys()));
    // Beside a chain that begins later: the writer finds out, and acknowledges nothing.
    if (before !== undefined && generation < before.generation) return;
    // What a power cut took may have been in use, so its number is passed over.
    const isNext = before === undefined || generation === before.generation + 1 ||
      (this.#mayPassOver && generation > before.generation);
    for (let n = (before?.generation ?? generation) + 1; n < generation; n++) {
      this.#passedOver.add(n);
    }
    const isBuilt = parent === (before?.generation ?? 0) && parentHash === (before?.hash ?? "");
    if (isNext && isBuilt) return;
    this.#parts.breach(
      "broken parent",
      `${generation} names ${parent} ${parentHash}, before it is ${before?.generation}`,
    );
  }

  #judgeContent(record: LogRecord): void {
    // Where somebody deleted records, another may have been made in the place of one.
    if (this.#isLoose) return;
    const { calls, seed, isForeign, breach } = this.#parts;
    const { generation, origin, text } = record;
    const say = (found: string): void =>
      breach("wrong content", `${generation} (${origin}): ${found}`);
    if (origin === "external") {
      if (!this.#isBroken && (!isForeign(record.hash))) say(`nobody wrote ${text}`);
      return;
    }
    const document = text === undefined ? undefined : parse(text);
    if (origin === "seed") {
      if (!isDeepStrictEqual(document, seed)) say(`is not the seed: ${text}`);
      return;
    }
    const made = record.calls.map(({ reason = "" }) => calls.get(reason));
    if (made.length === 0 || made.includes(undefined)) return say("names no known call");
    const parent = this.#records.get(record.parent);
    if (parent === undefined) return;
    const [first] = made;
    if (first?.target !== undefined) {
      const target = this.#records.get(first.target);
      if (target !== undefined && target.text !== text) say(`is not what ${first.target} was`);
      return;
    }
    const expected = made.reduce<CountedDocument | undefined>(
      (current, call) => call!.model(current ?? {}),
      parent.text === undefined ? {} : parse(parent.text),
    );
    if (!isDeepStrictEqual(document, expected)) {
      say(`expected ${JSON.stringify(expected)}, found ${text}`);
    }
  }
}

function parse(text: string): CountedDocument {
  return JSON.parse(text) as CountedDocument;
}
