import { hasErrno } from "../../core/error.ts";
import { makeEmpty, renameOver, writeNew } from "../../host/durable.ts";
import type { HostFile } from "../../host/host.ts";
import type { RecordHeader } from "../record.ts";
import type { Commit } from "./commit.ts";
import { type Found, readFound } from "./config_file.ts";
import { fileMode } from "./generation_log.ts";
import { generationOf } from "./history.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import { isOurFile, recognise } from "./sight.ts";

/** Gives the config file's inode a second name in the log, or says that it is to be told by its text where that is refused. */
export async function nameInode(
  { host, log, path }: LogPlace,
  { generation, id }: RecordHeader,
  attempt: string,
): Promise<void> {
  try {
    await host.link(path, log.path(`ext.${generation}.${id}.${attempt}`));
  } catch (error) {
    if (hasErrno(error, "ENOENT")) throw error;
    const marker = log.path(`txt.${generation}.${id}.${attempt}`);
    await makeEmpty(host, marker, fileMode);
  }
}

/** Writes the file to be published. */
export async function writePublication(
  { place: { host, log }, record, attempt }: Pick<Commit, "place" | "record" | "attempt">,
): Promise<HostFile> {
  const path = log.path(`pub.${record.generation}.${attempt}`);
  return await writeNew(host, path, fileMode, record.text);
}

/**
 * Gives the inode of the file to be published a second name, which stays when the first is renamed away. Its draft must be
 * there before: an image without a draft says that there was a record.
 */
export async function nameImage(
  { place: { host, log }, record, attempt }: Pick<Commit, "place" | "record" | "attempt">,
): Promise<void> {
  const { generation, id } = record;
  const publication = log.path(`pub.${generation}.${attempt}`);
  await host.link(publication, log.path(`img.${generation}.${id}.${attempt}`));
}

/**
 * Step 5, the fence.
 *
 * @returns whether there was anything to fence off
 */
export async function removeOlderPublications(
  { log }: LogPlace,
  generation: number,
  view: LogView | undefined,
): Promise<boolean> {
  const older = view?.publications.filter((publication) => publication.generation < generation) ??
    [];
  await log.remove(older.map(({ name }) => name));
  return older.length > 0;
}

/** What is known of the config file and the log before a publication. */
export interface Before {
  /** What the config file held at the first look. */
  readonly base: Found | undefined;
  /** What it holds now. */
  readonly found: Found | undefined;
  /** The log after the compare-and-swap. */
  readonly view: LogView | undefined;
}

/**
 * Step 6.
 *
 * @returns whether this very writer published it
 */
export async function publish(commit: Commit, { base, found, view }: Before): Promise<boolean> {
  const { place, record, attempt } = commit;
  const publication = `pub.${record.generation}.${attempt}`;
  if (found?.hash !== base?.hash) {
    const newest = view === undefined ? undefined : await place.log.newest(view);
    const header = newest === "moved" ? undefined : newest;
    const standing = await recognise(place, view, header, found);
    const mayReplace = standing.kind === "stale" || standing.kind === "missing";
    if (!mayReplace) {
      // Either a newer generation is there already, or an edit, which the next look takes for one more.
      await place.log.remove([publication]);
      return false;
    }
  }
  if (found !== undefined && found.hash === commit.refusedHash) {
    await commit.keepAside(found, place.path);
  }
  if (isRemoval(record)) return await takeAway(commit, found);
  try {
    const from = place.log.path(publication);
    if (found !== undefined) await renameOver(place.host, from, place.path);
    else {
      // Where nothing is, nothing that an editor makes this very moment must be renamed over.
      await place.host.link(from, place.path);
      await place.log.remove([publication]);
    }
    return true;
  } catch (error) {
    // Superseded: a newer generation, which builds on this one, took the source away. Or somebody made the file.
    if (!hasErrno(error, "ENOENT", "EEXIST")) throw error;
    await place.log.remove([publication]);
    return false;
  }
}

/**
 * Step 6 of a removal. What is taken away is looked at once more, and put back if it is not what was to go: a remover that
 * stood still may find a newer generation.
 */
async function takeAway(
  { place, record, attempt, keepAside }: Commit,
  expected: Found | undefined,
): Promise<boolean> {
  if (expected === undefined) return true;
  const { host, log, path } = place;
  const name = `gone.${record.generation}.${attempt}`;
  const gone = log.path(name);
  try {
    await renameOver(host, path, gone);
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return true;
    throw error;
  }
  const taken = await readFound(host, gone, Number.MAX_SAFE_INTEGER).catch((error: unknown) => {
    if (!hasErrno(error, "ENOENT")) throw error;
    return undefined;
  });
  // Somebody took us for dead, and dealt with it.
  if (taken === undefined) return false;
  const isExpected = taken.stat.identity === expected.stat.identity &&
    taken.hash === expected.hash;
  if (!isExpected) await putBack(place, taken, name, keepAside);
  await log.remove([name]);
  return isExpected;
}

/** Puts back what a removal took away and should not have: what is ours, recovery publishes anew if it is still to be. */
export async function putBack(
  place: LogPlace,
  taken: Found,
  name: string,
  keepAside: Commit["keepAside"],
): Promise<void> {
  const { host, log, path } = place;
  const view = await log.view();
  if (await generationOf(place, taken.hash) !== undefined) return;
  try {
    // A file of ours with another text was edited in place: it may be a very old one.
    if (!await isOurFile({ place, view }, taken)) return await host.link(log.path(name), path);
  } catch (error) {
    if (!hasErrno(error, "EEXIST")) throw error;
  }
  await keepAside(taken, log.path(name));
}

/** Whether a record says that the document was removed. */
export function isRemoval(record: { readonly hash: string }): boolean {
  return record.hash === "";
}
