/** Serves requests by node:http, which Node, Deno and Bun all have. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";

export type Handler = (request: Request) => Promise<Response>;

/** Where to listen; any port that is free where it is 0. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A socket that is listened on, for one who opened it. */
export interface Listener {
  /** Where it is found; rejects where the address is in use, or is none of this machine. */
  readonly url: Promise<string>;
  /** Once all who opened it have closed it, it accepts no more. Requests and streams that are there come to their end. */
  close(): void;
}

interface Socket extends Omit<Listener, "close"> {
  readonly server: Server;
  users: number;
}

const bodyBytesMax = 1024 * 1024;

/**
 * The sockets that are listened on. Who opens an address that is open already shares the socket: so a program takes it over
 * from the one before, and there is no moment at which nobody listens.
 */
export class Sockets {
  readonly #handler: Handler;
  readonly #signal: AbortSignal;
  readonly #sockets = new Map<string, Socket>();

  /** @param signal ends everything, running requests too */
  constructor(handler: Handler, signal: AbortSignal) {
    this.#handler = handler;
    this.#signal = signal;
  }

  open({ host, port }: Address): Listener {
    const address = `${host}:${port}`;
    const socket = this.#sockets.get(address) ?? this.#listen(host, port);
    this.#sockets.set(address, socket);
    socket.users++;
    const close = () => {
      if (--socket.users > 0) return;
      this.#sockets.delete(address);
      socket.url.then(() => socket.server.close(), () => {});
    };
    return { url: socket.url, close };
  }

  #listen(host: string, port: number): Socket {
    const server: Server = createServer((incoming, outgoing) => {
      this.#answer(server, incoming, outgoing).catch(() => outgoing.destroy());
    });
    const end = () => {
      server.close();
      server.closeAllConnections();
    };
    this.#signal.addEventListener("abort", end, { once: true });
    const forget = () => this.#signal.removeEventListener("abort", end);
    server.once("close", forget).once("error", forget);
    server.listen(port, host);
    const url = once(server, "listening", { signal: this.#signal }).then(() => {
      return `http://${host}:${(server.address() as AddressInfo).port}`;
    });
    return { server, url, users: 0 };
  }

  async #answer(server: Server, incoming: IncomingMessage, outgoing: ServerResponse) {
    const response = await respond(this.#handler, incoming);
    // Whoever goes on asking is to ask where it serves now.
    if (!server.listening) outgoing.setHeader("connection", "close");
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(response.body, outgoing);
  }
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
