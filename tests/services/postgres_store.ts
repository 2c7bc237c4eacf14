/** Documents in a server that the tests of one file share, each under a key of its own. */
import { detectHost } from "../../adapters/detect.ts";
import { setTimeout as wait } from "node:timers/promises";
import type { EditableUnderTest } from "../contract/store_history.ts";
import { test, type TestContext } from "../support/kit.ts";
import type { Loaded } from "../../src/source/source.ts";
import type { OpenStore, Store } from "../../src/store/store.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import {
  type Client,
  postgresMissing,
  type PostgresServer,
  startPostgres,
} from "./postgres_server.ts";

let running: PostgresServer | undefined;
let client: Client | undefined;
let keys = 0;

/** The server of this file, which {@link serverTests} started. */
export function server(): PostgresServer {
  if (running === undefined) throw new Error("the server has not been started");
  return running;
}

/** A client of that server, shared by the tests that do not break it. */
export function sql(): Client {
  return client ??= server().connect();
}

/** A key that no other test has. */
export function freshKey(): string {
  return `key ${++keys}`;
}

/** Registers tests that need a server, between one that starts it and one that ends it. */
export function serverTests(body: (skip: string | false) => void): void {
  test("the server starts", { skip: postgresMissing, timeoutMs: 60_000 }, async () => {
    running = await startPostgres();
  });
  body(postgresMissing);
  test("the server ends", { skip: postgresMissing, timeoutMs: 60_000 }, async () => {
    await running?.stop();
  });
}

/** An empty document, and the edits of somebody with `psql`. */
export async function postgresUnderTest(): Promise<EditableUnderTest> {
  const key = freshKey();
  return await Promise.resolve({
    store: postgres({ sql: sql(), key }),
    host: detectHost(),
    elapse: async (ms) => {
      await wait(ms);
    },
    dispose: async () => {},
    save: async (text) => {
      await sql()`insert into holdfast (key, document) values (${key}, ${text})
        on conflict (key) do update set document = excluded.document`;
    },
  });
}

/** A change that nobody asked for in particular. */
export const plain = { origin: "commit", calls: [] } as const;

/** Opens a store, until the test is over. */
export async function open(
  t: TestContext,
  store: Store,
  warnings: string[] = [],
): Promise<OpenStore> {
  const warn = (message: string) => void warnings.push(message);
  const opened = await store.open({ host: detectHost(), keepAlive: false, history: 50, warn });
  t.after(() => opened.close());
  return opened;
}

/** Stores a document in the place of whatever is there. */
export async function put(opened: OpenStore, document: object): Promise<Loaded> {
  const base = await opened.load();
  return await opened.commit({
    document: document as never,
    base,
    refused: undefined,
    cause: plain,
  });
}

/** An error with all that hangs on it, as an inspection would show it and more. */
export function everythingOf(error: unknown): string {
  const parts: string[] = [];
  for (let each = error as Error | undefined; each; each = each.cause as Error | undefined) {
    for (const name of Object.getOwnPropertyNames(each)) {
      parts.push(`${name}=${JSON.stringify(each[name as keyof Error])}`);
    }
  }
  return parts.join("\n");
}
