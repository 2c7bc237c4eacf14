/**
 * The long trials, one after the other, with their figures:
 *
 *     node tests/trials/torture.ts [--short] [--only=kills,chaos,calls,power,simulation,models,followers]
 *
 * A trial that cannot run here says NOT RUN. Any failure makes the exit status 1.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type ChaosPlan, playChaos } from "../support/trial_chaos.ts";
import { killAfterEveryCall } from "../support/trial_kills.ts";

const { values } = parseArgs({
  options: { short: { type: "boolean", default: false }, only: { type: "string" } },
});
const { short } = values;

/** In each round of kills a config begins anew, so that a failure says in which. */
const killsPerRound = 200;
const kills = short ? 200 : 10_000;
const chaosMs = short ? 20_000 : 600_000;

const trials: Readonly<Record<string, () => Promise<string>>> = {
  calls: tortureCalls,
  kills: tortureKills,
  chaos: async () => {
    const plan = { seed: 1, kills: 1, stops: 1, history: 1000, durationMs: chaosMs };
    return JSON.stringify(await inDirectory((at) => playChaos({ ...plan, ...at })));
  },
  power: async () => {
    // Every runtime writes in its own manner.
    const given = (runtime: string) => [
      `--runtime=${runtime}`,
      ...(short ? ["--writes=3", "--every=4"] : ["--writes=25"]),
    ];
    return ["node-24", "deno", "bun"].map((one) => runTrial("power_cut.ts", given(one))).join("");
  },
  simulation: async () => runTrial("simulate.ts", [`--seeds=${short ? 1000 : 100_000}`]),
  models: async () => runTrial("model.ts", short ? ["", "300000"] : []),
  followers: async () => {
    return runTrial("followers.ts", short ? ["--instances=40", "--changes=20", "--idle=5"] : []);
  },
};

const chosen = values.only?.split(",") ?? Object.keys(trials);
for (const name of chosen) {
  const trial = trials[name];
  if (trial === undefined) {
    throw new Error(`Cannot run "${name}": choose from ${Object.keys(trials).join(", ")}`);
  }
  const startedAt = performance.now();
  const seconds = () => `in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  try {
    console.log(`${name}: ${(await trial()).trim()} ${seconds()}`);
  } catch (error) {
    console.log(`FAILED: ${name} ${seconds()}:`, error);
    process.exitCode = 1;
  }
}

/** A kill after each call, in each situation, on every runtime. */
async function tortureCalls(): Promise<string> {
  if (spawnSync("strace", ["--version"]).status !== 0) return "NOT RUN: found no strace";
  const scenarios = [{}, { first: true }, { history: 2 }, { withEdit: true }];
  let count = 0;
  for (const runtime of short ? ["node-24"] : ["node-22", "node-24", "node-26", "deno", "bun"]) {
    for (const scenario of scenarios) {
      const done = await inDirectory((at) => killAfterEveryCall({ runtime, ...at, ...scenario }));
      count += done.length;
    }
  }
  return `${count} kills, all recovered`;
}

async function tortureKills(): Promise<string> {
  const sum = { kills: 0, stops: 0, acknowledged: 0, reads: 0 };
  for (let seed = 1; sum.kills < kills; seed++) {
    const plan = {
      seed,
      kills: Math.min(killsPerRound, kills - sum.kills),
      stops: 50,
      history: [3, 50, 100_000][seed % 3]!,
    };
    const outcome = await inDirectory((at) => playChaos({ ...plan, ...at })).catch((error) => {
      throw new Error(`found a fault in the round of seed ${seed}`, { cause: error });
    });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += outcome[key];
    if (!short && seed % 5 === 0) console.log(`kills: ${JSON.stringify(sum)} so far`);
  }
  return JSON.stringify(sum);
}

/** Runs a body with new directories; they are kept where it fails. */
async function inDirectory<Outcome>(
  body: (at: Pick<ChaosPlan, "directory" | "reports">) => Promise<Outcome>,
): Promise<Outcome> {
  const base = await mkdtemp(join(tmpdir(), "holdfast-torture-"));
  const at = { directory: join(base, "config"), reports: join(base, "reports") };
  await mkdir(at.directory, { mode: 0o700 });
  await mkdir(at.reports);
  const outcome = await body(at).catch((error) => {
    throw new Error(`look at ${base}`, { cause: error });
  });
  await rm(base, { recursive: true });
  return outcome;
}

/** Runs a trial that is a program of its own. */
function runTrial(script: string, given: readonly string[]): string {
  const path = fileURLToPath(new URL(script, import.meta.url));
  if (!existsSync(path)) return `NOT RUN: found no ${script}`;
  const { status, stdout } = spawnSync(process.execPath, [
    "--max-old-space-size=12000",
    path,
    ...given,
  ], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 100 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${stdout.slice(-4000)}`);
  return stdout;
}
