/** The steps of recovery, of adoption and of readers. */
import {
  change,
  type Context,
  linkToImage,
  makeRecord,
  type Next,
  noteRecorded,
} from "./context.ts";
import { createFile } from "./storage.ts";
import { newestOf, parseRecord, publishedContent, recordOf } from "./world.ts";

/** Makes the newest record's text ready to be published again. */
export function remake(context: Context): Next {
  const { draft, task } = context;
  const record = recordOf(draft.storage, task.generation);
  if (record === undefined) return "end";
  const inode = `p:${task.id}`;
  draft.storage = createFile(draft.storage, inode, record.published);
  change(context, `pub.${task.generation}.${task.id}`, inode);
  change(context, `img.${task.generation}.${record.id}.${task.id}`, inode);
  return "next";
}

/** A variant: any file that was to be published as this generation will do. */
export function usePub(context: Context): Next {
  const { draft, task } = context;
  const from = [...draft.storage.visible.keys()].find((name) =>
    name.startsWith(`pub.${task.generation}.`)
  );
  if (from === undefined) return "end";
  const inode = draft.storage.visible.get(from);
  change(context, from, undefined);
  change(context, `pub.${task.generation}.${task.id}`, inode);
  return "next";
}

/** Looks whether the record is still the newest. */
export function relist(context: Context): Next {
  return newestOf(context.draft.storage)?.generation === context.task.generation
    ? "next"
    : "abandon";
}

/** Records an edit. */
export function adopt(context: Context): Next {
  const { draft, task } = context;
  makeRecord(context, true);
  linkToImage(context, task.generation, task.id, draft.storage.visible.get("R"));
  return "next";
}

/** Looks whether the edit is still there. */
export function confirm(context: Context): Next {
  const { storage } = context.draft;
  const { seenInode, seenContent } = context.task;
  return storage.visible.get("R") === seenInode && publishedContent(storage) === seenContent
    ? "next"
    : "abandon";
}

/** Makes the link of a publication again that a power cut took. */
export function finish(context: Context): Next {
  const { draft, task } = context;
  const inode = draft.storage.visible.get(`rec.${task.parentId}`);
  const record = inode && parseRecord(draft.storage.files.get(inode)!.content);
  if (!record || draft.storage.visible.has(`g.${record.generation}`)) return "end";
  change(context, `g.${record.generation}`, inode);
  noteRecorded(context, record.generation);
  return "next";
}

/** Reads the newest record. */
export function see(context: Context): Next {
  const { draft, task } = context;
  const newest = newestOf(draft.storage);
  if (newest === undefined) return "end";
  task.generation = newest.generation;
  task.parentId = newest.id;
  context.note = `${newest.generation}`;
  return "next";
}
