/** What the tour does to the gateway: saves as an editor does, and requests over HTTP. */
import { once } from "node:events";
import { readFile, rename, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { GatewayConfig } from "./schema.ts";

/** A running gateway. */
export interface Stage {
  readonly config: GatewayConfig;
  readonly path: string;
  /** Where it serves at the moment. */
  readonly url: string;
}

/** A step of the tour does something, makes sure of what came of it, and tells that. */
export type Step = (stage: Stage) => Promise<string>;

// deno-lint-ignore no-explicit-any -- seen from the outside, JSON has no type
export type AnyJson = any;

/** Saves as most editors do: a new file takes the place of the old one. */
export async function save({ path }: Stage, text: string): Promise<void> {
  await writeFile(`${path}~`, text, { mode: 0o600 });
  await rename(`${path}~`, path);
}

/** Changes the file's document and saves it. */
export async function edit(stage: Stage, change: (document: AnyJson) => void): Promise<void> {
  const document = JSON.parse(await readFile(stage.path, "utf8"));
  change(document);
  await save(stage, JSON.stringify(document, undefined, 2) + "\n");
}

/** Waits for a condition; the answer is how long that took, in milliseconds. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<number> {
  const startedAt = performance.now();
  while (!await condition()) {
    if (performance.now() - startedAt > 20_000) throw new Error(`waited in vain until ${what}`);
    await wait(5);
  }
  return Math.round(performance.now() - startedAt);
}

export async function upstreamOf(alias: string, { url }: Stage): Promise<string> {
  const models: AnyJson = await (await fetch(`${url}/v1/models`)).json();
  return models[alias].upstream;
}

export async function statusOf({ url }: Stage): Promise<AnyJson> {
  return await (await fetch(`${url}/status`)).json();
}

/** How many requests a client may make at once. */
export async function limitOf({ url }: Stage): Promise<number> {
  const response = await fetch(`${url}/v1/models`);
  await response.body?.cancel();
  return Number(response.headers.get("x-ratelimit-limit"));
}

/** How many requests the metrics exporter has counted; a new one begins with none. */
export async function countOf({ url }: Stage): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^gateway_request_ms_count (\d+)$/m.exec(text)![1]);
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: AnyJson;
}

export async function readConfig({ url }: Stage): Promise<Answer> {
  return await answerOf(await fetch(`${url}/config`));
}

/** Sends a merge patch as the admin, unless the headers say otherwise. */
export async function patchConfig(
  { url, config }: Stage,
  patch: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const authorization = `Bearer ${config.value.admin_token}`;
  const response = await fetch(`${url}/config`, {
    method: "PATCH",
    headers: { authorization, "content-type": "application/merge-patch+json", ...headers },
    body: JSON.stringify(patch),
  });
  return await answerOf(response);
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, etag: headers.get("etag") ?? "", body: await response.json() };
}

/** Opens a stream of events that goes on until it is left. */
export async function* openStream(alias: string, { url }: Stage): AsyncGenerator<AnyJson> {
  const response = await fetch(`${url}/v1/stream?model=${alias}&words=1000000`);
  let text = "";
  for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
    const events = (text + part).split("\n\n");
    text = events.pop()!;
    for (const event of events) yield JSON.parse(event.replace("data: ", ""));
  }
}
