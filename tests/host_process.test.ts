import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, runtime, test } from "./support/kit.ts";
import type { TestContext } from "./support/kit.ts";

const child = fileURLToPath(new URL("support/host_process_child.ts", import.meta.url));

describe("a process with the host of this runtime", () => {
  test("ends while a watch and a sleep that do not keep it running are pending", async (context) => {
    assert.equal(await play("idle", context), "started\n");
  });

  test("ends also when the watch has had hints", async (context) => {
    assert.equal(await play("after hints", context), "hint\n");
  });

  test("goes on while a watch keeps it running, and ends when that is closed", async (context) => {
    const output = await play("watching", context, async (directory) => {
      // Time to end too early for a process that would.
      await wait(500);
      await writeFile(`${directory}/file`, "text");
    });
    assert.equal(output, "started\nhint\n");
  });

  test("goes on while a sleep keeps it running", async (context) => {
    assert.equal(await play("sleeping", context), "slept\n");
  });

  test("ends at once when a sleep that keeps it running is aborted", async (context) => {
    assert.equal(await play("aborted", context), "slept false\n");
  });
});

/** Runs one scenario to its end and returns what it printed; a process that does not end fails the test by its timeout. */
async function play(
  scenario: string,
  context: TestContext,
  whenStarted?: (directory: string) => Promise<void>,
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-process-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const before = runtime === "deno" ? ["run", "--no-check", "--allow-all"] : [];
  const running = spawn(process.execPath, [...before, child, scenario, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => running.kill("SIGKILL"));
  let output = "";
  let told = false;
  running.stdout.setEncoding("utf8").on("data", (part: string) => {
    output += part;
    if (told || !output.includes("started")) return;
    told = true;
    void whenStarted?.(directory);
  });
  const code = await new Promise((resolve, reject) => {
    running.on("error", reject);
    running.on("close", resolve);
  });
  assert.equal(code, 0);
  return output;
}
