import { diff } from "../../core/diff.ts";
import { changeSetOf } from "../change_set.ts";
import type { ChangeSet, Snapshot } from "../reports.ts";

// Bounds what is remembered for those who are slow.
const stepsMax = 100;

/** The last steps of a config: what changed since a snapshot that somebody has. */
export class Steps {
  readonly #name: string;
  readonly #last: ChangeSet[] = [];
  #count = 0;
  /** How many steps were there before a snapshot: old values are kept for those alone who have them. */
  readonly #positions = new WeakMap<Snapshot<unknown>, number>();
  #newest: Snapshot<unknown>;
  /** Worked out already, by what they start from. */
  #known = new WeakMap<Snapshot<unknown>, ChangeSet>();

  /** @param name of the source */
  constructor(first: Snapshot<unknown>, name: string) {
    this.#newest = first;
    this.#positions.set(first, 0);
    this.#name = name;
  }

  get newest(): Snapshot<unknown> {
    return this.#newest;
  }

  /** Takes note of a new snapshot and of what changed from the one before. */
  add(snapshot: Snapshot<unknown>, changeSet: ChangeSet): void {
    this.#known = new WeakMap([[this.#newest, changeSet]]);
    this.#last.push(changeSet);
    if (this.#last.length > stepsMax) this.#last.shift();
    this.#newest = snapshot;
    this.#positions.set(snapshot, ++this.#count);
  }

  /** What changed from an older snapshot to the newest one. */
  since(before: Snapshot<unknown>): ChangeSet {
    let changeSet = this.#known.get(before);
    if (changeSet === undefined) this.#known.set(before, changeSet = this.#sum(before));
    return changeSet;
  }

  #sum(before: Snapshot<unknown>): ChangeSet {
    const { origin } = this.#last.at(-1)!;
    const missedCount = this.#count - (this.#positions.get(before) ?? 0);
    // Where it is not known any more who did all of it, nobody is named.
    const missed = missedCount > this.#last.length ? [] : this.#last.slice(-missedCount);
    const calls = missed.flatMap((step) => step.calls ?? []);
    const changes = diff(before.value, this.#newest.value);
    return changeSetOf(this.#name, before, this.#newest, changes, { origin, calls });
  }
}
