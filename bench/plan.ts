/**
 * What a plan costs: a value of 100,000 leaves of which one changes, and modules of which one is concerned. The floor beside it
 * is what nobody can do without: the difference of the two values. And what the way of a whole write in memory costs, with a
 * reloader and without.
 *
 *     node bench/plan.ts      (or deno run --allow-all, or bun)
 */
import { createReloader, memory, openConfig } from "../mod.ts";
import { diff } from "../src/core/diff.ts";
import { planChange, type PlannedModule } from "../src/core/plan.ts";
import { freeze, share } from "../src/core/snapshot.ts";
import { medianMs, runtimeName } from "./measure.ts";
import { makeSample, type Sample, serviceName, services, withPort } from "./sample.ts";

const rounds = 200;
// A write of so much takes its time.
const writeRounds = 20;

console.log(`${runtimeName()}: one leaf of ${services * 100} changed`);
for (const count of [1, services]) await measurePlan(count);
for (const count of [1, services]) await measureWrite(count);

/** Each selects an equal share of the services. */
function partsOf(count: number): ((value: Sample) => unknown)[] {
  const names = Array.from({ length: services }, (_, index) => serviceName(index));
  if (count === 1) return [(value) => value.services];
  return names.slice(0, count).map((name) => (value) => value.services[name]);
}

async function measurePlan(count: number): Promise<void> {
  const modules = partsOf(count).map((select, index): PlannedModule => {
    return { name: `module ${index}`, select: select as PlannedModule["select"], reconfigure() {} };
  });
  let [before, after] = [freeze(makeSample()), freeze(makeSample())];
  let changes = diff(before, after);
  const times = await medianMs(rounds, (round) => {
    before = after;
    const shared = share(before, withPort(before, round % services, round));
    [after, changes] = [shared.value, [...shared.changes]];
  }, {
    floor: () => assertCount("changes", diff(before, after).length),
    plan: () => {
      const question = { before, after, changes, pending: [], modules, annotations: undefined };
      assertCount("modules concerned", planChange(question).concerned.length);
    },
  });
  console.log(`  plan, ${count} module(s): ${ratioOf(times.plan, times.floor)}`);
}

async function measureWrite(count: number): Promise<void> {
  const open = () => openConfig(memory(makeSample()), { watch: false });
  const [alone, reloaded] = [await open(), await open()];
  let reconfigured = 0;
  const modules = partsOf(count).map((select, index) =>
    reloaded.module({
      name: `module ${index}`,
      select: (value) => select(value as unknown as Sample),
      reconfigure: () => void reconfigured++,
    })
  );
  const reloader = createReloader(reloaded, { modules: () => modules });
  let [path, port]: [string[], number] = [[], 0];
  const times = await medianMs(writeRounds, (round) => {
    path = ["services", serviceName(round % services), "upstream", "port"];
    port = round;
    reconfigured = 0;
  }, {
    alone: () => alone.setAt(path, port),
    reloaded: async () => {
      await reloaded.setAt(path, port);
      assertCount("modules reconfigured", reconfigured);
    },
  });
  console.log(`  write, ${count} module(s): ${ratioOf(times.reloaded, times.alone)}`);
  await reloader.close();
  await Promise.all([alone.close(), reloaded.close()]);
}

function assertCount(what: string, count: number): void {
  if (count !== 1) throw new Error(`Cannot go on: found ${count} ${what}, wanted 1`);
}

function ratioOf(ms: number, floorMs: number): string {
  const [took, floor] = [ms, floorMs].map((one) => one.toFixed(3));
  return `${took} ms, floor ${floor} ms, ratio ${(ms / floorMs).toFixed(2)}`;
}
