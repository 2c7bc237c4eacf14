/**
 * What waking costs: a value of 100,000 leaves of which one changes, and 1,000 subscribers with a selector each, of which
 * one is concerned. The floor beside it is what nobody can do without: to call every selector on the old value and on the
 * new one.
 *
 *     node bench/waking.ts      (or deno run --allow-all, or bun)
 */
import { memoryHost } from "../adapters/memory.ts";
import type { ChangeSet, Snapshot } from "../src/config/reports.ts";
import { createReporter } from "../src/config/reporter.ts";
import { Subscribers } from "../src/config/subscribe/subscribe.ts";
import { freeze, share } from "../src/core/snapshot.ts";
import { heapBytes, medianMs, runtimeName } from "./measure.ts";
import {
  makeSample,
  type Sample,
  type Service,
  serviceName,
  services,
  withPort,
} from "./sample.ts";

const rounds = 500;

type Select = (value: Sample) => unknown;

/** How a selector gets at its part. */
const selectors: Readonly<Record<string, (name: string) => Select>> = {
  "a part as it is": (name) => (value) => value.services[name],
  "a part that it builds": (name) => (value) => {
    const { upstream, enabled } = value.services[name] as Service;
    return { url: `${upstream.host}:${upstream.port}`, enabled };
  },
};

console.log(`${runtimeName()}: ${services} subscribers, one leaf of ${services * 100} changed`);
for (const [name, selectorOf] of Object.entries(selectors)) {
  await measure(
    name,
    Array.from({ length: services }, (_, index) => selectorOf(serviceName(index))),
  );
}

async function measure(name: string, selects: readonly Select[]): Promise<void> {
  const first = freeze(makeSample());
  let [before, after] = [first, first];
  let step: ChangeSet = changeSetOf([]);
  let snapshot = snapshotOf(first);
  let called = 0;
  const subscribers = new Subscribers(snapshot, "bench", createReporter(), memoryHost());
  for (const select of selects) {
    const listener = () => void called++;
    subscribers.add({ select: select as (value: unknown) => unknown, listener, options: {} });
  }
  const heapBefore = heapBytes();

  const change = (round: number) => {
    before = after;
    const shared = share(before, withPort(before, round % services, round));
    after = shared.value;
    step = changeSetOf(shared.changes);
    snapshot = snapshotOf(after);
    called = 0;
  };
  const times = await medianMs(rounds, change, {
    floor: () => {
      let changed = 0;
      for (const select of selects) if (select(before) !== select(after)) changed++;
      if (changed === 0) throw new Error("Cannot go on: the floor saw no change");
    },
    waking: async () => {
      subscribers.publish(snapshot, step);
      // All are told in one turn, which is not this one.
      while (called === 0) await Promise.resolve();
    },
  });
  if (called !== 1) throw new Error(`Cannot go on: found ${called} listeners called, wanted 1`);
  const heapGrowth = heapBytes() - heapBefore;
  subscribers.close();
  const [floor, waking] = [times.floor, times.waking].map((ms) => (1000 * ms).toFixed(0));
  const ratio = (times.waking / times.floor).toFixed(2);
  console.log(
    `  ${name}: ${waking} µs, floor ${floor} µs, ratio ${ratio}; ` +
      `${(heapGrowth / 1024).toFixed(0)} KiB more in use after ${rounds} changes`,
  );
}

function snapshotOf(value: Sample): Snapshot<unknown> {
  const loadedAt = "2026-01-01T00:00:00.000Z";
  return { value, revision: 0, generation: 1, hash: "", sources: [], loadedAt };
}

function changeSetOf(changes: ChangeSet["changes"]): ChangeSet {
  const at = "2026-01-01T00:00:00.000Z";
  return { from: 1, to: 1, changes, source: "", oldHash: "", newHash: "", at, origin: "commit" };
}
