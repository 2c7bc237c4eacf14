import type { BaseGeneration, HeldIntent, PendingConfirmation } from "./confirmation_intent.ts";

/** How it is with what waits to be confirmed. */
export type State =
  /** Nothing waits, and why; and the generation that counts as confirmed, if the last one does. */
  | { readonly kind: "none"; readonly why: string; readonly confirmed?: number }
  /** Its intent is being made. */
  | { readonly kind: "beginning" }
  | { readonly kind: "begun" | "armed" | "reverting"; readonly waiting: Waiting };

/** What waits, or is about to. */
export interface Waiting {
  readonly base: BaseGeneration;
  readonly withinMs: number;
  readonly held: HeldIntent;
  pending?: PendingConfirmation;
}

/** Why nothing can be confirmed now, in words that end a message. */
export function whyNot(state: State): string {
  if (state.kind === "none") return state.why;
  return state.kind === "reverting"
    ? "that its time is over, and it is being taken back"
    : "that what is applied is not stored yet";
}
