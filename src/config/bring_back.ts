import type { Cause } from "../core/cause.ts";
import type { Loaded } from "../source/source.ts";
import type { OpenStore } from "../store/store.ts";
import { writtenIn } from "./running.ts";

/**
 * Stores what was there before as the newest generation: the very way it was written where that is kept, and otherwise the
 * document.
 *
 * @param before what was there
 * @param base what is there
 */
export async function bringBack(
  store: OpenStore,
  before: Loaded,
  base: Loaded,
  cause: Cause,
): Promise<Loaded> {
  const { document, hash } = writtenIn(before);
  const isCounted = document !== undefined && before.generation > 0;
  const kept = isCounted ? await store.read(before.generation) : undefined;
  return await store.commit({
    document,
    base,
    refused: undefined,
    cause,
    ...(kept?.hash === hash ? { restores: kept } : {}),
  });
}
