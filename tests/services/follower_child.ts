/** A process with many configs that follow one document: `follower_child.ts <FollowerGiven>`. */
import { setTimeout as wait } from "node:timers/promises";
import { type Config, type Json, openConfig, type WatchTiming } from "../../mod.ts";
import { startDayClock } from "../support/day_clock.ts";
import { commands, given, tell } from "../support/line_process.ts";
import { type FollowedDocument, type FollowedPlace, reach } from "./followed_place.ts";

export interface FollowerGiven {
  readonly place: FollowedPlace;
  readonly instances: number;
  /** Whether all go over one connection. */
  readonly isShared: boolean;
}

/** Opens the configs anew, or closes them. */
export type FollowerCommand =
  | { readonly kind: "open"; readonly timing: WatchTiming }
  | { readonly kind: "close" };

export type FollowerTold =
  | { readonly kind: "ready"; readonly resolutionMs: number }
  /** What each runs with. */
  | { readonly kind: "opened"; readonly counts: readonly number[] }
  /** When the subscriber of each saw a change, in milliseconds: told once all have. */
  | { readonly kind: "seen"; readonly count: number; readonly at: readonly number[] }
  | { readonly kind: "fault"; readonly message: string }
  | {
    readonly kind: "closed";
    readonly said: readonly string[];
    readonly clockErrorMs: number;
  };

const { place, instances, isShared } = given<FollowerGiven>();
const clock = startDayClock();
const connected = await Promise.all(
  Array.from({ length: isShared ? 1 : instances }, () => reach(place)),
);
const report = (told: FollowerTold): void => tell(told);
const said: string[] = [];
const logger = {
  warn: (message: string) => void said.push(message),
  error: (message: string) => void said.push(message),
};
const seen = new Map<number, number[]>();
let configs: readonly Config<Json, Json>[] = [];

const countOf = (value: unknown): number => (value as FollowedDocument).count;

async function open(index: number, timing: WatchTiming): Promise<Config<Json, Json>> {
  // Machines that start at different times poll at different times.
  await wait(Math.random() * (timing.pollMs ?? 500));
  const config = await openConfig(connected[index % connected.length]!.store, {
    watch: timing,
    logger,
    timeoutMs: 60_000,
  });
  let last = countOf(config.value);
  config.subscribe((value) => {
    const at = clock.now();
    const count = countOf(value);
    if (count !== last + 1) {
      report({ kind: "fault", message: `one saw change ${count} after ${last}` });
    }
    last = count;
    const all = seen.get(count) ?? [];
    seen.set(count, all);
    if (all.push(at) === instances) report({ kind: "seen", count, at: all });
  });
  return config;
}

report({ kind: "ready", resolutionMs: clock.resolutionMs });
for await (const command of commands<FollowerCommand>()) {
  await Promise.all(configs.map((config) => config.close()));
  if (command.kind === "open") {
    const { timing } = command;
    configs = await Promise.all(Array.from({ length: instances }, (_, at) => open(at, timing)));
    report({ kind: "opened", counts: configs.map(({ value }) => countOf(value)) });
  } else {
    configs = [];
    report({ kind: "closed", said: said.splice(0), clockErrorMs: clock.errorMs() });
  }
}
await Promise.all(connected.map(({ close }) => close()));
