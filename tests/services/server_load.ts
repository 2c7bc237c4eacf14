/** What a server has had to do so far: asked before and after, the difference is its load. */
import { readdirSync, readFileSync } from "node:fs";
import type { Nats } from "./nats_server.ts";
import type { PostgresServer } from "./postgres_server.ts";

/** The state of a server at one moment. */
export interface ServerLoad {
  /** How much processor time its processes have taken, in seconds. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly connections: number;
  /** What it has counted, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Tells the load of a server. */
export type LoadMeter = () => Promise<ServerLoad>;

/** The clock of /proc: it has been this on every architecture of Linux that Node runs on. */
const ticksPerSecond = 100;

/** What a server counts of one of its clients. */
interface NatsClient {
  readonly in_msgs: number;
  readonly out_msgs: number;
  readonly out_bytes: number;
}

/** The load of all servers together; all messages are those between servers too. */
export function natsLoad({ servers }: Nats): LoadMeter {
  return async () => {
    const all = await Promise.all(servers.map(async ({ monitorUrl }) => {
      const ask = async (page: string) => await (await fetch(`${monitorUrl}/${page}`)).json();
      return {
        general: await ask("varz") as Record<"in_msgs" | "out_msgs", number>,
        clients: (await ask("connz?limit=100000") as { connections: NatsClient[] }).connections,
      };
    }));
    const clients = all.flatMap((server) => server.clients);
    const sum = <One>(every: readonly One[], number: (one: One) => number) =>
      every.reduce((sum, one) => sum + number(one), 0);
    return {
      ...processLoad(servers.map(({ pid }) => pid)),
      connections: clients.length,
      counts: {
        "messages from clients": sum(clients, ({ in_msgs }) => in_msgs),
        "messages to clients": sum(clients, ({ out_msgs }) => out_msgs),
        "KiB to clients": sum(clients, ({ out_bytes }) => out_bytes) / 1024,
        "all messages in": sum(all, ({ general }) => general.in_msgs),
      },
    };
  };
}

/** The load of a server, whose statements are counted by `pg_stat_statements` where that is there, or else as transactions. */
export async function postgresLoad(server: PostgresServer): Promise<LoadMeter> {
  const first = server.connect();
  const isCounted = (await first`select from pg_available_extensions
    where name = 'pg_stat_statements'`).length > 0;
  if (isCounted) {
    await first`alter system set shared_preload_libraries = 'pg_stat_statements'`;
    await first.end();
    await server.kill();
    await server.start();
  }
  const sql = server.connect(server.url(), { max: 1 });
  if (isCounted) await sql`create extension pg_stat_statements`;
  return async () => {
    const [{ connections } = { connections: 0 }] = await sql<{ connections: number }[]>`
      select count(*)::integer as connections from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    const { pid } = server;
    return {
      ...processLoad([pid, ...childrenOf(pid)]),
      connections,
      counts: isCounted ? await statements() : await transactions(),
    };
  };

  async function statements(): Promise<Record<string, number>> {
    const [row] = await sql<{ all: number; glances: number; reads: number }[]>`
      select coalesce(sum(calls), 0)::float as all,
        coalesce(sum(calls) filter (where query like '%left join%' and query not like '%json_agg%'), 0)::float as glances,
        coalesce(sum(calls) filter (where query like '%json_agg%'), 0)::float as reads
      from pg_stat_statements where toplevel and query not like '%pg_stat_%'`;
    return { "statements": row!.all, "glances": row!.glances, "reads": row!.reads };
  }

  async function transactions(): Promise<Record<string, number>> {
    const [row] = await sql<{ count: number }[]>`
      select xact_commit::float as count from pg_stat_database where datname = current_database()`;
    return { transactions: row!.count };
  }
}

/** What processes have taken so far, without those of their children that still run. */
export function processLoad(
  pids: readonly number[],
): Pick<ServerLoad, "cpuSeconds" | "memoryBytes"> {
  const each = pids.flatMap((pid) => {
    const fields = statOf(pid);
    // One that ended meanwhile is counted by its parent.
    return fields === undefined ? [] : [{ pid, fields }];
  });
  const cpuTicks = each.flatMap(({ fields }) => fields.slice(11, 15).map(Number));
  const add = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);
  return {
    cpuSeconds: add(cpuTicks) / ticksPerSecond,
    memoryBytes: add(each.map(({ pid }) => proportionalBytes(pid))),
  };
}

/** How much of the time of all processors was taken, by anyone, in seconds. */
export function machineCpuSeconds(): number {
  const [, ...ticks] = /^cpu .*/.exec(readFileSync("/proc/stat", "utf8"))![0].split(/ +/);
  const [user = 0, nice = 0, system = 0, , , hardware = 0, software = 0] = ticks.map(Number);
  return (user + nice + system + hardware + software) / ticksPerSecond;
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.filter((pid) => Number(statOf(pid)?.[1]) === parent);
}

/** The fields after the program's name, which may have anything in it: the state, the parent, and so on. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Memory that is shared counts for each by its part. */
function proportionalBytes(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss: +(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
