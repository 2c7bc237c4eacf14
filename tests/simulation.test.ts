/** The same core and store on simulated processes: what happens is chosen by a seed, and every run of a seed is the same. */
import assert from "node:assert/strict";
import { describe, test } from "./support/kit.ts";
import { simulate, type WorldResult } from "./simulation/world.ts";

describe("simulated worlds", () => {
  test("150 seeds keep every rule", { timeoutMs: 120_000 }, async () => {
    let acknowledged = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const result = await simulate(seed);
      if (result.breaches.length > 0) assert.fail(describeFailure(seed, result));
      acknowledged += result.acknowledged;
    }
    assert.ok(acknowledged > 1000, `only ${acknowledged} writes were acknowledged`);
  });

  test("a seed gives the same trace at every run", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [one, other] = [await simulate(seed), await simulate(seed)];
      assert.equal(one.trace.join("\n"), other.trace.join("\n"));
      assert.ok(one.trace.length > 50, `only ${one.trace.length} lines`);
    }
  });
});

function describeFailure(seed: number, { breaches, trace }: WorldResult): string {
  const replay = `node tests/trials/simulate.ts --seed=${seed}`;
  return [...breaches, `replay with: ${replay}`, ...trace].join("\n");
}
