// runs on: node-24
/** Six processes on three runtimes write at once, and are killed and stopped at random: no write is lost or undone. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freshDirectory } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { playChaos } from "../support/trial_chaos.ts";

describe("while six processes are killed and stopped", () => {
  const plans = [
    { name: "with all of the history", seed: 1, kills: 100, stops: 100, history: 100_000 },
    {
      name: "with a history of three, which is collected",
      seed: 2,
      kills: 50,
      stops: 50,
      history: 3,
    },
  ];
  for (const { name, ...plan } of plans) {
    test(`nothing is lost, ${name}`, { timeoutMs: 140_000 }, async (context) => {
      const base = await freshDirectory(context);
      const [directory, reports] = [join(base, "config"), join(base, "reports")];
      await mkdir(directory, { mode: 0o700 });
      await mkdir(reports);
      const outcome = await playChaos({ ...plan, directory, reports });
      console.log(`chaos ${name}: ${JSON.stringify(outcome)}`);
    });
  }
});
