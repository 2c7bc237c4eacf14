import { hasErrno } from "../../core/error.ts";
import { collectionBatch, orphanAgeMs, sweepMs } from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import { tooFar, unsettled } from "../store_error.ts";
import { claim, type Commit, commitGeneration, type Committed } from "./commit.ts";
import type { LogPlace } from "./log_place.ts";
import type { Image, LogView } from "./log_view.ts";
import { reachNewest, type Recovery } from "./recovery.ts";
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
  #sweptMs = -Infinity;

  /** @param history how many generations to keep */
  constructor(superseded: Superseded, history: number) {
    this.#superseded = superseded;
    this.#history = history;
  }

  /** Starts; what cannot be cleared away now can be after the next generation. */
  after(place: LogPlace, settled: Settled): void {
    this.#work = this.#work.then(() => this.#clear(place, settled)).catch(() => {});
  }

  /** Goes on with what had to wait. */
  goOn(place: LogPlace): void {
    this.#work = this.#work.then(() => this.#superseded.clearDue(place)).catch(() => {});
  }

  /** Commits, and once more where the disk was full and some room could be made. */
  async commit(commit: Commit): Promise<Committed> {
    try {
      return await commitGeneration(commit);
    } catch (error) {
      if (!hasErrno(error, "ENOSPC", "EDQUOT")) throw error;
      const sight = await reachNewest(commit, await commit.look());
      if (sight?.view === undefined) throw error;
      await this.#makeRoom(sight, sight.view);
      return await commitGeneration(commit);
    }
  }

  async #makeRoom({ place, newest }: Sight, view: LogView): Promise<void> {
    const { generation } = newest!;
    await together([place.log.sync(), place.syncDirectory()]);
    const older = view.images.filter((image) => image.generation < generation);
    await this.#superseded.clearNow(place, older);
    await removeDeadDrafts(place, view);
    const last = generation - this.#history;
    if (view.records.some((record) => record <= last)) await collect(place, last);
  }

  /** Looks once more at what editors may have written into, since nobody may do so later. */
  async finish(place: LogPlace): Promise<void> {
    await this.#work;
    await this.#superseded.inspect(place).catch(() => {});
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /** What others are about to commit looks just like what they left behind, so not every commit looks. */
  async #sweep(place: LogPlace, view: LogView): Promise<void> {
    const nowMs = place.host.monotonic();
    if (nowMs - this.#sweptMs < sweepMs || view.drafts.size + view.turns.length <= 1) return;
    this.#sweptMs = nowMs;
    await removeDeadDrafts(place, view);
  }

  async #clear(place: LogPlace, { generation, id, view, isReached }: Settled): Promise<void> {
    const { log } = place;
    await log.remove([`rec.${id}`]);
    if (!isReached) return;
    const isOlder = (image: Image) => image.generation < generation;
    await this.#superseded.clear(place, view.images.filter(isOlder));
    await log.remove(view.textImages.filter(isOlder).map(({ name }) => name));
    await this.#sweep(place, view);
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
  const { log } = place;
  await log.writeFloor(last);
  await together([log.sync(), place.syncDirectory()]);
  const { records = [], floors = [] } = await log.view() ?? {};
  // A file numbered 0 is somebody else's.
  const old = records.filter((generation) => generation > 0 && generation <= last);
  const outdatedFloors = floors.filter((generation) => generation > 0 && generation < last);
  const names = [
    ...old.map((generation) => `g.${generation}`),
    ...outdatedFloors.map((generation) => `floor.${generation}`),
  ];
  // One after the other, so that what is left is a chain at every moment.
  for (const name of names) {
    await log.remove([name]).catch((error: unknown) => {
      // A directory that somebody gave such a name holds nothing of ours.
      if (!hasErrno(error, "EISDIR", "EPERM")) throw error;
    });
  }
  return old.length;
}

/**
 * Deletes the generations before one, and whatever else is left of their content, now.
 *
 * @returns how many there were
 * @throws `CONFLICT` where that would delete what is stored, or the config file says something else
 */
export async function purgeBefore(recovery: Recovery, before: number): Promise<number> {
  const { place } = recovery;
  const { log, path } = place;
  const first = await recovery.look();
  if (first.view === undefined || before <= 1) return 0;
  const current = first.newest?.generation ?? 0;
  if (before > current) throw tooFar(path, before, current);
  const sight = await reachNewest(recovery, first);
  if (sight?.view === undefined) throw unsettled(path, current);
  const { newest, view } = sight;
  await claim(place, newest!, sight);
  const images = [...view.images, ...view.textImages];
  const old = images.filter(({ generation, recordId }) => {
    // Those of the newest generation that are not its own are of writers that lost.
    const isLost = generation === newest!.generation && recordId !== newest!.id;
    return generation < before || isLost;
  });
  // What is published needs no publication any more; and a draft holds what was read before, whoever may have begun it.
  const attempts = view.publications.filter(({ generation }) => generation <= newest!.generation);
  const drafts = [...view.drafts].map((id) => `rec.${id}`);
  // The config file must not fall back behind what is deleted.
  await together([log.sync(), place.syncDirectory()]);
  const count = await collect(place, before - 1);
  await log.remove([...[...old, ...attempts].map(({ name }) => name), ...drafts]);
  await removeRefused(place);
  await log.sync();
  return count;
}

async function removeDeadDrafts(place: LogPlace, view: LogView): Promise<void> {
  const { log } = place;
  for (const { name } of view.turns) if (await isLeftBehind(place, name)) await log.remove([name]);
  for (const id of view.drafts) {
    const name = `rec.${id}`;
    if (!await isLeftBehind(place, name)) continue;
    const isLinked = (image: Image) => view.records.includes(image.generation);
    const made = view.images.filter((image) => image.recordId === id && !isLinked(image));
    await log.remove(made.map((image) => image.name));
    await log.remove([name]);
  }
}

/** Whether whoever made a file has died, most likely. */
export async function isLeftBehind({ host, log }: LogPlace, name: string): Promise<boolean> {
  const stat = await host.stat(log.path(name)).catch(() => undefined);
  return stat !== undefined && host.now() - stat.modifiedMs > orphanAgeMs;
}
