import * as v from "valibot";
import type { Config } from "../../src/config/types.ts";
import type { WriteOptions, Written } from "../../src/config/write_options.ts";
import type { Random } from "../support/random.ts";

/** The document of a world. */
export interface CountedDocument {
  count?: number;
  /** The calls that counted, in order. */
  log?: string[];
  [key: string]: unknown;
}

/** What every document of a world must look like; edits that do not are refused. */
export const schema = v.looseObject({
  count: v.optional(v.number(), 0),
  log: v.optional(v.array(v.string()), []),
});

/** The value that a document gives; where there is none, the defaults count. */
export function valueOf(document: CountedDocument | undefined): CountedDocument {
  return { count: 0, log: [], ...document };
}

/** A live config as the acts use it. */
export type SimulatedConfig = Config<CountedDocument, CountedDocument>;

/** What a write is, and what became of it. */
export interface Call {
  /** Unlike that of any other call; given as the reason, so that it stands in the record. */
  readonly id: string;
  readonly process: string;
  readonly kind: string;
  readonly expectedGeneration: number | undefined;
  /** Of a rollback. */
  readonly target: number | undefined;
  /** What the call makes of a document, by the model; undefined for one that is removed. */
  readonly model: (document: CountedDocument) => CountedDocument | undefined;
  readonly perform: (config: SimulatedConfig) => Promise<Written<CountedDocument>>;
  state: "running" | "acknowledged" | "refused" | "unknown";
}

/** What makes a call. */
export interface CallOrder {
  readonly id: string;
  readonly process: string;
  readonly random: Random;
  /** What the process last saw. */
  readonly generation: number;
  readonly removals: boolean;
}

type Kind = (order: CallOrder) => Pick<Call, "model" | "perform"> & { readonly target?: number };

const copy = (document: CountedDocument): CountedDocument => structuredClone(document);

/** Plain calls without the options that all have in common. */
function kinds(options: WriteOptions): Readonly<Record<string, Kind>> {
  return {
    update: ({ id }) => {
      const change = (draft: CountedDocument): void => {
        draft.count = (draft.count ?? 0) + 1;
        draft.log = [...draft.log ?? [], id];
      };
      return {
        model: (document) => {
          const draft = copy(document);
          change(draft);
          return draft;
        },
        perform: (config) => config.update(change, options),
      };
    },
    set: ({ id, random }) => {
      const document = { count: random.below(100), log: [id] };
      return { model: () => document, perform: (config) => config.set(document, options) };
    },
    setAt: ({ id }) => ({
      model: (document) => ({ ...document, at: id }),
      perform: (config) => config.setAt(["at"], id, options),
    }),
    unset: () => ({
      model: ({ at: _, ...document }) => document as CountedDocument,
      perform: (config) => config.unset(["at"], options),
    }),
    patch: ({ id }) => ({
      model: ({ at: _, ...document }) => ({ ...document, note: id }) as CountedDocument,
      perform: (config) => config.patch({ note: id, at: null }, options),
    }),
    jsonPatch: ({ id }) => ({
      model: (document) => ({ ...document, json: id }),
      perform: (config) => config.jsonPatch([{ op: "add", path: "/json", value: id }], options),
    }),
    rollback: ({ generation, random }) => {
      const target = Math.max(1, generation - 1 - random.below(3));
      return {
        target,
        model: (document) => document,
        perform: (config) => config.rollback(target, options),
      };
    },
    remove: () => ({ model: () => undefined, perform: (config) => config.remove(options) }),
  };
}

const weights: readonly string[] = [
  ...Array.from({ length: 12 }, () => "update"),
  ...["set", "setAt", "setAt", "patch", "patch", "jsonPatch", "unset", "rollback", "rollback"],
];

/** Makes a call of some kind. */
export function makeCall(order: CallOrder, kind = order.random.pick(weights)): Call {
  const { id, process, random, generation } = order;
  // Mostly what is known, sometimes what cannot be.
  const isGuarded = random.below(4) === 0;
  const expectedGeneration = isGuarded
    ? Math.max(0, generation - (random.below(4) === 0 ? 1 : 0))
    : undefined;
  const chosen = order.removals && random.below(12) === 0 ? "remove" : kind;
  const made = kinds({ expectedGeneration, reason: id, actor: process })[chosen]!(order);
  return {
    id,
    process,
    kind: chosen,
    expectedGeneration,
    target: made.target,
    model: made.model,
    perform: made.perform,
    state: "running",
  };
}
