import { hasErrno, holdfastError, isHoldfastError } from "../../core/error.ts";
import { together } from "../../core/promise.ts";
import { readOnlyError, syncAndClose, uniqueId, writeNew } from "../../host/durable.ts";
import type { HostFile } from "../../host/host.ts";
import { encodeRecord, type GenerationRecord, type RecordHeader } from "../record.ts";
import { outdated } from "../store_error.ts";
import type { Found } from "./config_file.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import {
  isRemoval,
  nameImage,
  nameInode,
  publish,
  removeOlderPublications,
  writePublication,
} from "./publication.ts";
import { identityOf, isKnownAs, type Sight } from "./sight.ts";

/** A generation on its way into the log. */
export interface Commit {
  readonly place: LogPlace;
  readonly record: GenerationRecord;
  /** Names what this attempt makes beside the record. */
  readonly attempt: string;
  /** Looks at the config file and the log. */
  readonly look: () => Promise<Sight>;
  /** Reads the config file. */
  readonly read: () => Promise<Found | undefined>;
  /** The hash of content that was refused and may be replaced, once it is kept aside. */
  readonly refusedHash: string | undefined;
  /** Keeps a file whose text is about to be lost. */
  readonly keepAside: (found: Found, path: string) => Promise<void>;
  /** Told when the record has its number, and the next writer may begin. */
  readonly numbered?: (view: LogView) => Promise<void>;
}

/** What became of a commit. */
export interface Committed {
  /** Whether this very writer published it. */
  readonly published: boolean;
  /** The log right after the compare-and-swap. */
  readonly view: LogView;
}

/**
 * Commits a generation to the log and publishes it as the config file. No lock is taken, so a writer that dies or stalls
 * anywhere blocks nobody and undoes nobody:
 *
 * 1. The greatest generation must be the base, and nobody may have edited the config file.
 * 2. Write the record and, as an inode of its own, the file to be published, with a second name to know it by. Flush
 *    both and the log: the base is durable with it.
 * 3. Link the record to its number. That is the compare-and-swap.
 * 4. If records were deleted up to that number meanwhile, nobody can tell what became of it.
 * 5. Remove what older writers are still to publish: without its source, a stalled rename cannot undo this one.
 * 6. Publish, unless somebody edited the config file or was quicker.
 * 7. Flush the log and the config file's directory. Only now it is acknowledged.
 *
 * @throws `CONFLICT`, `IO`, `READ_ONLY`, … with nothing stored; `COMMIT_UNKNOWN` after the compare-and-swap
 */
export async function commitGeneration(commit: Commit): Promise<Committed> {
  const { place, record } = commit;
  const base = await prepare(commit);
  try {
    await compareAndSwap(commit);
  } catch (error) {
    if (!isHoldfastError(error, "COMMIT_UNKNOWN")) await discard(commit);
    throw readOnlyError(error, place.path) ?? error;
  }
  try {
    place.log.made(record);
    const [listed, seen] = await together([place.log.view(), commit.read()]);
    const view = await assertCounted(commit, listed);
    const passedOn = commit.numbered?.(view).catch(() => {});
    const isFenced = await removeOlderPublications(place, record.generation, view);
    // What was seen before the fence may have been replaced by a writer that it came too late for.
    const found = isFenced ? await commit.read() : seen;
    const published = await publish(commit, { base, found, view });
    await reserve(commit, published);
    await together([place.log.sync(), place.syncDirectory()]);
    await passedOn;
    return { published, view };
  } catch (error) {
    throw isHoldfastError(error, "COMMIT_UNKNOWN") ? error : unknown(commit, error);
  }
}

/** Steps 1 and 2, side by side: what they do does not show before step 3. */
async function prepare(commit: Commit): Promise<Found | undefined> {
  const { place, record } = commit;
  const { host, log } = place;
  const files: HostFile[] = [];
  const opened = (file: HostFile) => void files.push(file);
  try {
    const draft = encodeRecord(host, record);
    const [, found] = await together([
      together([
        writeNew(host, draftPath(place, record), fileMode, draft).then(opened),
        isRemoval(record) ? Promise.resolve() : writePublication(commit).then(opened),
      ]).then(() => isRemoval(record) ? undefined : nameImage(commit)),
      assertBase(commit),
    ]).catch(async (error: unknown) => {
      await together(files.map((file) => file.close().catch(() => {})));
      throw error;
    });
    await together([log.sync(), ...files.map(syncAndClose)]);
    return found;
  } catch (error) {
    await discard(commit);
    // Somebody who was quicker cleared this attempt away, or even the log.
    if (hasErrno(error, "ENOENT")) {
      throw outdated(place.path, { expected: record.parent, current: record.generation }, error);
    }
    throw readOnlyError(error, place.path) ?? error;
  }
}

