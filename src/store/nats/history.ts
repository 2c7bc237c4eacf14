import { natsPauseMs } from "../../core/limits.ts";
import type { Host } from "../../host/host.ts";
import type { GenerationRecord, RecordHeader } from "../record.ts";
import type { NatsBucket } from "./bucket.ts";
import { lagging } from "./error.ts";
import { type Followed, type NatsMessage, type NatsRecord, readMessage, tagOf } from "./message.ts";

/** A record that the bucket keeps, without its text. */
export interface KeptRecord extends RecordHeader {
  readonly revision: number;
}

/** The generations that a bucket keeps of a key. What was read of them once is remembered, since no revision changes. */
export class NatsHistory {
  /** Whether the bucket keeps the newest message alone: then nobody can tell what was there before. */
  keepsOne = false;
  readonly #host: Host;
  readonly #bucket: NatsBucket;
  /** The oldest first. */
  #kept: KeptRecord[] = [];
  /** All that the bucket keeps, records or not, the oldest first. */
  #passed: Followed[] = [];
  #highestIgnored = 0;
  #oldest: NatsMessage["kind"] = "none";
  #seen = 0;
  #top: NatsMessage = { kind: "none", revision: 0 };
  #listing: Promise<unknown> = Promise.resolve();

  constructor(host: Host, bucket: NatsBucket) {
    this.#host = host;
    this.#bucket = bucket;
  }

  /** Forgets everything, since the bucket is another one. */
  forget(): void {
    this.#kept = [];
    this.#passed = [];
    this.#highestIgnored = 0;
    this.#seen = 0;
    this.#top = { kind: "none", revision: 0 };
  }

  /** The greatest number in a record that does not count. */
  get highestIgnored(): number {
    return this.#highestIgnored;
  }

  /** What stands at a revision, for a record that is to follow it. */
  followed(revision: number): Followed {
    return this.#passed.find((each) => each.revision === revision) ?? { revision, tag: "" };
  }

  /** What the key holds by now, every message since the last time considered in its order. */
  async newest(): Promise<NatsMessage> {
    return await this.#inTurn(async () => {
      // What is new shows that the key is not empty, and spares reading the oldest message whole.
      if (!await this.#readOn()) await this.#forgetGone();
      return this.#top;
    });
  }

  /** The records that are kept, the oldest first. */
  async list(): Promise<readonly KeptRecord[]> {
    return await this.#inTurn(async () => {
      await this.#forgetGone();
      await this.#readOn();
      return [...this.#kept];
    });
  }

  /** Forgets what the bucket keeps no longer. */
  async #forgetGone(): Promise<void> {
    const oldest = await this.#from(1);
    this.#oldest = oldest.kind;
    const isKept = (revision: number) => revision >= oldest.revision && oldest.kind !== "none";
    this.#kept = this.#kept.filter(({ revision }) => isKept(revision));
    this.#passed = this.#passed.filter(({ revision }) => isKept(revision));
    if (oldest.kind === "none") this.#top = oldest;
  }

  /** @returns whether there was anything new */
  async #readOn(): Promise<boolean> {
    const remembered = this.#seen;
    let message = await this.#from(remembered + 1);
    while (message.kind !== "none") {
      // Be it that what is remembered is of another bucket, which had the same revisions.
      if (this.#isMisled(message) && message.follows.revision <= remembered) {
        this.forget();
        return await this.#readOn();
      }
      this.#add(message);
      message = await this.#from(message.revision + 1);
    }
    return this.#seen > remembered;
  }

  /** Whether a message was meant to follow something else than what stands there, such as in a bucket made anew since. */
  #isMisled(message: NatsMessage): message is NatsRecord {
    if (message.kind !== "record") return false;
    const { revision, tag } = message.follows;
    return this.#passed.some((each) => each.revision === revision && each.tag !== tag);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#listing.then(work);
    this.#listing = done.catch(() => {});
    return await done;
  }

  #add(message: NatsMessage): void {
    const { revision } = message;
    this.#seen = revision;
    if (this.keepsOne) [this.#kept, this.#passed] = [[], []];
    this.#passed.push({ revision, tag: tagOf(this.#host, message) });
    if (message.kind !== "record") {
      this.#top = message;
      return;
    }
    const { record: { text: _, ...header }, follows } = message;
    const last = this.#kept.at(-1);
    const isNext = follows.revision >= (last?.revision ?? 0) && !this.#isMisled(message);
    if (isNext && header.generation > (last?.generation ?? 0)) {
      this.#kept.push({ ...header, revision });
      this.#top = message;
      return;
    }
    // Clusters of old servers take two swaps on one revision. By their order the first one counts, for whoever looks.
    // What was meant for another bucket does not count either.
    this.#highestIgnored = Math.max(this.#highestIgnored, header.generation);
    this.#top = { ...this.#top, revision } as NatsMessage;
  }

  /**
   * Where a record that was sent counts as stored.
   *
   * @param follows what it was to follow, as it was seen
   * @param revision the history must be known up to there before it can be said that it does not
   * @throws `UNAVAILABLE` when it is not
   */
  async find(id: string, follows: Followed, revision: number): Promise<number | undefined> {
    const { place } = this.#bucket;
    const endsAt = this.#host.monotonic() + place.timeoutMs;
    await this.#inTurn(() => this.#lookBack(follows));
    for (;;) {
      await this.#inTurn(() => this.#readOn());
      const found = this.#kept.find((record) => record.id === id);
      if (found !== undefined || this.#seen >= revision) return found?.revision;
      if (this.#host.monotonic() >= endsAt) throw lagging(place.name);
      await this.#host.sleep(natsPauseMs, { keepAlive: true });
    }
  }

  /** Forgets what is remembered where something else stands there now. */
  async #lookBack({ revision, tag }: Followed): Promise<void> {
    if (revision === 0) return;
    const there = await this.#from(revision);
    if (there.revision === revision && tagOf(this.#host, there) !== tag) this.forget();
  }

  async #from(revision: number): Promise<NatsMessage> {
    return readMessage(this.#host, await this.#bucket.from(revision));
  }

  /**
   * What no number of a generation has exceeded that was pushed out of the bucket: each took a revision of its own.
   *
   * @param depth how many messages the bucket keeps of a key
   */
  bound(depth: number): number {
    const [{ revision: oldest } = { revision: 0 }] = this.#passed;
    if (this.#oldest === "deleted") return oldest;
    const isFull = depth > 0 && this.#passed.length >= depth;
    return isFull ? oldest - 1 : 0;
  }

  /** A record that is kept. */
  async read(generation: number): Promise<GenerationRecord | undefined> {
    const find = () => this.#kept.find((kept) => kept.generation === generation);
    if (find() === undefined) await this.list();
    const kept = find();
    if (kept === undefined) return undefined;
    const message = await this.#from(kept.revision);
    const isIt = message.kind === "record" && message.record.id === kept.id;
    return isIt ? message.record : undefined;
  }
}
