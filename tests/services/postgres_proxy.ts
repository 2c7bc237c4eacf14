/** A network that can be cut: passes bytes between clients and a server, or loses, holds and filters them. */
import { connect, createServer, type Server, type Socket } from "node:net";

/** How bytes are treated on their way in one direction. */
type Treatment = "pass" | "hold" | "lose";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Cut off for ever without being told: whatever is sent over it is lost. */
  isDead: boolean;
  /** What the client says waits, while other connections pass. */
  isHeld: boolean;
  readonly held: { readonly to: Socket; readonly bytes: Uint8Array }[];
}

/** The network between some clients and a server. */
export class Network {
  readonly #server: Server;
  readonly #upstream: number;
  readonly #pairs = new Set<Pair>();
  #isRefusing = false;
  #isMute = false;
  #toServer: Treatment = "pass";
  #toClient: Treatment = "pass";
  /** What was lost on its way to the server. */
  lost = "";
  /** How many notifications were swallowed. */
  swallowed = 0;

  constructor(upstream: number) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @returns the port to connect to */
  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Breaks every connection and refuses new ones. */
  cut(): void {
    this.#isRefusing = true;
    this.breakAll();
  }

  /** Breaks every connection. */
  breakAll(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#pairs.clear();
  }

  /** Holds all bytes back, in both directions. */
  stall(): void {
    this.treat("hold", "hold");
  }

  /** Loses all bytes, and those of the connections that are there now for ever: nobody is told. */
  blackhole(): void {
    for (const pair of this.#pairs) pair.isDead = true;
    this.treat("hold", "hold");
  }

  /** Holds back what clients say from now on over the connections that are there now. */
  holdThese(): void {
    for (const pair of this.#pairs) pair.isHeld = true;
  }

  treat(toServer: Treatment, toClient: Treatment): void {
    this.#toServer = toServer;
    this.#toClient = toClient;
  }

  /** Swallows notifications, as some poolers do. */
  mute(): void {
    this.#isMute = true;
  }

  /** Lets everything pass again, first of all what was held back. */
  heal(): void {
    this.#isRefusing = this.#isMute = false;
    this.treat("pass", "pass");
    for (const pair of this.#pairs) {
      pair.isHeld = false;
      const { held } = pair;
      for (const { to, bytes } of held.splice(0)) to.write(bytes);
    }
  }

  async close(): Promise<void> {
    this.breakAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    if (this.#isRefusing) return void client.destroy();
    const server = connect(this.#upstream, "127.0.0.1");
    const pair: Pair = { client, server, isDead: false, isHeld: false, held: [] };
    this.#pairs.add(pair);
    const end = () => {
      if (pair.isDead) return;
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", end);
    const filter = new NotificationFilter();
    client.on("data", (bytes) => {
      if (this.#toServer === "lose") this.lost += bytes.toString("latin1");
      this.#pass(pair, server, bytes, pair.isHeld ? "hold" : this.#toServer);
    });
    server.on("data", (bytes) => {
      const { rest, swallowed } = filter.pass(bytes, this.#isMute);
      this.swallowed += swallowed;
      if (rest.length > 0) this.#pass(pair, client, rest, this.#toClient);
    });
  }

  #pass(pair: Pair, to: Socket, bytes: Uint8Array, treatment: Treatment): void {
    if (pair.isDead || treatment === "lose") return;
    if (treatment === "hold") pair.held.push({ to, bytes });
    else to.write(bytes);
  }
}

const headerLength = 5;
const notification = "A".charCodeAt(0);

/** Takes the notifications out of what a server says: messages of a letter, a length and so many bytes. */
class NotificationFilter {
  #waiting: Uint8Array = new Uint8Array();

  pass(bytes: Uint8Array, isMute: boolean): { rest: Uint8Array; swallowed: number } {
    const all = new Uint8Array([...this.#waiting, ...bytes]);
    const kept: number[] = [];
    let swallowed = 0;
    let start = 0;
    while (start + headerLength <= all.length) {
      const length = 1 + new DataView(all.buffer, start + 1, 4).getUint32(0);
      if (start + length > all.length) break;
      if (isMute && all[start] === notification) swallowed++;
      else kept.push(...all.subarray(start, start + length));
      start += length;
    }
    this.#waiting = all.slice(start);
    return { rest: Uint8Array.from(kept), swallowed };
  }
}
