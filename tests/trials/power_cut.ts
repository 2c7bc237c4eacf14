/**
 * Cuts the power of a filesystem at the writes that reached its disk, and looks what is left:
 *
 *     node tests/trials/power_cut.ts [--filesystem=ext4,xfs] [--runtime=node-24] [--writes=12] [--every=1] [--seed=1]
 *
 * It needs root, FUSE, loop devices and the filesystem's mkfs; where one of them is missing it says NOT RUN.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { cutPower, type PowerPlan, whyNoPowerCut } from "../support/trial_power.ts";

const { values } = parseArgs({
  options: {
    filesystem: { type: "string", default: "ext4,xfs" },
    runtime: { type: "string", default: "node-24" },
    writes: { type: "string", default: "12" },
    every: { type: "string", default: "1" },
    history: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
  },
});

for (const filesystem of values.filesystem.split(",") as PowerPlan["filesystem"][]) {
  const why = whyNoPowerCut(filesystem);
  if (why !== false) {
    console.log(`NOT RUN: power cuts on ${filesystem}: ${why}`);
    continue;
  }
  const directory = mkdtempSync(join(tmpdir(), "holdfast-power-"));
  const startedAt = performance.now();
  try {
    const { cuts, flushes, acknowledged } = await cutPower({
      filesystem,
      directory,
      runtime: values.runtime,
      writes: Number(values.writes),
      every: Number(values.every),
      history: Number(values.history),
      seed: Number(values.seed),
    });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(
      `power cuts on ${filesystem}, ${values.runtime}: ${cuts} of ${cuts} states good, ` +
        `${acknowledged} acknowledged, ${flushes} flushes, in ${seconds} s`,
    );
  } catch (error) {
    console.log(`FAILED: power cuts on ${filesystem}:`, error);
    process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
