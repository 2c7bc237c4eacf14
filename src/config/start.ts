import { isOpenStore } from "../store/store.ts";
import { Engine } from "./engine.ts";
import { LiveConfig, type LiveParts } from "./live_config.ts";
import { Queue } from "./queue.ts";
import { takeBackUnconfirmed } from "./trial/take_back.ts";
import type { Config } from "./types.ts";

/** Loads a config for the first time and follows its source from then on. */
export async function startConfig<Input, Output>(
  parts: LiveParts,
): Promise<Config<Input, Output>> {
  const { source, seed } = parts;
  const queue = new Queue();
  const published: { to?: LiveConfig<Input, Output> } = {};
  const engine = new Engine({ ...parts, publish: (...news) => published.to?.publish(...news) });
  await queue.run(async () => {
    const loaded = await source.load();
    // Where nothing was ever stored, or nothing can be reached, there is nothing to take back.
    const isThere = isOpenStore(source) && loaded.isStandIn !== true && loaded.generation > 0;
    const isOld = isThere && await takeBackUnconfirmed(parts, source);
    await engine.start(seed, isOld ? await source.load() : loaded);
  });
  const config = published.to = new LiveConfig<Input, Output>(parts, engine, queue);
  await config.follow();
  return config;
}
