/**
 * Lets simulated worlds run, each from its seed, and tells which broke a rule:
 *
 *     node tests/trials/simulate.ts [--seeds=N] [--from=N]
 *     node tests/trials/simulate.ts --seed=N     one world, with all that happened in it
 *     node tests/trials/simulate.ts --hashes     the hash of each trace, the same on every runtime
 *     node tests/trials/simulate.ts --crashes    crashes after every operation of the scenarios
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { crashEverywhere } from "../simulation/crash_states.ts";
import { scenarios } from "../simulation/scenarios.ts";
import { simulate } from "../simulation/world.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    hashes: { type: "boolean", default: false },
    crashes: { type: "boolean", default: false },
  },
});

if (values.crashes) await tryCrashes();
else if (values.seed !== undefined) await replay(Number(values.seed));
else if (values.hashes) await printHashes(Number(values.from), Number(values.seeds));
else await trySeeds(Number(values.from), Number(values.seeds));

async function trySeeds(from: number, count: number): Promise<void> {
  const startedAt = performance.now();
  let failures = 0;
  let operations = 0;
  let acknowledged = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = await simulate(seed);
    operations += result.operations;
    acknowledged += result.acknowledged;
    if (result.breaches.length === 0) continue;
    failures += 1;
    console.log(`seed ${seed}: ${result.breaches[0]}`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `${count} worlds, ${operations} operations, ${acknowledged} writes acknowledged, ` +
      `${failures} failures, ${seconds.toFixed(1)} s`,
  );
  if (failures > 0) process.exitCode = 1;
}

async function printHashes(from: number, count: number): Promise<void> {
  for (let seed = from; seed < from + count; seed++) {
    console.log(`${seed} ${(await simulate(seed)).traceHash}`);
  }
}

async function replay(seed: number): Promise<void> {
  const { trace, traceHash, breaches, plan } = await simulate(seed);
  console.log(JSON.stringify(plan));
  for (const line of trace) console.log(line);
  console.log(`trace ${traceHash}`);
  for (const breach of breaches) console.log(`BREACH ${breach}`);
  if (breaches.length > 0) process.exitCode = 1;
}

async function tryCrashes(): Promise<void> {
  let tried = 0;
  let failures = 0;
  for (const scenario of scenarios) {
    const { states, breaches } = await crashEverywhere(scenario);
    console.log(`${scenario.name}: ${states} states, ${breaches.length} breaches`);
    for (const breach of breaches.slice(0, 5)) console.log(`  ${breach}`);
    tried += states;
    failures += breaches.length;
  }
  console.log(`${scenarios.length} scenarios, ${tried} states, ${failures} breaches`);
  if (failures > 0) process.exitCode = 1;
}
