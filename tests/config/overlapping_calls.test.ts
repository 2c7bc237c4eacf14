// runs on: node-24
import assert from "node:assert/strict";
import * as v from "valibot";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith } from "../support/memory_config.ts";

const schema = v.looseObject({
  rate: v.optional(v.number()),
  limits: v.optional(v.record(v.string(), v.number())),
});

describe("calls that share a commit and touch the same part", () => {
  test("are each judged by what they did themselves", async () => {
    const { openConfig } = hostWith();
    const config = await openConfig(memory({}), { schema, watch: false });
    const answers = await Promise.allSettled([
      config.setAt(["rate"], "bogus" as never),
      config.setAt(["rate"], 2),
      config.setAt(["limits", "a"], "bogus" as never),
      config.setAt(["limits"], { a: 1 }),
    ]);
    const expected = ["rejected", "fulfilled", "rejected", "fulfilled"];
    assert.deepEqual(answers.map(({ status }) => status), expected);
    assert.deepEqual(config.value, { rate: 2, limits: { a: 1 } });
  });
});
