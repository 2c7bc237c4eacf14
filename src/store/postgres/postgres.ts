/**
 * A document in PostgreSQL, shared by any number of processes: `postgres({ sql, key })`.
 *
 * @module
 */
import { holdfastError } from "../../core/error.ts";
import { reconnectMsMax } from "../../core/limits.ts";
import type { Store } from "../store.ts";
import { PostgresIntents } from "./intents.ts";
import { PostgresLink } from "./link.ts";
import { assertKey, namesOf } from "./names.ts";
import { OpenPostgres } from "./open.ts";
import { prepareTables } from "./prepare.ts";
import { PostgresRows } from "./rows.ts";

/**
 * What is used of a client of porsager's `postgres` package. It stays the caller's: nothing here ends it.
 */
export interface PostgresClient {
  /** Sends one statement, with parameters apart from its text. */
  unsafe(
    query: string,
    parameters?: (string | null)[],
    options?: { readonly prepare?: boolean },
  ): PostgresQuery;

  /** Listens to a channel, and again after every outage. */
  listen(
    channel: string,
    onnotify: (payload: string) => void,
    onlisten?: () => void,
  ): PromiseLike<{ unlisten(): PromiseLike<unknown> }>;

  /** How it reaches the server. The password among its options is never looked at. */
  readonly options: {
    /** The names of the servers. */
    readonly host: readonly string[];
    /** Their ports. */
    readonly port: readonly number[];
    /** The name of the database. */
    readonly database: string;
    /** The role that it acts as. */
    readonly user: string;
    /** How long it waits before it connects again, in seconds. */
    readonly backoff: boolean | number | ((retries: number) => number);
    /** Whether it asks for the types of arrays each time it connects. */
    readonly fetch_types: boolean;
    /** How many connections it makes at most, not counting the one that listens. */
    readonly max: number;
  };
}

/** A statement under way. */
export interface PostgresQuery {
  /** Its rows as arrays, whatever the client does to the names of columns. */
  values(): PromiseLike<readonly (readonly unknown[])[]>;
}

/** Where a document is in a database. */
export interface PostgresOptions {
  /**
   * A client of porsager's `postgres` package, made with `backoff: () => 0.25`, since with its default it may listen again
   * only long after an outage, and with `fetch_types: false`, since otherwise an outage can end the process. It stays yours:
   * end it after the config is closed.
   */
  readonly sql: PostgresClient;
  /** Names the document among those of the table: 1 to 512 bytes. */
  readonly key: string;
  /** The schema of the tables, made where it is missing; `public` when left out. */
  readonly schema?: string | undefined;
  /** The name of the table of documents, with which those of the others begin; `holdfast` when left out. */
  readonly table?: string | undefined;
}

/**
 * A document in PostgreSQL, with compare-and-swap, a history, and word of every change within moments. The tables are made
 * when they are missing. Whoever edits the row with plain SQL is followed as a person who edits a file is.
 *
 * @throws `UNSUPPORTED` where a name cannot be one
 *
 * @example
 * ```ts ignore
 * import { openConfig } from "holdfast";
 * import { postgres } from "holdfast/postgres";
 * import createClient from "postgres";
 *
 * const sql = createClient("postgres://app@localhost/app", { backoff: () => 0.25, fetch_types: false });
 * const config = await openConfig(postgres({ sql, key: "app" }), { seed: { rate: 1 } });
 * await config.setAt(["rate"], 2);
 * await config.close();
 * await sql.end({ timeout: 5 });
 * ```
 */
export function postgres(
  { sql, key, schema = "public", table = "holdfast" }: PostgresOptions,
): Store {
  assertClient(sql);
  assertKey(key);
  const names = namesOf(schema, table);
  const name = `postgres:${key}`;
  return {
    kind: "store",
    name,
    open: async (context) => {
      const link = new PostgresLink(context.host, sql, name);
      for (const advice of adviceOn(sql)) context.warn(`Found a client for ${name} ${advice}`);
      await prepareTables(link, names);
      const rows = new PostgresRows(link, names, key);
      const intents = new PostgresIntents(link, names, key, context.warn);
      const { channel, refused } = names;
      return new OpenPostgres({ link, rows, intents, key, channel, refused }, context);
    },
  };
}

function assertClient(sql: PostgresClient): void {
  if (typeof sql?.unsafe === "function" && typeof sql.listen === "function") return;
  throw holdfastError(
    "UNSUPPORTED",
    'Cannot use what was given as `sql`: found no client of the package "postgres"; give what its default export returns',
    { what: "database client" },
  );
}

/** What of a client does not stop anything, until there is an outage. */
function adviceOn({ options: { backoff, fetch_types, max } }: PostgresClient): string[] {
  // After several failures.
  const pause = typeof backoff === "function" ? backoff(20) : Number(backoff);
  const advice: string[] = [];
  if (pause * 1000 > reconnectMsMax) {
    advice.push("that waits long before it connects again; make it with { backoff: () => 0.25 }");
  }
  if (fetch_types) {
    // Its own question for them has nobody who waits for the answer: a failure is an unhandled rejection.
    const todo = "make it with { fetch_types: false }";
    advice.push(`that ends the process if a connection is lost while it asks for types; ${todo}`);
  }
  if (max < 2) {
    advice.push(
      "with one connection, of which a statement that hangs would block all; allow { max: 2 }",
    );
  }
  return advice;
}
