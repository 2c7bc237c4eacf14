/**
 * A process that applies a document on trial, or looks at what others left: it does what it is told by lines of JSON, and is
 * killed in the middle of it.
 */
import * as module from "node:module";
import { basename } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { detectHost } from "../../adapters/detect.ts";
import { type Config, createReloader, type Host, openConfig } from "../../mod.ts";
import { type FollowedPlace, reach } from "../services/followed_place.ts";
import { commands, given, tell } from "./line_process.ts";

/** Where the document is: a path, or on a server. */
export type ConfirmingPlace = string | FollowedPlace;

/** What such a process is given. */
export interface ConfirmingGiven {
  /**
   * The beginnings of names of files: once a file got each of them, in this order, but the last, it kills itself right before
   * one gets that.
   */
  readonly killedBefore?: readonly string[] | undefined;
}

/** What such a process is told. */
export type ConfirmingCommand =
  /** Sets the rate to 2 on trial. A check is said to have begun, and given an answer by the command of that name. */
  | { readonly do: "apply"; readonly place: ConfirmingPlace; readonly isChecked?: boolean }
  /** Ends the time for a confirmation. */
  | { readonly do: "expire" }
  | { readonly do: "answer"; readonly isHealthy: boolean }
  | { readonly do: "confirm" }
  /** Opens configs, says what is there, and closes them. */
  | { readonly do: "look"; readonly places: readonly ConfirmingPlace[] }
  /** The same, of the config that it has open. */
  | { readonly do: "see" };

/** What such a process tells. */
export interface ConfirmingTold {
  readonly told?: "applied" | "refused" | "checking" | "confirmed" | "saw";
  readonly generation?: number;
  readonly rate?: number;
  /** What the module of the program holds. */
  readonly held?: number;
  readonly origin?: string;
  readonly reason?: string;
  readonly unconfirmed?: number;
  readonly warnings?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  /** Of several configs, in the order in which they were asked for. */
  readonly all?: readonly ConfirmingTold[];
}

/** No trial of a test takes as long. */
const confirmWithinMs = 600_000;

const schema = v.looseObject({ rate: v.optional(v.number(), 0) });
type Rated = Config<v.InferInput<typeof schema>, v.InferOutput<typeof schema>>;

interface Opened {
  readonly config: Rated;
  readonly saw: () => Promise<object>;
  readonly close: () => Promise<void>;
}

let expire = (): void => {};
let answer = (_isHealthy: boolean): void => {};

/** The host of this runtime, on which time is up when it is said to be, and which dies where it is to. */
function hostThatDies(killedBefore: readonly string[]): Host {
  const base = detectHost();
  const left = [...killedBefore];
  const dying = (call: "link" | "rename") => async (from: string, to: string): Promise<void> => {
    if (left.length > 0 && basename(to).startsWith(left[0]!)) {
      if (left.length === 1) {
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => {});
      }
      left.shift();
    }
    await base[call](from, to);
  };
  return {
    ...base,
    link: dying("link"),
    rename: dying("rename"),
    sleep: (ms, options) => {
      if (ms !== confirmWithinMs) return base.sleep(ms, options);
      return new Promise((resolve) => {
        expire = () => resolve(true);
        options.signal?.addEventListener("abort", () => resolve(false));
      });
    },
  };
}

async function open(host: Host, place: ConfirmingPlace): Promise<Opened> {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const options = { schema, host, watch: false, logger: { warn, error: warn } } as const;
  const reached = typeof place === "string" ? undefined : await reach(place);
  const config: Rated = await openConfig(reached?.store ?? place as string, options);
  let held = config.value.rate;
  const rate = config.module({
    name: "rate",
    select: (value) => value.rate,
    reconfigure: (next) => void (held = next),
  });
  createReloader(config, { modules: () => [rate] });
  return {
    config,
    saw: async () => {
      const [newest] = await config.history({ limit: 1 });
      const { generation, value } = config.snapshot();
      const unconfirmed = config.status().unconfirmed?.generation;
      const { origin, reason } = newest ?? {};
      return { generation, rate: value.rate, held, origin, reason, unconfirmed, warnings };
    },
    close: async () => {
      await config.close();
      await reached?.close();
    },
  };
}

async function apply({ config }: Opened, isChecked = false): Promise<object> {
  const healthCheck = () => {
    tell({ told: "checking" });
    return new Promise((resolve) => answer = resolve);
  };
  const plan = await config.plan({ rate: 2 });
  const { snapshot: { generation } } = await config.apply(plan, {
    confirmWithinMs,
    ...(isChecked ? { healthCheck } : {}),
  });
  return { generation };
}

// At once, since many of these processes do not come to their end.
(module as { flushCompileCache?: () => void }).flushCompileCache?.();
const host = hostThatDies(given<ConfirmingGiven>().killedBefore ?? []);
let opened: Opened | undefined;

/** Tells what came of it, or why nothing did; commands go on being taken meanwhile. */
function tellEnd(told: NonNullable<ConfirmingTold["told"]>, made: Promise<object>): Promise<void> {
  return made.then(
    (result) => tell({ told, ...result }),
    ({ code, message }) => tell({ told: "refused", code, message }),
  );
}

const acts = {
  apply: async ({ place, isChecked }) => {
    opened = await open(host, place);
    void tellEnd("applied", apply(opened, isChecked));
  },
  expire: () => expire(),
  answer: ({ isHealthy }) => answer(isHealthy),
  confirm: () => {
    return tellEnd("confirmed", opened!.config.confirm().then((generation) => ({ generation })));
  },
  look: ({ places }) => {
    const looking = places.map(async (place) => {
      const looked = await open(host, place);
      const saw = await looked.saw();
      await looked.close();
      return saw;
    });
    return tellEnd("saw", Promise.all(looking).then((all) => ({ all })));
  },
  see: async () => {
    await opened!.config.reload();
    await tellEnd("saw", opened!.saw());
  },
} satisfies {
  readonly [Name in ConfirmingCommand["do"]]: (
    command: Extract<ConfirmingCommand, { readonly do: Name }>,
  ) => unknown;
};

for await (const command of commands<ConfirmingCommand>()) {
  await (acts[command.do] as (command: ConfirmingCommand) => unknown)(command);
}
await opened?.close();
