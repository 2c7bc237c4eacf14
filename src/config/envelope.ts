import type { Annotations } from "../core/annotation.ts";
import type { Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { redact } from "../core/redact.ts";
import type { Snapshot } from "./reports.ts";

/** A snapshot as it is shown to others: plain JSON, secrets redacted. */
export interface Envelope {
  /** As stored, at the newest version; null when nothing is. */
  readonly document: unknown;
  /** What the program reads. */
  readonly value: unknown;
  /** Of the store. */
  readonly generation: number;
  /** Of the running value. */
  readonly revision: number;
  /** Over the stored bytes. */
  readonly hash: string;
  /** The realm that `openConfig` was given. */
  readonly realm_id?: string;
  /** The instance that `openConfig` was given. */
  readonly instance_id?: string;
  /** The kind of store or source, such as `file`. */
  readonly backend: string;
  /** The filesystem paths read; only in the diagnostic view. */
  readonly resolved_paths?: readonly string[];
}

/** What an envelope tells beside the snapshot. */
export interface SnapshotDetails {
  readonly document: Json | undefined;
  readonly annotations: Annotations | undefined;
  readonly realm: { readonly id?: string; readonly instance?: string } | undefined;
  readonly backend: string;
  readonly resolvedPaths: readonly string[];
}

// A snapshot is plain data for everybody; what only an envelope needs is kept beside it.
const detailsOf = new WeakMap<Snapshot<unknown>, SnapshotDetails>();

/** Remembers what an envelope of a snapshot will need. */
export function describeSnapshot(snapshot: Snapshot<unknown>, details: SnapshotDetails): void {
  detailsOf.set(snapshot, details);
}

/**
 * Wraps a snapshot for the outside: with its document and where it comes from, secrets redacted.
 *
 * @param snapshot as a config gave it
 * @param view `public` leaves filesystem paths out; `diagnostic` adds them
 * @returns plain JSON
 * @throws `UNSUPPORTED` for anything but the very object that a config gave: a copy does not know its secrets
 *
 * @example
 * ```ts
 * import { memory, openConfig, toEnvelope } from "holdfast";
 *
 * const config = await openConfig(memory({ rate: 1 }), { watch: false });
 * const envelope = toEnvelope(config.snapshot());
 * console.log(envelope.backend, envelope.generation); // memory 1
 * await config.close();
 * ```
 */
export function toEnvelope(
  snapshot: Snapshot<unknown>,
  view: "public" | "diagnostic" = "public",
): Envelope {
  const details = detailsOf.get(snapshot);
  if (details === undefined) throw foreign();
  const { generation, revision, hash } = snapshot;
  return {
    document: redact(details.document ?? null, details.annotations),
    value: redact(snapshot.value, details.annotations),
    generation,
    revision,
    hash,
    ...(details.realm?.id === undefined ? {} : { realm_id: details.realm.id }),
    ...(details.realm?.instance === undefined ? {} : { instance_id: details.realm.instance }),
    backend: details.backend,
    ...(view === "diagnostic" ? { resolved_paths: details.resolvedPaths } : {}),
  };
}

function foreign(): Error {
  return holdfastError(
    "UNSUPPORTED",
    "Cannot make an envelope: found a snapshot that no config gave, whose secrets are unknown; " +
      "give what config.snapshot() returned, not a copy",
    { what: "copied snapshot" },
  );
}
