import { isPlainObject, type Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { confirmBeatMs, confirmGlanceMs, confirmSilenceMs } from "../../core/limits.ts";
import { uniqueId } from "../../host/durable.ts";
import { hashOf } from "../../host/hash.ts";
import type { Host } from "../../host/host.ts";
import { isSameIntent } from "../../store/intent.ts";
import type { OpenStore, StoredGeneration } from "../../store/store.ts";
import { Queue } from "../queue.ts";

/** Where intents are kept. */
export type IntentStore = Pick<OpenStore, "readIntent" | "writeIntent">;

/** A generation to come back to. */
export interface BaseGeneration {
  /** 0 for none. */
  readonly generation: number;
  /** As the store records it; empty where no document was stored. */
  readonly hash: string;
}

/** What is kept beside a document that is about to be replaced, or was, until somebody confirms that. */
export interface ConfirmationIntent {
  /** Who waits for the confirmation. */
  readonly id: string;
  /** The generation to come back to; 0 for none. */
  readonly base: number;
  /** As the store records it; empty where no document was stored. */
  readonly baseHash: string;
  /** Tells the document that is to replace it from any other. */
  readonly fingerprint: string;
  /** The generation that replaced it, once that is known. */
  readonly generation?: number;
  /** How long it waits to be confirmed, in milliseconds. */
  readonly withinMs: number;
  /** Grows as long as its owner lives. */
  readonly beat: number;
}

/** Makes the intent to replace a generation. */
export function newIntent(
  host: Host,
  { generation: base, hash: baseHash }: BaseGeneration,
  document: Json | undefined,
  withinMs: number,
): ConfirmationIntent {
  const fingerprint = fingerprintOf(host, document);
  return { id: uniqueId(host), base, baseHash, fingerprint, withinMs, beat: 0 };
}

/** Reads what is kept; undefined where it is none that this program knows. */
export function intentOf(kept: Json): ConfirmationIntent | undefined {
  if (!isPlainObject(kept)) return undefined;
  const { id, base, baseHash, fingerprint, generation, withinMs, beat } = kept;
  const isKnown = [id, baseHash, fingerprint].every((text) => typeof text === "string") &&
    [base, generation ?? 1, withinMs, beat].every(isCount);
  return isKnown ? kept as unknown as ConfirmationIntent : undefined;
}

function isCount(number: unknown): boolean {
  return Number.isSafeInteger(number) && (number as number) >= 0;
}

/** The generation that an intent is about, be it stored or not yet. */
export function generationAt({ generation, base }: ConfirmationIntent): number {
  return generation ?? base + 1;
}

/** Whether a generation is the one that an intent announced. */
export function isAnnounced(
  host: Host,
  intent: ConfirmationIntent,
  { generation, parent, parentHash, document, origin }: StoredGeneration,
): boolean {
  // Its owner may not have come to note the number. Somebody else may have stored another document on the same base.
  return intent.generation === undefined
    ? origin === "commit" && parent === intent.base && parentHash === intent.baseHash &&
      fingerprintOf(host, document) === intent.fingerprint
    : generation === intent.generation;
}

/** Over a document, however its keys are ordered: formats order them in their own ways. */
function fingerprintOf(host: Host, document: Json | undefined): string {
  const text = JSON.stringify(document, (_, value: unknown) => {
    if (!isPlainObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).toSorted(([one], [other]) => one < other ? -1 : 1),
    );
  });
  return document === undefined ? "" : hashOf(host, new TextEncoder().encode(text));
}

/**
 * Waits for a sign of life of the owner of an intent. No clock of another machine is compared: either what is kept changes
 * within the time, or it does not.
 *
 * @returns whether it changed
 */
export async function showsLife(host: Host, store: IntentStore, found: Json): Promise<boolean> {
  const endsAt = host.monotonic() + confirmSilenceMs;
  while (host.monotonic() < endsAt) {
    await host.sleep(confirmGlanceMs, { keepAlive: true });
    if (!isSameIntent(await store.readIntent(), found)) return true;
  }
  return false;
}

