import { hasErrno, holdfastError } from "../../core/error.ts";
import { generationMax } from "../../core/limits.ts";
import { hashOf } from "../../host/hash.ts";
import type { Host } from "../../host/host.ts";
import type { Loaded } from "../../source/source.ts";
import { newRecord, type RecordHeader } from "../record.ts";
import { outdated } from "../store_error.ts";
import { adoptEdit } from "./adopt.ts";
import type { Found } from "./config_file.ts";
import { generationOf } from "./history.ts";
import type { LogPlace } from "./log_place.ts";
import { finishCommit } from "./recovery.ts";
import type { Sight } from "./sight.ts";
import type { Upkeep } from "./upkeep.ts";

/** What a recorder works with. */
export interface RecorderParts {
  readonly host: Host;
  /** Reads the config file. */
  readonly read: () => Promise<Found | undefined>;
  readonly upkeep: Upkeep;
}

/** Content that is to be a generation. */
export interface Unrecorded {
  readonly loaded: Loaded;
  readonly bytes: Uint8Array;
  /** Undefined where it does not stand in the config file any more. */
  readonly found: Found | undefined;
}

type Numbered = Pick<RecordHeader, "generation" | "hash">;

/** Gives the numbers of one log, and records what others wrote. */
export class Recorder {
  readonly #parts: RecorderParts;
  /** The newest generation that ran here: no number up to there is given again. */
  #numbered = 0;
  readonly #startsAfter: number;
  /** What was recorded here last. */
  #made: Numbered | undefined;
  /** The newest generation whose record is known to be durable. */
  #durable = 0;

  /** @param startsAfter the newest generation that ran from another place: a new log here goes on from it */
  constructor(parts: RecorderParts, startsAfter: number) {
    this.#parts = parts;
    this.#startsAfter = startsAfter;
  }

  /** The newest generation that ran. */
  get newest(): number {
    return this.#numbered;
  }

  /** Makes a record durable before anybody relies on it: visible is not yet durable. */
  async secure(place: LogPlace, generation: number): Promise<void> {
    if (generation <= this.#durable) return;
    await place.secure().catch((error: unknown) => {
      if (!hasErrno(error, "ENOENT")) throw error;
      throw outdated(place.path, { expected: generation, current: 0 }, error);
    });
    this.#durable = generation;
  }

  /** Remembers what runs, which has a durable record. */
  took(generation: number): void {
    this.#durable = Math.max(this.#durable, generation);
    this.#numbered = Math.max(this.#numbered, generation);
  }

  /**
   * The number after every one that was given, as far as is known: the compare-and-swap finds out the rest.
   *
   * @param sight what was seen last of this place; undefined when nothing was
   * @param isRecorded whether what runs has a record: then a log that was not seen is our own
   */
  async next(place: LogPlace, sight: Sight | undefined, isRecorded: boolean): Promise<number> {
    const top = sight?.view?.top ?? 0;
    const after = sight?.standing.kind === "edited" ? sight.standing.after : 0;
    const isUnknown = top === 0 && !isRecorded && !place.isRefused;
    const marked = isUnknown ? await place.mark() : 0;
    // A mark without records says that they were deleted; or they have come since.
    if (marked > 0 && ((await place.view())?.top ?? 0) > 0) {
      throw outdated(place.path, { expected: 0, current: marked });
    }
    const begun = top === 0 ? this.#startsAfter : 0;
    const next = Math.max(top, after, marked, begun, this.#numbered) + 1;
    if (next <= generationMax) return next;
    throw holdfastError(
      "TOO_LARGE",
      `Cannot write ${place.path}: found generation ${
        next - 1
      }, and there are no more numbers; move its log and marks away`,
      { what: "generation", limit: generationMax, found: next },
    );
  }

  /** The record that a content has already: of somebody who was quicker, or one that lost its number in a power cut. */
  async find(
    place: LogPlace,
    sight: Sight | undefined,
    hash: string,
  ): Promise<RecordHeader | undefined> {
    if (sight?.standing.kind === "unfinished") await finishCommit(place, sight.standing);
    return await generationOf(place, hash);
  }

  /**
   * Records what somebody else wrote.
   *
   * @param current what runs, if that has a record
   * @returns the same content with its generation
   * @throws what {@link adoptEdit} throws
   */
  async record(
    place: LogPlace,
    sight: Sight | undefined,
    current: Loaded | undefined,
    { loaded, bytes, found }: Unrecorded,
  ): Promise<Loaded> {
    const { host, read, upkeep } = this.#parts;
    const generation = await this.next(place, sight, current !== undefined);
    const parent = await this.#parent(place, sight?.newest, current);
    const cause = { origin: "external", calls: [] } as const;
    const record = newRecord(host, { generation, parent, cause, text: bytes });
    const view = await adoptEdit({ place, record, found, read });
    const { id, hash, origin, calls, at } = record;
    this.#made = { generation, hash };
    this.took(generation);
    upkeep.after(place, { generation, id, view, isReached: found !== undefined });
    return { ...loaded, generation, hash, record: { origin, calls, at } };
  }

  /** The newest of what was seen, of what runs, and of what was recorded here: none of them need be any of the others. */
  async #parent(
    place: LogPlace,
    newest: RecordHeader | undefined,
    current: Loaded | undefined,
  ): Promise<Numbered | undefined> {
    const isSeen = (newest?.generation ?? 0) > (current?.generation ?? 0);
    const known: Numbered | undefined = isSeen ? newest : current;
    const made = this.#made;
    if (made === undefined || made.generation <= (known?.generation ?? 0)) return known;
    const isThere = (await place.view())?.records.includes(made.generation) === true;
    return isThere ? made : known;
  }

  /**
   * Records what somebody saved, and saved over again while it was being recorded, if nothing else came in between.
   *
   * @returns whether it did
   */
  async recordMissed(
    sight: Sight,
    current: Loaded | undefined,
    missed: Unrecorded,
  ): Promise<boolean> {
    const { place, newest, standing } = sight;
    const isNext = standing.kind === "edited" && newest?.generation === current?.generation;
    const hash = hashOf(this.#parts.host, missed.bytes);
    if (!isNext || current === undefined || hash === current.hash) return false;
    try {
      await this.record(place, sight, current, missed);
      return true;
    } catch {
      return false;
    }
  }
}
