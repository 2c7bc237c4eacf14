/** A commit whose connection breaks after any of its bytes, on their way there or back. */
import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { isHoldfastError, openConfig } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";
import { listen } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { increment, type Opened } from "./postgres_following.ts";
import { freshKey, server, serverTests, sql } from "./postgres_store.ts";

type Direction = "request" | "reply";

/** Close together where a whole message ends, which is seldom at the same byte twice. */
const step = 12;

/** A way to the server that breaks once, after so many bytes in one direction. */
class Fuse {
  readonly #direction: Direction;
  #left: number;
  isArmed = false;
  isBlown = false;

  constructor(direction: Direction, bytes: number) {
    this.#direction = direction;
    this.#left = bytes;
  }

  async open(t: TestContext): Promise<number> {
    const listening = createServer((client) => {
      const upstream = connect(server().port, "127.0.0.1");
      const end = () => [client, upstream].forEach((socket) => socket.destroy());
      for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
      client.on("data", (bytes) => this.#pass("request", bytes, upstream, end));
      upstream.on("data", (bytes) => this.#pass("reply", bytes, client, end));
    });
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    t.after(() => void listening.close());
    const address = listening.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  #pass(direction: Direction, bytes: Uint8Array, to: Socket, end: () => void): void {
    if (!this.isArmed || direction !== this.#direction || bytes.length <= this.#left) {
      if (this.isArmed && direction === this.#direction) this.#left -= bytes.length;
      return void to.write(bytes);
    }
    this.isArmed = false;
    this.isBlown = true;
    // What got through is acted upon before the rest is missed.
    to.write(bytes.subarray(0, this.#left), () => void wait(5).then(end));
  }
}

interface Trial {
  readonly isCut: boolean;
  readonly told: string;
  /** How often the write was carried out. */
  readonly times: number;
}

async function attempt(t: TestContext, direction: Direction, bytes: number): Promise<Trial> {
  const fuse = new Fuse(direction, bytes);
  const port = await fuse.open(t);
  const client = server().connect(server().url({ port }), { max: 1, backoff: () => 0.01 });
  const key = freshKey();
  const config = await openConfig(postgres({ sql: client, key }), {
    ...listen(),
    seed: { count: 0 },
    watch: false,
    timeoutMs: 30_000,
  }) as unknown as Opened;
  // The next one is as all that follow: its statement is known to the server.
  await increment(config);
  fuse.isArmed = true;
  const told = await increment(config).then(() => "stored", (error: unknown) => {
    assert.ok(isHoldfastError(error), String(error));
    return error.code;
  });
  fuse.isArmed = false;
  await wait(fuse.isBlown ? 20 : 0);
  const [row] = await sql()`select document, generation from holdfast where key = ${key}`;
  const { count } = JSON.parse(row!["document"]);
  assert.equal(Number(row!["generation"]), count + 1);
  await config.reload();
  assert.equal(config.value.count, count);
  await config.close();
  await client.end({ timeout: 0 });
  return { isCut: fuse.isBlown, told, times: count - 1 };
}

serverTests((skip) => {
  describe("a commit", () => {
    for (const direction of ["request", "reply"] as const) {
      test(`cut after any byte of its ${direction} is told as it went`, {
        skip,
        timeoutMs: 60_000,
      }, async (t) => {
        const trials: Trial[] = [];
        for (let bytes = 0, isOver = false; !isOver; bytes += 4 * step) {
          const places = [0, 1, 2, 3].map((index) => bytes + index * step + index);
          const some = await Promise.all(places.map((place) => attempt(t, direction, place)));
          trials.push(...some);
          isOver = some.some(({ isCut }) => !isCut);
        }
        for (const trial of trials) {
          // Nobody was away for long, so there is always somebody to ask.
          assert.ok(["stored", "UNAVAILABLE"].includes(trial.told), trial.told);
          assert.equal(trial.times, trial.told === "stored" ? 1 : 0);
        }
        const cut = trials.filter(({ isCut }) => isCut);
        assert.ok(cut.length >= 8, `${cut.length} of ${trials.length} were cut`);
        // Once the server has all of it, it is stored; a reply means that it had.
        const expected = direction === "reply" ? "stored" : "UNAVAILABLE";
        assert.ok(cut.some(({ told }) => told === expected));
      });
    }
  });
});
