import type { DeepReadonly } from "../core/document.ts";
import type { Path } from "../core/error.ts";
import type { JsonPatchOperation } from "../core/json_patch.ts";
import type { Migrations } from "../core/migration.ts";
import type { InferInput, StandardSchema } from "../core/schema.ts";
import type { Host } from "../host/host.ts";
import type { WatchTiming } from "../source/source.ts";
import type { Trust } from "../source/file_trust.ts";
import type { Explanation } from "./explain.ts";
import type { Module, ModuleOptions } from "./module.ts";
import type { Plan } from "./plan.ts";
import type { ApplyOptions, HistoryOptions, WriteOptions, Written } from "./write_options.ts";
import type { AuditEvent, ChangeSet, HistoryEntry, Snapshot, Status } from "./reports.ts";

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
  /** The document to store, durably, when nothing is; what can only be read takes none (`READ_ONLY`). */
  readonly seed?: InferInput<Schema> | undefined;
  /** How quickly outside changes are noticed; false never looks for them. */
  readonly watch?: WatchTiming | false | undefined;
  /**
   * A file in which the last good document is kept, with mode 0600: where the source cannot be reached at the start, or what
   * it holds is corrupt or invalid and it has nothing older of its own, that runs, and `status()` is `degraded` until the
   * source is good. What is there is left as it is. A file that somebody else owns, or everybody can write, is not used.
   */
  readonly lastGood?: string | undefined;
  /** How long a call waits, in milliseconds; 5000 when left out. */
  readonly timeoutMs?: number | undefined;
  /** How many generations a store keeps, at least 1; 50 when left out. */
  readonly history?: number | undefined;
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
  /** Ends the opening, or closes the config, when it aborts. */
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
   * Calls a listener after every change of the value, never during one. A listener that answers a promise is called no more
   * until that settles, and then gets the newest value with the difference from what it last got. One that throws is
   * reported and goes on; one that is busy for 10 seconds is reported too, and disturbs nobody else.
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

  /**
   * Calls a listener only when the selected part changed.
   *
   * @param select a quick function of the value alone; what it builds is compared in depth. Where it throws that is reported,
   * and a part that it could not select before counts as undefined
   * @param listener gets the difference in the whole value since its part was last compared
   */
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

  /**
   * Tells where a value comes from: the file with line and column, or the variable, and what that overrode. Secrets are
   * redacted.
   */
  explain(path: Path): Explanation;

  /**
   * Describes a part of the program that takes its part of the value over while it runs, for `createReloader`. Gives what it
   * is given, with its types worked out.
   *
   * @throws `UNSUPPORTED` where it lacks a name or a selector
   */
  module<Part, Ready = unknown>(options: ModuleOptions<Output, Part, Ready>): Module<Output>;

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
   * Applies a JSON Patch (RFC 6902) to the document: all of its operations, or none.
   *
   * @throws `INVALID` too where an operation is malformed, finds nothing to work on, or a `test` fails
   */
  jsonPatch(
    operations: readonly JsonPatchOperation[],
    options?: WriteOptions,
  ): Promise<Written<Output>>;

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

  /**
   * Removes the document: a generation like any other, after which the schema's defaults count.
   *
   * @throws `INVALID` where the defaults make no whole, and everything that any write throws
   */
  remove(options?: WriteOptions): Promise<Written<Output>>;

  /**
   * Tells what a JSON Merge Patch (RFC 7396) would come to: a dry run, after which everything is as before.
   *
   * @returns with `ok: false`, why it would be turned down by the schema; no module is asked
   * @throws `IO`, `UNAVAILABLE`, `TIMEOUT` where that cannot be told
   */
  plan(patch: unknown): Promise<Plan>;

  /**
   * Makes a change exactly as it was planned; on trial, where `confirmWithinMs` or `healthCheck` is given.
   *
   * @throws `CONFLICT` where something moved on since, so that it would come to something else, and while another generation
   * waits to be confirmed; `INVALID` for a plan that was refused; `RELOAD_REFUSED` where its health check fails; everything
   * that any write throws
   */
  apply(plan: Plan, options?: ApplyOptions<Output>): Promise<Written<Output>>;

  /**
   * Confirms what was applied on trial. A newer write does so too.
   *
   * @returns the generation that stays
   * @throws `NOT_FOUND` where nothing waits, or not any more; what the store throws: then it still waits
   */
  confirm(): Promise<number>;

  /** The generations that are kept, the newest first, secrets redacted. */
  history(options?: HistoryOptions): Promise<readonly HistoryEntry[]>;

  /**
   * Makes the content of an older generation the newest one.
   *
   * @throws `NOT_FOUND` where that generation is not kept, and everything that any write throws
   */
  rollback(generation: number, options?: WriteOptions): Promise<Written<Output>>;

  /**
   * Deletes the generations before one for good, and whatever else is left of their content, as after a secret was rotated.
   *
   * @param range `before` is the oldest generation to keep, at most the newest there is
   * @returns how many were deleted
   * @throws `CONFLICT` where that would delete what is stored, or may have to come back
   */
  purge(range: { readonly before: number }): Promise<number>;
}
