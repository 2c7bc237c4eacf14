/** What a config can be asked to do with generations, to be disturbed in the middle. */
import * as v from "valibot";
import type { MemoryHost } from "../../adapters/memory.ts";
import type { Config } from "../../src/config/types.ts";
import { diskWith, type LogDisk, NumberLedger } from "./log_disk.ts";
import { path, remember } from "./memory_config.ts";

/** What such a config holds. */
export interface Rated {
  rate?: number | undefined;
}

/** A config of rates; 7 is the default. */
export type RatedConfig = Config<Rated, { readonly rate: number }>;

/** Of rates. */
export const schema: v.GenericSchema<Rated, { readonly rate: number }> = v.looseObject({
  rate: v.optional(v.number(), 7),
});

/** How a config is opened that looks only when asked to. */
export const options: { readonly schema: typeof schema; readonly watch: false } = {
  schema,
  watch: false,
};

/** What is there before. */
export interface Prepared extends LogDisk {
  readonly host: MemoryHost;
  readonly config: RatedConfig;
  readonly ledger: NumberLedger;
}

type Act = readonly [
  name: string,
  begun: boolean,
  rates: readonly number[],
  act: (
    config: RatedConfig,
    host: MemoryHost,
  ) => Promise<unknown>,
];

/** All that makes or deletes generations: its name, whether there is a log before, which rates may run afterwards (the last of
 * them if it was done), and how it is done. */
export const acts: readonly Act[] = [
  ["a first write", false, [1, 50], (config) => config.setAt(["rate"], 50)],
  ["a commit", true, [3, 50], (config) => config.setAt(["rate"], 50)],
  ["an adoption", true, [3, 50], (config, host) => {
    host.outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
    return config.reload();
  }],
  ["a write beside an edit", true, [3, 50, 51], (config, host) => {
    host.outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
    return config.update((draft) => void draft.rate!++);
  }],
  ["a rollback", true, [3, 2], (config) => config.rollback(2)],
  ["a removal", true, [3, 7], (config) => config.remove()],
  ["a purge", true, [3], (config) => config.purge({ before: 3 })],
];

/** A running config with three generations, or without a log, and what the numbers stand for. */
export async function prepared(begun: boolean): Promise<Prepared> {
  const { disk, outside, start } = diskWith('{"rate":1}');
  const { host, openConfig } = start();
  const config = await openConfig(path, { ...options, ...remember() });
  const ledger = new NumberLedger();
  for (const rate of begun ? [2, 3] : []) {
    await config.setAt(["rate"], rate);
    await ledger.noteAll(config);
  }
  await disk.settle();
  return { disk, outside, start, host, config, ledger };
}
