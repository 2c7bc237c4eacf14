import { holdfastError } from "../../core/error.ts";
import { natsHeaderBytesMax, natsPauseMs } from "../../core/limits.ts";
import type { Host } from "../../host/host.ts";
import { encodeRecord, type GenerationRecord } from "../record.ts";
import type { NatsBucket } from "./bucket.ts";
import {
  isEnding,
  isFull,
  lostSwap,
  mayBeAnsweredLater,
  natsError,
  storedNothing,
  whyUnanswered,
} from "./error.ts";
import type { NatsHistory } from "./history.ts";
import { type Followed, messageIdOf } from "./message.ts";

/** What became of a record that was to be put. */
export type PutOutcome =
  /** It is there, at this revision. */
  | { readonly kind: "stored"; readonly revision: number }
  /** It never will be: the key holds something else than expected, at this revision if that is known. */
  | { readonly kind: "lost"; readonly found: number | undefined };

/** What a put needs. */
export interface Put {
  readonly host: Host;
  readonly bucket: NatsBucket;
  readonly history: NatsHistory;
  readonly record: GenerationRecord;
  /** What must be the newest. */
  readonly follows: Followed;
  /** Whether the connection stands: what is sent without one waits in the client, and lands who knows when. */
  readonly isConnected: () => boolean;
  /** Whether what was expected is not there any more: the bucket was deleted or made anew, or the key emptied. */
  readonly isGone: () => Promise<boolean>;
}

/**
 * Puts a record. Where no answer comes it is put again: of any number of attempts on the same revision one at most can land.
 *
 * @throws `COMMIT_UNKNOWN` when it may land yet; `READ_ONLY`, `TOO_LARGE`, `UNAVAILABLE` with nothing stored
 */
export async function putRecord(put: Put): Promise<PutOutcome> {
  const { host, bucket, record, follows } = put;
  const { place } = bucket;
  const bytes = encodeRecord(host, record);
  assertSize(bytes.length, bucket);
  const endsAt = host.monotonic() + place.timeoutMs;
  let isOpen = false;
  let last: unknown = new Error("there is no connection");
  for (let attempt = 1; !isEnding(place.connection); attempt++) {
    try {
      if (put.isConnected()) {
        const id = messageIdOf(record, follows, attempt);
        const acknowledged = await bucket.put(bytes, id, follows.revision);
        isOpen = true;
        return await outcomeOf(put, acknowledged);
      }
    } catch (error) {
      last = error;
      const lost = lostSwap(error);
      if (lost !== undefined) {
        if (lost.found !== undefined && lost.found < follows.revision) {
          if (await put.isGone().catch(() => false)) return { kind: "lost", found: undefined };
          // A leader of the past says so. The one of today may have taken the very same message.
          isOpen = true;
          await host.sleep(natsPauseMs, { keepAlive: true });
          if (host.monotonic() < endsAt) continue;
          break;
        }
        // What it was lost to may be an earlier attempt of ours.
        if (!isOpen) return { kind: "lost", ...lost };
        const landed = await outcomeOf(put, lost.found ?? 0).catch(() => undefined);
        if (landed === undefined) break;
        return landed;
      }
      if (!storedNothing(error)) isOpen = true;
      else if (isFull(error) || !mayBeAnsweredLater(error)) break;
      // To a bucket that was deleted nobody answers, as long as somebody watches the key.
      if (attempt === 1 && await put.isGone().catch(() => false)) {
        return { kind: "lost", found: undefined };
      }
    }
    if (host.monotonic() >= endsAt) break;
    await host.sleep(natsPauseMs, { keepAlive: true });
  }
  if (!isOpen) throw natsError(last, "write", place);
  throw holdfastError(
    "COMMIT_UNKNOWN",
    `Cannot tell whether generation ${record.generation} of ${place.name} is stored: ` +
      `found ${whyUnanswered(place)}, and it may still land; read before writing again`,
    { source: place.name, generation: record.generation },
    last,
  );
}

/** What became of a record that was sent, by the history: an acknowledgement alone does not tell. */
async function outcomeOf({ history, record, follows }: Put, atLeast: number): Promise<PutOutcome> {
  const revision = await history.find(record.id, follows, atLeast);
  return revision === undefined
    ? { kind: "lost", found: atLeast || undefined }
    : { kind: "stored", revision };
}

function assertSize(found: number, { messageBytesMax, place: { name } }: NatsBucket): void {
  // The headers that NATS wants count too.
  const limit = messageBytesMax - natsHeaderBytesMax;
  if (found <= limit) return;
  throw holdfastError(
    "TOO_LARGE",
    `Cannot write ${name}: found a record of ${found} bytes, and NATS takes ${limit} there; ` +
      "make the document smaller, or raise the server's max_payload or the bucket's limit, whichever it is",
    { what: "record in bytes", limit, found },
  );
}
