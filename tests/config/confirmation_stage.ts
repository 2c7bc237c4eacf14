/** Processes on one simulated disk, each of which can apply a document that waits to be confirmed. */
import assert from "node:assert/strict";
import type { MemoryHost } from "../../adapters/memory.ts";
import { Confirmation } from "../../src/config/trial/confirmation.ts";
import type { BaseGeneration } from "../../src/config/trial/intent.ts";
import { recoverConfirmation, type Reversion } from "../../src/config/trial/recovery.ts";
import type { Json } from "../../src/core/document.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import type { Loaded } from "../../src/source/source.ts";
import { file } from "../../src/store/file/file.ts";
import type { OpenStore, StoreChange } from "../../src/store/store.ts";
import { diskWith, type LogDisk } from "../support/log_disk.ts";
import { path } from "../support/memory_config.ts";

/** A disk on which `{ a: 1 }` and `{ a: 2 }` are generations 1 and 2. */
export async function stageWithTwo(): Promise<LogDisk> {
  const stage = diskWith();
  const process = await startProcess(stage);
  for (const a of [1, 2]) await process.write({ a });
  assert.equal((await process.newest()).generation, 2);
  await process.store.close();
  stage.outside.sync();
  return stage;
}

/** A process that has the store open. */
export async function startProcess(stage: LogDisk): Promise<ConfirmingProcess> {
  const { host } = stage.start();
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const store = await file(path).open({ host, keepAlive: false, history: 50, warn: () => {} });
  return new ConfirmingProcess(host, store, warnings, warn);
}

/** What a process does with a config, as far as confirmations go. */
export class ConfirmingProcess {
  readonly host: MemoryHost;
  readonly store: OpenStore;
  readonly warnings: readonly string[];
  readonly confirmation: Confirmation;
  readonly #warn: (message: string) => void;
  /** Makes the next revert fail. */
  failure: (() => void) | undefined;
  reverts = 0;

  constructor(
    host: MemoryHost,
    store: OpenStore,
    warnings: readonly string[],
    warn: (message: string) => void,
  ) {
    this.host = host;
    this.store = store;
    this.warnings = warnings;
    this.#warn = warn;
    this.confirmation = new Confirmation({
      name: "the config",
      host,
      store,
      warn,
      revert: async (base, { generation }) => {
        this.reverts += 1;
        this.failure?.();
        await this.restore(base, generation);
      },
    });
  }

  /** What is stored now. */
  async newest(): Promise<Loaded> {
    return await this.store.adopt(await this.store.load());
  }

  /** Stores a document in an ordinary way. */
  async write(document: Json | undefined, more: Partial<StoreChange> = {}): Promise<Loaded> {
    const cause = { origin: "commit", calls: [] } as const;
    const base = await this.newest();
    return await this.store.commit({ document, base, refused: undefined, cause, ...more });
  }

  /** Stores a document that waits to be confirmed. */
  async apply(document: Json | undefined, withinMs = 10_000): Promise<number> {
    const { generation, hash } = await this.newest();
    await this.confirmation.begin({ generation, hash }, document, withinMs);
    const { generation: made } = await this.write(document);
    await this.confirmation.arm(made);
    return made;
  }

  /** Stores the content of an older generation as the newest one. */
  async restore(base: BaseGeneration, generation: number): Promise<void> {
    const found = await this.newest();
    if (found.generation !== generation) {
      const error = await this.store.purge(found.generation + 1).catch((error: unknown) => error);
      assert.ok(isHoldfastError(error, "CONFLICT"));
      throw error;
    }
    const document = (await this.store.read(base.generation))?.document;
    const cause = { origin: "rollback", calls: [] } as const;
    await this.write(document, base.hash === "" ? { cause } : { cause, restores: base });
  }

  /** Looks at what the dead left, as at an opening, and takes back what is to be. */
  async recover(): Promise<Reversion | undefined> {
    const { host, store } = this;
    const parts = { name: "the config", host, store, warn: this.#warn };
    await this.newest();
    const reversion = await recoverConfirmation(parts, async () => {
      const [newest] = await store.generations();
      return newest === undefined ? undefined : await store.read(newest);
    });
    if (reversion === undefined) return undefined;
    try {
      await this.restore(reversion.base, reversion.generation);
      await reversion.done();
    } catch (error) {
      assert.ok(isHoldfastError(error));
      await reversion.failed(error);
    }
    return reversion;
  }
}
