import { holdfastError } from "../../core/error.ts";
import { keyBytesMax } from "../../core/limits.ts";

/** The longest name that PostgreSQL takes as it is. */
const identifierBytesMax = 63;
/** What is longest of all that is added to the name of the table. */
const longestSuffix = "_truncated";

/** The names of everything in the database, quoted and with their schema. */
export interface Names {
  readonly schema: string;
  readonly documents: string;
  readonly history: string;
  readonly refused: string;
  readonly intents: string;
  readonly version: string;
  readonly commit: string;
  readonly settle: string;
  readonly notify: string;
  /** One for all documents of a table; not quoted. */
  readonly channel: string;
  readonly changed: string;
  readonly truncated: string;
}

/**
 * Names what belongs to a table.
 *
 * @throws `UNSUPPORTED` where a name is none, or too long
 */
export function namesOf(schema: string, table: string): Names {
  assertIdentifier(schema, identifierBytesMax);
  assertIdentifier(table, identifierBytesMax - longestSuffix.length);
  const inSchema = (suffix: string) => `${quoted(schema)}.${quoted(table + suffix)}`;
  const whole = `${schema}.${table}`;
  return {
    schema: quoted(schema),
    documents: inSchema(""),
    history: inSchema("_history"),
    refused: inSchema("_refused"),
    intents: inSchema("_intents"),
    version: inSchema("_version"),
    commit: inSchema("_commit"),
    settle: inSchema("_settle"),
    notify: inSchema("_notify"),
    channel: byteLength(whole) <= identifierBytesMax ? whole : table,
    changed: quoted(`${table}_changed`),
    truncated: quoted(`${table}_truncated`),
  };
}

/**
 * Refuses a key that no row can have.
 *
 * @throws `UNSUPPORTED`
 */
export function assertKey(key: string): void {
  const length = byteLength(key);
  if (length > 0 && length <= keyBytesMax && !key.includes("\0") && key.isWellFormed()) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot use a key of ${length} bytes: found none of 1 to ${keyBytesMax} bytes without NUL; give another`,
    { what: "key" },
  );
}

function assertIdentifier(name: string, bytesMax: number): void {
  const isSound = name.length > 0 && !name.includes("\0") && name.isWellFormed();
  if (isSound && byteLength(name) <= bytesMax) return;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot name a table or schema ${
      JSON.stringify(name)
    }: found no name of 1 to ${bytesMax} bytes; give another`,
    { what: `name ${JSON.stringify(name)}` },
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL writes it, whatever the server's settings for backslashes. */
export function literal(text: string): string {
  return `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
