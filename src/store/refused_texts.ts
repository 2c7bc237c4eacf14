import { hasErrno } from "../core/error.ts";
import { refusedTextsMax } from "../core/limits.ts";
import { syncAndClose, writeNew } from "../host/durable.ts";
import { fileMode, type LogPlace } from "./log_place.ts";

const prefix = "refused.";

/**
 * Keeps a text that was refused, and is about to be replaced, beside the history: its author may want it back.
 *
 * @returns the path of what was kept
 */
export async function keepRefused(
  place: LogPlace,
  { bytes, hash }: { readonly bytes: Uint8Array; readonly hash: string },
): Promise<string> {
  const { host, log } = place;
  const [, digits = ""] = hash.split(":");
  const path = log.path(prefix + digits.slice(0, 16));
  try {
    await syncAndClose(await writeNew(host, path, fileMode, bytes));
    await log.sync();
  } catch (error) {
    // Equal names mean equal texts: it was refused before.
    if (!hasErrno(error, "EEXIST")) throw error;
    return path;
  }
  await removeOldest(place);
  return path;
}

/** Removes every refused text. */
export async function removeRefused({ host, log }: LogPlace): Promise<void> {
  const names = await host.list(log.directory);
  await log.remove(names.filter((name) => name.startsWith(prefix)));
}

async function removeOldest({ host, log }: LogPlace): Promise<void> {
  const names = (await host.list(log.directory)).filter((name) => name.startsWith(prefix));
  if (names.length <= refusedTextsMax) return;
  const aged = await Promise.all(names.map(async (name) => {
    const stat = await host.stat(log.path(name)).catch(() => undefined);
    return { name, modifiedMs: stat?.modifiedMs ?? 0 };
  }));
  aged.sort((one, other) => one.modifiedMs - other.modifiedMs);
  await log.remove(aged.slice(0, names.length - refusedTextsMax).map(({ name }) => name));
}
