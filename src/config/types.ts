import type { Change } from "../core/change.ts";
import type { DeepReadonly } from "../core/document.ts";
import type { Path, Problem } from "../core/error.ts";
import type { Migrations } from "../core/migration.ts";
import type { PendingRestart } from "../core/restart.ts";
import type { InferInput, StandardSchema } from "../core/schema.ts";
import type { Host } from "../host/host.ts";
import type { WatchTiming } from "../source/source.ts";
import type { Trust } from "../store/file_trust.ts";

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

/** Why there is a new generation. */
export type Origin = "commit" | "external" | "rollback" | "migration" | "seed";

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
}

/** How one write is made. */
export interface WriteOptions {
  /** The generation the write is meant for; another one is a `CONFLICT`. Unconditional when left out. */
  readonly expectedGeneration?: number | undefined;
  /** Who asks for it; the config's actor when left out. */
  readonly actor?: string | undefined;
  /** Why it is asked for. */
  readonly reason?: string | undefined;
}

/** What a write gives once it is durable. */
export interface Written<Output> {
  /** What the process runs with after the write. */
  readonly snapshot: Snapshot<Output>;
  /** What the write changed in the document. Empty, with equal generations, when it changed nothing. */
  readonly changeSet: ChangeSet;
}

/** How the config is, and why. */
export interface Status {
  /** `degraded` while something newer than the running value was refused or cannot be read. */
  readonly state: "ok" | "degraded";
  /** What the store holds, as last seen. */
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
  /** What the value was made of, and how each is watched. */
  readonly sources: readonly (SourceState & { readonly watch: "events" | "polling" | "off" })[];
}

/** Something that an auditor wants to know, secrets redacted; its changes are those of the document. */
export interface AuditEvent extends ChangeSet {
  /** `applied` when the running document changed, `refused` when something newer was turned down. */
  readonly outcome: "applied" | "refused";
  /** Why it was refused. */
  readonly problems: readonly Problem[];
}

/** Where messages go; `console` fits. */
export interface Logger {
  /** Takes a message for developers. */
  debug?(message: string): void;
  /** Takes a message that calls for nothing. */
  info?(message: string): void;
  /** Takes a message about something dubious or refused. */
  warn(message: string): void;
  /** Takes a message about something that failed; `warn` gets those when left out. */
  error?(message: string): void;
}

/** Called with the new value, the one it got before, and the difference between the two. */
export type Listener<Value> = (next: Value, previous: Value, changeSet: ChangeSet) => unknown;

/** A listener that is also called at once, with the current value alone. */
export type ImmediateListener<Value> = (
  next: Value,
  previous: Value | undefined,
  changeSet: ChangeSet | undefined,
) => unknown;

/** How to subscribe. */
export interface SubscribeOptions<Value = unknown> {
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
  /** When two selected values count as equal; deep equality when left out. */
  readonly equals?: ((one: Value, other: Value) => boolean) | undefined;
}

/** Whether to call the listener once with the current value, before `subscribe` returns. */
export interface Immediate {
  /** If true, or not known to be false, the listener must expect to get no previous value. */
  readonly immediate: boolean;
}

/** How a config is opened. */
export interface OpenOptions<Schema extends StandardSchema> {
  /** Validates the document and gives the value; any JSON document is accepted when left out. */
  readonly schema?: Schema | undefined;
  /** Steps from older versions of the document. With them, the integer field `version` is required. */
  readonly migrations?: Migrations | undefined;
  /** `store` (the default) writes a migrated document back; `memory` leaves what is stored until the next write. */
  readonly migrate?: "store" | "memory" | undefined;
  /** The document to store, durably, when nothing is. */
  readonly seed?: InferInput<Schema> | undefined;
  /** How quickly outside changes are noticed; false never looks for them. */
  readonly watch?: WatchTiming | false | undefined;
  /** How long a call waits, in milliseconds; 5000 when left out. */
  readonly timeoutMs?: number | undefined;
  /** Whether an open config alone keeps the process running; false when left out. */
  readonly keepAlive?: boolean | undefined;
  /** Whom this process belongs to, for envelopes. */
  readonly realm?: { readonly id?: string; readonly instance?: string } | undefined;
  /** Who asks for writes that do not say. */
  readonly actor?: string | undefined;
  /** Where messages go; warnings and errors go to the console when left out. */
  readonly logger?: Logger | undefined;
  /** Told of every applied change, and of every change from outside that was refused. */
  readonly audit?: ((event: AuditEvent) => void) | undefined;
  /** Closes the config when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** The runtime; the one that the program runs on when left out. */
  readonly host?: Host | undefined;
  /** For a path: whose files are accepted; `owner` when left out: root's and our own, not writable by everybody. */
  readonly trust?: Trust | undefined;
}

