/** Serves requests on loopback by node:http, which Node, Deno and Bun all have. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

export type Handler = (request: Request) => Promise<Response>;

const bodyBytesMax = 1024 * 1024;

/** Serves until the signal aborts; the answer is the address. */
export async function serve(handler: Handler, port: number, signal: AbortSignal): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  signal.addEventListener("abort", () => {
    server.close();
    server.closeAllConnections();
  }, { once: true });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse) {
  const response = await respond(handler, incoming);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipeline(response.body, outgoing);
}

async function respond(handler: Handler, incoming: IncomingMessage): Promise<Response> {
  const { method = "GET", url = "/", headers } = incoming;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // The rest of a body that is too large is read and dropped, so that the client gets to hear of it.
    if (bytes <= bodyBytesMax) chunks.push(chunk);
  }
  if (bytes > bodyBytesMax) return new Response(null, { status: 413 });
  const body = bytes === 0 ? null : Buffer.concat(chunks);
  const request = new Request(new URL(url, "http://127.0.0.1"), {
    method,
    headers: headers as Record<string, string>,
    body,
  });
  return await handler(request);
}
