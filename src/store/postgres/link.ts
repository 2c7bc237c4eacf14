import { queryAttemptsMax } from "../../core/limits.ts";
import type { Host } from "../../host/host.ts";
import { codeBehind, noAnswer, postgresError } from "./error.ts";
import type { PostgresClient } from "./postgres.ts";

/** A value out of a row: every column is asked for as text. */
export type Cell = string | null;

/** A statement, and how long to wait for its answer. */
export interface Question {
  /** In words, for messages: "read postgres:app". */
  readonly attempt: string;
  readonly query: string;
  readonly parameters?: Cell[];
  readonly timeoutMs: number;
  /** Whether it changes anything. */
  readonly isWrite?: boolean;
}

const passingCodes = [
  ...["CONNECTION_CLOSED", "ECONNRESET", "EPIPE"],
  // Ended by an administrator, by a crash, or for being idle.
  ...["57P01", "57P02", "57P05"],
  ...["40001", "40P01"],
];

/** Asks a server questions, bounded in time, and words what goes wrong. */
export class PostgresLink {
  readonly host: Host;
  readonly sql: PostgresClient;
  /** As messages call the document. */
  readonly name: string;

  constructor(host: Host, sql: PostgresClient, name: string) {
    this.host = host;
    this.sql = sql;
    this.name = name;
  }

  /**
   * Asks, some more times where connections broke, of which the client may hold several, or where the server gave way to
   * somebody else: only for what may run twice.
   *
   * @throws `UNAVAILABLE`, `TIMEOUT`, `READ_ONLY`, `CONFLICT`
   */
  async ask(question: Question): Promise<readonly (readonly Cell[])[]> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.askOnce(question);
      } catch (error) {
        if (!isPassing(error) || attempt >= queryAttemptsMax) throw error;
      }
    }
  }

  /** Asks. What is still under way when the time is over may run yet. */
  async askOnce(
    { attempt, query, parameters = [], timeoutMs, isWrite = false }: Question,
  ): Promise<readonly (readonly Cell[])[]> {
    const answered = new AbortController();
    const { host, sql, name } = this;
    const options = { prepare: parameters.length > 0 };
    const answer = Promise.resolve(sql.unsafe(query, parameters, options).values()).catch(
      (error: unknown) => {
        throw postgresError({ attempt, source: name, server: sql.options, isWrite, error });
      },
    );
    const late = host.sleep(timeoutMs, { signal: answered.signal, keepAlive: false })
      .then((isLate) => {
        if (isLate) throw noAnswer(attempt, timeoutMs, sql.options);
        return answer;
      });
    try {
      return await Promise.race([answer, late]) as readonly (readonly Cell[])[];
    } finally {
      answered.abort();
    }
  }
}

/**
 * Whether it may be better at once: a connection that had been there went away, as when the server was restarted, or the
 * server gave way to somebody else.
 */
function isPassing(error: unknown): boolean {
  return passingCodes.includes(codeBehind(error));
}
