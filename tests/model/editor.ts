/** A person who saves config.json. */
import { createFile, setEntry, torn, writeInPlace } from "./storage.ts";
import { isRecorded } from "./properties.ts";
import { lastOwner } from "./recognition.ts";
import type { Context, Draft, Next } from "./context.ts";
import {
  type Editor,
  listGenerations,
  markOf,
  publishedContent,
  recordOf,
  textOf,
} from "./world.ts";

/** The texts that this person may save now. */
export function textsOf(context: Context, editor: Editor): string[] {
  const { storage } = context.draft;
  const content = publishedContent(storage);
  // Who writes in place what was there before has not changed anything.
  const current = context.task.seenContent ?? (content === undefined ? undefined : textOf(content));
  const texts = new Set<string>();
  if (editor.texts.includes("new")) texts.add(`N${context.draft.saves + 1}`);
  if (editor.texts.includes("same") && current !== undefined && current !== torn) {
    texts.add(current);
  }
  if (editor.texts.includes("old")) {
    for (const generation of listGenerations(storage)) {
      const record = recordOf(storage, generation);
      if (record !== undefined && textOf(record.published) !== current) {
        texts.add(textOf(record.published));
      }
    }
  }
  return [...texts];
}

/** Puts a new file in the place of config.json. */
export function saveByRename(context: Context, editor: Editor, text: string): Next {
  const { draft, plan } = context;
  draft.saves++;
  const inode = `e:${draft.saves}`;
  const content = `${text}~${draft.saves}`;
  const created = createFile(draft.storage, inode, content);
  const file = created.files.get(inode)!;
  const files = editor.isSynced === true
    ? new Map(created.files).set(inode, { ...file, onDisk: [content] })
    : created.files;
  draft.storage = setEntry({ ...created, files }, plan.cutModel, "R", inode);
  context.note = text;
  return "end";
}

/** Opens config.json for writing: it is empty until the text is written. */
export function truncate(context: Context): Next {
  const { draft, task } = context;
  const inode = draft.storage.visible.get("R");
  if (inode === undefined) return "end";
  // From here on the person, not the protocol, answers for what the file held.
  draft.saves++;
  task.generation = draft.saves;
  task.seenInode = inode;
  task.seenContent = textOf(draft.storage.files.get(inode)!.content);
  draft.storage = writeInPlace(draft.storage, inode, torn);
  return "next";
}

/** Writes into the file that was opened, wherever it stands by now. */
export function write(context: Context, text: string): Next {
  const { draft, task } = context;
  if (!draft.storage.files.has(task.seenInode!)) return "end";
  context.note = text;
  const mark = task.generation;
  draft.storage = writeInPlace(draft.storage, task.seenInode!, `${text}~${mark}`);
  excuseUndone(draft);
  return "end";
}

/** Nobody can tell a file in which everything was undone in place from one that was never touched. */
export function excuseUndone(draft: Draft): void {
  const content = publishedContent(draft.storage);
  const mark = content && markOf(content);
  if (!mark || isRecorded(draft, mark)) return;
  const owner = lastOwner(draft.storage);
  if (owner === undefined || textOf(owner.published) !== textOf(content)) return;
  if (!draft.agreedEdits.has(mark)) draft.agreedEdits = new Map(draft.agreedEdits).set(mark, "");
}
