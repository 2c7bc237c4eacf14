import { hasErrno, holdfastError } from "../../core/error.ts";
import { looksMax } from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import type { Host } from "../../host/host.ts";
import type { RecordHeader } from "../record.ts";
import type { Found } from "./config_file.ts";
import type { LogPlace } from "./log_place.ts";
import type { Image, LogView } from "./log_view.ts";

/** What the content of the config file is to the log. */
export type Standing =
  /** There is no log. */
  | { readonly kind: "unlogged" }
  /** That of the newest record. */
  | { readonly kind: "current" }
  /** What we published of an older generation: the newest record was committed, its publication is still to come. */
  | { readonly kind: "stale" }
  /** What we published of a commit whose record lost its number in a power cut: it was never acknowledged. */
  | { readonly kind: "unfinished"; readonly generation: number; readonly id: string }
  /** Nothing is there, though the newest record has a text. */
  | { readonly kind: "missing" }
  /** Somebody else's. Numbers up to `after` were given, even if their records are lost. */
  | { readonly kind: "edited"; readonly after: number };

/** The config file and the log beside it, as they were together at one moment. */
export interface Sight {
  readonly place: LogPlace;
  readonly found: Found | undefined;
  readonly view: LogView | undefined;
  readonly newest: RecordHeader | undefined;
  readonly standing: Standing;
}

/** Where to look. */
export interface LookedAt {
  /** Reads the config file. */
  readonly read: () => Promise<Found | undefined>;
  /** Where the links to it led when it was read. */
  readonly place: () => LogPlace;
}

/** Looks at the config file and the log until both are seen as of one moment. */
export async function look({ read, place: placeNow }: LookedAt): Promise<Sight> {
  let place = placeNow();
  let [found, view] = await together([read(), place.view()]);
  for (let attempt = 1; attempt <= looksMax; attempt++) {
    if (attempt > 1 || place !== placeNow()) {
      place = placeNow();
      view = await place.view();
    }
    const newest = view === undefined ? undefined : await place.log.newest(view);
    if (newest === "moved") {
      found = await read();
      continue;
    }
    const standing = await recognise(place, view, newest, found);
    if (standing.kind === "current" || (standing.kind === "unlogged" && attempt > 1)) {
      return { place, found, view, newest, standing };
    }
    // Anything else may only be due to what happened between the listing and the read. What was read before the listing,
    // and still is there after it, cannot be of a generation that the listing lacks.
    if (attempt === 1) continue;
    const again = await read();
    if (again?.hash === found?.hash && again?.stat.identity === found?.stat.identity) {
      return { place, found, view, newest, standing };
    }
    found = again;
  }
  const { path } = placeNow();
  throw holdfastError(
    "UNAVAILABLE",
    `Cannot read ${path}: found it changed during each of ${looksMax} looks; try again`,
    { source: path },
  );
}

/** Tells whose the content of the config file is: by its text, and where that is an older one by its inode. */
export async function recognise(
  place: LogPlace,
  view: LogView | undefined,
  newest: RecordHeader | undefined,
  found: Found | undefined,
): Promise<Standing> {
  if (view === undefined) return { kind: "unlogged" };
  if ((found?.hash ?? "") === newest?.hash) return { kind: "current" };
  if (found === undefined) return newest === undefined ? other(view) : { kind: "missing" };
  for await (const image of imagesOf(place, view.images, found)) {
    const { generation, recordId } = image;
    const header = await standsFor(place, view, image);
    // Only the newest counts: a person may have written an older text into the very same inode.
    if (header !== undefined) {
      return header.hash === found.hash ? { kind: "stale" } : other(view);
    }
    // An adoption that was cut short is begun anew: the edit is there.
    if (!image.isPublication) continue;
    const draft = view.drafts.has(recordId)
      ? await place.log.draft(recordId, generation)
      : undefined;
    if (draft?.hash === found.hash) {
      // Its number may have gone to another one after the power cut.
      const isTaken = view.records.includes(generation);
      return isTaken ? { kind: "stale" } : { kind: "unfinished", generation, id: recordId };
    }
  }
  for (const image of view.textImages) {
    const header = await standsFor(place, view, image);
    if (header !== undefined) {
      return header.hash === found.hash ? { kind: "stale" } : other(view);
    }
  }
  return other(view);
}

/** Whether a file that was taken from the config file's place is one that we published, or adopted. */
export async function isOurFile(
  { place, view }: Pick<Sight, "place" | "view">,
  found: Found,
): Promise<boolean> {
  return view !== undefined && await isAmong(place, view.images, found);
}

/** Whether the config file can be told, by its inode or else by its text, as that of the newest record. */
export async function isKnownAs(
  newest: RecordHeader,
  { place, view, found }: Sight,
): Promise<boolean> {
  if (found === undefined || view === undefined) return true;
  const stands = ({ generation, recordId }: Image) => {
    return generation === newest.generation && recordId === newest.id;
  };
  if (view.textImages.some(stands)) return true;
  return await isAmong(place, view.images.filter(stands), found);
}

/** Those of some images that are the very file, in the same order. The first few are tried first: mostly it is one of them. */
async function* imagesOf(
  { host, log }: LogPlace,
  images: readonly Image[],
  found: Found,
): AsyncGenerator<Image> {
  for (const some of [images.slice(0, 4), images.slice(4)]) {
    const identities = await Promise.all(some.map(({ name }) => identityOf(host, log.path(name))));
    yield* some.filter((_, index) => identities[index] === found.stat.identity);
  }
}

async function isAmong(
  place: LogPlace,
  images: readonly Image[],
  found: Found,
): Promise<boolean> {
  return (await imagesOf(place, images, found).next()).done !== true;
}

/** The record that an image stands for, if that exists. */
async function standsFor(
  { log }: LogPlace,
  view: LogView,
  { generation, recordId }: Image,
): Promise<RecordHeader | undefined> {
  const header = view.records.includes(generation) ? await log.header(generation) : undefined;
  return header?.id === recordId ? header : undefined;
}

/** What a file is; undefined when it is gone. */
export async function identityOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return (await host.stat(path)).identity;
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function other(view: LogView): Standing {
  if (view.top === 0) return { kind: "unlogged" };
  // An attempt under way has its draft. Without one, there was a record of that number, and somebody deleted it.
  const lost = view.images.filter(({ isPublication, recordId }) => {
    return isPublication && !view.drafts.has(recordId);
  });
  return { kind: "edited", after: Math.max(0, ...lost.map(({ generation }) => generation)) };
}
