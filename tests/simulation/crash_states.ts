import { isDeepStrictEqual } from "node:util";
import { memoryDisk } from "../../adapters/memory.ts";
import type { MemoryDisk, MemoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { checkHistory } from "../support/history_checker.ts";
import { randomFrom } from "../support/random.ts";
import { type CountedDocument, schema, type SimulatedConfig, valueOf } from "./calls.ts";
import { configPath, countedRecords, readLog, readPublished } from "./log_files.ts";
import { litterIn } from "./checks.ts";

/** Something that is crashed after each of its operations. */
export interface Scenario {
  readonly name: string;
  /** Brings the disk to where it starts. */
  readonly prepare: (stage: Stage) => Promise<void>;
  /** What is crashed; resolves once it was told to be durable. */
  readonly act: (stage: Stage) => Promise<unknown>;
  /** What may be found afterwards, the older first; undefined for no document. */
  readonly outcomes: readonly (CountedDocument | undefined)[];
}

/** A disk with one process on it that has, or will have, a config open. */
export interface Stage {
  readonly disk: MemoryDisk;
  host: MemoryHost;
  config: SimulatedConfig | undefined;
  /** Opens the config with the process of the moment. */
  readonly open: (options?: object) => Promise<SimulatedConfig>;
}

/** How a scenario is crashed. */
interface Crash {
  /** How many operations are done before. */
  readonly after: number;
  /** Whether all operations behind it wait, or that one alone, as if the disk had put it off. */
  readonly holds: "all" | "one";
  readonly power: "stays" | "any" | "prefix";
  readonly choose: (bound: number) => number;
}

/** How often, at one place and with one order, the power is cut, each time with another outcome. */
const cutsMax = 20;

/** Crashes a scenario everywhere, and tells how many states were tried and what was wrong with any. */
export async function crashEverywhere(
  scenario: Scenario,
): Promise<{ readonly states: number; readonly breaches: readonly string[] }> {
  const operations = await countOperations(scenario);
  const breaches: string[] = [];
  let states = 0;
  const attempt = async (crash: Crash): Promise<void> => {
    states += 1;
    const all = await crashOnce(scenario, crash).catch((error: unknown) => [`threw ${error}`]);
    for (const found of all) {
      const { after, holds, power } = crash;
      breaches.push(
        `${scenario.name}, after ${after} of ${operations}, holding ${holds}, power ${power}: ${found}`,
      );
    }
  };
  for (let after = 0; after <= operations; after++) {
    for (const holds of ["all", "one"] as const) {
      const crash = { after, holds, power: "stays", choose: () => 0 } as const;
      await attempt(crash);
      for (const power of ["any", "prefix"] as const) {
        for (const choose of choices(after)) await attempt({ ...crash, power, choose });
      }
    }
  }
  return { states, breaches };
}

/** Outcomes one by one where they are few, and after that by chance. */
function* choices(seed: number): Generator<(bound: number) => number> {
  let prefix: number[] = [];
  for (let count = 0; count < cutsMax; count++) {
    const bounds: number[] = [];
    const random = randomFrom(1 + seed * cutsMax + count);
    const isByChance = count >= cutsMax / 2;
    yield (bound) => {
      const chosen = isByChance ? random.below(bound) : prefix[bounds.length] ?? 0;
      bounds.push(bound);
      return chosen;
    };
    if (isByChance) continue;
    const next = following(prefix, bounds);
    if (next === undefined) return;
    prefix = next;
  }
}

/** The choices after these, the last one counting up first; undefined when all were made. */
function following(prefix: readonly number[], bounds: readonly number[]): number[] | undefined {
  const next = bounds.map((_, index) => prefix[index] ?? 0);
  for (let index = bounds.length - 1; index >= 0; index--) {
    if (next[index]! + 1 < bounds[index]!) {
      next[index]! += 1;
      return next.slice(0, index + 1);
    }
  }
  return undefined;
}

async function stageOf(scenario: Scenario): Promise<Stage> {
  const disk = memoryDisk({ settle: "microtasks" });
  disk.outside.makeDirectory("/c", { mode: 0o700 });
  disk.outside.sync();
  const stage: Stage = {
    disk,
    host: disk.process(),
    config: undefined,
    open: (options = {}) => openOn(stage.host, options),
  };
  await scenario.prepare(stage);
  await disk.settle();
  return stage;
}

function openOn(host: MemoryHost, options: object): Promise<SimulatedConfig> {
  const silent = { logger: { warn: () => {} }, watch: false } as const;
  return openConfigOn(() => host)(configPath, { schema, ...silent, ...options }) as Promise<
    unknown
  > as Promise<SimulatedConfig>;
}

async function countOperations(scenario: Scenario): Promise<number> {
  const stage = await stageOf(scenario);
  let count = 0;
  stage.host.faults = () => void (count += 1);
  await scenario.act(stage);
  await stage.disk.settle();
  return count;
}

async function crashOnce(scenario: Scenario, crash: Crash): Promise<string[]> {
  const stage = await stageOf(scenario);
  const { disk } = stage;
  let count = 0;
  stage.host.faults = () => {
    count += 1;
    const waits = crash.holds === "all" ? count > crash.after : count === crash.after + 1;
    return waits ? new Promise<void>(() => {}) : undefined;
  };
  let isAcknowledged = false;
  scenario.act(stage).then(() => isAcknowledged = true, () => {});
  await disk.settle();
  if (crash.power === "stays") stage.host.kill();
  else disk.powerCut({ order: crash.power, choose: crash.choose });
  const told = isAcknowledged ? stage.config?.snapshot() : undefined;
  return await judge(scenario, crash, disk, isAcknowledged ? told?.generation ?? 0 : undefined);
}

/**
 * Opens what the crash left, judges it, and goes on with it.
 *
 * @param acknowledged the generation that somebody was told is durable, if any
 */
async function judge(
  { outcomes }: Scenario,
  { power }: Crash,
  disk: MemoryDisk,
  acknowledged: number | undefined,
): Promise<string[]> {
  const found: string[] = [];
  const host = disk.process();
  const config = await openOn(host, {}).catch((error: unknown) => {
    found.push(`cannot be opened: ${error}`);
  });
  if (config === undefined) return found;
  const allowed = acknowledged !== undefined ? outcomes.slice(-1) : outcomes;
  if (!allowed.some((outcome) => isDeepStrictEqual(valueOf(outcome), config.value))) {
    found.push(
      `found ${JSON.stringify(config.value)}${acknowledged === undefined ? "" : ", acknowledged"}`,
    );
  }
  if (config.snapshot().generation < (acknowledged ?? 0)) {
    found.push(`generation ${config.snapshot().generation} after ${acknowledged}`);
  }
  const before = config.snapshot().generation;
  const written = await config.update((draft) => {
    draft.log = [...draft.log ?? [], "after"];
  }, { reason: "after" }).catch((error: unknown) => void found.push(`cannot be written: ${error}`));
  if (written === undefined) return found;
  const { changeSet } = written;
  if (changeSet.to <= before) found.push(`generation ${changeSet.to} after ${before}`);
  await disk.advance(1000);
  await config.close();
  if (readPublished(disk.outside) !== readLog(disk.outside).records.get(changeSet.to)?.text) {
    found.push("the published file is not the newest record");
  }
  // What a power cut took may have been in use, so its number is passed over.
  const passedOver = power === "stays" ? [] : [before + 1, before - 1];
  return [...found, ...judgeLog(disk, changeSet.to, changeSet.newHash, passedOver)];
}

function judgeLog(
  disk: MemoryDisk,
  generation: number,
  hash: string,
  passedOver: readonly number[],
): string[] {
  const { records, floor, torn } = readLog(disk.outside);
  const breaches = checkHistory({
    acknowledged: [{ writer: "after", call: "after", generation, hash }],
    ...countedRecords({ records, floor, torn }),
    unreadable: passedOver,
    reads: [],
    final: { generation, hash },
  });
  return [
    ...breaches.map(({ rule, message }) => `${rule}: ${message}`),
    ...torn.map((number) => `torn record ${number}`),
    ...litterIn(disk).map((path) => `litter ${path}`),
  ];
}
