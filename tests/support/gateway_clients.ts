/** Clients of the example's gateway: they ask and listen without pause, and keep what they saw. */
import assert from "node:assert/strict";

/** What a client saw of the configuration: of the value, the limiter and the pool. */
export interface Sight {
  readonly generation: number;
  readonly limit: number;
  readonly upstream: string;
  readonly connections: number;
}

// deno-lint-ignore no-explicit-any -- seen from the outside, JSON has no type
type AnyJson = any;

export class GatewayClients {
  readonly sights: Sight[] = [];
  readonly failures: unknown[] = [];
  /** How many streams came to their end after the configuration was another one. */
  streamsAcross = 0;
  #url: string;
  /** The newest generation that anyone who asked has seen. */
  #newest = 0;
  #isOver = false;
  /** How many have asked and were not answered yet. */
  #waiting = 0;
  #move: Promise<void> | undefined;
  readonly #running: Promise<void>[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Asks one thing after the other. */
  ask(): void {
    this.#run(async () => {
      const response = await this.#fetch("/v1/models");
      const { fast: { upstream, connections } }: AnyJson = await response.json();
      const seen = seenBy(response);
      this.sights.push({ ...seen, upstream, connections });
      this.#newest = Math.max(this.#newest, seen.generation);
    });
  }

  /** Listens to one stream after the other, of so many words each. */
  listen(words: number): void {
    this.#run(async () => {
      const response = await this.#fetch(`/v1/stream?words=${words}`);
      const text = await response.text();
      const events = text.split("\n\n").slice(0, -1).map((event): AnyJson => {
        return JSON.parse(event.replace("data: ", ""));
      });
      assert.deepEqual(
        events.map(({ word }) => word),
        Array.from({ length: words }, (_, index) => index + 1),
      );
      for (const { generation, limit, upstream, connections } of events) {
        this.sights.push({ generation, limit, upstream, connections });
        assert.deepEqual({ generation, limit }, seenBy(response));
      }
      if (events.some(({ generation }) => generation < this.#newest)) this.streamsAcross++;
    });
  }

  /**
   * Has everyone ask at another address after a step. Those who would connect to the old one wait meanwhile: a system resets
   * the connections that a closing socket has not accepted yet. Streams go on.
   */
  async move(url: string, step: () => Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#move = promise;
    try {
      while (this.#waiting > 0) await turn();
      await step();
      this.#url = url;
    } finally {
      this.#move = undefined;
      resolve();
    }
  }

  /** Resolves when a client has seen a generation. */
  async see(generation: number): Promise<void> {
    while (this.#newest < generation && this.failures.length === 0) await turn();
  }

  /** Resolves when all were answered, and all streams came to their end. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  #run(step: () => Promise<void>): void {
    const run = async () => {
      while (!this.#isOver) {
        await step().catch((error: unknown) => {
          this.failures.push(error);
          this.#isOver = true;
        });
      }
    };
    this.#running.push(run());
  }

  async #fetch(path: string): Promise<Response> {
    while (this.#move !== undefined) await this.#move;
    this.#waiting++;
    try {
      const response = await fetch(`${this.#url}${path}`);
      assert.equal(response.status, 200);
      return response;
    } finally {
      this.#waiting--;
    }
  }
}

function seenBy({ headers }: Response): Pick<Sight, "generation" | "limit"> {
  const number = (name: string) => Number(headers.get(name));
  return { generation: number("x-config-generation"), limit: number("x-ratelimit-limit") };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
