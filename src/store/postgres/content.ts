import { joinCauses } from "../../core/cause.ts";
import type { Json } from "../../core/document.ts";
import { documentBytesMax } from "../../core/limits.ts";
import { freeze } from "../../core/snapshot.ts";
import { json } from "../../format/json.ts";
import { hashOf } from "../../host/hash.ts";
import type { Host } from "../../host/host.ts";
import { type Content, contentOf, locatorOf, unlocated } from "../../source/content.ts";
import type { Loaded } from "../../source/source.ts";
import { tooLarge } from "../store_error.ts";
import { type HistoryRow, type Row, stampOf, type Told } from "./rows.ts";

/** A row that was looked at, with what it holds. */
export interface Seen {
  readonly row: Row;
  readonly loaded: Loaded;
  /** Whether what stands there is the very content of the newest generation. */
  readonly isRecorded: boolean;
  readonly atMs: number;
}

interface HashedContent extends Content {
  readonly hash: string;
}

/** Makes documents of texts. */
export class PostgresContent {
  readonly #host: Host;
  readonly #name: string;
  /** The last text decoded, so that one which stays refused is not decoded at every look. */
  #decoded: HashedContent | undefined;

  constructor(host: Host, name: string) {
    this.#host = host;
    this.#name = name;
  }

  /**
   * Makes out what a row holds.
   *
   * @param running the newest generation seen before: a row that stands behind it was put back by somebody
   */
  see(row: Row, running: number): Seen {
    const content = this.#contentOf(row);
    const { generation, newest } = row;
    const isRecorded = generation > 0 && generation === newest && newest >= running &&
      content.hash === row.hash;
    const loaded = isRecorded
      ? this.#loaded(content, generation, recordOf(row.told, generation, running))
      : this.#loaded(content, newest);
    return { row, loaded, isRecorded, atMs: this.#host.monotonic() };
  }

  /** What was written just now. */
  made(
    document: Json | undefined,
    text: string | undefined,
    { generation, hash, ...record }: Told & { readonly hash: string },
  ): Loaded {
    const content = { document, hash, locate: this.#locator(text) };
    this.#decoded = document === undefined ? undefined : content;
    const { origin, calls, at } = record;
    return this.#loaded(content, generation, { origin, calls, at });
  }

  /** The row as it stands after a write. */
  seenMade(loaded: Loaded, text: string | undefined, version: string): Seen {
    const { generation, hash } = loaded;
    const row: Row = {
      stamp: stampOf([String(generation), hash, version, String(generation)]),
      version,
      generation,
      hash,
      newest: generation,
      byteLength: 0,
      text,
      told: [],
    };
    return { row, loaded, isRecorded: true, atMs: this.#host.monotonic() };
  }

  /** A generation out of the history, in the place of what stands in the row. */
  stored(stored: HistoryRow): Loaded {
    const { generation, hash, text, origin, calls, at } = stored;
    const content = this.#contentOf({ text, hash, byteLength: 0 });
    return this.#loaded(content, generation, { origin, calls, at });
  }

  /** The document of a generation; undefined where it was removed. */
  decoded({ text }: Pick<HistoryRow, "text">): Json | undefined {
    if (text === undefined) return undefined;
    return freeze(json.decode(new TextEncoder().encode(text), this.#name).document);
  }

  #contentOf(
    { text, byteLength, hash: said }: Pick<Row, "text" | "byteLength" | "hash">,
  ): HashedContent {
    if (byteLength > documentBytesMax) return this.#tooLarge(byteLength, said);
    if (text === undefined) return { document: undefined, hash: "", locate: this.#locator(text) };
    const bytes = new TextEncoder().encode(text);
    const hash = hashOf(this.#host, bytes);
    if (this.#decoded?.hash !== hash) {
      const content = contentOf(json, bytes, this.#name);
      this.#decoded = { ...content, document: freeze(content.document), hash };
    }
    return this.#decoded;
  }

  #tooLarge(found: number, said: string): HashedContent {
    const fault = tooLarge(`read ${this.#name}`, found);
    // Of what is not read there is no hash; it only has to be another one than that of the generation.
    return { document: undefined, fault, hash: `${said}+${found}`, locate: unlocated(this.#name) };
  }

  #locator(text: string | undefined): Loaded["locate"] {
    return text === undefined ? unlocated(this.#name) : locatorOf(json, text, this.#name);
  }

  #loaded(content: HashedContent, generation: number, record?: Loaded["record"]): Loaded {
    return {
      ...content,
      generation,
      ...(record === undefined ? {} : { record }),
      warnings: [],
      resolvedPaths: [],
    };
  }
}

/** How a generation came to be, told together with those that were passed over since. */
function recordOf(told: readonly Told[], generation: number, since: number): Loaded["record"] {
  const newest = told.find((each) => each.generation === generation);
  const isNext = since === 0 || since >= generation;
  const passed = told.filter((each) => {
    return !isNext && each.generation > since && each.generation < generation;
  });
  const cause = joinCauses([...passed.toReversed(), newest], isNext ? 1 : generation - since);
  return { at: newest?.at ?? "", ...cause };
}
