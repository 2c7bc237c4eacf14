/** The steps of collection, and those that keep a stalled writer from taking a collected number. */
import { change, type Context, has, look, type Next } from "./context.ts";
import { floorOf, parseName, topOf } from "./world.ts";

/** Looks whether the number was collected. */
export function floor(context: Context): Next {
  const { draft, task } = context;
  if (task.generation > floorOf(draft.storage)) {
    return context.plan.history === undefined ? "skip" : "next";
  }
  if (has(context, "unlinkBelowFloor")) change(context, `g.${task.generation}`, undefined);
  context.note = "below the floor: unknown";
  return "end";
}

/** A variant: a number that is not in the chain any more is taken for collected. */
export function gap(context: Context): Next {
  const { draft, task } = context;
  let lowest = topOf(draft.storage);
  while (draft.storage.visible.has(`g.${lowest - 1}`)) lowest--;
  if (task.generation >= lowest) return "next";
  change(context, `g.${task.generation}`, undefined);
  return "abandon";
}

/** Says up to where records are about to be deleted. */
export function mark(context: Context): Next {
  const { draft, task, plan } = context;
  const upTo = (has(context, "gapCheck") ? topOf(draft.storage) : task.generation) - plan.history!;
  if (upTo <= floorOf(draft.storage) || upTo < 1) return "end";
  const finding = look(context);
  const isNewer = finding.kind === "current" && finding.isClaimed ||
    finding.kind === "stale" && finding.generation > upTo;
  if (!isNewer && !has(context, "blindCollection")) return "end";
  task.floor = upTo;
  if (!has(context, "gapCheck")) change(context, `floor.${upTo}`, "empty");
  context.note = `floor ${upTo}`;
  return "next";
}

/** Deletes them. */
export function collect(context: Context): Next {
  const { draft, task } = context;
  for (const name of draft.storage.visible.keys()) {
    const { kind, generation } = parseName(name);
    const isOld = kind === "g" && generation <= task.floor! ||
      kind === "floor" && generation < task.floor!;
    if (isOld) change(context, name, undefined);
  }
  return "end";
}
