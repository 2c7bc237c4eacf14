import type { Call, Origin } from "../../core/cause.ts";
import {
  documentBytesMax,
  generationsToldMax,
  glanceTimeoutMs,
  queryTimeoutMs,
} from "../../core/limits.ts";
import type { RecordHeader } from "../record.ts";
import type { Cell, PostgresLink } from "./link.ts";
import type { Names } from "./names.ts";

/** A row as one read found it. */
export interface Row {
  /** All that changes when the row does: what a glance is compared by. */
  readonly stamp: string;
  /** Which version of the row this is; undefined where there is none. */
  readonly version: string | undefined;
  /** The number that the row gives; 0 where it has none. */
  readonly generation: number;
  /** Over the content of that generation. A person who edits the row leaves it as it is. */
  readonly hash: string;
  /** The newest generation, of the row and of the history. */
  readonly newest: number;
  /** How long the text is, in bytes. */
  readonly byteLength: number;
  /** Undefined where there is none, or where it is too long to be read. */
  readonly text: string | undefined;
  /** The newest generations that were asked for, the newest first. */
  readonly told: readonly Told[];
}

/** What the history tells of a generation, without its content. */
export interface Told {
  readonly generation: number;
  readonly origin: Origin;
  readonly calls: readonly Call[];
  readonly at: string;
}

/** A generation out of the history. */
export interface HistoryRow extends Omit<RecordHeader, "id"> {
  readonly text: string | undefined;
}

/** A commit, as the server carries it out. */
export interface Attempt {
  /** The version of the row that it replaces. */
  readonly version: string | undefined;
  readonly base: { readonly generation: number; readonly hash: string };
  readonly kept: number;
  /** Whether the text that it replaces is to be kept aside. */
  readonly isAside: boolean;
  readonly text: string | undefined;
  readonly record: Omit<RecordHeader, "generation" | "parent" | "parentHash">;
}

/** What became of a commit. */
export type Outcome =
  | { readonly kind: "made"; readonly generation: number; readonly version: string | undefined }
  | { readonly kind: "conflict" | "lost"; readonly newest: number };

/** The rows of one document. */
export class PostgresRows {
  readonly #link: PostgresLink;
  readonly #names: Names;
  readonly #key: string;

  constructor(link: PostgresLink, names: Names, key: string) {
    this.#link = link;
    this.#names = names;
    this.#key = key;
  }

  /** Whether anything changed, for the least work: neither the text nor the history is read. */
  async glance(): Promise<string> {
    const { documents } = this.#names;
    const query = `select ${this.#stampColumns()}
      from (select 1) one left join ${documents} d on d.key = $1`;
    return stampOf(await this.#row(query, [], glanceTimeoutMs));
  }

  /**
   * Reads everything at once, so that nothing is of another moment than the rest.
   *
   * @param since the generation that ran before: what is told of all that came after it
   */
  async read(since: number): Promise<Row> {
    const { documents, history } = this.#names;
    const query = `select ${this.#stampColumns()}, octet_length(d.document)::text,
        case when octet_length(d.document) <= $2::text::bigint then d.document end,
        (select json_agg(json_build_array(h.generation::text, h.origin, h.calls, h.at) order by h.generation desc)::text
          from (select * from ${history} h where h.key = $1
            and (h.generation > $3::text::bigint or h.generation = d.generation)
            order by h.generation desc limit $4::text::bigint) h)
      from (select 1) one left join ${documents} d on d.key = $1`;
    // Nothing ran before: then the newest alone matters.
    const toldMax = since === 0 ? 1 : generationsToldMax + 1;
    const row = await this.#row(query, [documentBytesMax, since, toldMax].map(String));
    const [generation, hash, version, newest, byteLength, text, told] = row;
    return {
      stamp: stampOf(row),
      version: version ?? undefined,
      generation: Number(generation),
      hash: hash ?? "",
      newest: Math.max(Number(generation), Number(newest)),
      byteLength: Number(byteLength),
      text: text ?? undefined,
      told: toldOf(told),
    };
  }

  /** @throws what `askOnce` throws: it may have been carried out all the same */
  async commit({ version, base, kept, isAside, text, record }: Attempt): Promise<Outcome> {
    const { hash, id, at, origin, calls } = record;
    const given = [
      version ?? null,
      String(base.generation),
      base.hash,
      String(kept),
      String(isAside),
      text ?? null,
      hash,
      id,
      at,
      origin,
      JSON.stringify(calls),
    ];
    // Given as text, whatever the client makes of other types.
    const types = ["", "::bigint", "", "::bigint", "::boolean"];
    const places = given.map((_, index) => `$${index + 2}::text${types[index] ?? ""}`).join(", ");
    const rows = await this.#link.askOnce({
      attempt: `write ${this.#link.name}`,
      query: `select ${this.#names.commit}($1, ${places})`,
      parameters: [this.#key, ...given],
      timeoutMs: queryTimeoutMs,
      isWrite: true,
    });
    return outcomeOf(rows[0]?.[0]);
  }

