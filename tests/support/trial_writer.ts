/** Increments of a shared counter, each made exactly once however its attempts end. */
import type { Config, Snapshot } from "../../mod.ts";
import { isHoldfastError } from "../../mod.ts";

/** The document of the trials: every writer counts its own increments beside the sum, so that none can be lost unseen. */
export interface CountedDocument {
  counter: number;
  writers: Record<string, number>;
  /** Differs in length and content from one document to the next, so that a torn file is seen. */
  filler: string;
}

export const emptyDocument: CountedDocument = { counter: 0, writers: {}, filler: "" };

/** What is reported of a snapshot. */
export interface Counted {
  readonly generation: number;
  readonly hash: string;
  readonly counter: number;
  readonly writers: Readonly<Record<string, number>>;
  readonly fault?: string;
}

/** What a snapshot says, and whether it is whole. */
export function counted(snapshot: Snapshot<CountedDocument>): Counted {
  const { generation, hash, value } = snapshot;
  const fault = findFault(value);
  return {
    generation,
    hash,
    counter: value.counter,
    writers: value.writers,
    ...fault === undefined ? {} : { fault },
  };
}

/** Why a document is none that a writer of the trial made. */
export function findFault(
  { counter, writers, filler }: Pick<CountedDocument, "counter" | "filler"> & {
    readonly writers: Readonly<Record<string, number>>;
  },
): string | undefined {
  const sum = Object.values(writers).reduce((one, other) => one + other, 0);
  if (sum !== counter) return `the counter is ${counter}, the writers made ${sum}`;
  if (filler !== fillerOf(counter)) return `the filler of ${counter} is ${filler.length} long`;
  return undefined;
}

/** The filler of a document. */
export const fillerOf = (counter: number): string =>
  counter === 0 ? "" : `${counter} `.repeat((counter * 37) % 997);

/** Makes the increments of one slot of one process. */
export class Incrementer {
  readonly #config: Config<CountedDocument, CountedDocument>;
  readonly #writer: string;
  readonly #slot: string;
  readonly #report: (line: object) => void;
  readonly #run: string;
  #sequence: number;
  #attempts = 0;

  /** @param writer names the process, @param slot the counter in the document that is its own */
  constructor(
    config: Config<CountedDocument, CountedDocument>,
    writer: string,
    slot: string,
    report: (line: object) => void,
  ) {
    this.#config = config;
    this.#writer = writer;
    this.#slot = slot;
    this.#report = report;
    // A slot outlives the process that is killed in it, its calls have to differ.
    this.#run = globalThis.crypto.randomUUID().slice(0, 8);
    this.#sequence = (config.value.writers[slot] ?? 0) + 1;
  }

  /** Makes one increment. */
  async increment(): Promise<void> {
    while (await this.attempt() === "try again");
  }

  /** Tries one increment once; what comes of it is reported before this resolves. */
  async attempt(): Promise<"made" | "try again"> {
    this.#attempts += 1;
    const call = `${this.#slot}#${this.#sequence}.${this.#run}.${this.#attempts}`;
    try {
      const { snapshot, changeSet } = await this.#write(call);
      const made = changeSet.from !== changeSet.to;
      this.#tell(made ? "acknowledged" : "found made", call, {
        generation: changeSet.to,
        hash: changeSet.newHash,
        seen: snapshot.generation,
      });
      this.#sequence += 1;
      return "made";
    } catch (error) {
      return await this.#judge(error, call);
    }
  }

  async #write(call: string) {
    const { generation, value } = this.#config.snapshot();
    const options = { actor: this.#writer, reason: call };
    const expecting = { ...options, expectedGeneration: generation };
    if (this.#attempts % 5 === 3 && (value.writers[this.#slot] ?? 0) < this.#sequence) {
      const draft = structuredClone(value) as CountedDocument;
      this.#count(draft);
      return await this.#config.set(draft, expecting);
    }
    return await this.#config.update(
      (draft) => this.#count(draft),
      this.#attempts % 5 === 1 ? expecting : options,
    );
  }

  /** Does nothing where an attempt that ended in doubt has made this increment. */
  #count(draft: CountedDocument): void {
    if ((draft.writers[this.#slot] ?? 0) >= this.#sequence) return;
    draft.counter += 1;
    draft.writers[this.#slot] = this.#sequence;
    draft.filler = fillerOf(draft.counter);
  }

  async #judge(error: unknown, call: string): Promise<"made" | "try again"> {
    if (!isHoldfastError(error)) {
      this.#tell("untyped", call, { code: "none", message: String(error) });
      throw error;
    }
    const { code, message, details } = error;
    this.#tell("refused", call, { code, message, errno: (details as { errno?: string }).errno });
    if (error.code !== "CONFLICT" && error.code !== "TIMEOUT" && error.code !== "COMMIT_UNKNOWN") {
      return "try again";
    }
    await this.#config.reload().catch((error) => {
      this.#tell("reload failed", call, { message: String(error) });
    });
    if ((this.#config.value.writers[this.#slot] ?? 0) < this.#sequence) return "try again";
    this.#tell("found made", call, { generation: this.#config.snapshot().generation });
    this.#sequence += 1;
    return "made";
  }

  #tell(kind: string, call: string, facts: object): void {
    const { writer, slot, sequence } = {
      writer: this.#writer,
      slot: this.#slot,
      sequence: this.#sequence,
    };
    this.#report({ kind, writer, slot, sequence, call, ...facts });
  }
}
