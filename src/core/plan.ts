import type { Path } from "./error.ts";

/** One thing that a change of the value comes to. */
export type PlannedAction =
  /** Whoever reads the value or subscribes sees it, and nothing else is to be done. */
  | { readonly kind: "hot"; readonly paths: readonly Path[] }
  /** A module takes its new part over in place. */
  | { readonly kind: "reconfigure"; readonly module: string; readonly paths: readonly Path[] }
  /** The program is built anew. */
  | { readonly kind: "full_reload"; readonly reasons: readonly FullReloadReason[] }
  /** The running value stays until a restart. */
  | { readonly kind: "restart_required"; readonly paths: readonly Path[] };

/** Why nothing less than a full reload does. */
export interface FullReloadReason {
  /**
   * `unclaimed`: no module selects what changed; `added`, `removed`, `retyped`: the module itself; `fixed`: the module cannot
   * be reconfigured; `no modules`: nothing is there that could be.
   */
  readonly why: "unclaimed" | "added" | "removed" | "retyped" | "fixed" | "no modules";
  /** Its name. */
  readonly module?: string;
  /** What changed. */
  readonly paths: readonly Path[];
}
