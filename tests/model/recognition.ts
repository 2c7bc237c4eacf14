/** What a process makes of the config.json that it finds. */
import { type Storage, torn } from "./storage.ts";
import {
  listGenerations,
  newestOf,
  parseName,
  parseRecord,
  publishedContent,
  type Record,
  recordOf,
  textOf,
  topOf,
} from "./world.ts";

/** What config.json is taken for. */
export type Finding =
  | { readonly kind: "absent" | "torn" | "edit" }
  /** It says what the newest record says; `isClaimed` when its inode is known as that record's. */
  | { readonly kind: "current"; readonly isClaimed: boolean }
  /** Ours, of an older generation. */
  | { readonly kind: "stale"; readonly generation: number }
  /** Ours, of a record whose link was lost. */
  | { readonly kind: "half"; readonly id: string; readonly isNext: boolean };

/** Looks at config.json. */
export function recognise(storage: Storage, variants: readonly string[]): Finding {
  const content = publishedContent(storage);
  const newest = newestOf(storage);
  if (content === undefined) return { kind: "absent" };
  if (content === torn) return { kind: "torn" };
  const text = textOf(content);
  if (variants.includes("textOnly")) return recogniseText(storage, text);
  const owners = ownersOf(storage, variants);
  if (newest !== undefined && text === textOf(newest.published)) {
    const isClaimed = owners.some((owner) => owner.generation === newest.generation);
    return { kind: "current", isClaimed };
  }
  // An inode can be several generations' when somebody writes in place: only the last of them counts.
  const last = Math.max(...owners.map((owner) => owner.generation));
  for (const owner of owners) {
    if (owner.generation !== last && !variants.includes("anyImage")) continue;
    if (text === textOf(owner.published)) return { kind: "stale", generation: owner.generation };
  }
  const marked = textOwners(storage).find((owner) => textOf(owner.published) === text);
  if (marked !== undefined) return { kind: "stale", generation: marked.generation };
  return recogniseHalf(storage, text, variants) ?? { kind: "edit" };
}

/** The last record that config.json was published or adopted as. */
export function lastOwner(storage: Storage): Record | undefined {
  return ownersOf(storage, []).sort((left, right) => right.generation - left.generation)[0];
}

/** The records that the inode of config.json was linked for. */
function ownersOf(storage: Storage, variants: readonly string[]): Record[] {
  const owners: Record[] = [];
  for (const { generation, id } of imagesOf(storage)) {
    const record = recordOf(storage, generation);
    // An image of a record that lost the race for its number says nothing about that number's record.
    if (record !== undefined && (record.id === id || variants.includes("anyImage"))) {
      owners.push(record);
    }
  }
  return owners.concat(textOwners(storage).filter((owner) => isPublishedText(storage, owner)));
}

function isPublishedText(storage: Storage, record: Record): boolean {
  return textOf(publishedContent(storage) ?? torn) === textOf(record.published);
}

function textOwners(storage: Storage): Record[] {
  const owners: Record[] = [];
  for (const name of storage.visible.keys()) {
    if (!name.startsWith("txt.")) continue;
    const record = recordOf(storage, parseName(name).generation);
    if (record?.id === parseName(name).id) owners.push(record);
  }
  return owners;
}

function imagesOf(storage: Storage): { generation: number; id: string }[] {
  const inode = storage.visible.get("R");
  return [...storage.visible]
    .filter(([name, other]) => name.startsWith("img.") && other === inode)
    .map(([name]) => parseName(name));
}

/** A record that was published and lost its link in a power cut. One of an edit does not count: it may not be whole. */
function recogniseHalf(
  storage: Storage,
  text: string,
  variants: readonly string[],
): Finding | undefined {
  if (variants.includes("noHalf")) return undefined;
  for (const { generation, id } of imagesOf(storage)) {
    const inode = storage.visible.get(`rec.${id}`);
    const record = inode && parseRecord(storage.files.get(inode)!.content);
    if (!record || storage.visible.has(`g.${generation}`)) continue;
    if (textOf(record.published) !== text) continue;
    if (record.isAdopted && !variants.includes("finishEdits")) continue;
    return { kind: "half", id, isNext: generation === topOf(storage) + 1 };
  }
  return undefined;
}

/** The rule without inodes: whoever wrote it, the text of a record is taken for that record. */
function recogniseText(storage: Storage, text: string): Finding {
  const newest = newestOf(storage);
  if (newest !== undefined && textOf(newest.published) === text) {
    return { kind: "current", isClaimed: true };
  }
  const generation = Math.max(
    ...listGenerations(storage).filter((candidate) => {
      const record = recordOf(storage, candidate);
      return record !== undefined && textOf(record.published) === text;
    }),
  );
  if (generation > 0) return { kind: "stale", generation };
  return { kind: "edit" };
}
