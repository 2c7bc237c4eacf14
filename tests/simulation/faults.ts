import type { Fault } from "../../adapters/memory.ts";
import type { Random } from "../support/random.ts";
import type { WorldPlan } from "./plan.ts";
import type { Parked } from "./scheduler.ts";

const fullForSteps = 120;

// Where the log may not be looked at, a process counts by itself: that is no fault but a way of running, tried elsewhere.
const errnosOf: Readonly<Record<string, readonly string[]>> = {
  create: ["ENOSPC", "EACCES", "EROFS", "EMFILE", "EDQUOT", "EIO"],
  write: ["ENOSPC", "EIO", "EFBIG", "EDQUOT"],
  sync: ["EIO", "EIO", "ENOSPC"],
  syncDirectory: ["EIO"],
  link: ["ENOSPC", "EROFS", "EIO", "EACCES"],
  rename: ["EIO", "EROFS", "ENOSPC", "EACCES"],
  remove: ["EIO", "EACCES", "EROFS"],
  makeDirectory: ["EACCES", "ENOSPC"],
  list: ["EMFILE", "EIO"],
  stat: ["EIO"],
  read: ["EMFILE", "EIO", "EACCES"],
  resolve: ["EIO"],
  watch: ["EMFILE", "ENOSPC"],
  close: ["EIO"],
};

const fillsDisk = new Set(["create", "write", "link", "makeDirectory"]);

/** Chooses what goes wrong with an operation that is about to happen, if anything. */
export function chooseFault(
  { attempt: { operation } }: Parked,
  plan: WorldPlan,
  random: Random,
  step: number,
): Fault | undefined {
  const { fullFrom, failsOneIn, shortWrites } = plan;
  const isFull = fullFrom !== undefined && step >= fullFrom && step < fullFrom + fullForSteps;
  if (isFull && fillsDisk.has(operation)) return { error: "ENOSPC" };
  if (failsOneIn > 0 && random.below(failsOneIn) === 0) {
    return { error: random.pick(errnosOf[operation] ?? ["EIO"]) };
  }
  if (shortWrites && operation === "write" && random.below(3) === 0) {
    return { shortWrite: 1 + random.below(20) };
  }
  return undefined;
}

/** Chooses what becomes of a hint. */
export function chooseHint(plan: WorldPlan, random: Random): Fault | undefined {
  if (!plan.badHints) return undefined;
  return random.pick<Fault | undefined>([
    undefined,
    { lost: true },
    { twice: true },
    { lateMs: 1 + random.below(300) },
  ]);
}
