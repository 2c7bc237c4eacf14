import { isHoldfastError } from "../../core/error.ts";
import { queryTimeoutMs } from "../../core/limits.ts";
import { codeBehind, newerTables, notAsSent } from "./error.ts";
import type { PostgresLink } from "./link.ts";
import { literal, type Names } from "./names.ts";
import { countMissing, isWithoutIntents, migration } from "./tables.ts";

/** The version of the tables that this program knows. */
const tablesVersion = 1;

/**
 * Sees to it that the tables are there, of the version that this program knows. Where they are, nothing is written, so
 * that whoever may create tables can make them for a role that may not.
 *
 * @throws `UNSUPPORTED` where a newer program made them, or the client changes what the server sends
 */
export async function prepareTables(link: PostgresLink, names: Names): Promise<void> {
  const { version, isComplete } = await installed(link, names);
  if (version === tablesVersion && isComplete) return;
  try {
    await link.ask({
      attempt: `make the tables of ${link.name}`,
      query: `do ${literal(migration(names))}`,
      timeoutMs: queryTimeoutMs,
      isWrite: true,
    });
  } catch (error) {
    // Tables of before there were intents serve all but those.
    if (version !== tablesVersion || !isHoldfastError(error, "READ_ONLY")) throw error;
  }
  await installed(link, names);
}

/** What is there. */
interface Installed {
  /** 0 where something is missing. */
  readonly version: number;
  /** Whether the table of intents is there too, which programs of the same version may not have made. */
  readonly isComplete: boolean;
}

/** A text that comes back as it is from a client that leaves texts alone. */
const sample = "as sent";

async function installed(link: PostgresLink, names: Names): Promise<Installed> {
  try {
    const [row] = await link.ask({
      attempt: `open ${link.name}`,
      query: `select '${sample}', max(v.version)::text, ${countMissing(names)}::text,
        (${isWithoutIntents(names)})::text from ${names.version} v`,
      timeoutMs: queryTimeoutMs,
    });
    if (!Array.isArray(row) || row[0] !== sample) throw notAsSent(link.name);
    const version = Number(row[1]);
    if (version > tablesVersion) throw newerTables(link.name, version, tablesVersion);
    return { version: row[2] === "0" ? version : 0, isComplete: row[3] === "false" };
  } catch (error) {
    const code = codeBehind(error);
    // Neither the table nor its schema.
    if (code === "42P01" || code === "3F000") return { version: 0, isComplete: false };
    throw error;
  }
}
