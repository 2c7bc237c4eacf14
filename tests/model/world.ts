/** The state of a model: storage, processes, and what the world was promised so far. */
import { type CutModel, type Storage, torn } from "./storage.ts";

/** What a record says. Its content is `generation|id|parent id|parent generation|published content|origin`. */
export interface Record {
  readonly generation: number;
  readonly id: string;
  readonly parentId: string;
  readonly parentGeneration: number;
  /** The content of config.json, with the mark of the edit it came from. */
  readonly published: string;
  /** Whether it holds somebody's edit, found in config.json. */
  readonly isAdopted: boolean;
}

/** One run of a process through a program. */
export interface Task {
  readonly program: string;
  /** Index of the next step in the program. */
  at: number;
  /** Names the files of this run. */
  readonly id: string;
  generation: number;
  parentGeneration: number;
  parentId: string;
  /** What is left to sync in the round under way. */
  toSync?: readonly string[];
  /** The inode of config.json at the look, where something is to be done with it. */
  seenInode?: string;
  seenContent?: string;
  /** Whether config.json needs a link before it is known as the base's. */
  isClaim?: boolean;
  /** Whether config.json is surely at this generation or newer. */
  isPublished?: boolean;
  floor?: number;
  /** Whether config.json was looked at before the rename over it. */
  hasLooked?: boolean;
  /** What is left to remove of a sweep that removes one by one. */
  toSweep?: readonly string[];
}

/** Who takes steps. */
export interface Process {
  readonly kind: "writer" | "helper" | "reader" | "editor";
  readonly runsLeft: number;
  /** How often it ran. */
  readonly run: number;
  readonly task?: Task | undefined;
}

/** A state. Never changed: each step makes a new one. */
export interface World {
  readonly storage: Storage;
  readonly processes: readonly Process[];
  /** Which record was acknowledged or applied as a generation. */
  readonly promised: ReadonlyMap<number, string>;
  /** Marks of edits that were surely on disk. */
  readonly durableEdits: readonly string[];
  /** As which generation an edit was recorded. */
  readonly recordedEdits: ReadonlyMap<string, number>;
  /** Edits that said what the newest record said, with the ids of the writers that built on that. */
  readonly agreedEdits: ReadonlyMap<string, string>;
  readonly saves: number;
  readonly cuts: number;
  readonly failures: number;
}

/** What is explored. */
export interface Plan {
  readonly cutModel: CutModel;
  readonly writers?: number;
  readonly roundsPerWriter?: number;
  readonly helpers?: number;
  readonly readers?: number;
  /** One process for each. */
  readonly editors?: readonly Editor[];
  readonly cuts?: number;
  /** How many syncs may fail. */
  readonly failures?: number;
  /** Whether records are collected, down to so many. */
  readonly history?: number;
  /** Whether a sweep removes its names one by one. */
  readonly isSweepSplit?: boolean;
  /** Whether the look at config.json and the rename over it are two steps; not where somebody edits. */
  readonly isLookSplit?: boolean;
  /** What is changed in the protocol. */
  readonly variants?: readonly string[];
}

/** Somebody who saves config.json with an editor. */
export interface Editor {
  readonly manner: "rename" | "inPlace";
  /** "new": a text of its own; "old": that of any other generation; "same": what is there already. */
  readonly texts: readonly ("new" | "old" | "same")[];
  /** Whether the file is synced; its entry never is. */
  readonly isSynced?: boolean;
  readonly saves?: number;
}

/** A name in the log directory. */
export interface Name {
  readonly kind: string;
  readonly generation: number;
  readonly id: string;
}

const names = new Map<string, Name>();
const records = new Map<string, Record>();

/** Takes a name apart: `g.<n>`, `pub.<n>.<id>`, `img.<n>.<record id>.<maker>`, `txt.<n>.<record id>`, `floor.<n>`, `rec.<id>`. */
export function parseName(name: string): Name {
  let parsed = names.get(name);
  if (parsed === undefined) {
    const [kind = "", first = "", second = ""] = name.split(".");
    parsed = kind === "rec"
      ? { kind, generation: 0, id: first }
      : { kind, generation: Number(first), id: second };
    names.set(name, parsed);
  }
  return parsed;
}

/** Reads a record; a torn one is void. */
export function parseRecord(content: string): Record | undefined {
  if (content === torn) return undefined;
  let record = records.get(content);
  if (record === undefined) {
    const [generation, id, parentId, parentGeneration, published, origin] = content.split("|");
    record = {
      generation: Number(generation),
      id: id!,
      parentId: parentId!,
      parentGeneration: Number(parentGeneration),
      published: published!,
      isAdopted: origin === "edit",
    };
    records.set(content, record);
  }
  return record;
}

