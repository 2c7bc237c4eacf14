import { isHoldfastError } from "../../core/error.ts";
import { deadSpins, glancesMax, spinsMax, turnAgeMax } from "../../core/limits.ts";
import { makeEmpty, uniqueId } from "../../host/durable.ts";
import { outdated } from "../store_error.ts";
import { fileMode } from "./generation_log.ts";
import type { LogPlace } from "./log_place.ts";
import type { AttemptFile, LogView } from "./log_view.ts";
import { identityOf } from "./sight.ts";

interface Turn {
  readonly place: LogPlace;
  /** The newest generation when it was taken. */
  readonly generation: number;
  readonly name: string;
  /** Whether it is to be made anew, in its old place, so that those who gave it up see that somebody lives. */
  isStale: boolean;
}

/**
 * Manners between writers that keep meeting. Nothing that must be right depends on them: they only keep writers from doing
 * the same work for nothing, and a slow one from never getting its turn.
 *
 * Who met others stands in line by an empty file, `turn.<n>.<id>`, with the newest generation at that time, and commits when
 * it is the first. Everybody waits for a bounded number of listings only, since the others may be dead.
 */
export class Contention {
  #turn: Turn | undefined;
  #meetsOthers = false;
  /** Whether our turn has come, but there was something newer to be read first. */
  #isNext = false;
  readonly #dead = new Set<string>();

  /**
   * Commits, in its turn where others want to commit as well.
   *
   * @param top the newest generation seen
   * @param waits told when it begins and ends to stand in line; answers whether anybody still waits for the commit
   * @throws `CONFLICT` where there is a newer one by then, or nobody waits any more; what `commit` throws
   */
  async inTurn<Result>(
    place: LogPlace,
    top: number,
    waits: (isWaiting: boolean) => boolean,
    commit: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const isWanted = () => waits(true);
      const isNewer = this.#needsTurn() &&
        await this.#queue(place, top, isWanted).catch(() => false);
      if (!waits(false) || isNewer) throw outdated(place.path, { expected: top, current: top + 1 });
      return await commit();
    } catch (error) {
      if (!isHoldfastError(error, "CONFLICT")) await this.leave();
      else if (!this.#isNext) this.#lost();
      throw error;
    }
  }

  /** Lets the next one begin, once a commit has its number. */
  async numbered(view: LogView): Promise<void> {
    const own = this.#turn?.name;
    this.#meetsOthers = view.turns.some(({ name }) => name !== own && !this.#dead.has(name));
    await this.leave();
  }

  /** When no more commit is to come. */
  async leave(): Promise<void> {
    const turn = this.#turn;
    this.#turn = undefined;
    this.#isNext = false;
    await turn?.place.log.remove([turn.name]).catch(() => {});
  }

  /** After a commit that was in vain: the others may have taken us for dead. */
  #lost(): void {
    this.#meetsOthers = true;
    if (this.#turn !== undefined) this.#turn.isStale = true;
  }

  #needsTurn(): boolean {
    const isNext = this.#isNext;
    this.#isNext = false;
    return this.#meetsOthers && !isNext;
  }

  /** @returns whether there is something newer */
  async #queue(place: LogPlace, top: number, isWanted: () => boolean): Promise<boolean> {
    await this.#standInLine(place, top);
    let [newest, first, spins] = [0, "", 0];
    while (isWanted()) {
      const view = await place.log.view();
      if (view === undefined) return true;
      const ahead = this.#ahead(view);
      const [next] = ahead;
      if (next === undefined) return this.#isNext = view.top > top;
      // Where somebody died and nobody commits, those behind are most likely dead as well.
      if (next.name === first) spins++;
      else spins = spins >= spinsMax && view.top === newest ? spinsMax - deadSpins : 0;
      [newest, first] = [view.top, next.name];
      if (spins >= spinsMax) this.#dead.add(next.name);
      else if (await hasLeft(place, ahead.at(-1)!, ahead.length) && ahead.length === 1) {
        return this.#isNext = true;
      }
    }
    return true;
  }

  /** Those whose turn is before ours. */
  #ahead({ top, turns }: LogView): readonly AttemptFile[] {
    const own = turns.findIndex(({ name }) => name === this.#turn?.name);
    // Whoever saw so many commits go by does not stand in line any more.
    return turns.slice(0, own === -1 ? 0 : own).filter(({ name, generation }) => {
      return top - generation <= turnAgeMax && !this.#dead.has(name);
    });
  }

  async #standInLine(place: LogPlace, top: number): Promise<void> {
    const before = this.#turn;
    const isSame = before?.place === place;
    if (isSame && !before.isStale) return;
    await this.leave();
    const generation = isSame ? before.generation : top;
    const name = `turn.${generation}.${uniqueId(place.host)}`;
    await makeEmpty(place.host, place.log.path(name), fileMode);
    this.#turn = { place, generation, name, isStale: false };
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
