/** The steps of a commit. */
import {
  change,
  type Context,
  has,
  linkToImage,
  look,
  type Next,
  noteRecorded,
  takeBase,
} from "./context.ts";
import { createFile, torn } from "./storage.ts";
import {
  floorOf,
  listGenerations,
  markOf,
  newestOf,
  parseName,
  publishedContent,
  recordOf,
} from "./world.ts";

/** Lists the log and looks at config.json: who finds an edit leaves it to adoption and starts again. */
export function list(context: Context): Next {
  const { draft, task } = context;
  if (takeBase(task, draft.storage) === undefined) {
    context.violations.push("the log is empty");
    return "end";
  }
  const finding = look(context);
  if (finding.kind === "edit" || finding.kind === "torn" || finding.kind === "half") {
    context.note = `finds ${finding.kind}: conflict`;
    return "end";
  }
  if (finding.kind === "current") agree(context);
  if (finding.kind === "current" && !finding.isClaimed && !has(context, "noClaim")) {
    task.isClaim = true;
    task.seenInode = draft.storage.visible.get("R")!;
  }
  context.note = `base ${task.parentGeneration}, config.json ${finding.kind}`;
  return "next";
}

/** An edit that says what the newest record says needs no generation of its own: whoever builds on that notes it. */
export function agree({ draft, task }: Context): void {
  const mark = markOf(publishedContent(draft.storage) ?? torn);
  if (mark === undefined || draft.recordedEdits.has(mark)) return;
  const ids = [...draft.agreedEdits.get(mark)?.split(",") ?? [], task.id].sort().join();
  draft.agreedEdits = new Map(draft.agreedEdits).set(mark, ids);
}

/** Makes the inode of somebody's file, that says what the base says, known as the base's. */
export function claim(context: Context): Next {
  const { draft, task } = context;
  if (task.isClaim !== true) return "skip";
  delete task.isClaim;
  delete task.seenInode;
  const inode = draft.storage.visible.get("R");
  linkToImage(context, task.parentGeneration, task.parentId, inode);
  return "next";
}

/** Makes the file to be published. */
export function makePub(context: Context): void {
  const { draft, task } = context;
  draft.storage = createFile(draft.storage, `p:${task.id}`, task.id);
  change(context, `pub.${task.generation}.${task.id}`, `p:${task.id}`);
}

/** Gives the file to be published a name that stays. */
export function makeImage(context: Context): void {
  const { task } = context;
  const pub = context.draft.storage.visible.get(`pub.${task.generation}.${task.id}`);
  if (pub !== undefined) change(context, `img.${task.generation}.${task.id}.${task.id}`, pub);
}

/** Links the record: who comes first has the number. */
export function link(context: Context): Next {
  const { draft, task } = context;
  const name = `g.${task.generation}`;
  if (draft.storage.visible.has(name)) {
    context.note = "EEXIST";
    return "abandon";
  }
  change(context, name, draft.storage.visible.get(`rec.${task.id}`));
  noteRecorded(context, task.generation);
  context.note = name;
  return "next";
}

/** Takes away what a stalled writer of an older generation would publish. */
export function sweep(context: Context): Next {
  const { draft, task, plan } = context;
  const names = task.toSweep ??
    [...draft.storage.visible.keys()].filter((name) =>
      name.startsWith("pub.") && parseName(name).generation < task.generation
    ).sort();
  if (names.length === 0) return "next";
  if (plan.isSweepSplit !== true) {
    for (const name of names) change(context, name, undefined);
    return "next";
  }
  if (task.toSweep !== undefined) change(context, names[0]!, undefined);
  const left = task.toSweep === undefined ? names : names.slice(1);
  if (left.length > 0) task.toSweep = left;
  else delete task.toSweep;
  return left.length > 0 ? "again" : "next";
}

/** The look at config.json and the rename over it: one step where somebody edits, which is a limit of the protocol. */
export function publish(context: Context): Next {
  const { draft, task, plan } = context;
  const name = `pub.${task.generation}.${task.id}`;
  const inode = draft.storage.visible.get(name);
  if (inode === undefined) {
    context.note = "ENOENT: superseded";
    if (has(context, "tidyWhenSuperseded")) task.isPublished = true;
    return "next";
  }
  if (task.hasLooked !== true && !isOurs(context)) {
    change(context, name, undefined);
    if (has(context, "tidyWhenSuperseded")) task.isPublished = true;
    return "next";
  }
  if (plan.isLookSplit === true && task.hasLooked !== true) {
    task.hasLooked = true;
    return "again";
  }
  delete task.hasLooked;
  change(context, name, undefined);
  checkPublish(context);
  change(context, "R", inode);
  task.isPublished = true;
  context.note = `config.json = ${draft.storage.files.get(inode)!.content}`;
  return "next";
}

/** Whether config.json may be renamed over: it holds something older of ours, or nothing. */
export function isOurs(context: Context): boolean {
  const { generation } = context.task;
  const finding = look(context);
  context.note = `finds ${finding.kind}`;
  if (finding.kind === "stale") return finding.generation < generation;
  if (finding.kind === "current") {
    return newestOf(context.draft.storage)!.generation < generation;
  }
  return finding.kind === "absent" || finding.kind === "half" && !finding.isNext;
}

/** What must not be renamed over: a newer generation, and an edit that stands nowhere else. */
export function checkPublish({ draft, task, violations }: Context): void {
  const content = publishedContent(draft.storage);
  if (content === undefined) return;
  for (const generation of listGenerations(draft.storage)) {
    if (generation <= task.generation) continue;
    if (recordOf(draft.storage, generation)?.published === content) {
      violations.push("the published file goes backwards");
    }
  }
  const mark = markOf(content);
  if (mark === undefined || draft.agreedEdits.has(mark)) return;
  if (!draft.recordedEdits.has(mark)) violations.push("an edit is gone");
}

/** Answers a caller, or applies a record: from now on it must not change. */
export function acknowledge(context: Context): Next {
  const { draft, task } = context;
  const id = task.program === "reader" ? task.parentId : task.id;
  const promised = draft.promised.get(task.generation);
  if (promised !== undefined && promised !== id) {
    context.violations.push("two records of one generation acknowledged or applied");
  }
  if (
    task.program !== "reader" && task.generation > floorOf(draft.storage) &&
    recordOf(draft.storage, task.generation)?.id !== id
  ) context.violations.push("an acknowledgement without a record");
  draft.promised = new Map(draft.promised).set(task.generation, id);
  context.note = `${task.generation}`;
  return "next";
}

/** Removes what nobody needs once the answer is given. */
export function tidy(context: Context): Next {
  const { draft, task } = context;
  const before = draft.storage;
  if (task.program !== "forward") change(context, `rec.${task.id}`, undefined);
  if (task.isPublished === true || task.program === "adopt") {
    for (const name of before.visible.keys()) {
      const isOld = (name.startsWith("img.") || name.startsWith("txt.")) &&
        parseName(name).generation < task.generation;
      if (isOld && !has(context, "keepImages")) change(context, name, undefined);
    }
  }
  return "next";
}

/** Gives up. */
export function removeOwn(context: Context): Next {
  const { draft, task } = context;
  for (const name of draft.storage.visible.keys()) {
    // A claim of the base stays: others may have built on it.
    const isOwn = name === `rec.${task.id}` ||
      name.endsWith(`.${task.id}`) && parseName(name).generation === task.generation;
    if (isOwn || has(context, "unclaim") && name.endsWith(`.${task.id}`)) {
      change(context, name, undefined);
    }
  }
  return "end";
}
