/** Ways to get the protocol wrong, each with a plan in which that shows. */
import type { Editor, Plan } from "./world.ts";

/** A protocol with a fault, and a plan that is large enough to find it. */
export interface Variant {
  readonly name: string;
  /** What is wrong in it. */
  readonly fault: string;
  readonly plan: Plan;
}

const renames: readonly Editor[] = [{ manner: "rename", texts: ["new", "old", "same"] }];
const writesInPlace: readonly Editor[] = [{ manner: "inPlace", texts: ["new", "old"], saves: 2 }];
const oneCut: Plan = { cutModel: "single", writers: 2, helpers: 1, cuts: 1 };
const editedThenCut: Plan = { ...oneCut, writers: 1, editors: renames };
const noCut: Plan = { cutModel: "none", writers: 2, helpers: 1 };
const fenced: Plan = { ...noCut, isLookSplit: true, isSweepSplit: true };
const collected: Plan = { ...oneCut, history: 1 };
const stalled: Plan = { ...noCut, writers: 3, helpers: 0, history: 1 };

/** Every variant. */
export const variants: readonly Variant[] = [
  variant("noSync", "no file is synced", oneCut),
  variant("noFirstL", "the log directory is missing from the first round", oneCut),
  variant("onlyR", "the log directory is missing from the second round", oneCut),
  variant("noSweep", "older files to be published are not swept before the rename", fenced),
  variant("noAdoptSweep", "adoption does not sweep", { ...noCut, editors: renames }),
  variant("adoptUnsynced", "adoption does not sync the edited file", editedThenCut),
  variant("noConfirm", "adoption does not look at the edited file again", {
    ...noCut,
    editors: renames,
  }),
  variant("pubAfterLink", "the file to be published is made after the link", fenced),
  variant("losersPub", "recovery publishes whatever file it finds", fenced),
  variant("noRelist", "recovery does not list again before it publishes", fenced),
  variant("forwardUnsynced", "recovery publishes a record that is not synced", oneCut),
  variant("applyUnsynced", "a reader applies a record that is not synced", {
    ...oneCut,
    readers: 1,
  }),
  variant("gapCheck", "a gap in the chain stands in for the floor", stalled),
  variant("markUnsynced", "records are deleted before the floor is synced", collected),
  variant("markOnlyL", "records are deleted before the published file is synced", collected),
  variant("blindCollection", "collection does not look at the published file", collected),
  variant("unlinkBelowFloor", "a writer below the floor takes its link away", collected),
  variant("textOnly", "whoever wrote it, a known text is taken for ours", {
    ...noCut,
    writers: 1,
    editors: renames,
  }),
  variant("marker", "adoption notes the text instead of the inode", {
    ...noCut,
    editors: [{ manner: "rename", texts: ["old"], saves: 2 }],
  }),
  variant("anyImage", "any image of an inode counts, not the last one alone", {
    ...noCut,
    writers: 1,
    editors: writesInPlace,
  }),
  variant("noHalf", "a publication whose link was lost is not recognised", oneCut),
  variant("finishEdits", "an adoption under way is taken for a lost link", editedThenCut),
  variant("noClaim", "a file that says what the base says is not claimed", editedThenCut),
  variant("unclaim", "a writer that lost takes its claim away", { ...noCut, editors: renames }),
  variant("claimWithoutSync", "a file is claimed before it is synced", {
    ...oneCut,
    editors: [{ manner: "inPlace", texts: ["old"] }],
  }),
  variant("imageAfterLink", "the image is made after the link", oneCut),
  variant("imageLate", "the image is made after the first round", oneCut),
  variant("forwardUnsyncedImage", "recovery does not sync its image", oneCut),
  variant("tidyWhenSuperseded", "images are removed by a writer that did not publish", noCut),
  variant("retryFile", "a failed sync of a file is tried again", { ...oneCut, failures: 1 }),
  variant("ignoreFailure", "a failed sync is ignored", { ...oneCut, failures: 1 }),
];

function variant(name: string, fault: string, plan: Plan): Variant {
  return { name, fault, plan: { ...plan, variants: [name] } };
}
