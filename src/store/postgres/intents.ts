import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { queryTimeoutMs } from "../../core/limits.ts";
import { uniqueId } from "../../host/durable.ts";
import { decodeIntent, encodeIntent, isSameIntent, lostIntent } from "../intent.ts";
import { codeBehind, withoutIntents } from "./error.ts";
import type { Cell, PostgresLink } from "./link.ts";
import type { Names } from "./names.ts";

interface Kept {
  /** Another one at every write; undefined where there was never one. */
  readonly id: string | undefined;
  readonly intent: Json | undefined;
}

/**
 * The intents beside one document: a row in a table of its own, so that neither watchers nor commits are disturbed. What says
 * that there is none stays, so that it can be told who wrote it.
 */
export class PostgresIntents {
  readonly #link: PostgresLink;
  readonly #names: Names;
  readonly #key: string;
  readonly #warn: (message: string) => void;

  constructor(link: PostgresLink, names: Names, key: string, warn: (message: string) => void) {
    this.#link = link;
    this.#names = names;
    this.#key = key;
    this.#warn = warn;
  }

  /** What is kept now. */
  async read(): Promise<Json | undefined> {
    try {
      return (await this.#read()).intent;
    } catch (error) {
      const code = codeBehind(error);
      // Tables of before there were intents, which this role may not add to.
      if (code === "42P01") return undefined;
      if (code !== "42501") throw error;
      this.#warn(`${(error as Error).message}; without it nobody knows what waits to be confirmed`);
      return undefined;
    }
  }

  /** Replaces what is kept, if it is what is expected. */
  async write(next: Json | undefined, expected: Json | undefined): Promise<boolean> {
    const text = encodeIntent(next);
    try {
      const before = await this.#read();
      return isSameIntent(before.intent, expected) && await this.#swap(text, before.id);
    } catch (error) {
      throw codeBehind(error) === "42P01" ? withoutIntents(this.#link, error) : error;
    }
  }

  async #swap(text: string, before: string | undefined): Promise<boolean> {
    const { intents } = this.#names;
    const id = uniqueId(this.#link.host);
    const query = before === undefined
      ? `insert into ${intents} (key, id, intent) values ($1, $2, $3) on conflict (key) do nothing returning id`
      : `update ${intents} set id = $2, intent = $3 where key = $1 and id = $4 returning id`;
    const parameters = [id, text, ...(before === undefined ? [] : [before])];
    try {
      if ((await this.#ask("write", query, parameters)).length > 0) return true;
    } catch (error) {
      if (!isHoldfastError(error, "CONFLICT")) throw error;
    }
    // It may have been asked twice, since the first answer was lost.
    return (await this.#read()).id === id;
  }

  async #read(): Promise<Kept> {
    const query = `select i.id, i.intent from ${this.#names.intents} i where i.key = $1`;
    const [row] = await this.#ask("read", query, []);
    const [id, text] = row ?? [];
    return { id: id ?? undefined, intent: this.#decode(text ?? "") };
  }

  #decode(text: string): Json | undefined {
    try {
      return decodeIntent(text);
    } catch {
      this.#warn(lostIntent(this.#link.name, "no JSON"));
      return undefined;
    }
  }

  async #ask(
    attempt: "read" | "write",
    query: string,
    parameters: readonly Cell[],
  ): Promise<readonly (readonly Cell[])[]> {
    return await this.#link.ask({
      attempt: `${attempt} the intent of ${this.#link.name}`,
      query,
      parameters: [this.#key, ...parameters],
      timeoutMs: queryTimeoutMs,
      isWrite: attempt === "write",
    });
  }
}
