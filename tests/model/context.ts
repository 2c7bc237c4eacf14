/** What a step is given, and what several steps do. */
import { recognise } from "./recognition.ts";
import { createFile, setEntry, type Storage } from "./storage.ts";
import {
  formatRecord,
  markOf,
  newestOf,
  type Plan,
  type Record,
  recordOf,
  type Task,
  topOf,
  type World,
} from "./world.ts";

/** A world while a step is taken. */
export type Draft = { -readonly [Key in keyof World]: World[Key] };

/** What a step works on. */
export interface Context {
  readonly draft: Draft;
  readonly plan: Plan;
  readonly task: Task;
  readonly violations: string[];
  /** What the step did, for the trace. */
  note: string;
}

/** Where to go on: to the next step; there at once, as nothing happened; here again; nowhere; or to remove own files. */
export type Next = "next" | "skip" | "again" | "end" | "abandon";

/** Makes a name lead elsewhere. */
export function change({ draft, plan }: Context, name: string, inode: string | undefined): void {
  if (inode === undefined && !draft.storage.visible.has(name)) return;
  draft.storage = setEntry(draft.storage, plan.cutModel, name, inode);
}

/** Whether the plan has a variant. */
export function has({ plan }: Context, variant: string): boolean {
  return plan.variants?.includes(variant) ?? false;
}

/** Looks at config.json. */
export function look(context: Context): ReturnType<typeof recognise> {
  return recognise(context.draft.storage, context.plan.variants ?? []);
}

/** Makes an inode known as that of a record. */
export function linkToImage(
  context: Context,
  generation: number,
  id: string,
  inode: string | undefined,
): void {
  if (has(context, "marker")) change(context, `txt.${generation}.${id}`, "empty");
  else if (inode !== undefined) {
    change(context, `img.${generation}.${id}.${context.task.id}`, inode);
  }
}

/** Writes a record, under a name of its own. */
export function makeRecord(context: Context, isAdopted: boolean): void {
  const { draft, task } = context;
  const inode = `r:${task.id}`;
  const content = formatRecord({
    generation: task.generation,
    id: task.id,
    parentId: task.parentId,
    parentGeneration: task.parentGeneration,
    published: isAdopted ? task.seenContent! : task.id,
    isAdopted,
  });
  draft.storage = createFile(draft.storage, inode, content);
  change(context, `rec.${task.id}`, inode);
}

/** Notes which edit a record holds, for the checker. */
export function noteRecorded({ draft }: Context, generation: number): void {
  const record = recordOf(draft.storage, generation);
  const mark = record && markOf(record.published);
  if (mark !== undefined) draft.recordedEdits = new Map(draft.recordedEdits).set(mark, generation);
}

/** Notes the number to take and the record to build on. */
export function takeBase(task: Task, storage: Storage): Record | undefined {
  const base = newestOf(storage);
  task.generation = topOf(storage) + 1;
  task.parentGeneration = base?.generation ?? 0;
  task.parentId = base?.id ?? "";
  return base;
}
