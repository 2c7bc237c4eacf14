/** A config on a memory host with modules that do as they are told, for tests of the reloader. */
import * as v from "valibot";
import type { MemoryHost } from "../../adapters/memory.ts";
import type { Config, Module, ModuleContext } from "../../mod.ts";
import { hot } from "../../src/core/mark.ts";
import { memory } from "../../src/store/memory.ts";
import { hostWith, remember, type Told } from "./memory_config.ts";

const part = v.optional(v.number(), 0);
const schema = v.object({
  a: part,
  b: part,
  c: part,
  other: part,
  banner: v.pipe(part, hot()),
});

export type Value = v.InferOutput<typeof schema>;
export type Context = ModuleContext<Value, number>;

/** What a module does besides taking its part. */
export interface Behaviour {
  prepare?(next: number, context: Context): unknown;
  /** Called before the part is held. */
  reconfigure?(next: number, context: Context): unknown;
}

export interface Scene {
  readonly host: MemoryHost;
  readonly config: Config<v.InferInput<typeof schema>, Value>;
  readonly told: Told;
  /** What the modules did, in order. */
  readonly acts: string[];
  /** What each module holds. */
  readonly held: Record<string, number>;
  /** A module that selects the value of its name. */
  module(name: "a" | "b" | "c", behaviour?: Behaviour, timeoutMs?: number): Module<Value>;
}

export async function scene(): Promise<Scene> {
  const { host, openConfig } = hostWith();
  const told = remember();
  const config = await openConfig(memory({}), { schema, watch: false, timeoutMs: 60_000, ...told });
  const acts: string[] = [];
  const held: Record<string, number> = { a: 0, b: 0, c: 0 };
  return {
    host,
    config,
    told,
    acts,
    held,
    module: (name, { prepare, reconfigure } = {}, timeoutMs = 1000) =>
      config.module<number>({
        name,
        timeoutMs,
        select: (value) => value[name],
        prepare: (next, context) => {
          acts.push(`prepare ${name}=${next}`);
          return prepare?.(next, context as Context);
        },
        reconfigure: (next, context) => {
          acts.push(`${name}=${next}`);
          const answer = reconfigure?.(next, context as Context);
          if (!(answer instanceof Promise)) return void (held[name] = next);
          return answer.then(() => {
            held[name] = next;
          });
        },
      }),
  };
}

/** A promise that somebody else settles. */
export function later(): {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
} {
  return Promise.withResolvers<void>();
}

/** Settles what waits on the host's clock, as time passes there. */
export async function inTime<T>(host: MemoryHost, work: Promise<T>, ms = 10_000): Promise<T> {
  const settled = work.then(() => {}, () => {});
  const passed = host.advance(ms);
  await Promise.all([settled, passed]);
  return await work;
}
