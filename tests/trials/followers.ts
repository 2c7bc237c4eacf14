/**
 * How fast many instances follow one document in a database, and what that costs its server:
 *
 *     node tests/trials/followers.ts [--places=nats,nats-cluster,postgres] [--instances=200] [--processes=8]
 *       [--runtimes=node-24,deno,bun] [--timings=250/500,0/5000] [--changes=100] [--idle=20] [--bytes=2000] [--shared]
 *
 * Each timing is a `debounceMs` and a `pollMs`: all instances are opened with it, left alone for so many seconds, and then
 * follow the changes that a process of its own writes, each after the former was seen by all. Each instance has a
 * connection of its own, as those on many machines have, or with `--shared` all of a process share one. One that misses a
 * change or sees it out of order makes the exit status 1. Without a server, or without /proc to see its load, a place is NOT RUN.
 */
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { FollowedPlace } from "../services/followed_place.ts";
import {
  type ChangeSeen,
  type Followers,
  type FollowersPlan,
  startFollowers,
} from "../services/followers.ts";
import { startNats, startNatsCluster, withoutNats } from "../services/nats_server.ts";
import { postgresMissing, startPostgres } from "../services/postgres_server.ts";
import {
  type LoadMeter,
  machineCpuSeconds,
  natsLoad,
  postgresLoad,
  processLoad,
  type ServerLoad,
} from "../services/server_load.ts";

const { values } = parseArgs({
  options: {
    places: { type: "string", default: "nats,nats-cluster,postgres" },
    instances: { type: "string", default: "200" },
    processes: { type: "string", default: "8" },
    runtimes: { type: "string", default: "node-24,deno,bun" },
    timings: { type: "string", default: "250/500,0/5000" },
    changes: { type: "string", default: "100" },
    idle: { type: "string", default: "20" },
    bytes: { type: "string", default: "2000" },
    shared: { type: "boolean", default: false },
  },
});
const instances = Number(values.instances);
const changes = Number(values.changes);
const idleMs = 1000 * Number(values.idle);
const runtimes = values.runtimes.split(",");
const processes = Array.from(
  { length: Number(values.processes) },
  (_, index) => runtimes[index % runtimes.length]!,
);
const timings = values.timings.split(",").map((timing) => {
  const [debounceMs, pollMs] = timing.split("/").map(Number) as [number, number];
  return { debounceMs, pollMs };
});

/** A server for the trial. */
interface Ground {
  readonly place: FollowedPlace;
  readonly meter: LoadMeter;
  end(): Promise<void>;
}

const grounds: Readonly<Record<string, () => Promise<Ground | string>>> = {
  nats: async () => withoutNats || await onNats(startNats),
  "nats-cluster": async () => withoutNats || await onNats(startNatsCluster),
  postgres: async () => {
    if (postgresMissing !== false) return postgresMissing;
    // A client opens more than one connection.
    const server = await startPostgres(5 * instances + 50);
    const meter = await postgresLoad(server);
    return { place: { kind: "postgres", url: server.url() }, meter, end: () => server.stop() };
  },
};

async function onNats(start: typeof startNatsCluster): Promise<Ground> {
  const nats = await start();
  const servers = nats.servers.map(({ url }) => url);
  return { place: { kind: "nats", servers }, meter: natsLoad(nats), end: () => nats.dispose() };
}

const round = (number: number) => number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0);
const load = () => loadavg().map(round).join(" ");

console.log(
  `${instances} instances in ${processes.length} processes (${processes.join(", ")}), ` +
    `${values.shared ? "one connection a process" : "each with its own connection"}, ` +
    `${values.bytes} bytes, ${changes} changes; load average ${load()}`,
);
for (const name of values.places.split(",")) {
  const starting = grounds[name];
  if (starting === undefined) {
    throw new Error(`Cannot run "${name}": choose from ${Object.keys(grounds).join(", ")}`);
  }
  const ground = existsSync("/proc/stat") ? await starting() : "found no /proc";
  if (typeof ground === "string") {
    console.log(`NOT RUN: followers of ${name}: ${ground}`);
    continue;
  }
  try {
    const plan = { place: ground.place, instances, processes, isShared: values.shared };
    await measure(name, { ...plan, documentBytes: Number(values.bytes) }, ground.meter);
  } catch (error) {
    console.log(`FAILED: followers of ${name}:`, error);
    process.exitCode = 1;
  } finally {
    await ground.end();
  }
}

