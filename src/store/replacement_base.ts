import type { Loaded } from "../source/source.ts";

/**
 * What a change is based on that replaces what was loaded and never ran: nothing, as far as the store goes that is written.
 * The layers around it stay.
 */
export function untaken({ record: _, layers, ...loaded }: Loaded): Loaded {
  const nothing = { ...loaded, hash: "", generation: 0 };
  if (layers === undefined) return nothing;
  const written = layers.written?.loaded;
  const held = layers.held.map((own) => {
    return own === written || own.layers?.written?.loaded === written ? untaken(own) : own;
  });
  return { ...nothing, layers: { ...layers, held } };
}
