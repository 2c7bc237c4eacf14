import type { HoldfastError } from "../../core/error.ts";
import { natsLagMs, natsPauseMs } from "../../core/limits.ts";
import type { SourceContext } from "../../source/source.ts";
import type { GenerationRecord, RecordHeader } from "../record.ts";
import type { BucketInfo, NatsBucket } from "./bucket.ts";
import { lagging } from "./error.ts";
import type { NatsHistory } from "./history.ts";
import type { NatsMessage, NatsText } from "./message.ts";

/** How things stand at one look. */
export interface NatsSight {
  /** What the key holds. A record whose number was given to something else before is a mere text. */
  readonly message: NatsMessage;
  /** The newest record that is known, be it that message or one before it. */
  readonly newest: RecordHeader | undefined;
  /** The greatest number that was ever given to a generation. */
  readonly highest: number;
  /** How the whole bucket was; undefined when it changed since. */
  readonly bucketState: string | undefined;
  /** What is dubious about the bucket. */
  readonly warnings: readonly string[];
}

/** Looks at a key, and never goes back: neither to an older revision nor to a number given before. */
export class NatsView {
  readonly #context: SourceContext;
  readonly #bucket: NatsBucket;
  readonly #history: NatsHistory;
  #identity: string | undefined;
  #sight: NatsSight | undefined;
  #newest: RecordHeader | undefined;
  #highest = 0;
  /** A revision that is there for sure, though it may not have been read yet. */
  #atLeast = 0;
  #lagsSince: number | undefined;

  constructor(context: SourceContext, bucket: NatsBucket, history: NatsHistory) {
    this.#context = context;
    this.#bucket = bucket;
    this.#history = history;
  }

  /** Whether the bucket was there at the last look. */
  get hasBucket(): boolean {
    return this.#identity !== undefined;
  }

  /** Whether something newer than the last look is known to be there. */
  get isBehind(): boolean {
    return this.#atLeast > this.revision;
  }

  /** The newest revision seen. */
  get revision(): number {
    return this.#sight?.message.revision ?? 0;
  }

  /** The last look, or the first one. */
  async last(): Promise<NatsSight> {
    // Where one message is kept, a put takes away what would tell that it did not follow what was seen.
    return this.#history.keepsOne ? await this.look() : this.#sight ?? await this.look();
  }

