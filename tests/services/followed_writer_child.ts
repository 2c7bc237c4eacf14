/** A process that counts up in a document that others follow, once for each command: `followed_writer_child.ts <WriterGiven>`. */
import { type Json, openConfig } from "../../mod.ts";
import { startDayClock } from "../support/day_clock.ts";
import { commands, given, tell } from "../support/line_process.ts";
import { type FollowedDocument, type FollowedPlace, reach } from "./followed_place.ts";

export interface WriterGiven {
  readonly place: FollowedPlace;
  readonly documentBytes: number;
}

/** When a write was called for and when it was acknowledged, in milliseconds; the first line only says that it is ready. */
export interface WriterTold {
  readonly count: number;
  readonly calledAt: number;
  readonly acknowledgedAt: number;
}

const { place, documentBytes } = given<WriterGiven>();
const clock = startDayClock();
const { store, close } = await reach(place);
const seed = { count: 0, filler: "x".repeat(documentBytes) };
const config = await openConfig(store, { seed, watch: false });
tell({ count: (config.value as unknown as FollowedDocument).count });
for await (const _ of commands()) {
  const calledAt = clock.now();
  const { snapshot } = await config.update((draft) => {
    const document = draft as { [key: string]: Json };
    document["count"] = Number(document["count"]) + 1;
  });
  const acknowledgedAt = clock.now();
  const { count } = snapshot.value as unknown as FollowedDocument;
  tell({ count, calledAt, acknowledgedAt } satisfies WriterTold);
}
await config.close();
await close();
