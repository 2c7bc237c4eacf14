import { writtenIn } from "../source/layers.ts";
import type { Loaded } from "../source/source.ts";
import type { OpenStore } from "./store.ts";

/**
 * What a change is based on that replaces what was loaded, turned down, and never ran: nothing, as far as the store goes that
 * is written. The layers around it stay.
 */
export async function replacementBase(store: OpenStore, refused: Loaded): Promise<Loaded> {
  const written = writtenIn(refused);
  // That nothing is there was not what was turned down: the change goes on from it.
  return written.hash === "" ? await store.adopt(refused) : untaken(refused, written);
}

function untaken({ record: _, layers, ...loaded }: Loaded, written: Loaded): Loaded {
  const nothing = { ...loaded, hash: "", generation: 0 };
  if (layers === undefined) return nothing;
  const held = layers.held.map((own) => {
    return own === written || writtenIn(own) === written ? untaken(own, written) : own;
  });
  return { ...nothing, layers: { ...layers, held } };
}
