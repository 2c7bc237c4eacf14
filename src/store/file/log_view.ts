import { generationMax } from "../../core/limits.ts";

/** A file of one attempt at a generation. */
export interface AttemptFile {
  readonly name: string;
  readonly generation: number;
}

/** What tells a generation in the config file: the inode of one of its files, or only its text. */
export interface Image extends AttemptFile {
  /** The id of the record that it stands for. */
  readonly recordId: string;
  /** Whether it is an inode of ours: such a one becomes the config file only once its record has its number. */
  readonly isPublication: boolean;
}

/** The log directory as one listing shows it. */
export interface LogView {
  /** The generations with a record, ascending. */
  readonly records: readonly number[];
  /** What says up to where records were deleted, ascending; the last one counts. */
  readonly floors: readonly number[];
  /** Up to here records were deleted; 0 where none was. */
  readonly floor: number;
  /** The greatest number taken. */
  readonly top: number;
  /** The ids of records that are not linked yet, or not cleared away. */
  readonly drafts: ReadonlySet<string>;
  /** Files to be published. */
  readonly publications: readonly AttemptFile[];
  /** Second names of what was published or adopted: they tell the inode of the config file. The newest first. */
  readonly images: readonly Image[];
  /** Marks of generations that are told in the config file by their text. The newest first. */
  readonly textImages: readonly Image[];
  /** What a removal took away and has not dealt with. */
  readonly gone: readonly AttemptFile[];
  /** Who waits for a turn to commit, the next one first. */
  readonly turns: readonly AttemptFile[];
  /** The numbers of intents, ascending; the last one counts. */
  readonly intents: readonly number[];
  /** The names of intents that have no number yet. */
  readonly intentDrafts: readonly string[];
  /** Whether there is no history, and not even the beginning of one. */
  readonly isEmpty: boolean;
}

const id = "[0-9a-f]{32}";
const number = "0|[1-9]\\d{0,15}";
const namePattern = new RegExp(
  `^(?:(g|floor|intent)\\.(${number})|(intent\\.${id}\\.tmp)|rec\\.(${id})|(pub|gone|turn)\\.(${number})\\.${id}|(img|ext|txt)\\.(${number})\\.(${id})\\.${id})$`,
);

const byTurn = (one: AttemptFile, other: AttemptFile): number => {
  return one.generation - other.generation || (one.name < other.name ? -1 : 1);
};

/** Sorts a listing of the log directory. Files of others are passed over. */
export function viewOf(names: readonly string[]): LogView {
  const records: number[] = [];
  const drafts = new Set<string>();
  const files: Record<string, AttemptFile[]> = { pub: [], gone: [], turn: [] };
  const images: Record<string, Image[]> = { inode: [], text: [] };
  const floors: number[] = [];
  const intents: number[] = [];
  const intentDrafts: string[] = [];
  for (const name of names) {
    const match = namePattern.exec(name);
    if (match === null) continue;
    const [, numbered, digits, intentDraft, draft, file, fileDigits, image, imageDigits, recordId] =
      match;
    const generation = Number(digits ?? fileDigits ?? imageDigits);
    if (draft !== undefined) drafts.add(draft);
    else if (intentDraft !== undefined) intentDrafts.push(intentDraft);
    else if (generation > generationMax) continue;
    else if (numbered === "g") records.push(generation);
    else if (numbered === "floor") floors.push(generation);
    else if (numbered === "intent") intents.push(generation);
    else if (file !== undefined) files[file]!.push({ name, generation });
    else {
      const isPublication = image === "img";
      const kind = image === "txt" ? "text" : "inode";
      images[kind]!.push({ name, generation, recordId: recordId!, isPublication });
    }
  }
  for (const list of [records, floors, intents]) list.sort((one, other) => one - other);
  const floor = floors.at(-1) ?? 0;
  for (const list of Object.values(images)) {
    list.sort((one, other) => other.generation - one.generation);
  }
  return {
    records,
    floors,
    floor,
    top: Math.max(floor, records.at(-1) ?? 0),
    drafts,
    publications: files["pub"]!,
    images: images["inode"]!,
    textImages: images["text"]!,
    gone: files["gone"]!,
    turns: files["turn"]!.sort(byTurn),
    intents,
    intentDrafts,
    isEmpty: records.length === 0 &&
      !images["inode"]!.some(({ recordId }) => drafts.has(recordId)),
  };
}
