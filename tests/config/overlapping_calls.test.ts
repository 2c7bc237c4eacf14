// runs on: node-24
import assert from "node:assert/strict";
import * as v from "valibot";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

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

test("calls that had to wait for the next commit are refused by a close, and not stored after it", async () => {
  const { host, openConfig } = hostWith('{"rate":0}');
  let nowMs = 0;
  // Each look at the clock takes long, so that one commit has room for one call alone.
  const slow = { ...host, monotonic: () => nowMs += 60 };
  const config = await openConfig(path, {
    host: slow,
    watch: false,
    timeoutMs: 1e9,
    ...remember(),
  });
  let closing: Promise<void> | undefined;
  const ends = await Promise.all([0, 1, 2, 3].map((index) =>
    config.update((draft) => {
      closing ??= config.close();
      (draft as Record<string, number>)[`k${index}`] = index;
    }).then(() => "stored", (error: { code: string }) => error.code)
  ));
  await closing;
  assert.deepEqual(ends, ["stored", "CLOSED", "CLOSED", "CLOSED"]);
  assert.deepEqual(JSON.parse(host.outside.readFile(path)), { rate: 0, k0: 0 });
});
