import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamClient, JetStreamManager, StoredMsg, StreamInfo } from "@nats-io/jetstream";
import { natsAttempts, natsHistoryMax, natsPauseMs } from "../../core/limits.ts";
import type { Host } from "../../host/host.ts";
import { isRefusal, mayBeAnsweredLater, mirrored, natsError } from "./error.ts";
import type { NatsConnection } from "./nats_kv.ts";

/** What the client wants to be given. */
type ClientConnection = Parameters<typeof jetstream>[0];

/** Where in NATS a document is. */
export interface NatsPlace {
  readonly connection: NatsConnection;
  readonly bucket: string;
  readonly key: string;
  readonly replicas: number;
  readonly domain: string | undefined;
  /** How long to go on asking, in milliseconds. */
  readonly timeoutMs: number;
  /** How messages call it. */
  readonly name: string;
}

/** What is known of a bucket as a whole. */
export interface BucketInfo {
  /** Another one whenever the bucket was made anew. */
  readonly identity: string;
  /** The newest revision in it, of any key. */
  readonly lastRevision: number;
  /** Another one whenever anything was put there, or went. */
  readonly state: string;
  /** Whether nothing at all is in it. */
  readonly isEmpty: boolean;
  readonly config: StreamInfo["config"];
}

/** One key of a bucket, by the questions and orders that JetStream knows. It asks the stream's leader, never a replica. */
export class NatsBucket {
  readonly place: NatsPlace;
  readonly #host: Host;
  readonly #stream: string;
  /** Where what is put there passes by. */
  readonly subject: string;
  readonly #connection: ClientConnection;
  readonly #client: JetStreamClient;
  #managing: Promise<JetStreamManager> | undefined;
  #messageBytesMax = Infinity;

  constructor(place: NatsPlace, host: Host) {
    this.place = place;
    this.#host = host;
    this.#stream = `KV_${place.bucket}`;
    this.subject = `$KV.${place.bucket}.${place.key}`;
    this.#connection = place.connection as ClientConnection;
    this.#client = jetstream(this.#connection, this.#options());
  }

  /** The largest message that the server takes, and the bucket as it was last described, in bytes. */
  get messageBytesMax(): number {
    return Math.min(this.place.connection.info?.max_payload ?? Infinity, this.#messageBytesMax);
  }

  /** How long one question waits for its answer, in milliseconds. One that nobody heard is asked again. */
  get attemptMs(): number {
    return Math.ceil(this.place.timeoutMs / natsAttempts);
  }

  /**
   * Asks about the whole bucket.
   *
   * @param patienceMs how long to go on asking
   * @returns undefined when there is no such bucket
   */
  async describe(patienceMs: number = this.place.timeoutMs): Promise<BucketInfo | undefined> {
    const info = await this.#ask("read", (manager) => {
      return manager.streams.info(this.#stream).catch(absent(noStream));
    }, patienceMs);
    if (info === undefined) return undefined;
    const { mirror, max_msg_size: bytesMax } = info.config;
    if (mirror !== undefined) throw mirrored(this.place.name, mirror.name);
    this.#messageBytesMax = bytesMax > 0 ? bytesMax : Infinity;
    return bucketInfo(info);
  }

  /** Makes the bucket, unless somebody else just did. */
  async create(history: number): Promise<BucketInfo> {
    const { bucket, replicas } = this.place;
    const info = await this.#ask("write", (manager) =>
      manager.streams.add({
        name: this.#stream,
        description: "holdfast",
        subjects: [`$KV.${bucket}.>`],
        // An adopted edit takes two places: that of the edit and that of its record.
        max_msgs_per_subject: Math.max(1, Math.min(2 * history, natsHistoryMax)),
        num_replicas: replicas,
        storage: "file",
        discard: "new",
        deny_delete: true,
        allow_rollup_hdrs: true,
        // Replicas would answer direct reads, and may lag behind.
        allow_direct: false,
      }).catch(absent(streamInUse)));
    const made = info === undefined ? await this.describe() : bucketInfo(info);
    if (made !== undefined) return made;
    throw natsError(new Error("the bucket is gone again"), "write", this.place);
  }

  /** @returns the newest message; undefined when there is none */
  async newest(): Promise<StoredMsg | undefined> {
    return await this.#get({ last_by_subj: this.subject });
  }

  /** @returns the oldest message of at least a revision; undefined when there is none */
  async from(revision: number): Promise<StoredMsg | undefined> {
    return await this.#get({ next_by_subj: this.subject, seq: Math.max(1, revision) });
  }

  /**
   * Puts once, if the newest message still is the expected one.
   *
   * @throws whatever the client throws
   */
  async put(bytes: Uint8Array, messageId: string, expected: number): Promise<number> {
    const { domain } = this.place;
    // Of what is put in another domain, only what names it gets there.
    const prefix = domain === undefined ? "" : `$JS.${domain}.API.`;
    const { seq } = await this.#client.publish(prefix + this.subject, bytes, {
      msgID: messageId,
      timeout: this.attemptMs,
      expect: { streamName: this.#stream, lastSubjectSequence: expected },
    });
    return seq;
  }

  /** Deletes the messages of this key before a revision. */
  async purge(revision: number): Promise<void> {
    await this.#ask("purge", (manager) => {
      return manager.streams.purge(this.#stream, { filter: this.subject, seq: revision });
    });
  }

  async #get(query: object): Promise<StoredMsg | undefined> {
    const message = await this.#ask("read", (manager) => {
      return manager.streams.getMessage(this.#stream, query as { seq: number })
        .catch(absent(noStream));
    });
    return message ?? undefined;
  }

  /** Asks until somebody answers, or the time is up. */
  async #ask<T>(
    attempt: "read" | "write" | "purge",
    question: (manager: JetStreamManager) => Promise<T>,
    patienceMs: number = this.place.timeoutMs,
  ): Promise<T> {
    const endsAt = this.#host.monotonic() + patienceMs;
    for (;;) {
      try {
        this.#managing ??= jetstreamManager(this.#connection, {
          ...this.#options(),
          checkAPI: false,
        });
        return await question(await this.#managing);
      } catch (error) {
        const isOver = this.#host.monotonic() >= endsAt;
        if (isOver || !mayBeAnsweredLater(error)) throw natsError(error, attempt, this.place);
        await this.#host.sleep(natsPauseMs, { keepAlive: false });
      }
    }
  }

  #options(): { timeout: number; domain?: string } {
    const { domain } = this.place;
    return { timeout: this.attemptMs, ...(domain === undefined ? {} : { domain }) };
  }
}

const noStream = 10059;
const streamInUse = 10058;

function absent(code: number): (error: unknown) => undefined {
  return (error) => {
    if (!isRefusal(error, code)) throw error;
  };
}

function bucketInfo({ created, state, config }: StreamInfo): BucketInfo {
  return {
    identity: created,
    lastRevision: state.last_seq,
    state: [state.first_seq, state.last_seq, state.messages].join(),
    isEmpty: state.messages === 0,
    config,
  };
}
