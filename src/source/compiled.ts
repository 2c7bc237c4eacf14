import type { Json } from "../core/document.ts";
import { holdfastError, type HoldfastErrorOf, isHoldfastError } from "../core/error.ts";
import { renameOver, syncAndClose, uniqueId, writeNew } from "../host/durable.ts";
import type { Host } from "../host/host.ts";
import { directoryOf } from "../host/path.ts";

/** Writes a document as JSON for others to read, wholly or not at all, with mode 0600. */
export async function writeCompiled(host: Host, path: string, document: Json): Promise<void> {
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
}

/** The same error about the file itself, so that the next one says the same and can be told once. */
function naming(path: string, temporary: string, error: HoldfastErrorOf<"IO">): Error {
  const message = error.message.replaceAll(temporary, path);
  return holdfastError("IO", message, { ...error.details, path }, error);
}
