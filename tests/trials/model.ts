/**
 * Visits the large plans of the model of the write protocol:
 *
 *     node --max-old-space-size=12000 tests/trials/model.ts [part of a plan's name] [most states of a plan, 6 million when left out]
 *
 * Prints a line a plan, and the moves that lead to a violation. Ends with 1 if there was one.
 */
import process from "node:process";
import { explore } from "../model/explore.ts";
import { largePlans, plansOf } from "../model/plans.ts";

const [part = "", statesMax = "6000000"] = process.argv.slice(2);

for (const named of largePlans) {
  if (!named.name.includes(part)) continue;
  for (const plan of plansOf(named)) {
    const startMs = Date.now();
    const verdict = explore(plan, { statesMax: Number(statesMax) });
    const seconds = ((Date.now() - startMs) / 1000).toFixed(0);
    const kept = plan.cutModel === "none" ? "" : ` (${plan.cutModel})`;
    const extent = verdict.isExhausted ? "exhausted" : "NOT exhausted";
    const found = [...verdict.violations.keys()].join(", ") || "no violation";
    console.log(
      `${named.name}${kept}: ${verdict.states} states, ${verdict.images} disks, ${extent}, ${seconds} s: ${found}`,
    );
    for (const [violation, moves] of verdict.violations) {
      console.log(`  ${violation}\n    ${moves.join("\n    ")}`);
      process.exitCode = 1;
    }
  }
}
