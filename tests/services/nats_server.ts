/** NATS servers of the tests' own: on free ports of loopback, with a store in a temporary place, ended by process id. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import { unlessInstalled } from "../support/child.ts";
import { freePorts } from "../support/free_ports.ts";

/** Why tests with a server are skipped here; where CI is set they are not, and then fail. */
export const withoutNats: string | false = unlessInstalled("nats-server");

/** One server. */
export interface NatsServer {
  readonly name: string;
  readonly url: string;
  /** Where it tells of its load. */
  readonly monitorUrl: string;
  /** The running process. */
  readonly pid: number;
  /** Starts it, on the store that it had. */
  start(): Promise<void>;
  /** Ends it the hard way. */
  kill(): Promise<void>;
  /** Stops it as it is; its connections stay. */
  pause(): void;
  /** Lets it go on. */
  resume(): void;
}

/** One server or some that form a cluster. */
export interface Nats {
  readonly servers: readonly NatsServer[];
  /** Opens a connection that never gives up; it is closed with the servers. */
  connect(options?: ConnectionOptions): Promise<NatsConnection>;
  /** The server that leads a bucket. */
  leaderOf(bucket: string): Promise<NatsServer>;
  /** Ends everything and deletes the stores. */
  dispose(): Promise<void>;
}

/**
 * @param settings more lines of the server's configuration
 * @param jetstream more of what it says of JetStream
 */
export async function startNats(settings: string = "", jetstream: string = ""): Promise<Nats> {
  return await start(1, settings, jetstream);
}

/** Starts three servers that form a cluster. */
export async function startNatsCluster(): Promise<Nats> {
  return await start(3);
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

async function start(
  count: number,
  settings: string = "",
  jetstream: string = "",
): Promise<Nats> {
  const directory = await mkdtemp(join(tmpdir(), "holdfast-nats-"));
  const ports = await freePorts(3 * count);
  const [clientPorts, routePorts, monitorPorts] = [0, 1, 2].map((kind) => {
    return ports.slice(kind * count, (kind + 1) * count);
  }) as [number[], number[], number[]];
  const routes = routePorts.map((port) => `"nats-route://127.0.0.1:${port}"`);
  const servers = await Promise.all(clientPorts.map(async (port, index) => {
    const name = `n${index + 1}`;
    const home = join(directory, name);
    await mkdir(home);
    const cluster = count === 1 ? "" : `cluster {
      name: trial
      listen: "127.0.0.1:${routePorts[index]}"
      routes: [${routes.join(", ")}]
    }`;
    const configPath = join(home, "server.conf");
    await writeFile(
      configPath,
      `server_name: ${name}\nlisten: "127.0.0.1:${port}"\n` +
        `http: "127.0.0.1:${monitorPorts[index]}"\n` +
        `jetstream { store_dir: "${home}", max_file_store: 256MB, max_memory_store: 64MB\n` +
        `${jetstream} }\n` +
        `${cluster}\n${settings}\n`,
    );
    return natsServer({ name, port, monitorPort: monitorPorts[index]!, configPath });
  }));
  const connections: NatsConnection[] = [];
  const nats: Nats = {
    servers,
    connect: async (options = {}) => {
      const connection = await connect({
        servers: servers.map(({ url }) => url),
        maxReconnectAttempts: -1,
        reconnectTimeWait: 100,
        reconnectJitter: 0,
        // A server that is stopped says nothing: this is how it is noticed.
        pingInterval: 500,
        timeout: 2000,
        ...options,
      });
      connections.push(connection);
      return connection;
    },
    leaderOf: async (bucket) => {
      const connection = await nats.connect();
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const { cluster } = await manager.streams.info(`KV_${bucket}`);
      await connection.close();
      return servers.find(({ name }) => name === cluster?.leader) ?? servers[0]!;
    },
    dispose: async () => {
      for (const server of servers) await server.kill();
      await Promise.all(connections.map((connection) => connection.close().catch(() => {})));
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
    if (count > 1) await formed(await nats.connect(), count);
  } catch (error) {
    await nats.dispose();
    throw error;
  }
  return nats;
}

/** Servers of a cluster have met once something can be kept on all of them. */
async function formed(connection: NatsConnection, count: number): Promise<void> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const name = "formed";
  const make = () => manager.streams.add({ name, subjects: [name], num_replicas: count });
  while (!await make().then(() => true, () => false)) await wait(50);
  await manager.streams.delete(name);
  await connection.close();
}

function natsServer({ name, port, monitorPort, configPath }: {
  readonly name: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly configPath: string;
}): NatsServer {
  let child: ChildProcess | undefined;
  return {
    name,
    url: `127.0.0.1:${port}`,
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    get pid() {
      return child?.pid ?? -1;
    },
    start: async () => {
      const started = child = spawn("nats-server", ["-c", configPath], { stdio: "ignore" });
      running.add(started);
      started.on("exit", () => running.delete(started));
      const failed = new Promise<never>((_, reject) => started.on("error", reject));
      await Promise.race([listening(port, started), failed]);
    },
    kill: async () => {
      const ending = child;
      if (ending?.pid === undefined) return;
      if (ending.exitCode !== null || ending.signalCode !== null) return;
      const ended = new Promise((resolve) => ending.on("exit", resolve));
      process.kill(ending.pid, "SIGKILL");
      await ended;
    },
    // On Deno a child takes one signal from its own method, and no other after it.
    pause: () => void process.kill(child!.pid!, "SIGSTOP"),
    resume: () => void process.kill(child!.pid!, "SIGCONT"),
  };
}

/** A server greets its clients once its JetStream is up. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  while (!await isGreeted(port)) {
    if (child.pid === undefined) return;
    if (child.exitCode !== null) {
      throw new Error(`Cannot start nats-server: found exit status ${child.exitCode}`);
    }
    await wait(20);
  }
}

function isGreeted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
    socket.once("end", () => resolve(false));
  });
}
