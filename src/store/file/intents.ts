import type { Json } from "../../core/document.ts";
import { hasErrno, holdfastError, isHoldfastError } from "../../core/error.ts";
import { intentBytesMax, looksMax } from "../../core/limits.ts";
import { readOnlyError, syncAndClose, uniqueId, writeNew } from "../../host/durable.ts";
import type { Host } from "../../host/host.ts";
import { decodeIntent, encodeIntent, isSameIntent, lostIntent } from "../intent.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import { isLeftBehind } from "./upkeep.ts";

const magic = "holdfast-intent 1";
const fileBytesMax = intentBytesMax + 100;

interface Kept {
  /** 0 where there was never one. */
  readonly number: number;
  readonly intent: Json | undefined;
}

/**
 * The intents beside one config file. They stand in the log, where no watcher is disturbed: `intent.<n>`, of which the greatest
 * number counts. One is linked to the number after that of the one it replaces, which is the compare-and-swap. What says that
 * there is none stays, so that no number is given twice.
 */
export class FileIntents {
  readonly #place: () => Promise<LogPlace>;
  readonly #warn: (message: string) => void;

  constructor(place: () => Promise<LogPlace>, warn: (message: string) => void) {
    this.#place = place;
    this.#warn = warn;
  }

  /** What is kept now. */
  async read(): Promise<Json | undefined> {
    return (await this.#newest(await this.#place())).intent;
  }

  /** Replaces what is kept, if it is what is expected. */
  async write(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    const text = encodeIntent(next);
    const place = await this.#place();
    const { number: before, intent } = await this.#newest(place);
    if (!isSameIntent(intent, expected)) return false;
    // A log that was deleted since is made anew.
    await place.open();
    const number = before + 1;
    if (!await link(place, number, text)) return false;
    try {
      await place.secure();
      return await settle(place, number);
    } catch (error) {
      throw unknown(place, error);
    }
  }

  async #newest(place: LogPlace): Promise<Kept> {
    for (let look = 1;; look++) {
      const number = (await place.entries())?.intents.at(-1) ?? 0;
      if (number === 0) return { number, intent: undefined };
      try {
        return { number, intent: await this.#readAt(place, number) };
      } catch (error) {
        // It was replaced meanwhile.
        if (!hasErrno(error, "ENOENT") || look >= looksMax) throw error;
      }
    }
  }

  async #readAt({ host, log }: LogPlace, number: number): Promise<Json | undefined> {
    const path = log.path(nameOf(number));
    try {
      return decode(host, (await host.read(path, fileBytesMax)).bytes);
    } catch (error) {
      const isNone = error instanceof SyntaxError || isHoldfastError(error, "UNSAFE_FILE") ||
        isHoldfastError(error, "TOO_LARGE");
      if (!isNone) throw error;
      this.#warn(lostIntent(path, "no whole one"));
      return undefined;
    }
  }
}

function nameOf(number: number): string {
  return `intent.${number}`;
}

function encode(host: Host, text: string): Uint8Array {
  const checksum = host.hash(new TextEncoder().encode(text));
  return new TextEncoder().encode(`${magic} ${checksum}\n${text}`);
}

function decode(host: Host, bytes: Uint8Array): Json | undefined {
  const whole = new TextDecoder().decode(bytes);
  const text = whole.slice(whole.indexOf("\n") + 1);
  const checksum = host.hash(new TextEncoder().encode(text));
  if (whole !== `${magic} ${checksum}\n${text}`) throw new SyntaxError("no intent");
  return decodeIntent(text);
}

/** @returns false where somebody was quicker */
async function link(place: LogPlace, number: number, text: string): Promise<boolean> {
  const { host, log } = place;
  const draft = log.path(`intent.${uniqueId(host)}.tmp`);
  try {
    await syncAndClose(await writeNew(host, draft, fileMode, encode(host, text)));
    await host.link(draft, log.path(nameOf(number)));
    return true;
  } catch (error) {
    if (hasErrno(error, "EEXIST")) return false;
    throw readOnlyError(error, place.path) ?? error;
  } finally {
    await host.remove(draft).catch(() => {});
  }
}

/**
 * Clears away what is older than a durable one.
 *
 * @returns whether it is the newest: a number may have been given and taken away while this process stood still
 */
async function settle(place: LogPlace, number: number): Promise<boolean> {
  const { intents = [], intentDrafts = [] } = await place.entries() ?? {};
  if (intents.at(-1) !== number) return false;
  await place.log.remove(intents.filter((each) => each < number).map(nameOf)).catch(() => {});
  for (const name of intentDrafts) {
    if (await isLeftBehind(place, name)) await place.log.remove([name]).catch(() => {});
  }
  return true;
}

function unknown({ path }: LogPlace, cause: unknown): Error {
  return holdfastError(
    "COMMIT_UNKNOWN",
    `Cannot tell whether the intent beside ${path} lasts: found an error after it was made; look at the disk`,
    { source: path },
    cause,
  );
}
