import type { ChangeSet, Snapshot } from "./reports.ts";

/** How one write is made. */
export interface WriteOptions {
  /** The generation the write is meant for; another one is a `CONFLICT`. Unconditional when left out. */
  readonly expectedGeneration?: number | undefined;
  /** Who asks for it; the config's actor when left out. */
  readonly actor?: string | undefined;
  /** Why it is asked for. */
  readonly reason?: string | undefined;
}

/** How a plan is applied. */
export interface ApplyOptions<Output> extends Omit<WriteOptions, "expectedGeneration"> {
  /**
   * How long `confirm()` may take to come, in milliseconds: without it, what was there before comes back as a new generation,
   * at the next open where the process ended meanwhile. Confirmed at once when left out.
   */
  readonly confirmWithinMs?: number | undefined;
  /**
   * Asked once the change runs. Where it gives `false`, throws, or takes longer than `confirmWithinMs`, or else `timeoutMs`,
   * what was there before comes back.
   */
  readonly healthCheck?: HealthCheck<Output> | undefined;
}

/** Tells whether the program does well with what it runs with now. */
export type HealthCheck<Output> = (
  snapshot: Snapshot<Output>,
  context: { readonly signal: AbortSignal },
) => unknown;

/** What a write gives once it is durable. */
export interface Written<Output> {
  /** What the process runs with after the write. */
  readonly snapshot: Snapshot<Output>;
  /** What the write changed in the document. Empty, with equal generations, when it changed nothing. */
  readonly changeSet: ChangeSet;
}

/** How much of the history to read. */
export interface HistoryOptions {
  /** The greatest number of entries; all that are kept when left out. */
  readonly limit?: number | undefined;
}