/** An intent of this process, which shows that its owner lives until it is let go. */
export class HeldIntent {
  readonly #host: Host;
  readonly #store: IntentStore;
  readonly #writes: Queue = new Queue();
  readonly #ending = new AbortController();
  #intent: ConfirmationIntent;
  /** The generation that it is about, though it may not have come to say so. */
  #generation: number | undefined;
  /** Whether it cannot be told what became of a removal. */
  #isRemovalOpen = false;

  /** @param intent as it stands in the store */
  constructor(host: Host, store: IntentStore, intent: ConfirmationIntent) {
    this.#host = host;
    this.#store = store;
    this.#intent = intent;
    this.#generation = intent.generation;
  }

  /**
   * Shows signs of life until it is let go. One that cannot be given now can be a beat later.
   *
   * @param lost called where it is somebody else's by now
   */
  async live(lost: () => void): Promise<void> {
    const { signal } = this.#ending;
    while (await this.#host.sleep(confirmBeatMs, { signal, keepAlive: false })) {
      const isOurs = await this.beat().catch(() => true);
      if (!isOurs && !signal.aborted) return lost();
    }
  }

  /**
   * Shows that its owner lives.
   *
   * @param generation the one that it is about: every later beat says so too
   * @returns false where it is somebody else's by now
   */
  async beat(generation: number | undefined = this.#generation): Promise<boolean> {
    this.#generation = generation;
    const named = generation === undefined ? {} : { generation };
    return await this.#replace((held) => ({ ...held, ...named, beat: held.beat + 1 }));
  }

  /**
   * Takes it away durably, and lets it go.
   *
   * @returns false where it is somebody else's by now
   */
  async remove(): Promise<boolean> {
    const isOurs = await this.#replace(() => undefined);
    this.letGo();
    return isOurs;
  }

  /** Whether a generation is the one that it announced. */
  isAbout(stored: StoredGeneration): boolean {
    return isAnnounced(this.#host, this.#intent, stored);
  }

  /** Aborts when it is let go. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Shows no more signs of life; what is kept stays. */
  letGo(): void {
    this.#ending.abort();
  }

  /** Resolves when nothing is being written any more. */
  async idle(): Promise<void> {
    await this.#writes.idle();
  }

  #replace(change: (held: ConfirmationIntent) => ConfirmationIntent | undefined): Promise<boolean> {
    return this.#writes.run(async () => {
      const next = change(this.#intent);
      if (await this.#swap(next)) return true;
      const kept = await this.#store.readIntent();
      const found = kept === undefined ? undefined : intentOf(kept);
      // An answer was lost, and not what it was about.
      if (found?.id !== this.#intent.id) return kept === undefined && this.#isRemoved(next);
      this.#intent = found;
      return await this.#swap(change(found));
    });
  }

  #isRemoved(next: ConfirmationIntent | undefined): boolean {
    return next === undefined && this.#isRemovalOpen;
  }

  async #swap(next: ConfirmationIntent | undefined): Promise<boolean> {
    try {
      const isDone = await this.#store.writeIntent(jsonOf(next), jsonOf(this.#intent));
      if (isDone && next !== undefined) this.#intent = next;
      return isDone;
    } catch (error) {
      const isOpen = isHoldfastError(error, "COMMIT_UNKNOWN") || isHoldfastError(error, "TIMEOUT");
      this.#isRemovalOpen ||= isOpen && next === undefined;
      throw error;
    }
  }
}

/** As it is kept. */
export function jsonOf(intent: ConfirmationIntent): Json;
export function jsonOf(intent: ConfirmationIntent | undefined): Json | undefined;
export function jsonOf(intent: ConfirmationIntent | undefined): Json | undefined {
  return intent as Json | undefined;
}
