import type { Random } from "../support/random.ts";
import type { CountedDocument } from "./calls.ts";

/** What a world is made of, all of it from its seed. */
export interface WorldPlan {
  readonly processes: number;
  /** Acts of each process. */
  readonly acts: number;
  /** What is there before the first process. */
  readonly initial: "file" | "seed" | "nothing";
  readonly history: number;
  readonly timeoutMs: number;
  /** How the next operation is chosen. */
  readonly order: "any" | "sticky" | "favourites";
  readonly kills: number;
  readonly powerCuts: number;
  readonly edits: number;
  /** How often a process or one operation stands still. */
  readonly stops: number;
  /** Of how many operations one fails; 0 for never. */
  readonly failsOneIn: number;
  readonly shortWrites: boolean;
  /** Whether hints are lost, doubled and late. */
  readonly badHints: boolean;
  readonly clockJumps: boolean;
  /** From which step on the disk is full, for a while. */
  readonly fullFrom: number | undefined;
  /** How often somebody deletes the log or a part of it. */
  readonly vandals: number;
  readonly removals: boolean;
}

/** What a seed stores where nothing is. */
export const seedDocument: CountedDocument = { count: 0, log: ["seed"] };

/** Chooses a world. */
export function planWorld(random: Random): WorldPlan {
  const one = (of: number): boolean => random.below(of) === 0;
  const some = (of: number, max: number): number => one(of) ? 1 + random.below(max) : 0;
  const stops = some(3, 8);
  return {
    processes: 2 + random.below(3),
    acts: 2 + random.below(6),
    initial: random.pick(["file", "file", "seed", "nothing"]),
    history: random.pick([2, 3, 5, 50]),
    order: random.pick(["any", "sticky", "favourites"]),
    kills: some(3, 3),
    powerCuts: some(3, 2),
    edits: some(2, 6),
    stops,
    timeoutMs: stops > 0 && one(2) ? 200 : 5000,
    failsOneIn: one(4) ? 20 + random.below(150) : 0,
    shortWrites: one(4),
    badHints: one(4),
    clockJumps: one(5),
    fullFrom: one(8) ? random.below(300) : undefined,
    vandals: some(14, 2),
    removals: one(5),
  };
}
