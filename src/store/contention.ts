import { glancesMax, overtakenSpinsMax, spinsMax, turnAgeMax } from "../core/limits.ts";
import { makeEmpty, uniqueId } from "../host/durable.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import type { AttemptFile, LogView } from "./log_view.ts";
import { identityOf } from "./sight.ts";

/**
 * Manners between writers that keep meeting. Nothing that must be right depends on them: they only keep writers from doing
 * the same work for nothing, and a slow one from never getting its turn.
 *
 * Who met others stands in line by an empty file, `turn.<n>.<id>`, with the newest generation at that time, and commits when
 * it is the first. Everybody waits for a bounded number of listings only, since the others may be dead.
 */
export class Contention {
  #turn: string | undefined;
  #meetsOthers = false;
  /** Whether our turn has come, but there was something newer to be read first. */
  #isNext = false;
  readonly #dead = new Set<string>();

  /**
   * Before a commit: stands in line, where others want to commit as well.
   *
   * @param top the newest generation seen
   * @returns whether there is a newer one now
   */
  async queue(place: LogPlace, top: number): Promise<boolean> {
    const isNext = this.#isNext;
    this.#isNext = false;
    if (!this.#meetsOthers || isNext) return false;
    await this.#standInLine(place, top);
    let [newest, first, spins] = [0, "", 0];
    for (;;) {
      const view = await place.log.view();
      if (view === undefined) return true;
      const ahead = this.#ahead(view);
      const [next] = ahead;
      if (next === undefined) return this.#isNext = view.top > top;
      if (view.top === newest) spins++;
      // Its own commit may be what moved the top: then it leaves the line any moment now.
      else spins = next.name === first ? Math.max(spins, spinsMax - overtakenSpinsMax) : 0;
      [newest, first] = [view.top, next.name];
      if (spins >= spinsMax) this.#dead.add(next.name);
      else if (await hasLeft(place, ahead.at(-1)!, ahead.length) && ahead.length === 1) {
        return this.#isNext = true;
      }
    }
  }

  /** Lets the next one begin, once this commit has its number. */
  async numbered(place: LogPlace, view: LogView): Promise<void> {
    this.#meetsOthers = view.turns.some(({ name }) => name !== this.#turn && !this.#dead.has(name));
    await this.leave(place);
  }

  /** After a commit that lost its number to another. */
  lost(): void {
    this.#meetsOthers = true;
  }

  /** When no more commit is to come. */
  async leave(place: LogPlace): Promise<void> {
    const turn = this.#turn;
    this.#turn = undefined;
    if (turn !== undefined) await place.log.remove([turn]);
  }

  /** Those whose turn is before ours. */
  #ahead({ top, turns }: LogView): readonly AttemptFile[] {
    const own = turns.findIndex(({ name }) => name === this.#turn);
    // Whoever saw so many commits go by does not stand in line any more.
    return turns.slice(0, own === -1 ? 0 : own).filter(({ name, generation }) => {
      return top - generation <= turnAgeMax && !this.#dead.has(name);
    });
  }

  async #standInLine(place: LogPlace, top: number): Promise<void> {
    if (this.#turn !== undefined) return;
    const turn = `turn.${top}.${uniqueId(place.host)}`;
    await makeEmpty(place.host, place.log.path(turn), fileMode);
    this.#turn = turn;
  }
}

/**
 * Waits for a while until the one before has left the line: that is a look at one file, and not at the whole log. The longer
 * the line, the seldomer.
 */
async function hasLeft(
  { host, log }: LogPlace,
  { name }: AttemptFile,
  position: number,
): Promise<boolean> {
  for (let glance = 0; glance < glancesMax; glance++) {
    await host.pause(Math.ceil(position / 4));
    if (await identityOf(host, log.path(name)) === undefined) return true;
  }
  return false;
}
