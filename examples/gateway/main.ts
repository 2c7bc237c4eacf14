/**
 * A gateway whose configuration can be edited while it runs:
 *
 *     node examples/gateway/main.ts [path of the configuration]
 *
 * In a terminal it follows the file until Ctrl-C, and tells what it makes of each edit. Elsewhere, where nothing is at the
 * path yet, it plays a tour of what can happen to the file, and exits with 0 if all went as it should.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
// In a program of your own: from "holdfast".
import { type AuditEvent, formatPointer, openConfig } from "../../mod.ts";
import { startGateway } from "./program.ts";
import { migrations, schema, seed } from "./schema.ts";
import { playTour, writeOldVersion } from "./tour.ts";

const given = process.argv[2];
const fresh = given === undefined ? await mkdtemp(join(tmpdir(), "gateway-")) : undefined;
const path = given ?? join(fresh!, "gateway.json");
const isTour = !(process.stdin.isTTY && process.stdout.isTTY) && !existsSync(path);

const ending = new AbortController();
for (const name of ["SIGINT", "SIGTERM"]) process.once(name, () => ending.abort());
try {
  await main(ending.signal);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  ending.abort();
  if (fresh !== undefined) await rm(fresh, { recursive: true });
}

async function main(signal: AbortSignal): Promise<void> {
  if (isTour) await writeOldVersion(path);
  const config = await openConfig(path, {
    schema,
    migrations,
    seed: seed(),
    signal,
    audit: tellChanges,
    logger: { info: tell, warn: tell, error: tell },
  });
  const reloader = await startGateway(config, signal);
  console.log(
    `Serving   ${reloader.instance.url} on ${navigator.userAgent}: ` +
      "/v1/models, /v1/stream, /config, /status, /metrics",
  );
  if (isTour) {
    const stage = {
      config,
      path,
      get url() {
        return reloader.instance.url;
      },
    };
    process.exitCode = await playTour(stage) ? 0 : 1;
  } else {
    console.log(`Following ${path}: edit it, or PATCH /config with its admin_token; Ctrl-C ends`);
    if (!signal.aborted) await once(signal, "abort");
  }
  await reloader.close();
  await config.close();
}

/** One line for each change set. Audit events, unlike what subscribers get, have no secrets in them. */
function tellChanges({ outcome, from, to, origin, actor, changes }: AuditEvent): void {
  if (outcome === "refused") return; // The logger tells why.
  const shown = changes.map((change) => {
    const before = change.kind === "added" ? "nothing" : show(change.before);
    const after = change.kind === "removed" ? "nothing" : show(change.after);
    return `; ${formatPointer(change.path)}: ${before} → ${after}`;
  });
  tell(`generation ${from} → ${to} by ${actor ?? origin}${shown.join("")}`);
}

function show(value: unknown): string {
  return JSON.stringify(value).replaceAll('{"$secret":"unchanged"}', "(secret)");
}

function tell(message: string): void {
  console.log(isTour ? `       ${message}` : message);
}
