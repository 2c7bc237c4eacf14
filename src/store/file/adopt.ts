import { hasErrno, isHoldfastError } from "../../core/error.ts";
import { together } from "../../core/promise.ts";
import { readOnlyError, writeNew } from "../../host/durable.ts";
import { encodeRecord, type GenerationRecord } from "../record.ts";
import { outdated } from "../store_error.ts";
import { assertCounted, compareAndSwap, discard, draftPath, reserve, unknown } from "./commit.ts";
import type { Found } from "./config_file.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";
import { nameInode, removeOlderPublications } from "./publication.ts";
import { identityOf } from "./sight.ts";

/** Content that somebody else made, on its way into the log. */
export interface Adoption {
  readonly place: LogPlace;
  readonly record: GenerationRecord;
  /** What stands in the config file; undefined when the content was there once and is not any more. */
  readonly found: Found | undefined;
  /** Reads the config file. */
  readonly read: () => Promise<Found | undefined>;
}

/**
 * Records what somebody else wrote as a generation of its own. It stands in the config file already, so nothing is published:
 *
 * 1. Flush the edited file and its directory: few editors do.
 * 2. Write the record, give the edited file a second name to know it by, flush both.
 * 3. Remove what older writers are still to publish, *before* the number is taken: else a stalled rename would undo the edit.
 * 4. See that the file is still the one that was read.
 * 5. Link the record to its number, see that the number was not collected meanwhile, flush the log.
 *
 * @returns the log after it was recorded
 * @throws `CONFLICT` when somebody was quicker or the file changed; `IO`, … with nothing recorded; `COMMIT_UNKNOWN`
 */
export async function adoptEdit(adoption: Adoption): Promise<LogView> {
  const { place, record, found } = adoption;
  const { host, log } = place;
  try {
    await together([
      found === undefined ? Promise.resolve() : host.sync(place.path),
      place.syncDirectory(),
    ]);
    const bytes = encodeRecord(host, record);
    const draft = await writeNew(host, draftPath(place, record), fileMode, bytes);
    await together([
      draft.sync(),
      found === undefined ? Promise.resolve() : nameInode(place, record, record.id),
    ])
      .finally(() => draft.close());
    await log.sync();
    await removeOlderPublications(place, record.generation, await log.view());
    await assertUnchanged(adoption);
    await compareAndSwap(adoption);
  } catch (error) {
    if (isHoldfastError(error, "COMMIT_UNKNOWN")) throw error;
    await discard({ place, record, attempt: record.id });
    if (hasErrno(error, "ENOENT")) throw changed(place, record, error);
    throw readOnlyError(error, place.path) ?? error;
  }
  try {
    log.made(record);
    const view = await assertCounted(adoption, await log.view());
    const isReserved = await reserve(adoption, true);
    await together([log.sync(), isReserved ? place.syncDirectory() : Promise.resolve()]);
    return view;
  } catch (error) {
    throw isHoldfastError(error, "COMMIT_UNKNOWN") ? error : unknown(adoption, error);
  }
}

async function assertUnchanged({ place, record, found, read }: Adoption): Promise<void> {
  if (found === undefined) return;
  const { host, log } = place;
  const { generation, id } = record;
  const again = await read();
  const image = await identityOf(host, log.path(`ext.${generation}.${id}.${id}`));
  const { identity } = found.stat;
  const isSame = again?.hash === found.hash && again.stat.identity === identity;
  if (!isSame || (image ?? identity) !== identity) throw changed(place, record);
}

function changed({ path }: LogPlace, { parent }: GenerationRecord, cause?: unknown): Error {
  return outdated(path, { expected: parent, current: parent + 1 }, cause);
}
