/** What is visited: small plans in every run of the tests, large ones by `tests/trials/model.ts`. */
import type { Editor, Plan } from "./world.ts";

/** A plan with a name, for both kinds of power cut where it has one. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: Omit<Plan, "cutModel">;
}

/** Saves by rename: a new text, that of another generation, and the one that is there already. */
const renames: readonly Editor[] = [{ manner: "rename", texts: ["new", "old", "same"] }];
const renamesSynced: readonly Editor[] = [{ ...renames[0]!, isSynced: true }];
const sameText: readonly Editor[] = [{ manner: "rename", texts: ["same", "old"], isSynced: true }];
const renamesTwice: readonly Editor[] = [{ manner: "rename", texts: ["new", "old"], saves: 2 }];
const writesInPlace: readonly Editor[] = [{ manner: "inPlace", texts: ["new", "old"] }];
const writesTwice: readonly Editor[] = [{ ...writesInPlace[0]!, saves: 2 }];
const both: readonly Editor[] = [
  { manner: "rename", texts: ["new", "old"] },
  { manner: "inPlace", texts: ["old"] },
];

/** Small ones. */
export const smallPlans: readonly NamedPlan[] = [
  named("writers with a sweep in parts", { writers: 2, isLookSplit: true, isSweepSplit: true }),
  named("writers and a power cut", { writers: 2, cuts: 1 }),
  named("a reader and a power cut", { writers: 1, readers: 1, cuts: 1, isLookSplit: true }),
  named("a save by rename and a power cut", { writers: 1, cuts: 1, editors: renames }),
  named("saves by rename", { writers: 1, editors: renamesTwice }),
  named("saves in place", { writers: 1, editors: writesTwice }),
  named("a save in place and a power cut", { writers: 1, cuts: 1, editors: writesInPlace }),
  named("collection, a save and a power cut", {
    writers: 1,
    cuts: 1,
    editors: renames,
    history: 1,
  }),
  named("a failing sync and a power cut", { writers: 1, readers: 1, cuts: 1, failures: 1 }),
];

/** Large ones: minutes each, and some gigabytes. */
export const largePlans: readonly NamedPlan[] = [
  named("a failing sync, writers and a power cut", { writers: 2, cuts: 1, failures: 1 }),
  named("collection and a power cut", { writers: 2, cuts: 1, history: 1 }),
  named("a save in place, recovery synced once", {
    writers: 1,
    cuts: 1,
    editors: writesInPlace,
    variants: ["forwardSyncedOnce"],
  }),
  named("recovery synced once, writers and a power cut", {
    writers: 2,
    cuts: 1,
    variants: ["forwardSyncedOnce"],
  }),
  named("a failing sync of a directory, tried again", {
    writers: 2,
    cuts: 1,
    failures: 1,
    variants: ["retryDirectory"],
  }),
  named("old images left behind", {
    writers: 1,
    cuts: 1,
    editors: writesTwice,
    variants: ["keepImages"],
  }),
  named("a save, a failing sync, a reader and a power cut", {
    writers: 1,
    readers: 1,
    cuts: 1,
    editors: renames,
    failures: 1,
  }),
  named("saves in place and a power cut", { writers: 1, cuts: 1, editors: writesTwice }),
  named("two saves by rename and a power cut", { writers: 1, cuts: 1, editors: renamesTwice }),
  named("a synced save by rename, two helpers and a power cut", {
    writers: 1,
    helpers: 2,
    cuts: 1,
    editors: renamesSynced,
  }),
  named("two power cuts and a save of the same text", { writers: 2, cuts: 2, editors: sameText }),
  named("two power cuts and a save by rename", { writers: 2, cuts: 2, editors: renamesSynced }),
  named("two power cuts and a save in place", { writers: 1, cuts: 2, editors: writesInPlace }),
  named("two writers, a save by rename and a power cut", {
    writers: 2,
    cuts: 1,
    editors: renames,
  }),
  named("both manners of saving and a power cut", { writers: 1, cuts: 1, editors: both }),
  named("collection, two writers, a save and a power cut", {
    writers: 2,
    cuts: 1,
    editors: renames,
    history: 1,
  }),
  named("collection, a save in place and a power cut", {
    writers: 1,
    roundsPerWriter: 2,
    cuts: 1,
    editors: writesInPlace,
    history: 1,
  }),
  named("readers, writers and a power cut", {
    writers: 2,
    readers: 2,
    cuts: 1,
    isLookSplit: true,
  }),
  named("writers of two rounds with collection", {
    writers: 2,
    roundsPerWriter: 2,
    history: 1,
    isLookSplit: true,
  }),
  named("three writers with a sweep in parts", {
    writers: 3,
    isLookSplit: true,
    isSweepSplit: true,
  }),
  named("three writers and a power cut", { writers: 3, cuts: 1 }),
];

/** The plans that a named one stands for. */
export function plansOf({ plan }: NamedPlan): Plan[] {
  if (plan.cuts === undefined) return [{ ...plan, cutModel: "none" }];
  return [{ ...plan, cutModel: "single" }, { ...plan, cutModel: "prefix" }];
}

function named(name: string, plan: Omit<Plan, "cutModel">): NamedPlan {
  return { name, plan };
}
