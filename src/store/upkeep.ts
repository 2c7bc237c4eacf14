import { hasErrno } from "../core/error.ts";
import { collectionBatch, orphanAgeMs } from "../core/limits.ts";
import { together } from "../core/promise.ts";
import { writeNew } from "../host/durable.ts";
import { claim } from "./commit.ts";
import { fileMode, type LogPlace } from "./log_place.ts";
import type { Image, LogView } from "./log_view.ts";
import { removeRefused } from "./refused_texts.ts";
import type { Sight } from "./sight.ts";
import type { Superseded } from "./superseded.ts";

/** A generation that is durable. */
export interface Settled {
  readonly generation: number;
  readonly id: string;
  /** The log after its record was made. */
  readonly view: LogView;
  /** Whether the config file is durably known to have reached it. */
  readonly isReached: boolean;
}

/**
 * Clears away, in the background, what a durable generation made superfluous: its own draft, the second names of older
 * publications, drafts of writers that died, and now and then records beyond the history to be kept.
 */
export class Upkeep {
  readonly #superseded: Superseded;
  readonly #history: number;
  #work: Promise<void> = Promise.resolve();

  /** @param history how many generations to keep */
  constructor(superseded: Superseded, history: number) {
    this.#superseded = superseded;
    this.#history = history;
  }

  /** Starts; what cannot be cleared away now can be after the next generation. */
  after(place: LogPlace, settled: Settled): void {
    this.#work = this.#work.then(() => this.#clear(place, settled)).catch(() => {});
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #clear(place: LogPlace, { generation, id, view, isReached }: Settled): Promise<void> {
    const { log } = place;
    await log.remove([`rec.${id}`]);
    if (!isReached) return;
    const isOlder = (image: Image) => image.generation < generation;
    await this.#superseded.clear(place, view.images.filter(isOlder));
    await log.remove(view.textImages.filter(isOlder).map(({ name }) => name));
    if (view.drafts.size > 1) await removeDeadDrafts(place, view);
    const last = generation - this.#history;
    const superfluous = view.records.filter((record) => record <= last).length;
    if (superfluous > Math.min(collectionBatch, this.#history)) await collect(place, last);
  }
}

/**
 * Deletes the records up to a generation. The config file must be durably known to be newer.
 *
 * That they were deleted is made durable first: a writer that stood still for long must not take one of their numbers.
 *
 * @returns how many there were
 */
export async function collect(place: LogPlace, last: number): Promise<number> {
  const { host, log } = place;
  try {
    const marker = log.path(`floor.${last}`);
    await (await writeNew(host, marker, fileMode, new Uint8Array())).close();
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error;
  }
  await together([log.sync(), place.syncDirectory()]);
  const names = await host.list(log.directory);
  const records = names.filter((name) => numberOf(name, "g.") <= last);
  const floors = names.filter((name) => numberOf(name, "floor.") < last);
  await log.remove([...records, ...floors]);
  return records.length;
}

/**
 * Deletes the generations before one, and whatever else is left of their content, now.
 *
 * @param sight that shows the config file at the newest generation
 * @returns how many there were
 */
export async function purgeBefore(sight: Sight, before: number): Promise<number> {
  const { place, view, newest } = sight;
  const { log } = place;
  await claim(place, newest!, sight);
  const attempts = [...view!.images, ...view!.textImages, ...view!.publications];
  const old = attempts.filter(({ generation }) => generation < before);
  // The config file must not fall back behind what is deleted.
  await together([log.sync(), place.syncDirectory()]);
  const count = await collect(place, before - 1);
  await log.remove(old.map(({ name }) => name));
  await removeRefused(place);
  await log.sync();
  return count;
}

function numberOf(name: string, prefix: string): number {
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^[1-9]\d*$/.test(digits) ? Number(digits) : Infinity;
}

async function removeDeadDrafts({ host, log }: LogPlace, view: LogView): Promise<void> {
  for (const id of view.drafts) {
    const name = `rec.${id}`;
    const stat = await host.stat(log.path(name)).catch(() => undefined);
    if (stat === undefined || host.now() - stat.modifiedMs <= orphanAgeMs) continue;
    const isLinked = (image: Image) => view.records.includes(image.generation);
    const made = view.images.filter((image) => image.recordId === id && !isLinked(image));
    await log.remove(made.map((image) => image.name));
    await log.remove([name]);
  }
}