async function assertBase(commit: Commit): Promise<Found | undefined> {
  const { place, record, refusedHash } = commit;
  const sight = await commit.look();
  const { found, view, newest, standing } = sight;
  const current = newest?.generation ?? 0;
  const isNext = record.generation > (view?.top ?? 0);
  const isBase = current === record.parent && (newest?.hash ?? "") === record.parentHash;
  // A link was swapped: the file that was read is another one than the file to be written.
  const isElsewhere = sight.place !== place;
  const isTheirs = standing.kind === "edited" || standing.kind === "unlogged";
  const mayReplace = !isTheirs || (found?.hash ?? "") === (refusedHash ?? "");
  if (isNext && isBase && mayReplace && !isElsewhere && standing.kind !== "unfinished") {
    if (standing.kind === "current" && newest !== undefined) await claim(place, newest, sight);
    return found;
  }
  throw outdated(place.path, {
    expected: record.parent,
    current: Math.max(current, isTheirs ? record.parent + 1 : 0),
  });
}

/**
 * Somebody may have saved the file unchanged, or restored it from a copy: it then says what the newest record says, but is
 * none of our files. It must be known as that generation before there is a newer one, or it would pass for an edit.
 */
export async function claim(place: LogPlace, newest: RecordHeader, sight: Sight): Promise<void> {
  if (await isKnownAs(newest, sight)) return;
  await together([place.host.sync(place.path), place.syncDirectory()]);
  await nameInode(place, newest, uniqueId(place.host));
}

/** Step 3. */
export async function compareAndSwap(
  { place, record }: Pick<Commit, "place" | "record">,
): Promise<void> {
  const { host, log } = place;
  const { generation } = record;
  const draft = draftPath(place, record);
  const numbered = log.path(`g.${generation}`);
  try {
    await host.link(draft, numbered);
  } catch (error) {
    // The answer may have been lost and not the link, as over a network.
    if (await isSameFile(place, draft, numbered, error)) return;
    // Without the draft somebody took us for dead; without the log there is nothing to build on.
    if (!hasErrno(error, "EEXIST", "ENOENT")) throw error;
    throw outdated(place.path, { expected: record.parent, current: generation }, error);
  }
}

async function isSameFile(
  place: LogPlace,
  draft: string,
  numbered: string,
  cause: unknown,
): Promise<boolean> {
  try {
    const identity = await identityOf(place.host, numbered);
    return identity !== undefined && identity === await identityOf(place.host, draft);
  } catch {
    throw holdfastError(
      "COMMIT_UNKNOWN",
      `Cannot tell whether ${place.path} was written: found an error right after; read it before writing again`,
      { source: place.path },
      cause,
    );
  }
}

/**
 * Step 4. The number may have been committed, built upon and collected while we stood still; or the log was deleted in the
 * middle of it, and begun anew with other numbers. Nothing may be unlinked: nobody can tell.
 */
export async function assertCounted(
  commit: Pick<Commit, "place" | "record">,
  view: LogView | undefined,
): Promise<LogView> {
  const { place, record: { generation, parent } } = commit;
  if (view !== undefined && generation > view.floor) {
    const isBased = parent <= view.floor || view.records.includes(parent);
    const isNewest = view.top === generation;
    if (isBased && (isNewest || (await place.log.header(generation + 1))?.parent === generation)) {
      return view;
    }
  }
  throw unknown(commit, undefined);
}

/**
 * Marks the numbers that were given. Before there is a mark, a log that was deleted may have been begun anew with the same
 * number; and what seemed to be superseded may have been deleted with it.
 *
 * @returns whether the config file's directory has to be synced
 */
export async function reserve(
  commit: Pick<Commit, "place" | "record">,
  isThere: boolean,
): Promise<boolean> {
  const { place, record } = commit;
  const mark = await place.reserve(record.generation);
  if (mark === "known" && isThere) return false;
  if ((await place.log.read(record.generation))?.id === record.id) return mark === "made";
  throw unknown(commit, undefined);
}

/** Clears away an attempt that came to nothing. */
export async function discard(
  { place: { log }, record, attempt }: Pick<Commit, "place" | "record" | "attempt">,
): Promise<void> {
  const { generation, id } = record;
  const image = `${generation}.${id}.${attempt}`;
  const made = [`pub.${generation}.${attempt}`, `img.${image}`, `ext.${image}`, `txt.${image}`];
  // The draft goes last: while it is there, the others are known to be of an attempt and not of a generation.
  await log.remove(made).then(() => log.remove([`rec.${id}`])).catch(() => {});
}

/** Where a record is before it has its number. */
export function draftPath({ log }: LogPlace, { id }: { readonly id: string }): string {
  return log.path(`rec.${id}`);
}

/** The error for a commit of which nobody can say whether it lasts. */
export function unknown(
  { place, record }: Pick<Commit, "place" | "record">,
  cause: unknown,
): Error {
  const { generation } = record;
  const found = cause === undefined
    ? "that its record may have been built upon and deleted while this process stood still"
    : "an error after its record was made";
  return holdfastError(
    "COMMIT_UNKNOWN",
    `Cannot tell whether generation ${generation} of ${place.path} lasts: found ${found}; ` +
      "read it before writing again, and look at the disk",
    { source: place.path, generation },
    cause,
  );
}
