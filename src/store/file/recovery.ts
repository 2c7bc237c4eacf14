import { hasErrno } from "../../core/error.ts";
import { together } from "../../core/promise.ts";
import { syncAndClose, uniqueId } from "../../host/durable.ts";
import { type Commit, compareAndSwap } from "./commit.ts";
import { readFound } from "./config_file.ts";
import type { LogPlace } from "./log_place.ts";
import {
  isRemoval,
  nameImage,
  publish,
  putBack,
  removeOlderPublications,
  writePublication,
} from "./publication.ts";
import type { Sight } from "./sight.ts";

/** What recovery works with. */
export type Recovery = Omit<Commit, "record" | "attempt" | "refusedHash">;

/**
 * Publishes the newest record in place of an older publication of ours, for a writer that died in between.
 *
 * The record is made durable first, since it may have been acknowledged to nobody; its publication is a fresh one, since
 * that of the dead writer may be about to be fenced off; and it is published only while it is still the newest.
 */
export async function rollForward(recovery: Recovery, sight: Sight): Promise<void> {
  const { place } = recovery;
  const { log } = place;
  const record = sight.newest === undefined ? undefined : await log.read(sight.newest.generation);
  if (record === undefined) return;
  const attempt = uniqueId(place.host);
  const commit: Commit = { ...recovery, record, attempt, refusedHash: undefined };
  const { generation, id } = record;
  const made = [`pub.${generation}.${attempt}`, `img.${generation}.${id}.${attempt}`];
  await log.sync();
  try {
    if (!isRemoval(record)) {
      const file = await writePublication(commit);
      await nameImage(commit).catch(async (error: unknown) => {
        await file.close();
        throw error;
      });
      await together([syncAndClose(file), log.sync()]);
    }
    const view = await place.view();
    if (view?.top !== sight.view?.top) return await log.remove(made);
    await removeOlderPublications(place, generation, view);
    const found = await commit.read();
    const published = await publish(commit, { base: sight.found, found, view });
    await together([log.sync(), place.syncDirectory()]);
    if (!published) await log.remove(made);
  } catch (error) {
    // The second name stays: it may be that of what is published by now.
    await log.remove(made.slice(0, 1)).catch(() => {});
    // A newer generation took our files away.
    if (!hasErrno(error, "ENOENT")) throw error;
  }
}

/**
 * Sees that the config file has reached the newest generation, and that nothing older can come any more: it may hold an older
 * one with the same text, while those in between are still to be published.
 *
 * @returns what is seen then; undefined where something else stands there, or a newer generation came meanwhile
 */
export async function reachNewest(recovery: Recovery, first: Sight): Promise<Sight | undefined> {
  const { place, view, newest, standing } = first;
  if (newest === undefined) return undefined;
  if (standing.kind === "stale") await rollForward(recovery, first);
  await removeOlderPublications(place, newest.generation, view);
  const sight = await recovery.look();
  const isNewest = sight.newest?.generation === newest.generation;
  return isNewest && sight.standing.kind === "current" ? sight : undefined;
}

/** Gives a record its number back that a power cut took away: its text was published, and nothing came after it. */
export async function finishCommit(
  place: LogPlace,
  { generation, id }: { readonly generation: number; readonly id: string },
): Promise<void> {
  const record = await place.log.draft(id, generation);
  if (record === undefined) return;
  await place.log.sync();
  await compareAndSwap({ place, record });
  await place.log.sync();
}

/** Deals with what a remover took away and died over: nothing that anybody wrote may vanish with it. */
export async function settleGone(recovery: Recovery, sight: Sight): Promise<void> {
  const { place, keepAside } = recovery;
  const { host, log } = place;
  for (const { name } of sight.view?.gone ?? []) {
    const taken = await readFound(host, log.path(name), Number.MAX_SAFE_INTEGER)
      .catch(() => undefined);
    if (taken === undefined) continue;
    await putBack(place, taken, name, keepAside);
    await log.remove([name]);
  }
}
