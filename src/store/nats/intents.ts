import type { Json } from "../../core/document.ts";
import { holdfastError } from "../../core/error.ts";
import { natsPauseMs } from "../../core/limits.ts";
import { uniqueId } from "../../host/durable.ts";
import type { SourceContext } from "../../source/source.ts";
import { decodeIntent, encodeIntent, isSameIntent, lostIntent } from "../intent.ts";
import { NatsBucket, type NatsPlace } from "./bucket.ts";
import {
  isEnding,
  isFull,
  lostSwap,
  mayBeAnsweredLater,
  natsError,
  storedNothing,
  whyUnanswered,
} from "./error.ts";

const idHeader = "Nats-Msg-Id";

/** What the store of the document knows of the bucket. */
export interface IntentsWay {
  /** Whether the connection stands: what is sent without one waits in the client, and lands who knows when. */
  readonly isConnected: () => boolean;
  /** Makes the bucket if there is none. */
  readonly needBucket: () => Promise<void>;
}

interface Kept {
  /** 0 where nothing stands there. */
  readonly revision: number;
  /** The name of the attempt that put it. */
  readonly id: string;
  readonly intent: Json | undefined;
}

/**
 * The intents beside one document: a key of their own in its bucket, which nobody watches. What says that there is none is
 * taken away at once, so that a bucket whose document was purged is as empty as it would be without them.
 */
export class NatsIntents {
  readonly #bucket: NatsBucket;
  readonly #context: SourceContext;
  readonly #way: IntentsWay;

  constructor(place: NatsPlace, context: SourceContext, way: IntentsWay) {
    const name = `the intent of ${place.name}`;
    const key = `${place.key}.holdfast-intent`;
    this.#bucket = new NatsBucket({ ...place, key, name }, context.host);
    this.#context = context;
    this.#way = way;
  }

  /** What is kept now. */
  async read(): Promise<Json | undefined> {
    return (await this.#read()).intent;
  }

  /** Replaces what is kept, if it is what is expected. */
  async write(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    const bytes = new TextEncoder().encode(encodeIntent(next));
    const { revision, intent } = await this.#read();
    if (!isSameIntent(intent, expected)) return false;
    if (revision === 0) await this.#way.needBucket();
    const made = await this.#swap(bytes, revision);
    // What was there before it goes too; should that fail, an empty message stays, which says the same.
    if (made !== undefined && next === undefined) {
      await this.#bucket.purge(made + 1).catch(() => {});
    }
    return made !== undefined;
  }

  async #read(): Promise<Kept> {
    const message = await this.#bucket.newest();
    if (message === undefined) return { revision: 0, id: "", intent: undefined };
    const [id = ""] = message.header.get(idHeader).split(".");
    return { revision: message.seq, id, intent: this.#decode(message.data) };
  }

  #decode(bytes: Uint8Array): Json | undefined {
    try {
      return decodeIntent(new TextDecoder().decode(bytes));
    } catch {
      this.#context.warn(lostIntent(this.#bucket.place.name, "no JSON"));
      return undefined;
    }
  }

  /**
   * Puts, and puts again where no answer comes: of any number of attempts on the same revision one at most can land.
   *
   * @returns its revision; undefined where somebody was quicker
   */
  async #swap(bytes: Uint8Array, before: number): Promise<number | undefined> {
    const { host } = this.#context;
    const { place } = this.#bucket;
    const endsAt = host.monotonic() + place.timeoutMs;
    const id = uniqueId(host);
    let isOpen = false;
    let last: unknown = new Error("there is no connection");
    for (let attempt = 1; !isEnding(place.connection); attempt++) {
      try {
        if (this.#way.isConnected()) {
          return await this.#bucket.put(bytes, `${id}.${attempt}`, before);
        }
      } catch (error) {
        last = error;
        if (lostSwap(error) !== undefined) {
          const there = isOpen ? await this.#read() : undefined;
          return there?.id === id ? there.revision : undefined;
        }
        if (!storedNothing(error)) isOpen = true;
        else if (isFull(error) || !mayBeAnsweredLater(error)) break;
      }
      if (host.monotonic() >= endsAt) break;
      await host.sleep(natsPauseMs, { keepAlive: true });
    }
    throw isOpen ? unknown(place, last) : natsError(last, "write", place);
  }
}

function unknown(place: NatsPlace, cause: unknown): Error {
  return holdfastError(
    "COMMIT_UNKNOWN",
    `Cannot tell whether ${place.name} is stored: found ${
      whyUnanswered(place)
    }, and it may still land`,
    { source: place.name },
    cause,
  );
}
