import type { Json } from "../core/document.ts";
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
    throw error;
  }
  await host.syncDirectory(directoryOf(path));
}