  /** Finds out what became of a commit, and sees to it that it does not land any more if it did not. */
  async settle(id: string): Promise<Outcome> {
    const [answer] = await this.#row(`select ${this.#names.settle}($1, $2)`, [id], glanceTimeoutMs);
    return outcomeOf(answer);
  }

  /** The numbers of the newest generations, the newest first. */
  async generations(limit: number): Promise<number[]> {
    const query = `select h.generation::text from ${this.#names.history} h
      where h.key = $1 order by h.generation desc limit $2::text::bigint`;
    return (await this.#ask(query, [String(limit)])).map(([generation]) => Number(generation));
  }

  async history(generation: number): Promise<HistoryRow | undefined> {
    if (!Number.isSafeInteger(generation)) return undefined;
    const query = `select h.parent::text, h.parent_hash, h.hash, h.at, h.origin, h.calls, h.document
      from ${this.#names.history} h where h.key = $1 and h.generation = $2::text::bigint`;
    const [row] = await this.#ask(query, [String(generation)]);
    if (row === undefined) return undefined;
    const [parent, parentHash, hash, at, origin, calls, text] = row as string[];
    return {
      generation,
      parent: Number(parent),
      parentHash: parentHash!,
      hash: hash!,
      at: at!,
      origin: origin as Origin,
      calls: callsOf(calls!),
      text: text ?? undefined,
    };
  }

  /** @returns how many were deleted; the newest never is */
  async purge(before: number): Promise<number> {
    const { history, refused } = this.#names;
    const query = `with aside as (delete from ${refused} r where r.key = $1),
      gone as (delete from ${history} h where h.key = $1 and h.generation < $2::text::bigint
        and h.generation < (select max(n.generation) from ${history} n where n.key = $1) returning 1)
      select count(*)::text from gone`;
    return Number((await this.#row(query, [String(before)]))[0]);
  }

  #stampColumns(): string {
    return `d.generation::text, d.hash, d.xmin::text || ' ' || d.ctid::text,
      (select max(h.generation)::text from ${this.#names.history} h where h.key = $1)`;
  }

  async #row(query: string, parameters: Cell[], timeoutMs?: number): Promise<readonly Cell[]> {
    return (await this.#ask(query, parameters, timeoutMs))[0]!;
  }

  async #ask(
    query: string,
    parameters: Cell[],
    timeoutMs: number = queryTimeoutMs,
  ): Promise<readonly (readonly Cell[])[]> {
    return await this.#link.ask({
      attempt: `read ${this.#link.name}`,
      query,
      parameters: [this.#key, ...parameters],
      timeoutMs,
    });
  }
}

/** The stamp of a row, as a glance would find it. */
export function stampOf(row: readonly Cell[]): string {
  return JSON.stringify(row.slice(0, 4));
}

function toldOf(text: Cell | undefined): Told[] {
  const entries = JSON.parse(text ?? "[]") as [string, Origin, string, string][] | null;
  return (entries ?? []).map(([generation, origin, calls, at]) => ({
    generation: Number(generation),
    origin,
    calls: callsOf(calls),
    at,
  }));
}

/** What somebody wrote there by hand names no calls, and is no reason to refuse the document. */
function callsOf(text: string): readonly Call[] {
  try {
    const calls: unknown = JSON.parse(text);
    return Array.isArray(calls) ? calls : [];
  } catch {
    return [];
  }
}

function outcomeOf(answer: Cell | undefined): Outcome {
  const [kind, generation, version] = JSON.parse(answer!) as [string, string, Cell];
  return kind === "made"
    ? { kind, generation: Number(generation), version: version ?? undefined }
    : { kind: kind === "lost" ? kind : "conflict", newest: Number(generation) };
}
