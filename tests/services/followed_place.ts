/** A document that many processes follow, as they are told of it and as they reach it. */
import { connect } from "@nats-io/transport-node";
import createClient from "postgres";
import { natsKv } from "../../src/store/nats/nats_kv.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import type { Store } from "../../src/store/store.ts";

export type FollowedPlace =
  | { readonly kind: "nats"; readonly servers: readonly string[] }
  | { readonly kind: "postgres"; readonly url: string };

/** The document over a connection of its own. */
export interface Reached {
  readonly store: Store;
  close(): Promise<void>;
}

/** The document that is followed. */
export interface FollowedDocument {
  readonly count: number;
  readonly filler: string;
}

/** Connects as the README tells to. */
export async function reach(place: FollowedPlace): Promise<Reached> {
  if (place.kind === "postgres") {
    const given = { backoff: () => 0.25, fetch_types: false, onnotice: () => {} };
    const sql = createClient(place.url, given);
    return { store: postgres({ sql, key: "followed" }), close: () => sql.end({ timeout: 1 }) };
  }
  const { servers } = place;
  const connection = await connect({ servers: [...servers], maxReconnectAttempts: -1 });
  const at = { connection, bucket: "followed", key: "config", replicas: servers.length };
  return { store: natsKv(at), close: () => connection.close() };
}
