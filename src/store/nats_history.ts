import { natsPauseMs } from "../core/limits.ts";
import type { Host } from "../host/host.ts";
import type { NatsBucket } from "./nats_bucket.ts";
import { lagging } from "./nats_error.ts";
import { type NatsMessage, readMessage } from "./nats_message.ts";
import type { GenerationRecord, RecordHeader } from "./record.ts";

/** A record that the bucket keeps, without its text. */
export interface KeptRecord extends RecordHeader {
  readonly revision: number;
}

/** The generations that a bucket keeps of a key. What was read of them once is remembered, since no revision changes. */
export class NatsHistory {
  readonly #host: Host;
  readonly #bucket: NatsBucket;
  /** The oldest first. */
  #kept: KeptRecord[] = [];
  /** Of all that is kept, records or not. */
  #revisions: number[] = [];
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
    this.#revisions = [];
    this.#seen = 0;
    this.#top = { kind: "none", revision: 0 };
  }

  /** What the key holds by now, every message since the last time considered in its order. */
  async newest(): Promise<NatsMessage> {
    await this.list();
    return this.#top;
  }

  /** The records that are kept, the oldest first. */
  async list(): Promise<readonly KeptRecord[]> {
    const listed = this.#listing.then(() => this.#list());
    this.#listing = listed.catch(() => {});
    return await listed;
  }

  async #list(): Promise<readonly KeptRecord[]> {
    const oldest = await this.#from(1);
    this.#oldest = oldest.kind;
    const isKept = (revision: number) => revision >= oldest.revision && oldest.kind !== "none";
    this.#kept = this.#kept.filter(({ revision }) => isKept(revision));
    this.#revisions = this.#revisions.filter(isKept);
    if (oldest.kind === "none") this.#top = oldest;
    let message = this.#seen < oldest.revision ? oldest : await this.#from(this.#seen + 1);
    while (message.kind !== "none") {
      this.#add(message);
      message = await this.#from(message.revision + 1);
    }
    return [...this.#kept];
  }

  #add(message: NatsMessage): void {
    const { revision } = message;
    this.#seen = revision;
    this.#revisions.push(revision);
    if (message.kind !== "record") {
      this.#top = message;
      return;
    }
    const { record: { text: _, ...header }, expected } = message;
    const last = this.#kept.at(-1);
    const follows = expected >= (last?.revision ?? 0);
    if (follows && header.generation > (last?.generation ?? 0)) {
      this.#kept.push({ ...header, revision });
      this.#top = message;
      return;
    }
    // Clusters of old servers take two swaps on one revision. By their order the first one counts, for whoever looks.
    this.#top = { ...this.#top, revision } as NatsMessage;
  }

  /**
   * Where a record that was sent counts as stored.
   *
   * @param revision the history must be known up to there before it can be said that it does not
   * @throws `UNAVAILABLE` when it is not
   */
  async find(id: string, revision: number): Promise<number | undefined> {
    const { place } = this.#bucket;
    const endsAt = this.#host.monotonic() + place.timeoutMs;
    for (;;) {
      const kept = await this.list();
      const found = kept.find((record) => record.id === id);
      if (found !== undefined || this.#seen >= revision) return found?.revision;
      if (this.#host.monotonic() >= endsAt) throw lagging(place.name);
      await this.#host.sleep(natsPauseMs, { keepAlive: true });
    }
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
    const [oldest = 0] = this.#revisions;
    if (this.#oldest === "deleted") return oldest;
    const isFull = depth > 0 && this.#revisions.length >= depth;
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