async function measure(name: string, plan: FollowersPlan, meter: LoadMeter): Promise<void> {
  const followers = await startFollowers(plan);
  try {
    const columns: Record<string, string>[] = [];
    const said = new Map<string, number>();
    const clockErrors: number[] = [];
    for (const timing of timings) {
      const opening = await during(followers, meter, () => followers.open(timing));
      await wait(1000);
      const idle = await during(followers, meter, () => wait(idleMs));
      const seen: ChangeSeen[] = [];
      const busy = await during(followers, meter, async () => {
        for (let change = 0; change < changes; change++) seen.push(await followers.change());
      });
      columns.push({
        [name]: `debounce ${timing.debounceMs}, poll ${timing.pollMs} ms`,
        ...speeds(seen),
        ...asked("opening, each instance", opening, instances),
        ...loads("idle", idle),
        ...loads("changing", busy),
        ...perChange(idle, busy),
        connections: `${busy.after.connections}`,
        "memory of the server, MiB": round(busy.after.memoryBytes / 1024 ** 2),
      });
      const farewell = await followers.close();
      clockErrors.push(farewell.clockErrorMs);
      for (const [message, times] of farewell.said) {
        said.set(message, (said.get(message) ?? 0) + times);
      }
    }
    print(columns);
    const { resolutionMs } = followers;
    console.log(
      `clock: steps of ${resolutionMs.toFixed(4)} ms at most, ` +
        `${Math.max(...clockErrors).toFixed(3)} ms off at most at the end`,
    );
    for (const [message, times] of said) console.log(`said ${times} times: ${message}`);
    await followers.end();
  } finally {
    followers.kill();
  }
}

/** What happened over some time. */
interface Span {
  readonly seconds: number;
  readonly before: ServerLoad;
  readonly after: ServerLoad;
  readonly followersCpuSeconds: number;
  readonly machineCpuSeconds: number;
}

async function during(
  { pids }: Followers,
  meter: LoadMeter,
  act: () => Promise<unknown>,
): Promise<Span> {
  const before = await meter();
  const [ownBefore, machineBefore] = [processLoad(pids).cpuSeconds, machineCpuSeconds()];
  const from = performance.now();
  await act();
  const seconds = (performance.now() - from) / 1000;
  return {
    seconds,
    followersCpuSeconds: processLoad(pids).cpuSeconds - ownBefore,
    machineCpuSeconds: machineCpuSeconds() - machineBefore,
    before,
    after: await meter(),
  };
}

function speeds(seen: readonly ChangeSeen[]): Record<string, string> {
  const since = (moment: "calledAt" | "acknowledgedAt") =>
    seen.flatMap((change) => change.seenAt.map((at) => at - change[moment]));
  const writes = seen.map(({ calledAt, acknowledgedAt }) => acknowledgedAt - calledAt);
  return {
    "seen after the call, ms": spread(since("calledAt")),
    "seen after the acknowledgement, ms": spread(since("acknowledgedAt")),
    "seen by all after the call, ms": spread(
      seen.map(({ seenAt, calledAt }) => Math.max(...seenAt) - calledAt),
    ),
    "write, ms": spread(writes),
  };
}

/** The median, the 99th percentile and the maximum. */
function spread(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return [at(0.5), at(0.99), at(1)].map(round).join(" / ");
}

function grown({ before, after }: Span): [string, number][] {
  return Object.entries(after.counts).map(([name, count]) => [name, count - before.counts[name]!]);
}

function loads(what: string, span: Span): Record<string, string> {
  const { seconds, before, after } = span;
  return {
    [`${what}: server CPU, s/s`]: round((after.cpuSeconds - before.cpuSeconds) / seconds),
    [`${what}: followers' CPU, s/s`]: round(span.followersCpuSeconds / seconds),
    [`${what}: the machine's CPU, s/s`]: round(span.machineCpuSeconds / seconds),
    ...asked(`${what}, each second`, span, seconds),
  };
}

function asked(what: string, span: Span, divisor: number): Record<string, string> {
  return Object.fromEntries(
    grown(span).map(([name, count]) => [`${what}: ${name}`, round(count / divisor)]),
  );
}

/** What one change costs beside what the polls cost anyway. */
function perChange(idle: Span, busy: Span): Record<string, string> {
  const idleEach = new Map(grown(idle).map(([name, count]) => [name, count / idle.seconds]));
  const own = (sum: number, idleEachSecond: number) =>
    (sum - idleEachSecond * busy.seconds) / changes;
  const cpu = ({ before, after }: Span) => after.cpuSeconds - before.cpuSeconds;
  return {
    "a change: server CPU, ms": round(1000 * own(cpu(busy), cpu(idle) / idle.seconds)),
    ...Object.fromEntries(
      grown(busy).map(([name, count]) => {
        return [
          `a change, each instance: ${name}`,
          round(own(count, idleEach.get(name)!) / instances),
        ];
      }),
    ),
  };
}

function print(columns: readonly Readonly<Record<string, string>>[]): void {
  const names = Object.keys(columns[0]!);
  const widthOf = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length));
  const first = widthOf(names);
  const widths = columns.map((column) => widthOf(Object.values(column)));
  for (const name of names) {
    const cells = columns.map((column, at) => column[name]!.padStart(widths[at]!));
    console.log([name.padEnd(first), ...cells].join("  "));
  }
}
