import { type HoldfastError, holdfastError, isHoldfastError } from "../../core/error.ts";
import type { PostgresClient } from "./postgres.ts";

type Server = PostgresClient["options"];

interface Failure {
  readonly attempt: string;
  readonly source: string;
  readonly server: Server;
  readonly isWrite: boolean;
  readonly error: unknown;
}

/**
 * Words what a client or a server answered. Nothing of the statement goes along: it carries the document, and so do the
 * details of some of the server's errors.
 */
export function postgresError({ attempt, source, server, isWrite, error }: Failure): HoldfastError {
  const { code, message, syscall } = (error ?? {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly syscall?: unknown;
  };
  const state = typeof code === "string" ? code : "";
  // The class of data exceptions may quote values.
  const told = state.startsWith("22") ? "" : String(message ?? "");
  const cause = Object.assign(new Error(told), { name: "PostgresError", code: state, syscall });
  const words = (found: string, todo: string) => `Cannot ${attempt}: found ${found}; ${todo}`;
  const { user } = server;
  const at = addressOf(server);
  if (state === "40001" || state === "40P01") {
    return holdfastError(
      "CONFLICT",
      words("somebody else writing at the same moment", "read it and try again"),
      { expected: 0, current: 0 },
      cause,
    );
  }
  if (state === "55P03" || state === "57014") {
    const found = "that its row is locked for long, or the server too slow";
    const todo = "end the transaction that holds it, then try again";
    return holdfastError(
      "TIMEOUT",
      words(found, todo),
      { operation: attempt, timeoutMs: 0 },
      cause,
    );
  }
  if (state === "25006") {
    const todo = "connect to the primary server to write";
    return holdfastError("READ_ONLY", words("a server that only reads", todo), { source }, cause);
  }
  if (state === "42501") {
    const code = isWrite ? "READ_ONLY" : "UNAVAILABLE";
    const todo = `grant the role "${user}" what it needs`;
    return holdfastError(code, words(`no permission (${told})`, todo), { source }, cause);
  }
  const [found, todo] = outOfReach(state, at, server) ?? altered(state, told) ??
    unforeseen(state, at, told);
  return holdfastError("UNAVAILABLE", words(found, todo), { source }, cause);
}

function altered(state: string, told: string): [string, string] | undefined {
  if (!["42P01", "42883", "42703", "42804", "3F000"].includes(state)) return undefined;
  return [
    `its tables or functions gone or altered (${told})`,
    "alter them back; what is gone is made anew when the config is opened",
  ];
}

function unforeseen(state: string, at: string, told: string): [string, string] {
  const reason = told === "" ? "" : ` (${told})`;
  return state === ""
    ? [`that the client for ${at} failed${reason}`, "see to what it says"]
    : [`the error ${state} of ${at}${reason}`, "see the server's log"];
}

function outOfReach(
  state: string,
  at: string,
  { user, database }: Server,
): [string, string] | undefined {
  if (state.startsWith("28")) {
    return [`that ${at} refuses the credentials of "${user}"`, "check the user and the password"];
  }
  if (state === "3D000") {
    return [`no database "${database}" at ${at}`, "create it, or check the name given"];
  }
  if (state === "CONNECTION_ENDED" || state === "CONNECTION_DESTROYED") {
    return ["that the client was ended", "end it after the config is closed"];
  }
  if (state.startsWith("CONNECT") || state.startsWith("08") || /^E[A-Z_]+$/.test(state)) {
    return [`no connection to ${at} (${state})`, "start the server, or check its address"];
  }
  if (state.startsWith("57P") || state.startsWith("53")) {
    return [`that ${at} takes no work for now (${state})`, "see the server's log"];
  }
  return undefined;
}

/** The error for an answer that did not come. */
export function noAnswer(attempt: string, timeoutMs: number, server: Server): HoldfastError {
  return holdfastError(
    "TIMEOUT",
    `Cannot ${attempt}: found no answer of ${
      addressOf(server)
    } within ${timeoutMs} ms; check the network and the server`,
    { operation: attempt, timeoutMs },
  );
}

/** The state of SQL, or the code of the client or the system, that an error goes back to; empty where there is none. */
export function codeBehind(error: unknown): string {
  const { code } = (isHoldfastError(error) ? error.cause ?? {} : {}) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** Whether the server answered, and took the statement for a wrong one. */
export function isAnswer(error: unknown): boolean {
  const code = codeBehind(error);
  // A state of SQL; the names of the system's errors begin with an E.
  return /^[0-9FHPX][0-9A-Z]{4}$/.test(code) && !/^(08|53|57)/.test(code);
}

/** Whether a statement that failed this way may have been carried out, or may be yet. */
export function mayHaveLanded(error: unknown): boolean {
  if (isHoldfastError(error, "TIMEOUT")) return error.cause === undefined;
  if (!isHoldfastError(error, "UNAVAILABLE")) return false;
  const { code, syscall } = error.cause as { readonly code: string; readonly syscall?: unknown };
  // No connection was made.
  if (syscall === "connect" || syscall === "getaddrinfo") return false;
  // Refused before anything was sent; anything else with a code of five characters is an answer of the server.
  if (/^(28|3D|42|53|57P03|22|23|54|55)/.test(code)) return false;
  return !["CONNECTION_ENDED", "CONNECT_TIMEOUT"].includes(code);
}

/** The error for a table that a newer program made. */
export function newerTables(source: string, found: number, known: number): HoldfastError {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${source}: found tables of version ${found}, this program knows up to ${known}; update the program`,
    { what: `tables of version ${found}` },
  );
}

/** The error for an intent where there is no table for it. */
export function withoutIntents(
  { name, sql }: { readonly name: string; readonly sql: PostgresClient },
  cause: unknown,
): HoldfastError {
  return holdfastError(
    "READ_ONLY",
    `Cannot write the intent of ${name}: found no table for it, and no permission to make one; ` +
      `open the config once as a role that may, then grant it to "${sql.options.user}"`,
    { source: name },
    cause,
  );
}

/** The error for a client that changes what it reads. */
export function notAsSent(source: string): HoldfastError {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${source}: found a client that changes values or rows on their way; ` +
      "give one without `transform.value`, `transform.row` and a parser of texts",
    { what: "database client" },
  );
}

/** The error for a write of which nobody can tell what became of it. */
export function commitUnknown(source: string, cause: unknown): HoldfastError {
  return holdfastError(
    "COMMIT_UNKNOWN",
    `Cannot confirm the write of ${source}: found the connection broken before the answer, and nobody to ask; ` +
      "read before writing again",
    { source },
    cause,
  );
}

/** The error for a write that is known not to have landed. */
export function notStored(source: string, server: Server, cause: unknown): HoldfastError {
  return holdfastError(
    "UNAVAILABLE",
    `Cannot write ${source}: found the connection to ${
      addressOf(server)
    } broken, and nothing was stored; try again`,
    { source },
    cause,
  );
}

/** The error for an older state than one that was seen before, on a server that cannot be written. */
export function steppedBack(source: string, found: number, seen: number): HoldfastError {
  return holdfastError(
    "UNAVAILABLE",
    `Cannot take over ${source}: found generation ${found} on a server that only reads, after ${seen}; ` +
      "wait until it caught up, or read from the primary server",
    { source },
  );
}

/** Where a server is, in words. */
function addressOf({ host, port, database }: Server): string {
  return `${host.map((name, index) => `${name}:${port[index] ?? port[0]}`).join(", ")}/${database}`;
}
