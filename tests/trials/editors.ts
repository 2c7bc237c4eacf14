/**
 * How long an edit takes to reach a subscriber with the timing that a config has by itself:
 *
 *     node tests/trials/editors.ts [number of edits of each kind, 20 when left out] [part of a runtime's name] [part of a kind's]
 *
 * Each runtime runs this file again as a process of its own with an open config. That one stamps each change; this one
 * stamps the moment at which the program that edits has ended, or, for those that are no program, the last step.
 */
import { spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { openConfig } from "../../mod.ts";
import { type EditKind, editKinds, mountConfigMap } from "../support/edits.ts";
import type { TestContext } from "../support/kit.ts";
import { repositoryPath, runtimes } from "../support/runtimes.ts";

const [mode = "20", second = "", third = ""] = process.argv.slice(2);
if (mode === "follow") await follow(second);
else await measure(Number(mode), second, third);

/** Tells of every change of a file with the time of day, in milliseconds. */
async function follow(path: string): Promise<void> {
  // A watch that cannot start is told on the standard error; what is read halfway through an edit is of no concern.
  const warn = (message: string) => message.startsWith("Cannot watch") && console.error(message);
  const config = await openConfig(path, { logger: { warn, error: console.error } });
  config.subscribe((value) => {
    const { rate } = value as { readonly rate: number };
    console.log(JSON.stringify({ rate, at: performance.timeOrigin + performance.now() }));
  });
  console.log("opened");
  process.stdin.on("end", () => void config.close().then(() => process.exit(0)));
  process.stdin.resume();
}

async function measure(edits: number, onlyRuntime: string, onlyKind: string): Promise<void> {
  const report: string[][] = [["runtime", "edit", "n", "min", "median", "p95", "max"]];
  const chosen = runtimes.filter(({ name, byDefault }) => byDefault && name.includes(onlyRuntime));
  for (const runtime of chosen) {
    const kinds = [...editKinds, configMap()].filter(({ name }) => name.includes(onlyKind));
    for (const kind of kinds) {
      const took = (await measureKind(runtime.binary, kind, edits)).sort((a, b) => a - b);
      const at = (share: number) =>
        took[Math.min(took.length - 1, Math.ceil(share * took.length) - 1)];
      const figures = [took[0], at(0.5), at(0.95), took.at(-1)].map((ms) => `${Math.round(ms!)}`);
      const row = [runtime.name, kind.name, `${took.length}`, ...figures];
      report.push(row);
      console.error(row.join("  "));
    }
  }
  const widths = report[0]!.map((_, column) =>
    Math.max(...report.map((row) => row[column]!.length))
  );
  for (const row of report) {
    const cells = row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    );
    console.log(cells.join("  "));
  }
}

/** The swap of a ConfigMap as one more kind of edit. */
function configMap(): EditKind {
  const swaps = new Map<string, (rate: number) => Promise<void>>();
  return {
    name: "a swap of a ConfigMap",
    edit: async (path, rate) => {
      const directory = join(path, "..");
      let swap = swaps.get(directory);
      if (swap === undefined) {
        await fs.unlink(path);
        swap = await mountConfigMap(directory, "config.json", rate);
        swaps.set(directory, swap);
      } else await swap(rate);
    },
  };
}

async function measureKind(binary: string, kind: EditKind, edits: number): Promise<number[]> {
  const directory = await fs.realpath(await fs.mkdtemp(join(tmpdir(), "holdfast-trial-")));
  const cleanups: (() => unknown)[] = [];
  const context: TestContext = { name: kind.name, after: (act) => void cleanups.push(act) };
  const path = join(directory, "config.json");
  await fs.writeFile(path, '{ "rate": 0 }\n', { mode: 0o600 });
  const seen = new Map<number, number>();
  const follower = await startFollower(binary, path, ({ rate, at }) => seen.set(rate, at));
  const took: number[] = [];
  try {
    // The first edit only warms up.
    for (let rate = 1; rate <= edits + 1; rate++) {
      await kind.edit(path, rate, context);
      const editedAt = performance.timeOrigin + performance.now();
      for (let waited = 0; !seen.has(rate); waited += 5) {
        if (waited > 30_000) throw new Error(`Cannot go on: ${kind.name} was never noticed`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (rate > 1) took.push(seen.get(rate)! - editedAt);
      // Anywhere within the rhythm of the poll.
      await new Promise((resolve) => setTimeout(resolve, (rate * 173) % 600));
    }
  } finally {
    follower.stdin.end();
    for (const cleanup of cleanups) await cleanup();
    follower.kill("SIGKILL");
    await fs.rm(directory, { recursive: true, force: true });
  }
  return took;
}

async function startFollower(
  binary: string,
  path: string,
  onChange: (change: { readonly rate: number; readonly at: number }) => void,
): Promise<ReturnType<typeof spawnFollower>> {
  const follower = spawnFollower(binary, path);
  let pending = "";
  await new Promise<void>((resolve, reject) => {
    follower.on("exit", () => reject(new Error(`Cannot follow with ${binary}: it ended`)));
    follower.stdout.setEncoding("utf8").on("data", (part: string) => {
      const lines = (pending + part).split("\n");
      pending = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "opened") resolve();
        else onChange(JSON.parse(line) as { readonly rate: number; readonly at: number });
      }
    });
  });
  return follower;
}

function spawnFollower(binary: string, path: string) {
  const before = binary.endsWith("deno") ? ["run", "--no-check", "--allow-all"] : [];
  const given = [...before, fileURLToPath(import.meta.url), "follow", path];
  return spawn(join(repositoryPath, binary), given, { stdio: ["pipe", "pipe", "inherit"] });
}
