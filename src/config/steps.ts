import { diff } from "../core/diff.ts";
import { changeSetOf } from "./change_set.ts";
import type { ChangeSet, Snapshot } from "./reports.ts";

// Bounds what is remembered for those who are slow.
const stepsMax = 100;

interface Step {
  readonly before: Snapshot<unknown>;
  readonly changeSet: ChangeSet;
}

/** The last steps of a config: what changed since a snapshot that somebody has. */
export class Steps {
  readonly #name: string;
  readonly #last: Step[] = [];
  #newest: Snapshot<unknown>;
  /** Worked out already, by what they start from. */
  readonly #known = new Map<Snapshot<unknown>, ChangeSet>();

  /** @param name of the source */
  constructor(first: Snapshot<unknown>, name: string) {
    this.#newest = first;
    this.#name = name;
  }

  get newest(): Snapshot<unknown> {
    return this.#newest;
  }

  /** Takes note of a new snapshot and of what changed from the one before. */
  add(snapshot: Snapshot<unknown>, changeSet: ChangeSet): void {
    this.#known.clear();
    this.#known.set(this.#newest, changeSet);
    this.#last.push({ before: this.#newest, changeSet });
    if (this.#last.length > stepsMax) this.#last.shift();
    this.#newest = snapshot;
  }

  /** What changed from an older snapshot to the newest one. */
  since(before: Snapshot<unknown>): ChangeSet {
    let changeSet = this.#known.get(before);
    if (changeSet === undefined) this.#known.set(before, changeSet = this.#sum(before));
    return changeSet;
  }

  #sum(before: Snapshot<unknown>): ChangeSet {
    const { origin } = this.#last.at(-1)!.changeSet;
    // Where it is not known any more who did all of it, nobody is named.
    const first = this.#last.findIndex((step) => step.before === before);
    const missed = first === -1 ? [] : this.#last.slice(first);
    const calls = missed.flatMap((step) => step.changeSet.calls ?? []);
    const changes = diff(before.value, this.#newest.value);
    return changeSetOf(this.#name, before, this.#newest, changes, { origin, calls });
  }
}
