import type { StoredMsg } from "@nats-io/jetstream";
import { hashOf } from "../../host/hash.ts";
import type { Host } from "../../host/host.ts";
import {
  claimedBy,
  decodeRecord,
  type GenerationRecord,
  type RecordHeader,
  recordVersion,
} from "../record.ts";

/** What stands at a revision of the key. Nothing stands at revision 0. */
export type NatsMessage =
  | { readonly kind: "none"; readonly revision: 0 }
  /** Somebody deleted the key with another program. */
  | { readonly kind: "deleted"; readonly revision: number }
  /** Somebody put a text with another program. */
  | NatsText
  | NatsRecord;

/** A generation. */
export interface NatsRecord {
  readonly kind: "record";
  readonly revision: number;
  readonly record: GenerationRecord;
  /** What it was to follow. */
  readonly follows: Followed;
}

/** A message that a record was computed from. */
export interface Followed {
  /** 0 for none. */
  readonly revision: number;
  /** What stood there, since a bucket that is made anew gives the same revisions again; empty for nothing. */
  readonly tag: string;
}

/** A text that has no generation of its own. */
export interface NatsText {
  readonly kind: "text";
  readonly revision: number;
  readonly text: Uint8Array;
  /** The number in a copied record; 0 in anything else. */
  readonly claimed: number;
  /** The version of a record that only a newer program can read; undefined in anything else. */
  readonly newer?: number | undefined;
}

const idHeader = "Nats-Msg-Id";
/** What deletes a key: somebody, or the server by itself when its time is up. */
const deletingHeaders = ["KV-Operation", "Nats-Marker-Reason"];

/**
 * The name of one attempt to put a record: its own, so that no server takes a second attempt for done already. It tells too
 * what the record is to follow.
 */
export function messageIdOf(
  { id }: RecordHeader,
  { revision, tag }: Followed,
  attempt: number,
): string {
  return `${id}.${attempt}.${revision}.${tag}`;
}

/** Tells one message from any other that may stand at the same revision of another bucket. */
export function tagOf(host: Host, message: NatsMessage): string {
  if (message.kind === "record") return message.record.id;
  if (message.kind === "text") return hashOf(host, message.text);
  return message.kind === "deleted" ? "deleted" : "";
}

/**
 * Tells what a message is. Programs that copy or edit a record put its text only: what makes a record one is the name of the
 * attempt beside it, which only this store gives.
 */
export function readMessage(host: Host, message: StoredMsg | undefined): NatsMessage {
  if (message === undefined) return { kind: "none", revision: 0 };
  const { seq: revision, data, header } = message;
  if (deletingHeaders.some((name) => header.get(name) !== "")) {
    return { kind: "deleted", revision };
  }
  const claims = claimedBy(data);
  if (claims === undefined) return { kind: "text", revision, text: data, claimed: 0 };
  const { version, generation: claimed, text } = claims;
  if (version > recordVersion) {
    return { kind: "text", revision, text: data, claimed, newer: version };
  }
  const record = decodeRecord(host, data, claimed);
  const [id, , followed, tag = ""] = header.get(idHeader).split(".");
  if (record !== undefined && id === record.id) {
    return { kind: "record", revision, record, follows: { revision: Number(followed), tag } };
  }
  return { kind: "text", revision, text, claimed };
}
