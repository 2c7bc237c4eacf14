import { annotationsAt, cutAtSecret } from "../core/annotation.ts";
import type { Problem } from "../core/error.ts";
import { redact, redacted } from "../core/redact.ts";
import type { SourceWatch } from "../source/source.ts";
import type { Host } from "../host/host.ts";
import type { PendingConfirmation } from "./trial/state.ts";
import type { Engine } from "./engine.ts";
import type { Status, Unconfirmed } from "./reports.ts";
import type { EngineParts } from "./running.ts";

/** Tells how a config is, from what its engine knows. */
export function statusOf(
  engine: Engine,
  watch: SourceWatch | undefined,
  { host, pipeline: { annotations } }: Pick<EngineParts, "host" | "pipeline">,
  unconfirmed: PendingConfirmation | undefined,
): Status {
  const { running, refusal } = engine;
  const { loaded, snapshot, warnings, pendingRestart } = running;
  const stored = refusal?.loaded ?? loaded;
  const { revision, generation, hash } = snapshot;
  // What is wrong with the source does not say where the value is from instead.
  const isBeside = loaded.isStandIn === true && stored !== loaded;
  const dubious = isBeside ? [...loaded.warnings, ...stored.warnings] : stored.warnings;
  return {
    state: refusal === undefined && !warnings.some(isError) ? "ok" : "degraded",
    stored: { generation: stored.generation, hash: stored.hash },
    running: { revision, generation, hash },
    problems: [
      ...refusal?.problems ?? [],
      ...warnings,
      ...dubious.map((message) => ({ path: [], message, severity: "warning" as const })),
    ],
    pendingRestart: pendingRestart.map(({ path, running, stored }) => {
      const told = cutAtSecret(annotations, path);
      const hidden = told.length < path.length;
      const show = (value: unknown) => {
        return hidden ? redacted : redact(value, annotationsAt(annotations, path));
      };
      return { path: told, running: show(running), stored: show(stored) };
    }),
    ...(unconfirmed === undefined ? {} : { unconfirmed: described(unconfirmed, host) }),
    sources: snapshot.sources.map((source) => ({ ...source, watch: watch?.mode ?? "off" })),
  };
}

function described({ generation, base, untilMs }: PendingConfirmation, host: Host): Unconfirmed {
  const until = new Date(host.now() + untilMs - host.monotonic()).toISOString();
  return { generation, base, until };
}

function isError({ severity }: Problem): boolean {
  return severity === "error";
}
