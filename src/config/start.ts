import { isHoldfastError } from "../core/error.ts";
import { isOpenStore, type OpenStore } from "../store/store.ts";
import { notKept } from "../store/store_error.ts";
import { recoverConfirmation, type Reversion } from "./confirmation_recovery.ts";
import { Engine } from "./engine.ts";
import { needsDefaults } from "./given.ts";
import { newestOf } from "./history.ts";
import { LiveConfig, type LiveParts } from "./live_config.ts";
import { Queue } from "./queue.ts";
import type { Config } from "./types.ts";

/** Loads a config for the first time and follows its source from then on. */
export async function startConfig<Input, Output>(
  parts: LiveParts,
): Promise<Config<Input, Output>> {
  const queue = new Queue();
  const published: { to?: LiveConfig<Input, Output> } = {};
  const engine = new Engine({ ...parts, publish: (...news) => published.to?.publish(...news) });
  await queue.run(async () => {
    await engine.start(parts.seed);
    await takeBackUnconfirmed(parts, engine);
  });
  const config = published.to = new LiveConfig<Input, Output>(parts, engine, queue);
  await config.follow();
  return config;
}

/** Before anybody sees a value that somebody applied on trial, and died. */
async function takeBackUnconfirmed(parts: LiveParts, engine: Engine): Promise<void> {
  const { name, host, source: store, reporter: { warn } } = parts;
  // What could not be reached cannot be taken back either.
  if (!isOpenStore(store) || engine.running.loaded.isStandIn === true) return;
  const recovery = { name, host, store, warn };
  const reversion = await recoverConfirmation(recovery, () => newestOf(store));
  if (reversion === undefined) return;
  try {
    await takeBack(parts, engine, store, reversion);
    await reversion.done();
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    reversion.failed(error);
  }
}

async function takeBack(
  { name, pipeline }: LiveParts,
  engine: Engine,
  store: OpenStore,
  { generation, base }: Reversion,
): Promise<void> {
  const kept = base.generation === 0 ? undefined : await store.read(base.generation);
  if (base.generation !== 0 && kept === undefined) throw notKept(name, base.generation);
  const { layers } = engine.running.loaded;
  const document = kept?.document ?? pipeline.emptyDocument;
  if (document === undefined) throw needsDefaults(name);
  const candidate = await pipeline.run(document, `generation ${base.generation} of ${name}`, {
    layers,
  });
  const reason = `generation ${generation} was not confirmed`;
  const cause = { origin: "rollback", calls: [{ reason, changes: [] }] } as const;
  const how = kept?.document === undefined ? { removes: true } : { restores: kept };
  await engine.commit(await engine.value.prepare(candidate), cause, { origin: "rollback", ...how });
}
