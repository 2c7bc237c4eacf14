/** Processes with an open config: they end when they have nothing else to do, unless asked to stay, and never hang. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startScript } from "../support/child.ts";
import { freshDirectory, replace, writePrivate } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";

async function freshConfig(context: TestContext): Promise<string> {
  const path = join(await freshDirectory(context), "config.json");
  await writePrivate(path, '{ "rate": 1 }');
  return path;
}

describe("a process with an open config", () => {
  const endings: Readonly<Record<string, string>> = {
    "idle": "opened\n",
    "listening": "opened\n",
    "written": "written\n",
    "writing": "written\n",
    "hinted": "edited\n",
    "changed": "changed\n",
    "closed": "closed\n",
    "waiting for a module": "RELOAD_REFUSED\n",
    "waiting for a health check": "RELOAD_REFUSED\n",
  };
  for (const [scenario, output] of Object.entries(endings)) {
    test(`ends by itself when it is ${scenario}`, async (context) => {
      const path = await freshConfig(context);
      const child = startScript("config_child.ts", [scenario, path], context);
      assert.equal(await child.ended, 0, child.output());
      assert.equal(child.output(), output);
    });
  }

  test("stays with keepAlive, until the config is closed", async (context) => {
    const path = await freshConfig(context);
    const child = startScript("config_child.ts", ["kept alive", path], context);
    await child.says("opened");
    // Time to end too early for a process that would.
    await wait(700);
    await replace(path, '{ "rate": 2 }');
    assert.equal(await child.ended, 0, child.output());
    assert.equal(child.output(), "opened\nchanged\nclosed\n");
  });
});

describe("a FIFO in place of the file", () => {
  test("hangs nothing: not the config, not another one, not the end", async (context) => {
    const path = await freshConfig(context);
    const child = startScript("config_child.ts", ["fifo", path], context);
    const ended = await Promise.race([child.ended, wait(15_000, "still running")]);
    // Whoever hangs on it is let go, so that it can be ended.
    await fs.rm(path, { force: true });
    assert.deepEqual([child.output(), ended], [
      "refused\nwatched another\nmended\nclosed\n",
      0,
    ]);
  });
});