/** Writes a record. */
export function formatRecord(record: Record): string {
  const { generation, id, parentId, parentGeneration, published, isAdopted } = record;
  const origin = isAdopted ? "edit" : "call";
  return [generation, id, parentId, parentGeneration, published, origin].join("|");
}

/** The text that a process reads: an edit's mark is known to the checker alone. */
export function textOf(content: string): string {
  const mark = content.indexOf("~");
  return mark === -1 ? content : content.slice(0, mark);
}

/** The mark of the edit that a content came from. */
export function markOf(content: string): string | undefined {
  const mark = content.indexOf("~");
  return mark === -1 ? undefined : content.slice(mark + 1);
}

/** What config.json holds. */
export function publishedContent(storage: Storage): string | undefined {
  const inode = storage.visible.get("R");
  return inode === undefined ? undefined : storage.files.get(inode)!.content;
}

/** The record of a generation, unless missing or void. */
export function recordOf(storage: Storage, generation: number): Record | undefined {
  const inode = storage.visible.get(`g.${generation}`);
  return inode === undefined ? undefined : parseRecord(storage.files.get(inode)!.content);
}

/** The generations that have an entry, void ones too. */
export function listGenerations(storage: Storage): number[] {
  const generations: number[] = [];
  for (const name of storage.visible.keys()) {
    if (name.startsWith("g.")) generations.push(parseName(name).generation);
  }
  return generations;
}

/** Up to which generation records were collected. */
export function floorOf(storage: Storage): number {
  let floor = 0;
  for (const name of storage.visible.keys()) {
    if (name.startsWith("floor.")) floor = Math.max(floor, parseName(name).generation);
  }
  return floor;
}

/** The greatest number in use, valid or void. */
export function topOf(storage: Storage): number {
  return Math.max(floorOf(storage), ...listGenerations(storage));
}

/** The newest valid record. */
export function newestOf(storage: Storage): Record | undefined {
  const floor = floorOf(storage);
  let newest: Record | undefined;
  for (const generation of listGenerations(storage)) {
    if (generation <= floor || generation <= (newest?.generation ?? 0)) continue;
    newest = recordOf(storage, generation) ?? newest;
  }
  return newest;
}

const taskKeys = new WeakMap<Process, string>();
const storageKeys = new WeakMap<Storage, string>();

/** Tells states apart. */
export function keyOf(world: World): string {
  return sharedKeyOf(world) + world.processes.map(processKey).join("/");
}

/** Tells states apart without regard to the processes. */
export function sharedKeyOf(world: World): string {
  return [
    storageKey(world.storage),
    [...world.promised].sort(([left], [right]) => left - right).join(" "),
    world.durableEdits.join(),
    [...world.recordedEdits].sort().join(" "),
    [...world.agreedEdits].sort().join(" "),
    world.saves,
    world.cuts,
    world.failures,
    "",
  ].join("#");
}

/** Tells apart what processes see: names and contents. */
export function visibleKeyOf({ visible, files }: Storage): string {
  return [...visible].map(([name, inode]) => `${name}=${inode}:${files.get(inode)!.content}`).sort()
    .join(" ");
}

function processKey(process: Process): string {
  let key = taskKeys.get(process);
  if (key === undefined) {
    key = `${process.kind} ${process.runsLeft} ${process.run}`;
    if (process.task !== undefined) {
      const { program, at, id, generation, parentId, toSync, ...rest } = process.task;
      const { seenInode, seenContent, isClaim, isPublished, floor, toSweep, hasLooked } = rest;
      key += [program, at, id, generation, parentId, toSync, seenInode, seenContent].join(";");
      key += [isClaim, isPublished, floor, toSweep, hasLooked].join(";");
    }
    taskKeys.set(process, key);
  }
  return key;
}

function storageKey(storage: Storage): string {
  let key = storageKeys.get(storage);
  if (key === undefined) {
    const entries = (map: ReadonlyMap<string, string>): string =>
      [...map].map(([name, inode]) => `${name}=${inode}`).sort().join(" ");
    const files = [...storage.files].map(([inode, file]) =>
      `${inode}=${file.content}:${file.onDisk.length === 1 ? "" : file.onDisk}${
        file.isLost ? "!" : ""
      }${file.wasEdited ? "*" : ""}`
    );
    key = [entries(storage.visible), entries(storage.durable), storage.pending, files.sort()]
      .join("#");
    storageKeys.set(storage, key);
  }
  return key;
}
