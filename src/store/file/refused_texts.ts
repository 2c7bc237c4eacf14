import { hasErrno } from "../../core/error.ts";
import { refusedTextsMax } from "../../core/limits.ts";
import { syncAndClose, uniqueId, writeNew } from "../../host/durable.ts";
import type { Found } from "./config_file.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import { identityOf } from "./sight.ts";

const prefix = "refused.";

/**
 * Keeps a file with a text that is about to be lost beside the history: its author may want it back. It is the very file and
 * no copy of it, since an editor may still be writing.
 *
 * @param from where the file stands; undefined where it is gone and only its bytes are left
 * @returns the path of what was kept
 */
export async function keepRefused(
  place: LogPlace,
  found: Found,
  from: string | undefined,
): Promise<string> {
  const [, digits = ""] = found.hash.split(":");
  const name = prefix + digits.slice(0, 16);
  const path = await keepAs(place, found, from, place.log.path(name)) ??
    await keepAs(place, found, from, place.log.path(`${name}.${uniqueId(place.host)}`));
  await place.log.sync();
  await removeOldest(place);
  return path!;
}

/** @returns undefined where the name is taken */
async function keepAs(
  { host }: LogPlace,
  { bytes, stat }: Found,
  from: string | undefined,
  path: string,
): Promise<string | undefined> {
  try {
    if (from !== undefined) {
      await host.link(from, path);
      if (await identityOf(host, path) === stat.identity) await host.sync(path);
      return path;
    }
  } catch (error) {
    if (hasErrno(error, "EEXIST")) return undefined;
    // Where other people's files must not be linked, a copy has to do.
  }
  try {
    await syncAndClose(await writeNew(host, path, fileMode, bytes));
    return path;
  } catch (error) {
    if (hasErrno(error, "EEXIST")) return undefined;
    throw error;
  }
}

/** Removes every refused text. */
export async function removeRefused(place: LogPlace): Promise<void> {
  await place.log.remove(await refusedNames(place));
}

async function refusedNames({ host, log }: LogPlace): Promise<string[]> {
  return (await host.list(log.directory)).filter((name) => name.startsWith(prefix));
}

async function removeOldest(place: LogPlace): Promise<void> {
  const { host, log } = place;
  const names = await refusedNames(place);
  if (names.length <= refusedTextsMax) return;
  const aged = await Promise.all(names.map(async (name) => {
    const stat = await host.stat(log.path(name)).catch(() => undefined);
    return { name, modifiedMs: stat?.modifiedMs ?? 0 };
  }));
  aged.sort((one, other) => one.modifiedMs - other.modifiedMs);
  await log.remove(aged.slice(0, names.length - refusedTextsMax).map(({ name }) => name));
}
