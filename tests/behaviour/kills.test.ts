// runs on: node-24
/** A process is killed after each call to the filesystem that a write makes: what it leaves is the old or the new. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessInstalled } from "../support/child.ts";
import { freshDirectory } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { type Kill, killAfterEveryCall, type KillPlan, stuck } from "../support/trial_kills.ts";

const skip = unlessInstalled("strace");
const timeoutMs = 120_000;

const scenarios: Readonly<Record<string, Partial<KillPlan>>> = {
  "a write": {},
  "the first write of a config": { first: true },
  "a write that collects": { history: 2 },
  "a write that adopts a person's edit first": { withEdit: true },
};

for (const runtime of ["node-24", "deno", "bun"]) {
  describe(`${runtime} is killed after each call`, () => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      test(`of ${name}`, { skip, timeoutMs }, async (context) => {
        const attempt = async () => {
          const base = await freshDirectory(context);
          const [directory, reports] = [join(base, "config"), join(base, "reports")];
          await mkdir(directory, { mode: 0o700 });
          await mkdir(reports);
          return await killAfterEveryCall({ runtime, directory, reports, ...scenario });
        };
        const kills = await attempt().catch((error: Error) => {
          if (!error.message.startsWith(stuck)) throw error;
          console.log(`${runtime}, ${name}: ${error.message}; once more`);
          return attempt();
        });
        console.log(summarise(`${runtime}, ${name}`, kills));
        // A commit has at least these, or they went unseen.
        for (const call of ["fsync", "link", "rename"]) {
          assert.ok(kills.some(({ after }) => after.startsWith(call)), `no kill after ${call}`);
        }
        assert.ok(kills.some(({ landed }) => !landed) && kills.some(({ landed }) => landed));
      });
    }
  });
}

function summarise(name: string, kills: readonly Kill[]): string {
  const count = (is: (kill: Kill) => boolean) => kills.filter(is).length;
  return `${name}: ${kills.length} kills, ${count(({ landed }) => landed)} writes landed, ` +
    `${count(({ acknowledged }) => acknowledged)} were acknowledged`;
}
