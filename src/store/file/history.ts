import type { Json } from "../../core/document.ts";
import type { RecordHeader } from "../record.ts";
import type { StoredGeneration } from "../store.ts";
import type { LogPlace } from "./log_place.ts";

/** The numbers of the generations that are kept, the newest first. Some more may wait to be collected. */
export async function keptGenerations(place: LogPlace, history: number): Promise<number[]> {
  const { records, floor } = await place.view() ?? { records: [], floor: 0 };
  const oldest = Math.max(floor, (records.at(-1) ?? 0) - history);
  const kept: number[] = [];
  for (const generation of records.toReversed()) {
    // A void record is a number and no generation.
    if (generation > oldest && await place.log.header(generation)) kept.push(generation);
  }
  return kept;
}

/** A generation that is kept; undefined when it is not. */
export async function readGeneration(
  place: LogPlace,
  generation: number,
  decode: (text: Uint8Array) => Json,
): Promise<StoredGeneration | undefined> {
  const view = await place.view();
  // Up to the floor there may be numbers that somebody took who stood still for long: nobody builds on them.
  if (view === undefined || generation <= view.floor) return undefined;
  const record = await place.log.read(generation);
  if (record === undefined) return undefined;
  const { text, id: _, ...header } = record;
  return { ...header, document: record.hash === "" ? undefined : decode(text) };
}

/** The newest generation that has a content; undefined when none has it. */
export async function generationOf(
  place: LogPlace,
  hash: string,
): Promise<RecordHeader | undefined> {
  const { records, floor } = await place.view() ?? { records: [], floor: 0 };
  for (const generation of records.toReversed()) {
    const header = generation > floor ? await place.log.header(generation) : undefined;
    if (header?.hash === hash) return header;
  }
  return undefined;
}
