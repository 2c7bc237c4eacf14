/** A memory host on which the last good document is kept, and places on it to break and mend. */
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import type { Source } from "../../src/source/source.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { path, remember } from "./memory_config.ts";

/** What {@link stage} opens with. */
const schema = v.object({
  rate: v.pipe(v.number(), v.maxValue(100)),
  burst: v.optional(v.number(), 0),
});

/** Where it is kept. */
export const lastGood = "/var/cache/app/config.json";
const options = { schema, lastGood, watch: false } as const;

/** A host, what was said, and what opens configs there. */
export function stage() {
  const host = memoryHost();
  const { outside } = host;
  outside.makeDirectory("/etc/app/conf.d");
  const told = remember();
  const open = (target: string | Store, changed: object = {}) => {
    return openConfigOn(() => host)(target as Store, { ...options, ...told, ...changed });
  };
  const save = (text: string, where = path) => outside.replaceFile(where, text, { mode: 0o600 });
  /** Ends every trace of the generations before. */
  const forget = () => {
    for (const name of outside.list()) {
      if (name.startsWith("/etc/app/.config.json")) outside.removeFile(name);
    }
  };
  return { host, outside, told, open, save, forget };
}

/** What {@link stage} gives. */
export type Stage = ReturnType<typeof stage>;

/** A place that can be broken and mended past the config. */
export interface Place {
  readonly target: string | Source;
  readonly breakIt: () => unknown;
  /** As text that must stay the same; undefined where the place is not on the disk. */
  readonly file?: string;
  readonly mend: () => unknown;
}

/** Where another process, with other rules, stores what this one turns down. */
export async function memoryPlace({ host }: Stage): Promise<Place> {
  const target = memory({ rate: 1 });
  const writer = await openConfigOn(() => host)(target, { watch: false });
  return {
    target,
    breakIt: () => writer.set({ rate: "much" }),
    mend: () => writer.set({ rate: 7 }),
  };
}

/** A file beside the config file, in a directory of its own. */
export const inDirectory = "/etc/app/conf.d/1.json";
