import { spinsMax } from "../core/limits.ts";
import { makeEmpty, uniqueId } from "../host/durable.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import type { LogView } from "./log_view.ts";

/**
 * Manners between writers that keep meeting. Nothing that must be right depends on them: they only keep writers from doing
 * the same work for nothing, and a slow one from never getting its turn.
 *
 * Who lost says so by an empty draft, and waits while others are about to commit. Who won and saw such a draft waits before
 * its next commit. Each for a bounded number of listings, since the other may be dead.
 */
export class Contention {
  #ticket: string | undefined;
  #waiting: ReadonlySet<string> = new Set();
  readonly #dead = new Set<string>();

  /** After a commit: remembers who else wants one. */
  async won(place: LogPlace, view: LogView, own: string): Promise<void> {
    const ticket = this.#ticket;
    this.#ticket = undefined;
    this.#waiting = new Set(
      [...view.drafts].filter((id) => id !== own && id !== ticket && !this.#dead.has(id)),
    );
    if (ticket !== undefined) await place.log.remove([`rec.${ticket}`]);
  }

  /** After a generation went to somebody else: waits until nobody is about to make the next one. */
  async lost(place: LogPlace, generation: number): Promise<void> {
    for (let spin = 0; spin < spinsMax; spin++) {
      const view = await place.view();
      if (view === undefined || view.top < generation) return;
      await this.#show(place);
      if (!view.publications.some((publication) => publication.generation > view.top)) return;
    }
  }

  /**
   * Before a commit: lets somebody go first who waited while we had our turn.
   *
   * @returns whether somebody did
   */
  async standBack(place: LogPlace, top: number): Promise<boolean> {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    if (waiting.size === 0) return false;
    for (let spin = 0; spin < spinsMax; spin++) {
      const view = await place.view();
      if (view === undefined || view.top > top) return true;
      if (![...waiting].some((id) => view.drafts.has(id))) return false;
    }
    for (const id of waiting) this.#dead.add(id);
    return false;
  }

  /** When no more commit is to come. */
  async leave(place: LogPlace): Promise<void> {
    if (this.#ticket !== undefined) await place.log.remove([`rec.${this.#ticket}`]);
    this.#ticket = undefined;
  }

  async #show(place: LogPlace): Promise<void> {
    if (this.#ticket !== undefined) return;
    const ticket = uniqueId(place.host);
    const path = place.log.path(`rec.${ticket}`);
    await makeEmpty(place.host, path, fileMode);
    this.#ticket = ticket;
  }
}
