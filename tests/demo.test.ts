/** The example runs as the README says, on the runtime under test. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, runtime, test, type TestContext } from "./support/kit.ts";

const main = fileURLToPath(new URL("../examples/gateway/main.ts", import.meta.url));
const steps = [
  "migration",
  "atomic save",
  "broken edit",
  "repair",
  "invalid edit",
  "patch",
  "stale patch",
  "stream across a reload",
  "restart required",
  "reconfigured in place",
  "mixed edit",
  "refused beforehand",
  "failed midway",
  "repair of the upstream",
  "full reload",
  "full reload of the listener",
];
const tourTimeoutMs = 60_000;

describe("the gateway", () => {
  test("plays its tour and leaves nothing behind", { timeoutMs: tourTimeoutMs }, async (t) => {
    const directory = await makeDirectory(t);
    const demo = start(t, [], { TMPDIR: directory });
    assert.equal(await demo.exited, 0, demo.output());
    const played = [...demo.output().matchAll(/^(\d+)\/16 {2}([^:]+):/gm)];
    assert.deepEqual(played.map(([, number]) => number), steps.map((_, index) => `${index + 1}`));
    assert.deepEqual(played.map(([, , name]) => name), steps);
    assert.match(demo.output(), new RegExp(` on ${runtime}[./]`, "i"));
    assert.deepEqual((await readdir(directory)).filter((name) => name.startsWith("gateway-")), []);
  });

  test("names the step that goes wrong", { timeoutMs: tourTimeoutMs }, async (t) => {
    const directory = await makeDirectory(t);
    const demo = start(t, [join(directory, "gateway.json")]);
    await demo.shows(/^1\/16/m);
    await rename(directory, `${directory}-gone`);
    t.after(() => rm(`${directory}-gone`, { recursive: true }));
    assert.equal(await demo.exited, 1, demo.output());
    assert.match(demo.output(), /^FAILED at step \d+\/16, [a-z ]+$/m);
  });

  test("follows a file that is there until it is interrupted", async (t) => {
    const path = join(await makeDirectory(t), "gateway.json");
    const write = (upstream: string) => {
      const token = "a token for this test";
      const models = { fast: { upstream } };
      const document = { version: 2, admin_token: token, default_alias: "fast", models };
      return writeFile(path, JSON.stringify(document), { mode: 0o600 });
    };
    await write("one");
    const demo = start(t, [path]);
    await demo.shows(/^Following/m);
    await write("two");
    await demo.shows(/^generation 1 → 2 .*\/models\/fast\/upstream: "one" → "two"$/m);
    await writeFile(path, "{\n  nonsense");
    await demo.shows(/gateway\.json:2:3: found/);
    // Deno's ChildProcess takes any process that it sent a signal to for one that died of it.
    process.kill(demo.child.pid!, "SIGINT");
    assert.equal(await demo.exited, 0, demo.output());
    assert.doesNotMatch(demo.output(), /a token for this test/);
  });
});

interface Demo {
  readonly child: ChildProcess;
  /** The exit status. */
  readonly exited: Promise<number | null>;
  output(): string;
  /** Waits for something in the output; the test's timeout bounds it. */
  shows(pattern: RegExp): Promise<void>;
}

function start(t: TestContext, demoArguments: string[], environment: object = {}): Demo {
  const before = runtime === "deno" ? ["run", "--no-check", "--allow-all"] : [];
  const child = spawn(process.execPath, [...before, main, ...demoArguments], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  let look = () => {};
  const read = (part: string) => {
    output += part;
    look();
  };
  child.stdout.setEncoding("utf8").on("data", read);
  child.stderr.setEncoding("utf8").on("data", read);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  const shows = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      look = () => pattern.test(output) && resolve();
      look();
      void exited.then(() => reject(new Error(`ended without showing ${pattern}:\n${output}`)));
    });
  return { child, exited, output: () => output, shows };
}

async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "demo-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