  /** @throws `UNAVAILABLE` when nobody answers, or only somebody who lags behind */
  async look(): Promise<NatsSight> {
    const { host } = this.#context;
    const endsAt = host.monotonic() + this.#bucket.place.timeoutMs;
    for (;;) {
      const info = await this.#bucket.describe();
      this.#meet(info);
      if (info === undefined) return this.#see({ kind: "none", revision: 0 }, undefined, []);
      this.#history.keepsOne = info.config.max_msgs_per_subject === 1;
      const seen = this.#sight;
      const wanted = Math.max(this.#atLeast, this.revision);
      const isSame = seen?.bucketState === info.state && wanted === this.revision;
      if (seen !== undefined && isSame) {
        this.#lagsSince = undefined;
        return seen;
      }
      if (info.lastRevision >= wanted) {
        const message = await this.#history.newest();
        if (message.kind === "none" || message.revision >= wanted) {
          this.#lagsSince = undefined;
          this.#atLeast = 0;
          return await this.#settle(message, info);
        }
      }
      if (this.#isSetBack()) continue;
      // Whoever answered lags behind; what was read before is newer.
      if (seen !== undefined && wanted === this.revision) return seen;
      if (host.monotonic() >= endsAt) throw this.lagging();
      await host.sleep(natsPauseMs, { keepAlive: false });
    }
  }

  /** Knows the bucket that was just made. */
  made(info: BucketInfo): void {
    this.#identity = info.identity;
    this.#sight = undefined;
    this.#atLeast = 0;
    this.#history.forget();
    this.#see({ kind: "none", revision: 0 }, undefined, []);
  }

  /** Knows the record that was just put. */
  put(record: GenerationRecord, revision: number): NatsSight {
    const { warnings = [] } = this.#sight ?? {};
    const follows = { revision: 0, tag: "" };
    return this.#see({ kind: "record", revision, record, follows }, undefined, warnings);
  }

  /** Knows that a compare-and-swap was lost, and to which revision if that is known. */
  lost(found: number | undefined): void {
    if (this.#sight !== undefined) this.#sight = { ...this.#sight, bucketState: undefined };
    this.#atLeast = Math.max(this.#atLeast, found ?? 0);
  }

  /** Whether the revision seen last is not there any more, and not only unknown to a server that lags behind. */
  async isGone(): Promise<boolean> {
    const info = await this.#bucket.describe(0);
    if (info?.identity !== this.#identity) return true;
    return info !== undefined && this.revision > 0 && info.lastRevision >= this.revision &&
      await this.#bucket.newest() === undefined;
  }

  /** The error for answers that are older than what was seen. */
  lagging(): HoldfastError {
    return lagging(this.#bucket.place.name);
  }

  #meet(info: BucketInfo | undefined): void {
    if (info?.identity === this.#identity) return;
    const { name } = this.#bucket.place;
    const isFirst = this.#sight === undefined;
    const wasThere = this.#identity !== undefined || this.#highest > 0;
    this.#identity = info?.identity;
    this.#sight = undefined;
    this.#atLeast = 0;
    this.#history.forget();
    if (isFirst || !wasThere) return;
    this.#context.warn(
      info === undefined
        ? `Found the bucket of ${name} deleted; its generations go on after ${this.#highest} once it is made anew`
        : `Found the bucket of ${name} made anew; its generations go on after ${this.#highest}`,
    );
  }

  /** Whether older answers came for so long that this is how it is. */
  #isSetBack(): boolean {
    const nowMs = this.#context.host.monotonic();
    this.#lagsSince ??= nowMs;
    if (nowMs - this.#lagsSince < natsLagMs) return false;
    const { name } = this.#bucket.place;
    this.#context.warn(
      `Found the bucket of ${name} set back to an older state; its generations go on after ${this.#highest}`,
    );
    this.#lagsSince = undefined;
    this.#sight = undefined;
    this.#atLeast = 0;
    this.#history.forget();
    return true;
  }

  async #settle(message: NatsMessage, info: BucketInfo): Promise<NatsSight> {
    const seen = this.#sight;
    if (seen !== undefined && seen.message.revision === message.revision) {
      return this.#sight = { ...seen, bucketState: info.state };
    }
    const warnings = this.#judge(info);
    const isNext = message.kind === "record" &&
      (message.record.generation > this.#highest || message.record.id === this.#newest?.id);
    if (isNext) return this.#see(message, info.state, warnings);
    const kept = await this.#history.list();
    const last = kept.at(-1);
    if (last !== undefined && last.generation > this.#highest) this.#newest = last;
    const text = message.kind === "record" ? textOf(message) : message;
    // What nobody tells any more was below these.
    const lost = kept.length > 0 ? 0 : this.#history.bound(info.config.max_msgs_per_subject);
    const emptied = info.isEmpty ? info.lastRevision : 0;
    const claimed = text.kind === "text" ? text.claimed : 0;
    this.#highest = Math.max(this.#highest, last?.generation ?? 0, lost, emptied, claimed);
    return this.#see(text, info.state, warnings);
  }

  #see(
    message: NatsMessage,
    bucketState: string | undefined,
    warnings: readonly string[],
  ): NatsSight {
    if (message.kind === "record") {
      this.#newest = message.record;
      this.#highest = Math.max(this.#highest, message.record.generation);
    }
    // Late comers, who see nothing before it, take a record for good that does not count: numbers are to go on after it.
    this.#highest = Math.max(this.#highest, this.#history.highestIgnored);
    const sight = { message, newest: this.#newest, highest: this.#highest };
    return this.#sight = { ...sight, bucketState, warnings };
  }

  #judge({ config }: BucketInfo): readonly string[] {
    const { name } = this.#bucket.place;
    const { history } = this.#context;
    const { max_msgs_per_subject: depth, max_age: ageMax, storage } = config;
    return [
      ...(depth > 0 && depth < history
        ? [
          `Found the bucket of ${name} with a history of ${depth}: that many generations are kept at most, not ${history}`,
        ]
        : []),
      ...(ageMax > 0
        ? [`Found the bucket of ${name} with a time to live: the document will vanish; take it off`]
        : []),
      ...(storage === "memory"
        ? [
          `Found the bucket of ${name} kept in memory: the document will not outlive the servers; keep it in files`,
        ]
        : []),
    ];
  }
}

function textOf(
  { revision, record }: Extract<NatsMessage, { kind: "record" }>,
): NatsText | NatsMessage {
  return record.hash === ""
    ? { kind: "deleted", revision }
    : { kind: "text", revision, text: record.text, claimed: record.generation };
}
