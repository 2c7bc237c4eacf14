import { assertDocument, copyDocument, type Json } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { historyDefault, timeoutMsDefault } from "../core/limits.ts";
import type { InferInput, InferOutput, StandardSchema } from "../core/schema.ts";
import { shapeOf } from "../core/shape.ts";
import type { Host } from "../host/host.ts";
import type { Source } from "../source/source.ts";
import { file } from "../store/file/file.ts";
import { withLastGood } from "../store/last_good.ts";
import type { Store } from "../store/store.ts";

import { createPipeline } from "./pipeline.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { startConfig } from "./start.ts";
import type { Config, OpenOptions, ReadonlyConfig } from "./types.ts";

/** Opens a config on a runtime. */
export interface OpenConfig {
  <Schema extends StandardSchema>(
    target: string | URL | Store,
    options: OpenOptions<Schema> & { readonly schema: Schema },
  ): Promise<Config<InferInput<Schema>, InferOutput<Schema>>>;
  (
    target: string | URL | Store,
    options?: OpenOptions<StandardSchema<Json>>,
  ): Promise<Config<Json, Json>>;
  <Schema extends StandardSchema>(
    target: Source,
    options: OpenOptions<Schema> & { readonly schema: Schema },
  ): Promise<ReadonlyConfig<InferOutput<Schema>>>;
  (
    target: Source,
    options?: OpenOptions<StandardSchema<Json>>,
  ): Promise<ReadonlyConfig<Json>>;
}

/** Makes the `openConfig` of a runtime, whose host counts where the caller names none. */
export function openConfigOn(runtime: () => Host): OpenConfig {
  return ((target: string | URL | Source, options: OpenOptions<StandardSchema> = {}) =>
    open(target, options, options.host ?? runtime())) as OpenConfig;
}

async function open(
  target: string | URL | Source,
  options: OpenOptions<StandardSchema>,
  host: Host,
): Promise<Config<unknown, unknown>> {
  const source = typeof target === "string" || target instanceof URL
    ? file(target, { trust: options.trust })
    : target;
  if (typeof source?.open !== "function") throw noSource(source);
  const { signal, logger, audit } = options;
  const reporter = createReporter(logger, audit);
  if (signal === undefined) return await openSource(source, options, host, reporter);
  if (signal.aborted) throw aborted(source.name, signal);
  const ended = new AbortController();
  const abort = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => {
      // Nothing is heard of what is still to come to its end.
      reporter.close();
      reject(aborted(source.name, signal));
    }, { once: true, signal: ended.signal });
  });
  try {
    return await Promise.race([openSource(source, options, host, reporter), abort]);
  } finally {
    ended.abort();
  }
}

async function openSource(
  described: Source,
  options: OpenOptions<StandardSchema>,
  host: Host,
  reporter: Reporter,
): Promise<Config<unknown, unknown>> {
  const { name } = described;
  const { signal, seed, keepAlive = false, history = historyDefault } = options;
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  const { schema, migrations } = options;
  const pipeline = createPipeline({ schema, migrations, host, timeoutMs });
  if (seed !== undefined && described.kind !== "store") throw seedNowhere(name);
  if (seed !== undefined) assertDocument(seed, `use the seed of ${name}`);
  if (!Number.isSafeInteger(history) || history < 1) throw noHistory(name, history);
  const kept = options.lastGood === undefined
    ? described
    : withLastGood(described, options.lastGood, timeoutMs);
  const source = await kept.open({
    host,
    keepAlive,
    history,
    shape: shapeOf(schema),
    upgrade: pipeline.upgrade,
    warn: reporter.warnOnce,
  });
  try {
    const config = await startConfig({
      name,
      source,
      pipeline,
      host,
      reporter,
      migrate: options.migrate ?? "store",
      realm: options.realm,
      actor: options.actor,
      timeoutMs,
      history,
      watch: options.watch ?? {},
      seed: copyDocument(seed),
      signal,
    });
    if (!signal?.aborted) return config;
    await config.close();
    throw aborted(name, signal);
  } catch (error) {
    reporter.close();
    await source.close();
    throw error;
  }
}

function noSource(target: unknown): Error {
  const found = target === null ? "null" : typeof target;
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open a config: found ${found} where it comes from; give a path, a file: URL, a store or a source`,
    { what: `config from ${found}` },
  );
}

function seedNowhere(name: string): Error {
  return holdfastError(
    "READ_ONLY",
    `Cannot store the seed of ${name}: found a source that can only be read; ` +
      "give the schema defaults instead, or name the head of the layers",
    { source: name },
  );
}

function noHistory(name: string, history: number): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${name}: found a history of ${history} generations; keep at least 1, the newest`,
    { what: `history ${history}` },
  );
}

function aborted(name: string, signal: AbortSignal): Error {
  return holdfastError(
    "ABORTED",
    `Cannot open ${name}: found its signal aborted; give one that is not`,
    { operation: "open" },
    signal.reason,
  );
}