/** A live config that can only be read. */
export interface ReadonlyConfig<Output> {
  /** The current value: a plain property, deeply frozen. */
  readonly value: DeepReadonly<Output>;

  /** The current value with its generation, hash and origin; the same object until the next change. */
  snapshot(): Snapshot<Output>;

  /**
   * Looks at the source now, without waiting for an event.
   *
   * @returns the snapshot afterwards
   * @throws why what is there was refused: `PARSE`, `INVALID`, `IO`, …; the value stays as it was, and `status()` tells
   */
  reload(): Promise<Snapshot<Output>>;

  /**
   * Calls a listener after every change of the value, never during one. A slow listener gets the newest value with the
   * difference from what it last got; one that throws is reported and goes on.
   *
   * @returns a function that ends the subscription
   */
  subscribe(
    listener: ImmediateListener<DeepReadonly<Output>>,
    options: SubscribeOptions & Immediate,
  ): () => void;
  /** Calls a listener after every change of the value. */
  subscribe(
    listener: Listener<DeepReadonly<Output>>,
    options?: SubscribeOptions & { readonly immediate?: false },
  ): () => void;

  /** Calls a listener only when the selected part changed. */
  subscribe<Part>(
    select: (value: DeepReadonly<Output>) => Part,
    listener: ImmediateListener<Part>,
    options: SubscribeOptions<Part> & Immediate,
  ): () => void;
  /** Calls a listener only when the selected part changed. */
  subscribe<Part>(
    select: (value: DeepReadonly<Output>) => Part,
    listener: Listener<Part>,
    options?: SubscribeOptions<Part> & { readonly immediate?: false },
  ): () => void;

  /** The changes of the value from now on; a slow reader gets several at once, as one. Ends when the config closes. */
  changes(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<ChangeSet>;

  /** Tells whether what is stored is what runs, and why not. */
  status(): Status;

  /** Stops watching and waits for what is under way; no callback runs afterwards. May be called more than once. */
  close(): Promise<void>;
  /** Closes. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A live config whose document can be written. Every write is validated before anything is stored, and resolves once it is
 * durable; calls made while a commit is under way share the next one.
 */
export interface Config<Input, Output> extends ReadonlyConfig<Output> {
  /**
   * Replaces the document.
   *
   * @throws `INVALID` with every problem, `CONFLICT` with both generations, `TIMEOUT`, `IO`: nothing is stored;
   * `COMMIT_UNKNOWN` when that cannot be told. So do all writes
   */
  set(document: Input, options?: WriteOptions): Promise<Written<Output>>;

  /** Replaces or adds one part of the document; objects missing on the way are made. */
  setAt(path: Path, value: unknown, options?: WriteOptions): Promise<Written<Output>>;

  /** Removes one part of the document, so that its default counts again. */
  unset(path: Path, options?: WriteOptions): Promise<Written<Output>>;

  /** Applies a JSON Merge Patch (RFC 7396), checked to be JSON, to the document: null removes a key. */
  patch(patch: unknown, options?: WriteOptions): Promise<Written<Output>>;

  /**
   * Reads, changes and writes the document in one step.
   *
   * @param change changes the draft in place, at once; it is run again when the document moved on meanwhile, so it must not
   * do anything else
   */
  update(
    change: (draft: Input, value: DeepReadonly<Output>) => void,
    options?: WriteOptions,
  ): Promise<Written<Output>>;
}
