/** Configs that follow a document, over a network that can be cut or past it. */
import { type Config, openConfig } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import { type Ears, listen, until } from "../support/config_under_test.ts";
import type { TestContext } from "../support/kit.ts";
import { Network } from "./postgres_proxy.ts";
import type { Client } from "./postgres_server.ts";
import { freshKey, server, sql } from "./postgres_store.ts";

export interface Value {
  readonly count: number;
}

export type Opened = Config<Value, Value>;

export interface Following {
  readonly key: string;
  readonly network: Network;
  readonly client: Client;
  readonly config: Opened;
  readonly ears: Ears;
}

/** A config behind a network that can be cut, on a document that others reach past it. */
export async function following(t: TestContext, timing: object = {}): Promise<Following> {
  const key = freshKey();
  const network = new Network(server().port);
  const port = await network.open();
  t.after(() => network.close());
  const client = server().connect(server().url({ port }));
  t.after(() => client.end({ timeout: 0 }));
  const ears = listen();
  const config = await openConfig(postgres({ sql: client, key }), {
    ...ears,
    seed: { count: 0 },
    watch: timing,
  }) as unknown as Opened;
  t.after(() => config.close());
  return { key, network, client, config, ears };
}

/** Another process, near enough: it has a client of its own that no network is in the way of. */
export async function writer(t: TestContext, key: string, client: Client = sql()): Promise<Opened> {
  const config = await openConfig(postgres({ sql: client, key }), {
    ...listen(),
    watch: false,
  }) as unknown as Opened;
  t.after(() => config.close());
  return config;
}

/** One more that follows a document, with a client of its own. */
export async function another(t: TestContext, key: string): Promise<Opened> {
  const client = server().connect();
  const config = await openConfig(postgres({ sql: client, key }), listen());
  t.after(() => config.close());
  return config as unknown as Opened;
}

export const increment = (config: Opened) =>
  config.update((draft) => void (draft as { count: number }).count++);

/** Waits until a config runs with a count, and tells how long that took. */
export async function follows(config: Opened, count: number, what: string): Promise<void> {
  const from = performance.now();
  await until(`${what}: the watcher runs with ${count}`, () => config.value.count === count);
  console.log(`${what}: recovered after ${Math.round(performance.now() - from)} ms`);
  await until("it is ok", () => config.status().state === "ok");
}
