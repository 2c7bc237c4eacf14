import type { Cause } from "../../core/cause.ts";
import { diff } from "../../core/diff.ts";
import type { Json } from "../../core/document.ts";
import { isHoldfastError } from "../../core/error.ts";
import { writtenIn } from "../../source/layers.ts";
import type { OpenStore, StoredGeneration } from "../../store/store.ts";
import { notKept, outdated } from "../../store/store_error.ts";
import { audit } from "../audit.ts";
import { changeSetOf } from "../change_set.ts";
import { needsDefaults } from "../given.ts";
import { newestIn } from "./newest.ts";
import type { EngineParts } from "../running.ts";
import { recoverConfirmation, type Reversion } from "./recovery.ts";

/** What a config is opened with. */
export interface TakeBackParts extends Omit<EngineParts, "publish"> {
  readonly seed: Json | undefined;
}

/**
 * Takes back what somebody applied on trial, and died: before it is migrated, kept as good, or found not to fit this program.
 *
 * @returns whether something else may be stored now than before
 */
export async function takeBackUnconfirmed(
  parts: TakeBackParts,
  store: OpenStore,
): Promise<boolean> {
  const { name, host, reporter: { warn } } = parts;
  let isOld = false;
  const reversion = await recoverConfirmation({ name, host, store, warn }, async () => {
    // It is asked for where there is something to be found out, which takes a while.
    isOld = true;
    return await newestIn(store);
  });
  if (reversion === undefined) return isOld;
  try {
    await takeBack(parts, store, reversion);
    await reversion.done();
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    await reversion.failed(error);
  }
  return true;
}

async function takeBack(
  parts: TakeBackParts,
  store: OpenStore,
  { generation, base }: Reversion,
): Promise<void> {
  const { name, pipeline, seed } = parts;
  const kept = base.generation === 0 ? undefined : await store.read(base.generation);
  if (base.generation !== 0 && kept === undefined) throw notKept(name, base.generation);
  const unconfirmed = await store.read(generation);
  const loaded = await store.load();
  if (loaded.generation !== generation || writtenIn(loaded).hash !== unconfirmed?.hash) {
    throw outdated(name, { expected: generation, current: loaded.generation });
  }
  const document = kept?.document ?? seed ?? pipeline.emptyDocument;
  if (document === undefined) throw needsDefaults(name);
  const { layers } = loaded;
  await pipeline.run(document, `generation ${base.generation} of ${name}`, { layers });
  const reason = `generation ${generation} was not confirmed`;
  const cause: Cause = { origin: "rollback", calls: [{ reason, changes: [] }] };
  const stored = await store.commit({
    document: kept?.document,
    base: await store.adopt(loaded),
    refused: undefined,
    cause,
    restores: kept?.document === undefined ? undefined : kept,
  });
  const loadedAt = new Date(parts.host.now()).toISOString();
  const after = { generation: stored.generation, hash: writtenIn(stored).hash, loadedAt };
  const changes = changesBetween(parts, unconfirmed, kept);
  audit(parts, "applied", changeSetOf(name, unconfirmed, after, changes, cause), []);
}

/** Between what they are at the newest version: of older ones the schema does not say what is secret. */
function changesBetween(
  { name, pipeline }: TakeBackParts,
  ...generations: readonly (StoredGeneration | undefined)[]
) {
  try {
    const [before, after] = generations.map((stored) => {
      return stored?.document === undefined ? {} : pipeline.upgrade(stored.document, name);
    });
    return diff(before!, after!);
  } catch (error) {
    // Another version of the program knows what it was.
    if (isHoldfastError(error)) return [];
    throw error;
  }
}
