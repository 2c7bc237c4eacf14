/** The protocol as lists of steps; variants leave out, move or replace some. */
import type { Plan } from "./world.ts";

/** Programs by name. A step `sync:a,b` syncs several things at once, in any order. */
export type Programs = Readonly<globalThis.Record<string, readonly string[]>>;

/** The programs of a plan. */
export function programsOf(plan: Plan): Programs {
  const has = (variant: string): boolean => (plan.variants ?? []).includes(variant);
  const without = (steps: readonly string[], left: string): string[] =>
    steps.filter((step) => step !== left);
  let writer = [
    "list",
    has("claimWithoutSync") ? "" : has("claimWithoutR") ? "sync:seen" : "sync:seen,R",
    "claim",
    has("pubAfterLink")
      ? "record"
      : has("imageAfterLink") || has("imageLate")
      ? "recordAndPub"
      : "make",
    has("noFirstL") ? "sync:own" : has("pubAfterLink") ? "sync:rec,L" : "sync:own,L",
    has("imageLate") ? "image" : "",
    "link",
    has("pubAfterLink") ? "pubAndImage" : has("imageAfterLink") ? "image" : "",
    has("pubAfterLink") ? "sync:pub" : "",
    has("gapCheck") ? "gap" : "floor",
    "sweep",
    "publish",
    has("onlyR") ? "sync:R" : has("onlyL") ? "sync:L" : "sync:L,R",
    "acknowledge",
    "tidy",
  ].filter((step) => step !== "");
  if (has("noSync")) writer = without(writer, "sync:own,L");
  if (has("noSweep")) writer = without(writer, "sweep");
  if (has("noClaim")) writer = without(without(writer, "claim"), "sync:seen,R");
  if (plan.history !== undefined) {
    const rounds = has("markUnsynced") ? [] : has("markOnlyL") ? ["sync:L"] : ["sync:L,R"];
    writer.push("mark", ...rounds, "collect");
  }
  let forward = ["sync:L", "remake", "sync:pub,L", "relist", "sweep", "publish", "sync:R", "tidy"];
  if (has("forwardUnsyncedImage")) forward[2] = "sync:pub";
  if (has("forwardSyncedOnce")) forward = forward.slice(1);
  if (has("forwardUnsynced")) forward = ["remake", "sync:pub", ...forward.slice(3)];
  if (has("noRelist")) forward = without(forward, "relist");
  if (has("losersPub")) forward = ["sync:L", "usePub", "sweep", "publish", "sync:R", "tidy"];
  let adopt = [
    ...(has("adoptUnsynced") ? [] : ["sync:seen,R"]),
    "adopt",
    "sync:rec,L",
    "sweep",
    "confirm",
    "link",
    "floor",
    "sync:L",
    "acknowledge",
    "tidy",
  ];
  if (has("noAdoptSweep")) adopt = without(adopt, "sweep");
  if (has("noConfirm")) adopt = without(adopt, "confirm");
  return {
    writer,
    forward,
    adopt,
    finish: ["sync:L", "finish", "sync:L", "end"],
    reader: has("applyUnsynced") ? ["see", "apply"] : ["see", "sync:L", "apply"],
    rename: ["save"],
    inPlace: ["truncate", "write"],
    abandon: ["removeOwn"],
  };
}
