// runs on: node-24
/** Many simulated worlds, and a crash after every operation of all that changes the disk. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "./support/kit.ts";
import { repositoryPath, type Runtime, runtimes } from "./support/runtimes.ts";

const seeds = 2000;
const statesMin = 10_000;
const timeoutMs = 280_000;

describe("simulation", () => {
  test(`${seeds} worlds keep every rule`, { timeoutMs }, async () => {
    // Half of them each, since two run side by side on most machines.
    const half = seeds / 2;
    const outputs = await Promise.all([
      simulate(`--seeds=${half}`),
      simulate(`--from=${half + 1}`, `--seeds=${half}`),
    ]);
    const sums = outputs.map((output) => {
      const [, worlds, acknowledged] =
        /^(\d+) worlds, \d+ operations, (\d+) writes acknowledged, 0 failures/m.exec(output) ?? [];
      return { worlds: Number(worlds), acknowledged: Number(acknowledged) };
    });
    assert.equal(sums.reduce((sum, { worlds }) => sum + worlds, 0), seeds);
    const acknowledged = sums.reduce((sum, part) => sum + part.acknowledged, 0);
    assert.ok(acknowledged > 5 * seeds, `only ${acknowledged} writes were acknowledged`);
  });

  test(`at least ${statesMin} crashes leave the old or the new`, { timeoutMs }, async () => {
    const output = await simulate("--crashes");
    const [, scenarios, states] = /^(\d+) scenarios, (\d+) states, 0 breaches/m.exec(output) ?? [];
    assert.ok(Number(scenarios) >= 10, output);
    assert.ok(Number(states) >= statesMin, output);
  });

  test("a seed gives the same trace on every runtime", { timeoutMs }, async () => {
    const others = runtimes.filter(({ byDefault }) => byDefault);
    const traces: string[] = [];
    for (const runtime of others) traces.push(await simulateOn(runtime, "--hashes", "--seeds=20"));
    assert.equal(traces[0]?.split("\n").length, 21);
    for (const [index, trace] of traces.entries()) {
      assert.equal(trace, traces[0], others[index]?.name);
    }
  });
});

function simulate(...given: readonly string[]): Promise<string> {
  return simulateOn(runtimes.find(({ name }) => name === "node-24")!, ...given);
}

/** In a process of its own: under a test runner that follows each promise it takes several times as long. */
async function simulateOn(runtime: Runtime, ...given: readonly string[]): Promise<string> {
  const options = runtime.name === "deno" ? ["run", "--no-check", "--allow-all"] : [];
  const child = spawn(
    join(repositoryPath, runtime.binary),
    [...options, "tests/trials/simulate.ts", ...given],
    { cwd: repositoryPath, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => output += part);
  }
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  assert.equal(code, 0, `${runtime.name} ${given.join(" ")}:\n${output}`);
  return output;
}
