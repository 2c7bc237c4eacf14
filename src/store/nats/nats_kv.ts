import { holdfastError } from "../../core/error.ts";
import { natsTimeoutMsDefault, natsTimeoutMsMax } from "../../core/limits.ts";
import type { Store } from "../store.ts";
import { OpenNats } from "./open.ts";

/** A connection of any `@nats-io` transport, as far as the store itself uses it; JetStream's client uses the rest. */
export interface NatsConnection {
  /** What the server told of itself. */
  readonly info?: { readonly max_payload: number; readonly domain?: string } | undefined;
  /** Whether it was closed for good. */
  isClosed(): boolean;
  /** Whether it is about to be. */
  isDraining(): boolean;
  /** Tells when it breaks and stands again. */
  status(): AsyncIterable<{ readonly type: string }>;
  /** Hears what is put on a subject. */
  subscribe(
    subject: string,
    options: { callback(error: Error | null, message: unknown): void },
  ): { unsubscribe(): void };
  /** Asks a question. */
  request(subject: string, ...rest: never[]): Promise<unknown>;
}

/** Where the document is, and how to get there. */
export interface NatsKvOptions {
  /** An open connection of any `@nats-io` transport, such as `@nats-io/transport-node`. It stays the caller's to close. */
  readonly connection: NatsConnection;
  /** The bucket. It is made at the first write if there is none. */
  readonly bucket: string;
  /** The key of the document. */
  readonly key: string;
  /** On how many servers a bucket that is made is kept; 1 when left out. An existing one is left as it is. */
  readonly replicas?: number | undefined;
  /** The JetStream domain, where the bucket is in another one than the connection's. */
  readonly domain?: string | undefined;
  /** How long to go on asking servers that do not answer, in milliseconds; 4000 when left out. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A store in a key-value bucket of NATS JetStream: any number of machines follow one document, and every write is a
 * compare-and-swap on the key's revision. A generation is one message, so that its document, number and history are stored
 * together or not at all; what others put there with NATS's own tools is adopted as a generation too. The bucket keeps the
 * history, 64 messages at most.
 *
 * Needs the package `@nats-io/jetstream` beside the transport.
 *
 * @param options the connection, the bucket and the key
 * @throws `UNSUPPORTED` when an option is not what it must be, such as a name that NATS does not allow
 *
 * @example
 * ```ts ignore
 * import { connect } from "@nats-io/transport-node";
 * import { openConfig } from "holdfast";
 * import { natsKv } from "holdfast/nats";
 *
 * const connection = await connect({ servers: "nats.example.com", maxReconnectAttempts: -1 });
 * const config = await openConfig(natsKv({ connection, bucket: "app", key: "config", replicas: 3 }));
 * config.subscribe((value) => console.log(value));
 * ```
 */
export function natsKv(options: NatsKvOptions): Store {
  const { connection, bucket, key, replicas = 1, domain, timeoutMs = natsTimeoutMsDefault } =
    options;
  assertConnection(connection);
  assertOption("bucket", bucket, isName(bucket, /^[\w-]{1,252}$/), "letters, digits, - and _");
  const isKey = isName(key, /^[-/=\w]+(\.[-/=\w]+)*$/);
  assertOption("key", key, isKey, "letters, digits and -/_=, with single dots between them");
  const isDomain = domain === undefined || isName(domain, /^[^\s.*>]+$/);
  assertOption("domain", domain, isDomain, "the name of a JetStream domain, or none");
  const isCount = Number.isInteger(replicas) && replicas >= 1 && replicas <= 5;
  assertOption("replicas", replicas, isCount, "a number from 1 to 5");
  const isTime = timeoutMs > 0 && timeoutMs <= natsTimeoutMsMax && typeof timeoutMs === "number";
  assertOption("timeoutMs", timeoutMs, isTime, "a number of milliseconds");
  const name = `nats:${bucket}/${key}`;
  const place = { connection, bucket, key, replicas, domain, timeoutMs, name };
  return {
    kind: "store",
    name,
    open: (context) => Promise.resolve(new OpenNats(place, context)),
  };
}

function isName(name: unknown, pattern: RegExp): boolean {
  return typeof name === "string" && pattern.test(name);
}

function assertOption(what: string, given: unknown, isGood: boolean, wanted: string): void {
  if (isGood) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot keep a config in NATS: found ${
      typeof given === "string" ? JSON.stringify(given) : given
    } as the ${what}; give ${wanted}`,
    { what: `${what} ${given}` },
  );
}

function assertConnection(connection: NatsConnection): void {
  const asked = ["request", "subscribe", "status", "isClosed", "isDraining"] as const;
  const isConnection = asked.every((name) => typeof connection?.[name] === "function");
  // Its errors are others, by which it could not be told what became of a write.
  const isOld = isConnection && "jetstream" in connection;
  if (isConnection && !isOld) return;
  const found = isOld
    ? "a connection of the older package `nats`; make it with an `@nats-io` transport, such as `@nats-io/transport-node`"
    : "no connection of an `@nats-io` transport; give what its connect() resolves to";
  throw holdfastError("UNSUPPORTED", `Cannot keep a config in NATS: found ${found}`, {
    what: "connection",
  });
}
