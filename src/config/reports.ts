import type { Call, Origin } from "../core/cause.ts";
import type { Change } from "../core/change.ts";
import type { DeepReadonly } from "../core/document.ts";
import type { Problem } from "../core/error.ts";
import type { PendingRestart } from "../core/restart.ts";

/** What a config holds at one moment: deeply frozen, and the same object until the next change. */
export interface Snapshot<Output> {
  /** What the program reads. */
  readonly value: DeepReadonly<Output>;
  /** Counts the changes of the running value in this process, from 0. */
  readonly revision: number;
  /** Of the store: grows by one at every durable change of its document; 0 when nothing is stored. */
  readonly generation: number;
  /** `sha256:` and hexadecimal over the stored bytes; empty when nothing is stored. */
  readonly hash: string;
  /** What it was made of. */
  readonly sources: readonly SourceState[];
  /** When the content was loaded or written, in ISO 8601. */
  readonly loadedAt: string;
}

/** One of the sources that a snapshot was made of. */
export interface SourceState {
  /** As messages call it. */
  readonly name: string;
  /** Of a store. */
  readonly generation?: number;
  /** Over its bytes. */
  readonly hash: string;
}

/** From one state to the next: of documents where a write or history gives it, of values where a subscriber gets it. */
export interface ChangeSet {
  /** The generation before. */
  readonly from: number;
  /** The generation after. */
  readonly to: number;
  /** The differences; empty when there was nothing before. */
  readonly changes: readonly Change[];
  /** The name of the source. */
  readonly source: string;
  /** Over the bytes before; empty when nothing was stored. */
  readonly oldHash: string;
  /** Over the bytes after. */
  readonly newHash: string;
  /** In ISO 8601. */
  readonly at: string;
  /** Who asked for it; several, separated by commas, where calls shared one commit. */
  readonly actor?: string;
  /** Why; several, separated by semicolons, where calls shared one commit. */
  readonly reason?: string;
  /** Why there is a new generation. */
  readonly origin: Origin;
  /** The calls that share the generation, in order; left out where nobody called. */
  readonly calls?: readonly Call[];
}

/**
 * One generation of the history: what it changed in the document of the one before. Its changes are empty when there was
 * none before, or that one is not kept any more. Secrets are redacted.
 */
export interface HistoryEntry extends ChangeSet {
  /** Its number: that of `to`. */
  readonly generation: number;
}

/** How the config is, and why. */
export interface Status {
  /** `degraded` while something newer than the running value was refused or cannot be read. */
  readonly state: "ok" | "degraded";
  /**
   * What the store holds, as last seen. While an edit is refused, which is no generation, the hash is that of the edit, and the
   * generation the newest one.
   */
  readonly stored: { readonly generation: number; readonly hash: string };
  /** What the process runs with. */
  readonly running: {
    readonly revision: number;
    readonly generation: number;
    readonly hash: string;
  };
  /** Errors say why it is degraded; warnings advise. */
  readonly problems: readonly Problem[];
  /** Values that wait for a restart, redacted. */
  readonly pendingRestart: readonly PendingRestart[];
  /** What runs on trial; left out where nothing does. */
  readonly unconfirmed?: Unconfirmed;
  /** What the value was made of, and how each is watched. */
  readonly sources: readonly (SourceState & { readonly watch: "events" | "polling" | "off" })[];
}

/** A generation that is taken back unless it is confirmed. */
export interface Unconfirmed {
  /** The one that runs. */
  readonly generation: number;
  /** The one whose content comes back; 0 for none. */
  readonly base: number;
  /** When that happens, in ISO 8601, by the clock of this machine. */
  readonly until: string;
}

/** Something that an auditor wants to know, secrets redacted; its changes are those of the document. */
export interface AuditEvent extends ChangeSet {
  /** `applied` when the running document changed, `refused` when something newer was turned down. */
  readonly outcome: "applied" | "refused";
  /** Why it was refused. */
  readonly problems: readonly Problem[];
}
