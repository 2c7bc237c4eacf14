/** What must hold, beyond what the steps check themselves. */
import { torn } from "./storage.ts";
import type { Draft } from "./context.ts";
import {
  floorOf,
  listGenerations,
  markOf,
  newestOf,
  publishedContent,
  recordOf,
  type World,
} from "./world.ts";

/** Whether an edit stands in a record, or stood in one that was collected. */
export function isRecorded(world: World, mark: string): boolean {
  const { storage } = world;
  for (const generation of listGenerations(storage)) {
    const record = recordOf(storage, generation);
    if (record !== undefined && markOf(record.published) === mark) return true;
  }
  return (world.recordedEdits.get(mark) ?? Infinity) <= floorOf(storage);
}

/** Notes that the edit in config.json is surely on disk now. */
export function noteDurableEdit(draft: Draft): void {
  const inode = draft.storage.durable.get("R");
  const contents = inode === undefined ? [] : draft.storage.files.get(inode)!.onDisk;
  const mark = contents.length === 1 ? markOf(contents[0]!) : undefined;
  if (mark === undefined || draft.durableEdits.includes(mark)) return;
  draft.durableEdits = [...draft.durableEdits, mark].sort();
}

/** Looks at what a power cut left, before anything runs. */
export function auditCut(world: World): string[] {
  const { storage } = world;
  const violations = new Set<string>();
  const floor = floorOf(storage);
  for (const [generation, id] of world.promised) {
    if (generation <= floor) continue;
    const record = recordOf(storage, generation);
    if (record === undefined) violations.add("an acknowledged or applied record is lost");
    else if (record.id !== id) violations.add("an acknowledged or applied record is changed");
  }
  const content = publishedContent(storage);
  const present = content === undefined ? undefined : markOf(content);
  if (content === torn && !isEditors(world)) violations.add("our own file is torn");
  for (const mark of world.durableEdits) {
    const isKept = mark === present || isRecorded(world, mark) ||
      world.agreedEdits.has(mark) || mark !== `${world.saves}`;
    if (!isKept) violations.add("a durable edit is lost");
  }
  checkChain(world, floor, violations);
  return [...violations];
}

/** A torn config.json is the editor's doing, unless the edit in it was adopted or we wrote the file. */
function isEditors({ storage, durableEdits }: World): boolean {
  const inode = storage.visible.get("R")!;
  if (inode.startsWith("e:")) return !durableEdits.includes(inode.slice(2));
  return storage.files.get(inode)!.wasEdited === true;
}

function checkChain(world: World, floor: number, violations: Set<string>): void {
  let record = newestOf(world.storage);
  while (record !== undefined && record.parentGeneration > floor) {
    const parent = recordOf(world.storage, record.parentGeneration);
    if (parent?.id !== record.parentId) {
      violations.add("a parent is missing");
      return;
    }
    record = parent;
  }
}
