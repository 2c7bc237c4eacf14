import type { Loaded } from "../source/source.ts";
import type { StoreChange } from "./store.ts";

/**
 * The change that one of several sources, the head, is given where the whole is written.
 *
 * @param headOf tells what the head holds of what was loaded
 */
export function headChangeOf(
  { base, refused, beside, ...change }: StoreChange,
  headOf: (loaded: Loaded) => Loaded | undefined,
): StoreChange {
  const head = headOf(base)!;
  const found = refused && headOf(refused);
  // What was refused may be what another layer says.
  return {
    ...change,
    base: head,
    refused: found?.hash === head.hash ? undefined : found,
    beside: beside && headOf(beside),
  };
}
