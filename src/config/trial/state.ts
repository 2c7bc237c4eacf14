import type { BaseGeneration, HeldIntent } from "./intent.ts";

/** A generation that waits to be confirmed. */
export interface PendingConfirmation {
  /** The generation that waits. */
  readonly generation: number;
  /** The generation to come back to; 0 for none. */
  readonly base: number;
  /** When that happens, by the monotonic clock of the host. */
  readonly untilMs: number;
}

/** How far a confirmation is. */
export type ConfirmationState =
  /** Nothing waits, and why. */
  | { readonly kind: "none"; readonly why: string }
  /** Its intent is being made. */
  | { readonly kind: "beginning" }
  | { readonly kind: "begun" | "armed" | "reverting"; readonly waiting: Waiting };

/** What waits, or is about to. */
export interface Waiting {
  readonly base: BaseGeneration;
  readonly withinMs: number;
  readonly held: HeldIntent;
  /** Undefined until it is stored. */
  pending?: PendingConfirmation;
}

/** Why nothing can be confirmed, in words: "found …". */
export function whyNot(state: ConfirmationState): string {
  if (state.kind === "none") return state.why;
  return state.kind === "reverting"
    ? "that its time is over, and it is being taken back"
    : "that what is applied is not stored yet";
}
