/**
 * Storage as a file system gives it: what processes see at once, what is surely on disk, and what lies between.
 *
 * Entries live in two directories: "R" is config.json in its own directory, every other name is in the log directory L.
 * `pub.*` entries are seen but never kept over a power cut: nothing reads them afterwards.
 */

/** What a power cut keeps: every unsynced entry "single" by itself, a "prefix" of the operations, or no cuts at "none". */
export type CutModel = "single" | "prefix" | "none";

/** What a torn file holds: a part of what was written, or nothing. */
export const torn = "";

/** An inode. */
export interface File {
  /** What a read gives. */
  readonly content: string;
  /** What it may hold after a power cut: one thing when synced. */
  readonly onDisk: readonly string[];
  /** Whether a sync failed: what was unsynced then may be lost, whatever later syncs say. */
  readonly isLost: boolean;
  /** Whether somebody wrote it in place. */
  readonly wasEdited?: boolean;
}

/** Everything stored. Never changed: each operation gives a new one. */
export interface Storage {
  /** Which inode each name leads to. */
  readonly visible: ReadonlyMap<string, string>;
  /** The same, as surely on disk. */
  readonly durable: ReadonlyMap<string, string>;
  /** Changes of entries that are not surely on disk: `name=inode`, with nothing behind `=` for a removal. */
  readonly pending: readonly string[];
  readonly files: ReadonlyMap<string, File>;
}

/** A storage that a power cut may leave, and in words what it kept. */
export interface DiskImage {
  readonly storage: Storage;
  readonly label: string;
}

/** A storage in which all of this is on disk. */
export function durableStorage(
  entries: Readonly<Record<string, string>>,
  contents: Readonly<Record<string, string>>,
): Storage {
  const names = new Map(Object.entries(entries));
  const files = new Map(
    Object.entries(contents).map(([inode, content]) => [inode, syncedFile(content)]),
  );
  return { visible: names, durable: names, pending: [], files };
}

/** Creates an inode and writes it, unsynced. */
export function createFile(storage: Storage, inode: string, content: string): Storage {
  const file: File = { content, onDisk: [torn, content], isLost: false };
  return { ...storage, files: new Map(storage.files).set(inode, file) };
}

/** Writes a file in place, unsynced: a power cut may leave anything it held since it was last synced. */
export function writeInPlace(storage: Storage, inode: string, content: string): Storage {
  const old = storage.files.get(inode)!;
  const onDisk = [...new Set([...old.onDisk, torn, content])].sort();
  return {
    ...storage,
    files: new Map(storage.files).set(inode, { ...old, content, onDisk, wasEdited: true }),
  };
}

/** Makes a name lead to an inode, or to nothing. */
export function setEntry(
  storage: Storage,
  model: CutModel,
  name: string,
  inode: string | undefined,
): Storage {
  const visible = new Map(storage.visible);
  if (inode === undefined) visible.delete(name);
  else visible.set(name, inode);
  if (model === "none" || name.startsWith("pub.")) return { ...storage, visible };
  const change = `${name}=${inode ?? ""}`;
  if (model === "prefix") return { ...storage, visible, pending: [...storage.pending, change] };
  const pending = [...new Set([...storage.pending, change])].sort();
  return { ...storage, visible, pending };
}

/** Syncs a file. */
export function syncFile(storage: Storage, inode: string): Storage {
  const file = storage.files.get(inode);
  if (file === undefined || file.isLost || file.onDisk.length === 1) return storage;
  const synced = { ...file, onDisk: [file.content] };
  return { ...storage, files: new Map(storage.files).set(inode, synced) };
}

/** A sync of a file that fails: what was unsynced may be lost for ever. */
export function failFile(storage: Storage, inode: string): Storage {
  const file = storage.files.get(inode);
  if (file === undefined || file.onDisk.length === 1) return storage;
  return { ...storage, files: new Map(storage.files).set(inode, { ...file, isLost: true }) };
}

/** Syncs a directory. Where a prefix is kept, all that came before its last change is kept with it. */
export function syncDirectory(storage: Storage, model: CutModel, directory: "L" | "R"): Storage {
  const isInside = (change: string): boolean => directoryOf(change) === directory;
  if (!storage.pending.some(isInside)) return storage;
  const durable = new Map(storage.durable);
  if (model === "prefix") {
    const end = storage.pending.findLastIndex(isInside) + 1;
    for (const change of storage.pending.slice(0, end)) apply(durable, change);
    return { ...storage, durable, pending: storage.pending.slice(end) };
  }
  for (const change of storage.pending.filter(isInside)) {
    const name = change.slice(0, change.indexOf("="));
    apply(durable, `${name}=${storage.visible.get(name) ?? ""}`);
  }
  return { ...storage, durable, pending: storage.pending.filter((change) => !isInside(change)) };
}

/** Every storage that a power cut may leave now. */
export function diskImages(storage: Storage, model: CutModel): DiskImage[] {
  const images = model === "prefix" ? prefixImages(storage) : singleImages(storage);
  return images.flatMap(({ entries, label }) => contentImages(storage, entries, label));
}

interface EntryImage {
  readonly entries: ReadonlyMap<string, string>;
  readonly label: string;
}

function prefixImages(storage: Storage): EntryImage[] {
  const entries = new Map(storage.durable);
  const total = storage.pending.length;
  const images: EntryImage[] = [{ entries: new Map(entries), label: `first 0 of ${total} kept` }];
  for (const [index, change] of storage.pending.entries()) {
    apply(entries, change);
    images.push({ entries: new Map(entries), label: `first ${index + 1} of ${total} kept` });
  }
  return images;
}

