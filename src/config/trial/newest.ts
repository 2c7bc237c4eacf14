import { writtenIn } from "../../source/layers.ts";
import type { OpenStore, StoredGeneration } from "../../store/store.ts";
import { external } from "../running.ts";

/**
 * The newest generation of a store. What somebody wrote over it by other means is not one yet, and comes as what it is to be.
 *
 * @returns undefined where there is none
 */
export async function newestIn(store: OpenStore): Promise<StoredGeneration | undefined> {
  const { hash, document } = writtenIn(await store.load());
  const [newest] = await store.generations();
  const stored = newest === undefined ? undefined : await store.read(newest);
  if (stored === undefined || stored.hash === hash) return stored;
  const { generation: parent, hash: parentHash, at } = stored;
  return { generation: parent + 1, parent, parentHash, hash, at, document, ...external };
}
