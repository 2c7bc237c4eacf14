// runs on: node-24
import { strictEqual } from "node:assert/strict";
import { explore, type Verdict } from "./model/explore.ts";
import { plansOf, smallPlans } from "./model/plans.ts";
import { variants } from "./model/variants.ts";
import { describe, test } from "./support/kit.ts";

describe("the model of the write protocol", () => {
  for (const named of smallPlans) {
    test(`holds with ${named.name}`, { timeoutMs: 180_000 }, () => {
      for (const plan of plansOf(named)) {
        const verdict = explore(plan, { isFirstOnly: true });
        strictEqual(describeViolations(verdict), "");
        strictEqual(verdict.isExhausted, true);
        console.log(
          `${named.name} (${plan.cutModel}): ${verdict.states} states, ${verdict.images} disks`,
        );
      }
    });
  }
});

describe("the model finds", () => {
  for (const { name, fault, plan } of variants) {
    test(`${name}: ${fault}`, { timeoutMs: 180_000 }, () => {
      const verdict = explore(plan, { isFirstOnly: true });
      strictEqual(verdict.violations.size > 0, true, `${verdict.states} states, no violation`);
    });
  }
});

function describeViolations(verdict: Verdict): string {
  return [...verdict.violations].map(([violation, moves]) =>
    `${violation}:\n  ${moves.join("\n  ")}`
  ).join("\n");
}
