import { hasErrno } from "../core/error.ts";
import { collectionBatch, orphanAgeMs } from "../core/limits.ts";
import { together } from "../core/promise.ts";
import { writeNew } from "../host/durable.ts";
import { fileMode, type LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import { removeRefused } from "./refused_texts.ts";
import type { Sight } from "./sight.ts";

/**
 * Clears away what a durable generation made superfluous: its own draft, the second names of older publications, now and
 * then drafts of writers that died and records beyond the history to be kept.
 *
 * @param record of the generation, which is durable
 * @param view the log after the record was made
 * @param how `history` is how many generations to keep; `isReached` whether the config file is durably at this one
 */
export async function tidy(
  place: LogPlace,
  { generation, id }: { readonly generation: number; readonly id: string },
  view: LogView,
  { history, isReached }: { readonly history: number; readonly isReached: boolean },
): Promise<void> {
  const { log } = place;
  if (!isReached) return await log.remove([`rec.${id}`]);
  const older = [...view.images, ...view.textImages].filter((image) => {
    return image.generation < generation;
  });
  await log.remove([`rec.${id}`, ...older.map(({ name }) => name)]);
  if (view.drafts.size > 1) await removeDeadDrafts(place, view);
  const last = generation - history;
  const superfluous = view.records.filter((record) => record <= last).length;
  if (superfluous > Math.min(collectionBatch, history)) await collect(place, last);
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
export async function purgeBefore({ place, view }: Sight, before: number): Promise<number> {
  const { log } = place;
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
    if (stat !== undefined && host.now() - stat.modifiedMs > orphanAgeMs) await log.remove([name]);
  }
}
