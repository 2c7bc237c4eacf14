/** Configs on a key of NATS, with ears for all they say, and acts of other programs on that key. */
import assert from "node:assert/strict";
import { detectHost } from "../../adapters/detect.ts";
import {
  type Config,
  type HoldfastError,
  isHoldfastError,
  type Json,
  openConfig,
  type OpenOptions,
  type StandardSchema,
} from "../../mod.ts";
import { natsKv, type NatsKvOptions } from "../../src/store/nats/nats_kv.ts";
import { jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { brisk, type Ears, listen } from "../support/config_under_test.ts";
import type { TestContext } from "../support/kit.ts";
import { type Nats, startNats } from "./nats_server.ts";

export const bucketName = "app";
export const keyName = "config";

/** A config on NATS. */
export interface NatsConfig {
  readonly config: Config<Json, Json>;
  readonly ears: Ears;
}

/** Servers that are ended after the test. */
export async function natsFor(
  t: TestContext,
  starting: () => Promise<Nats> = startNats,
): Promise<Nats> {
  const nats = await starting();
  t.after(() => nats.dispose());
  return nats;
}

/** Opens a config over a connection; it is closed after the test. */
export async function openOver(
  connection: NatsConnection,
  t: TestContext,
  options: OpenOptions<StandardSchema<Json>> & { readonly store?: Partial<NatsKvOptions> } = {},
): Promise<NatsConfig> {
  const { store, ...others } = options;
  const ears = listen();
  const place = natsKv({ connection, bucket: bucketName, key: keyName, ...store });
  const given = { host: detectHost(), watch: brisk, logger: ears.logger, audit: ears.audit };
  const config = await openConfig(place, { ...given, ...others });
  t.after(() => config.close());
  return { config, ears };
}

/** The bucket as other programs see it. */
export async function otherTool(connection: NatsConnection): Promise<KV> {
  return await new Kvm(connection).open(bucketName);
}

/** Deletes the bucket, as another program does. */
export async function deleteBucket(connection: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.streams.delete(`KV_${bucketName}`);
}

/** What a call was refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<HoldfastError> {
  const error = await call.then(() => undefined, (thrown: unknown) => thrown);
  assert.ok(isHoldfastError(error), `found ${error}`);
  return error;
}

/** A connection like another one, but for its requests. */
export function withRequests(
  connection: NatsConnection,
  request: (ask: NatsConnection["request"]) => NatsConnection["request"],
): NatsConnection {
  const changed = request(connection.request.bind(connection));
  return new Proxy(connection, {
    get: (target, name) => {
      if (name === "request") return changed;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
