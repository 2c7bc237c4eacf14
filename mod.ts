/**
 * A configuration store for long-running servers on Node, Deno and Bun: one typed, validated, frozen value that follows a
 * file, and writes that are durable or not made at all.
 *
 * @example
 * ```ts
 * import { memory, openConfig } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ rate: v.optional(v.pipe(v.number(), v.minValue(1)), 10) });
 * const config = await openConfig(memory({}), { schema });
 * config.subscribe((value, previous) => console.log(previous.rate, "→", value.rate));
 * await config.setAt(["rate"], 20);
 * console.log(config.value.rate); // 20
 * await config.close();
 * ```
 *
 * @module
 */
import { detectHost } from "./adapters/detect.ts";
import { configPathOn } from "./src/config/config_path.ts";
import { type OpenConfig, openConfigOn } from "./src/config/open.ts";
import type { Host } from "./src/host/host.ts";

/**
 * Opens a config: a path, a `file:` URL, a store or a source becomes one live, typed, validated and frozen value.
 *
 * @param target what to open; a relative path counts from the working directory
 * @param options the schema and how to treat the source
 * @returns the config, once the first value is there
 * @throws `NOT_FOUND` when nothing is stored and neither seed nor defaults make a whole; `PARSE`, `INVALID`,
 * `UNSUPPORTED_VERSION`, `MIGRATION` when the document is not good; `UNSAFE_FILE`, `IO` when it cannot be read;
 * `UNSUPPORTED` when the target or the schema cannot be used; `READ_ONLY` for a seed that nobody could store; `ABORTED`
 *
 * @example
 * ```ts
 * import { memory, openConfig } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ port: v.optional(v.number(), 8080) });
 * const config = await openConfig(memory({}), { schema });
 * console.log(config.value.port); // 8080
 * await config.close();
 * ```
 */
export const openConfig: OpenConfig = openConfigOn(detectHost);

/**
 * Where the platform wants a user's configuration of an application to be: under `$XDG_CONFIG_HOME` or `~/.config` on Linux,
 * `~/Library/Application Support` on macOS, `%APPDATA%` on Windows. Nothing is made there before the first write.
 *
 * @param app the application's name, which becomes a directory
 * @returns the absolute path of its `config.json`
 * @throws `UNSUPPORTED` when the name is no plain name or the environment names no directory of the user's
 */
export const configPath: (app: string, host?: Host) => string = configPathOn(detectHost);

export { hot, mergeArrays, restartRequired, secret, warnIf } from "./src/core/mark.ts";
export type {
  HotAction,
  MergeArraysAction,
  RestartRequiredAction,
  SecretAction,
  WarnIfAction,
} from "./src/core/mark.ts";
export { diff } from "./src/core/diff.ts";
export type { Call, Cause, ChangedPlace, Origin } from "./src/core/cause.ts";
export type { ArrayMerge } from "./src/core/layer.ts";
export type { Change } from "./src/core/change.ts";
export type {
  DeepReadonly,
  DeepReadonlyArray,
  Json,
  JsonArray,
  JsonObject,
} from "./src/core/document.ts";
export { holdfastError, isHoldfastError } from "./src/core/error.ts";
export type {
  ErrorCode,
  ErrorDetails,
  HoldfastError,
  HoldfastErrorOf,
  Path,
  PathStep,
  Problem,
  Severity,
} from "./src/core/error.ts";
export type { FullReloadReason, PlannedAction } from "./src/core/plan.ts";
export type { JsonPatchOperation } from "./src/core/json_patch.ts";
export type { Migrations } from "./src/core/migration.ts";
export { formatPointer, parseDottedPath, parsePointer } from "./src/core/pointer.ts";
export type { PendingRestart } from "./src/core/restart.ts";
export type { Shape, ShapeKind } from "./src/core/shape.ts";
export { validate } from "./src/core/schema.ts";
export type {
  InferInput,
  InferOutput,
  StandardIssue,
  StandardResult,
  StandardSchema,
  Validation,
} from "./src/core/schema.ts";
export { toEnvelope } from "./src/config/envelope.ts";
export type { Envelope } from "./src/config/envelope.ts";
export type { Explained, Explanation } from "./src/config/explain.ts";
export type { OpenConfig } from "./src/config/open.ts";
export type { Module, ModuleContext, ModuleOptions } from "./src/config/module.ts";
export type { AcceptedPlan, Plan, RefusedPlan } from "./src/config/plan.ts";
export type {
  AuditEvent,
  ChangeSet,
  HistoryEntry,
  Snapshot,
  SourceState,
  Status,
  Unconfirmed,
} from "./src/config/reports.ts";
export type {
  Config,
  Immediate,
  ImmediateListener,
  Listener,
  Logger,
  OpenOptions,
  ReadonlyConfig,
  SubscribeOptions,
} from "./src/config/types.ts";
export type {
  ApplyOptions,
  HealthCheck,
  HistoryOptions,
  WriteOptions,
  Written,
} from "./src/config/write_options.ts";
export type {
  Capabilities,
  FileRead,
  Host,
  HostFile,
  HostStat,
  HostWatch,
  SleepOptions,
  WatchOptions,
} from "./src/host/host.ts";
export { createReloader } from "./src/reload/reloader.ts";
export type { Reloader, ReloaderOptions } from "./src/reload/reloader.ts";
export type {
  BuildContext,
  FullReload,
  FullReloadContext,
  FullReloadSteps,
} from "./src/reload/full_reload.ts";
export { directory } from "./src/source/directory.ts";
export type { DirectoryOptions } from "./src/source/directory.ts";
export { env } from "./src/source/env.ts";
export type { EnvOptions } from "./src/source/env.ts";
export { overrides } from "./src/source/overrides.ts";
export type { OverridesOptions } from "./src/source/overrides.ts";
export type {
  Given,
  LayerPart,
  Loaded,
  LoadedLayers,
  OpenSource,
  Place,
  Source,
  SourceContext,
  SourceWatch,
  SourceWatchOptions,
  WatchTiming,
} from "./src/source/source.ts";
export { file } from "./src/store/file/file.ts";
export type { FileOptions } from "./src/store/file/file.ts";
export type { Trust } from "./src/source/file_trust.ts";
export { layered } from "./src/store/layered.ts";
export type { Layers } from "./src/store/layered.ts";
export { memory } from "./src/store/memory.ts";
export type { OpenStore, Store, StoreChange, StoredGeneration } from "./src/store/store.ts";
