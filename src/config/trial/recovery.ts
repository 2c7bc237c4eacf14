import { type HoldfastError, isHoldfastError } from "../../core/error.ts";
import type { Json } from "../../core/document.ts";
import { uniqueId } from "../../host/durable.ts";
import type { Host } from "../../host/host.ts";
import type { StoredGeneration } from "../../store/store.ts";
import type { ConfirmationParts } from "./confirmation.ts";
import { waits } from "./error.ts";
import {
  type BaseGeneration,
  type ConfirmationIntent,
  generationAt,
  HeldIntent,
  intentOf,
  isAnnounced,
  jsonOf,
  showsLife,
} from "./intent.ts";

/** What is to be done before what is stored may run. */
export interface Reversion {
  /** The newest generation, which nobody confirmed. */
  readonly generation: number;
  /** The generation whose content is to be the next one. */
  readonly base: BaseGeneration;
  /** Told when it is stored. */
  readonly done: () => Promise<void>;
  /**
   * Told why it is not. What is stored runs, and whoever opens it next tries again; after a `CONFLICT` there is something newer
   * to be loaded, and nothing to be taken back.
   */
  readonly failed: (error: HoldfastError) => Promise<void>;
}

/** What a recovery works with. */
export type RecoveryParts = Pick<ConfirmationParts, "name" | "host" | "store" | "warn">;

/**
 * Looks, when a config is opened, whether somebody died while a generation waited to be confirmed. Where one may still live,
 * that takes a while.
 *
 * @param newest reads the newest generation; undefined where there is none
 * @returns what is to be taken back; undefined where what is stored may run as it is
 */
export async function recoverConfirmation(
  parts: RecoveryParts,
  newest: () => Promise<StoredGeneration | undefined>,
): Promise<Reversion | undefined> {
  try {
    return await recover(parts, newest);
  } catch (error) {
    if (!isHoldfastError(error)) throw error;
    parts.warn(`${error.message}; ${parts.name} runs as it is stored, confirmed or not`);
    return undefined;
  }
}

async function recover(
  parts: RecoveryParts,
  newest: () => Promise<StoredGeneration | undefined>,
): Promise<Reversion | undefined> {
  const { name, host, store, warn } = parts;
  const found = await store.readIntent();
  if (found === undefined) return undefined;
  const intent = intentOf(found);
  if (intent === undefined) {
    warn(
      `Found beside ${name} an intent that this program does not know; it is left to whoever does`,
    );
    return undefined;
  }
  // What was written over waits for nobody, whether its owner knows by now or not.
  const isOver = isWrittenOver(host, intent, await newest());
  if (!isOver && await showsLife(host, store, found)) {
    const kept = await store.readIntent();
    // Whoever has it now may be about to take it back, which is to be waited for.
    const isOthers = kept !== undefined && intentOf(kept)?.id !== intent.id;
    return isOthers ? await recover(parts, newest) : undefined;
  }
  // Its owner may have stored it meanwhile, and died then.
  const stored = await newest();
  if (stored !== undefined && isAnnounced(host, intent, stored)) {
    const claimed = await claim(parts, found, { ...intent, generation: stored.generation });
    // Another one takes it back: what that comes to is to be waited for.
    return claimed ?? await recover(parts, newest);
  }
  const about = generationAt(intent);
  const isTakenBack = stored?.origin === "rollback" && stored.parent === about;
  if (isWrittenOver(host, intent, stored) && !isTakenBack) {
    warn(
      `Found generation ${about} of ${name} written over before it was confirmed; it counts as confirmed`,
    );
  }
  await store.writeIntent(undefined, found);
  return undefined;
}

/** Takes over what a dead process left, so that of several who open the config one takes it back. */
async function claim(
  { name, host, store, warn }: RecoveryParts,
  found: Json,
  intent: ConfirmationIntent & { readonly generation: number },
): Promise<Reversion | undefined> {
  const { generation, base, baseHash } = intent;
  const claimed = { ...intent, id: uniqueId(host), beat: 0 };
  if (!await store.writeIntent(jsonOf(claimed), found)) return undefined;
  warn(
    `Found generation ${generation} of ${name} unconfirmed, and whoever applied it gone: it is taken back to ${base}`,
  );
  const done = async () => {
    // What is left says nothing any more.
    await new HeldIntent(host, store, claimed).remove().catch(() => {});
  };
  return {
    generation,
    base: { generation: base, hash: baseHash },
    done,
    failed: async ({ code, message }) => {
      if (code === "CONFLICT") return await done();
      warn(
        `Cannot take back generation ${generation} of ${name}: ${message}; it runs, unconfirmed`,
      );
    },
  };
}

/** Whether something newer is stored than what an intent is about. */
function isWrittenOver(
  host: Host,
  intent: ConfirmationIntent,
  stored: StoredGeneration | undefined,
): boolean {
  if (stored === undefined || isAnnounced(host, intent, stored)) return false;
  return stored.generation > (intent.generation ?? intent.base);
}

/**
 * Looks at what somebody else left, before something is to wait once more.
 *
 * @param base the newest generation
 * @returns what is there and may be replaced
 * @throws `CONFLICT` where it is not to be
 */
export async function leftBehind(
  { host, store, name, warn }: RecoveryParts,
  { generation }: BaseGeneration,
): Promise<Json | undefined> {
  const found = await store.readIntent();
  if (found === undefined) return undefined;
  const intent = intentOf(found);
  // It was written over: nobody waits for it any more.
  if ((intent?.generation ?? generation) < generation) return found;
  if (await showsLife(host, store, found)) {
    if (await store.readIntent() === undefined) return undefined;
    throw waits(name, generation, intent === undefined ? generation : generationAt(intent));
  }
  if (intent?.generation === generation) {
    warn(
      `Found generation ${generation} of ${name} unconfirmed, and whoever applied it gone; it counts as confirmed, since it is written over`,
    );
  }
  return found;
}
