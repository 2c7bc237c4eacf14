// runs on: all
/** Random modules, failures, delays and changes: what happens is chosen by a seed, and every run of a seed is the same. */
import assert from "node:assert/strict";
import { describe, test } from "../support/kit.ts";
import { reloadAtRandom } from "../support/random_reloads.ts";

describe("modules of a config", () => {
  test("hold what it says, whatever becomes of 200 runs", { timeoutMs: 120_000 }, async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { breaches, trace } = await reloadAtRandom(seed);
      if (breaches.length === 0) continue;
      assert.fail(`failed with seed ${seed}\n${breaches.join("\n")}\n\n${trace.join("\n")}`);
    }
  });

  test("do the same at every run of a seed", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const [one, other] = [await reloadAtRandom(seed), await reloadAtRandom(seed)];
      assert.deepEqual(one.trace, other.trace);
    }
  });
});
