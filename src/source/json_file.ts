import type { Json } from "../core/document.ts";
import { holdfastError, type HoldfastErrorOf, isHoldfastError } from "../core/error.ts";
import { orphanAgeMs } from "../core/limits.ts";
import { renameOver, syncAndClose, uniqueId, writeNew } from "../host/durable.ts";
import type { Host } from "../host/host.ts";
import { baseName, directoryOf, joinPath } from "../host/path.ts";

/** Writes a document as JSON, wholly or not at all, with mode 0600. */
export async function writeJsonFile(host: Host, path: string, document: Json): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, undefined, 2)}\n`);
  const temporary = `${path}.${uniqueId(host)}.tmp`;
  try {
    await syncAndClose(await writeNew(host, temporary, 0o600, bytes));
    await renameOver(host, temporary, path);
  } catch (error) {
    await host.remove(temporary).catch(() => {});
    throw isHoldfastError(error, "IO") ? naming(path, temporary, error) : error;
  }
  await host.syncDirectory(directoryOf(path));
  await sweep(host, path).catch(() => {});
}

/** Removes what writers left that died before their rename. */
async function sweep(host: Host, path: string): Promise<void> {
  const directory = directoryOf(path);
  const begin = `${baseName(path)}.`;
  for (const name of await host.list(directory)) {
    const isOurs = name.startsWith(begin) &&
      /^[0-9a-f]{32}\.tmp$/.test(name.slice(begin.length));
    if (!isOurs) continue;
    const left = joinPath(directory, name);
    // A younger one may be about to be renamed.
    const { modifiedMs } = await host.stat(left);
    if (host.now() - modifiedMs > orphanAgeMs) await host.remove(left);
  }
}

/** The same error about the file itself, so that the next one says the same and can be told once. */
function naming(path: string, temporary: string, error: HoldfastErrorOf<"IO">): Error {
  const message = error.message.replaceAll(temporary, path);
  return holdfastError("IO", message, { ...error.details, path }, error);
}
