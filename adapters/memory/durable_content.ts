// The content of a simulated file: what is read, and what a power cut may leave of it. A sync takes what was written since
// the last one. What was unsynced when a sync failed is taken by no later one, as on Linux, whose kernel calls such pages
// clean: it may have reached the disk or not, whatever is synced afterwards.

/** Chooses an integer from 0 up to, not including, the bound. */
export type Choose = (bound: number) => number;

/** A part of a content. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** A content, as it is read and as it is kept. */
export interface FileContent {
  /** What is read. Replaced as a whole at each write, never written into. */
  bytes: Uint8Array;
  /** What the disk surely holds where nothing else got there; nothing before the first sync. */
  durable: Uint8Array;
  /** From where on `bytes` were written since the last sync; undefined for none. */
  unsyncedFrom: number | undefined;
  /** What was unsynced when a sync failed, in order, none touching the next. */
  lost: readonly Range[];
  /** What was written whole and written over since the last sync. */
  earlier: readonly Uint8Array[];
}

const nothing = new Uint8Array();

/** The content of a file that was just made. */
export function emptyContent(): FileContent {
  return { bytes: nothing, durable: nothing, unsyncedFrom: undefined, lost: [], earlier: [] };
}

/** Writes at the end. */
export function appendBytes(content: FileContent, added: Uint8Array): void {
  if (added.length === 0) return;
  const { bytes } = content;
  content.unsyncedFrom ??= bytes.length;
  content.bytes = join(bytes, added);
}

/** Writes a content anew, in place. */
export function rewriteBytes(content: FileContent, bytes: Uint8Array): void {
  if (isUnsure(content)) content.earlier = [...content.earlier, content.bytes];
  content.bytes = bytes;
  content.unsyncedFrom = 0;
  content.lost = [];
}

/** Makes durable what was written since the last sync. */
export function syncContent(content: FileContent): void {
  if (content.unsyncedFrom === undefined) return;
  content.durable = content.lost.length === 0 ? content.bytes : withoutLost(content);
  content.unsyncedFrom = undefined;
  content.earlier = [];
}

/** Fails a sync: what it would have made durable is lost to every later one. */
export function failSync(content: FileContent): void {
  const { unsyncedFrom, lost } = content;
  if (unsyncedFrom === undefined) return;
  const last = lost.at(-1);
  const range = { from: unsyncedFrom, to: content.bytes.length };
  content.lost = last !== undefined && last.to === unsyncedFrom
    ? [...lost.slice(0, -1), { from: last.from, to: range.to }]
    : [...lost, range];
  content.unsyncedFrom = undefined;
}

/** What the disk holds after the power was cut, all of it synced then. */
export function contentAfterCut(content: FileContent, choose: Choose): FileContent {
  const bytes = isUnsure(content) ? survivor(content, choose) : content.bytes;
  return { ...emptyContent(), bytes, durable: bytes };
}

function isUnsure(content: FileContent): boolean {
  return content.unsyncedFrom !== undefined || content.lost.length > 0;
}

function survivor(content: FileContent, choose: Choose): Uint8Array {
  const { bytes, durable, earlier } = content;
  const whole = [durable, bytes, ...earlier];
  const torn = tears(content).filter(({ count }) => count > 0);
  const kind = choose(whole.length + torn.length);
  const kept = whole[kind];
  if (kept !== undefined) return kept;
  const { from, count, tear } = torn[kind - whole.length]!;
  return tear(from + (count === 1 ? 0 : choose(count)));
}

interface Tear {
  /** The first place where the content may tear. */
  readonly from: number;
  /** How many places there are. */
  readonly count: number;
  readonly tear: (at: number) => Uint8Array;
}

function tears(content: FileContent): Tear[] {
  const { bytes, durable } = content;
  const safe = safeLength(content);
  const overlaps = content.lost.length > 0 || safe < durable.length;
  const mixed = (count: number): number => overlaps ? count : 0;
  return [
    { from: safe, count: bytes.length - safe, tear: (at) => bytes.slice(0, at) },
    {
      from: safe,
      count: bytes.length - safe,
      tear: (at) => join(bytes.subarray(0, at), new Uint8Array(bytes.length - at)),
    },
    {
      from: 1,
      count: mixed(Math.min(bytes.length, durable.length - 1)),
      tear: (at) => join(bytes.subarray(0, at), durable.subarray(at)),
    },
    {
      from: 1,
      count: mixed(Math.min(bytes.length - 1, durable.length)),
      tear: (at) => join(durable.subarray(0, at), bytes.subarray(at)),
    },
  ];
}

/** Up to where the content cannot end early: behind that, nothing was synced. */
function safeLength(content: FileContent): number {
  const end = content.unsyncedFrom ?? content.bytes.length;
  const last = content.lost.at(-1);
  return last !== undefined && last.to === end ? last.from : end;
}

function withoutLost(content: FileContent): Uint8Array {
  const taken = content.bytes.slice();
  for (const { from, to } of content.lost) {
    taken.fill(0, from, to);
    taken.set(content.durable.subarray(from, to), from);
  }
  return taken;
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}
