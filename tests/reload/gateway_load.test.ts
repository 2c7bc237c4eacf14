// runs on: node-24, deno, bun
/** The example under load through reloads of every kind: no request fails or sees two configurations, no stream is disturbed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { freshDirectory, replace, until, writePrivate } from "../support/config_under_test.ts";
import { type Child, startScript } from "../support/child.ts";
import { freePorts } from "../support/free_ports.ts";
import { GatewayClients, type Sight } from "../support/gateway_clients.ts";
import { describe, test, type TestContext } from "../support/kit.ts";

const reloads = 200;
const token = "a token for this test";

describe("the gateway under load", () => {
  test("fails nobody and shows nobody two configurations", { timeoutMs: 120_000 }, async (t) => {
    const stage = await start(t);
    const { clients, gateway } = stage;
    for (let asker = 0; asker < 3; asker++) clients.ask();
    for (const words of [5, 20, 400]) clients.listen(words);
    for (let number = 1; number <= reloads; number++) {
      await reload(stage, number);
      await clients.see(stage.generation);
      if (number % 20 === 0) await refuse(stage, number);
    }
    await clients.end();
    assert.deepEqual(clients.failures, []);
    for (const sight of clients.sights) {
      assert.deepEqual(sight, {
        generation: sight.generation,
        ...stage.runs.get(sight.generation),
      });
    }
    const seen = new Set(clients.sights.map(({ generation }) => generation));
    assert.deepEqual([...stage.runs.keys()].filter((generation) => !seen.has(generation)), []);
    assert.ok(clients.streamsAcross > 0);
    process.kill(gateway.process.pid!, "SIGINT");
    assert.equal(await gateway.ended, 0, gateway.output());
  });
});

interface Document {
  readonly version: number;
  readonly admin_token: string;
  readonly default_alias: string;
  readonly models: { readonly fast: { readonly upstream: string } };
  readonly retention: { readonly days: number };
  readonly rate_limit: { readonly per_second: number; readonly burst: number };
  readonly pool: { readonly connections: number };
  readonly metrics: { readonly buckets_ms: readonly number[] };
  readonly listen: { readonly port: number };
}

interface Stage {
  readonly gateway: Child;
  readonly clients: GatewayClients;
  readonly path: string;
  /** A port that somebody else listens on. */
  readonly taken: number;
  /** What runs in each generation. */
  readonly runs: Map<number, Omit<Sight, "generation">>;
  document: Document;
  generation: number;
}

async function start(t: TestContext): Promise<Stage> {
  const path = join(await freshDirectory(t), "gateway.json");
  const document: Document = {
    version: 2,
    admin_token: token,
    default_alias: "fast",
    models: { fast: { upstream: "model-0" } },
    retention: { days: 0 },
    rate_limit: { per_second: 1_000_000, burst: 100_000 },
    pool: { connections: 1 },
    metrics: { buckets_ms: [1] },
    listen: { port: await freePort() },
  };
  await writePrivate(path, JSON.stringify(document));
  const gateway = startScript("../../examples/gateway/main.ts", [path], t);
  await gateway.says("Following");
  const clients = new GatewayClients(urlOf(document));
  const runs = new Map([[1, sightOf(document)]]);
  const taken = await takePort(t);
  return { path, taken, document, gateway, clients, runs, generation: 1 };
}

async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port!;
}

async function takePort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => new Promise((resolve) => server.close(resolve)));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Changes something, by turns in the file and over HTTP, and waits until it runs. */
async function reload(stage: Stage, number: number): Promise<void> {
  const old = urlOf(stage.document);
  const edit = await editOf(stage, number);
  stage.document = { ...stage.document, ...edit };
  stage.generation++;
  stage.runs.set(stage.generation, sightOf(stage.document));
  const url = urlOf(stage.document);
  const step = async () => {
    if (number % 6 === 0) await replace(stage.path, JSON.stringify(stage.document));
    else assert.equal((await patch(old, edit)).status, 200);
    await until(`generation ${stage.generation} runs`, () => isRunning(url, stage.generation));
  };
  await (url === old ? step() : stage.clients.move(url, step));
}

/** Reconfigured in place, hot, built anew, at another address, and several of these at once. */
async function editOf({ document }: Stage, number: number): Promise<Partial<Document>> {
  const hot = { retention: { days: number } };
  const inPlace = {
    models: { fast: { upstream: `model-${number}` } },
    rate_limit: { ...document.rate_limit, burst: 100_000 + number },
    pool: { connections: 1 + number % 60 },
  };
  const anew = { metrics: { buckets_ms: [1 + number] } };
  if (number % 10 === 0) return { ...hot, ...inPlace, listen: { port: await freePort() } };
  return [inPlace, hot, { ...hot, ...inPlace }, anew, { ...inPlace, ...anew }][number % 5]!;
}

/** Asks for what the pool refuses beforehand, for what it fails at after the limiter, and for an address that is taken. */
async function refuse(stage: Stage, number: number): Promise<void> {
  const url = urlOf(stage.document);
  const rate_limit = { burst: 1 + number };
  assert.equal((await patch(url, { rate_limit, pool: { connections: 65 } })).status, 409);
  const models = { fast: { upstream: "moody-7b" } };
  for (const edit of [{ rate_limit, models }, { rate_limit, listen: { port: stage.taken } }]) {
    assert.equal((await patch(url, edit)).status, 409);
    // It was stored, and what runs was stored again.
    stage.generation += 2;
    stage.runs.set(stage.generation, sightOf(stage.document));
    assert.ok(await isRunning(url, stage.generation));
    await stage.clients.see(stage.generation);
  }
}

async function patch(url: string, body: object): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/merge-patch+json",
  };
  const request = { method: "PATCH", headers, body: JSON.stringify(body) };
  const response = await fetch(`${url}/config`, request);
  await response.arrayBuffer();
  return response;
}

async function isRunning(url: string, generation: number): Promise<boolean> {
  // Nobody listens there before the listener has moved.
  const response = await fetch(`${url}/status`).catch(() => undefined);
  const { state, running } = response === undefined ? {} : await response.json() as {
    readonly state?: string;
    readonly running?: { readonly generation: number };
  };
  return state === "ok" && running?.generation === generation;
}

function urlOf({ listen }: Document): string {
  return `http://127.0.0.1:${listen.port}`;
}

function sightOf({ models, rate_limit, pool }: Document): Omit<Sight, "generation"> {
  const { connections } = pool;
  return { limit: rate_limit.burst, upstream: models.fast.upstream, connections };
}