function singleImages(storage: Storage): EntryImage[] {
  const choices = new Map<string, Set<string>>();
  for (const change of storage.pending) {
    const end = change.indexOf("=");
    const name = change.slice(0, end);
    let values = choices.get(name);
    // A rename over config.json is two changes of the directory: it may even be absent afterwards.
    if (values === undefined) {
      values = new Set([storage.durable.get(name) ?? "", ...(name === "R" ? [""] : [])]);
      choices.set(name, values);
    }
    values.add(change.slice(end + 1));
  }
  let images: EntryImage[] = [{ entries: storage.durable, label: "" }];
  // config.json first: what the images and records beside it matter depends on it.
  const names = [...choices.keys()].sort((left, right) => rank(left) - rank(right));
  for (const name of names) {
    images = images.flatMap(({ entries, label }) => {
      const inode = storage.visible.get(name) ?? storage.durable.get(name) ??
        [...choices.get(name)!].find((value) => value !== "");
      if (name.startsWith("img.") && inode !== entries.get("R")) return [{ entries, label }];
      if (name.startsWith("rec.") && !hasImage(entries, name.slice(4))) return [{ entries, label }];
      return [...choices.get(name)!].map((value) => {
        const next = new Map(entries);
        apply(next, `${name}=${value}`);
        return { entries: next, label: `${label} ${name}:${value === "" ? "absent" : value}` };
      });
    });
  }
  return images;
}

function contentImages(
  storage: Storage,
  kept: ReadonlyMap<string, string>,
  label: string,
): DiskImage[] {
  const entries = withoutUseless(kept);
  const empty: [string, File][] = [...storage.files].filter(([inode]) => inode === "empty");
  let images: { files: Map<string, File>; label: string }[] = [{ files: new Map(empty), label }];
  for (const inode of [...new Set(entries.values())].sort()) {
    const contents = storage.files.get(inode)!.onDisk;
    images = images.flatMap((image) =>
      contents.map((content) => ({
        files: new Map(image.files).set(inode, {
          ...storage.files.get(inode)!,
          content,
          onDisk: [content],
          isLost: false,
        }),
        label: contents.length === 1
          ? image.label
          : `${image.label} ${inode} holds ${content === torn ? "torn" : content}`,
      }))
    );
  }
  return images.map((image) => ({
    storage: { visible: entries, durable: entries, pending: [], files: image.files },
    label: image.label.trim(),
  }));
}

/** Leaves out what nobody will ask for after a cut: images of other inodes, and records that no image points to. */
function withoutUseless(entries: ReadonlyMap<string, string>): Map<string, string> {
  const published = entries.get("R");
  const ids = new Set<string>();
  for (const [name, inode] of entries) {
    if (name.startsWith("img.") && inode === published) ids.add(name.split(".")[2]!);
  }
  return new Map([...entries].filter(([name, inode]) => {
    if (name.startsWith("pub.")) return false;
    if (name.startsWith("img.")) return inode === published;
    if (name.startsWith("rec.")) return ids.has(name.slice(4));
    return true;
  }));
}

function hasImage(entries: ReadonlyMap<string, string>, id: string): boolean {
  return [...entries.keys()].some((name) => name.startsWith("img.") && name.split(".")[2] === id);
}

function rank(name: string): number {
  return name === "R" ? 0 : name.startsWith("img.") ? 1 : 2;
}

function directoryOf(change: string): "L" | "R" {
  return change.startsWith("R=") ? "R" : "L";
}

function apply(entries: Map<string, string>, change: string): void {
  const end = change.indexOf("=");
  if (end === change.length - 1) entries.delete(change.slice(0, end));
  else entries.set(change.slice(0, end), change.slice(end + 1));
}

function syncedFile(content: string): File {
  return { content, onDisk: [content], isLost: false };
}

/** Forgets inodes without a name, and images and records that no process and no cut can make use of any more. */
export function forgetUseless(
  storage: Storage,
  running: ReadonlySet<string>,
  held: readonly string[],
): Storage {
  const reachable = new Set<string>([...held, "empty"]);
  const add = (inode: string | undefined): void => {
    if (inode !== undefined && inode !== "") reachable.add(inode);
  };
  add(storage.visible.get("R"));
  add(storage.durable.get("R"));
  for (const change of storage.pending) if (change.startsWith("R=")) add(change.slice(2));
  for (const [name, inode] of storage.visible) if (name.startsWith("pub.")) add(inode);
  const inodes = new Map<string, string>([...storage.durable, ...storage.visible]);
  for (const change of storage.pending) {
    const end = change.indexOf("=");
    if (end < change.length - 1) inodes.set(change.slice(0, end), change.slice(end + 1));
  }
  const ids = new Set(running);
  const useless = new Set<string>();
  for (const [name, inode] of inodes) {
    if (!name.startsWith("img.")) continue;
    if (reachable.has(inode)) ids.add(name.split(".")[2]!);
    else useless.add(name);
  }
  for (const name of inodes.keys()) {
    if (name.startsWith("rec.") && !ids.has(name.slice(4))) useless.add(name);
  }
  const isUseful = ([name]: readonly [string, string]): boolean => !useless.has(name);
  const visible = new Map([...storage.visible].filter(isUseful));
  const durable = new Map([...storage.durable].filter(isUseful));
  const pending = storage.pending.filter((change) =>
    !useless.has(change.slice(0, change.indexOf("=")))
  );
  const named = new Set([...reachable, ...visible.values(), ...durable.values()]);
  for (const change of pending) named.add(change.slice(change.indexOf("=") + 1));
  const files = new Map([...storage.files].filter(([inode]) => named.has(inode)));
  return { visible, durable, pending, files };
}
