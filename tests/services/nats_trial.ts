/** A writer and watchers on servers that fail, and what must hold afterwards. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Config, isHoldfastError, type Json } from "../../mod.ts";
import { until } from "../support/config_under_test.ts";
import type { TestContext } from "../support/kit.ts";
import { bucketName, openOver } from "./nats_config.ts";
import type { Nats } from "./nats_server.ts";

const paceMs = 20;
/** How a write may fail while servers do. */
const allowedCodes = ["UNAVAILABLE", "COMMIT_UNKNOWN", "TIMEOUT"];

/** A document that tells which writes are in it. */
interface Noted {
  readonly writes: readonly number[];
}

/** A writer, and watchers that write down what they saw; the first of them writes too. */
export interface Trial {
  readonly writer: Config<Json, Json>;
  readonly watchers: readonly Config<Json, Json>[];
  /** Lets both write in the background until stopped. */
  start(): void;
  /** How many writes were acknowledged so far. */
  acknowledged(): number;
  /** How the writes that failed did. */
  readonly failures: readonly string[];
  /** Waits until another write was acknowledged and every watcher has seen it, and tells how long that took. */
  recovery(what: string): Promise<void>;
  /** Ends the writing, and makes sure that nothing acknowledged was lost and nobody stepped back. */
  conclude(): Promise<void>;
}

export async function startTrial(
  nats: Nats,
  t: TestContext,
): Promise<Trial> {
  // Short, so that a test need not wait long for a write to fail.
  const store = { replicas: nats.servers.length, timeoutMs: 1500 };
  const connections = [await nats.connect()];
  const { config: writer } = await openOver(connections[0]!, t, {
    store,
    seed: { writes: [] },
  });
  const seen: number[][] = [];
  const watchers = await Promise.all(nats.servers.map(async ({ url }) => {
    const others = nats.servers.map((each) => each.url).filter((other) => other !== url);
    const connection = await nats.connect({
      servers: [url, ...others],
      noRandomize: true,
    });
    connections.push(connection);
    const { config } = await openOver(connection, t, { store });
    const generations = [config.snapshot().generation];
    seen.push(generations);
    config.subscribe(() => void generations.push(config.snapshot().generation));
    return config;
  }));
  const acknowledged: number[] = [];
  const failures: string[] = [];
  let next = 1;
  let isStopped = false;
  let writing: Promise<unknown> | undefined;

  async function write(config: Config<Json, Json>): Promise<void> {
    while (!isStopped) {
      const number = next++;
      try {
        await config.update((draft) => void (draft as { writes: number[] }).writes.push(number));
        acknowledged.push(number);
      } catch (error) {
        if (!isHoldfastError(error) || !allowedCodes.includes(error.code)) {
          console.log(`a write failed in an unexpected way: ${error}`);
          throw error;
        }
        failures.push(error.code);
      }
      await wait(paceMs);
    }
  }

  const notedIn = (config: Config<Json, Json>) => (config.value as unknown as Noted).writes;

  return {
    writer,
    watchers,
    failures,
    acknowledged: () => acknowledged.length,
    start: () => {
      writing = Promise.all([write(writer), write(watchers[0]!)]);
      writing.catch(() => {});
    },
    recovery: async (what) => {
      const startedAt = performance.now();
      const sinceMs = () => Math.round(performance.now() - startedAt);
      let isOver = false;
      let lastFailureMs = 0;
      const probes = connections.map(async (connection) => {
        while (!isOver) {
          if (!await takesOne(connection) && !isOver) lastFailureMs = sinceMs();
          await wait(20);
        }
      });
      const before = next;
      const isNew = (number: number) => number >= before;
      await until("a write was acknowledged", () => acknowledged.some(isNew));
      const number = acknowledged.find(isNew)!;
      await until("every watcher saw it", () => {
        return watchers.every((config) => notedIn(config).includes(number));
      });
      const seenMs = sinceMs();
      isOver = true;
      await Promise.all(probes);
      console.log(
        `${what}: every watcher saw a new write after ${seenMs} ms, ` +
          `${
            seenMs - lastFailureMs
          } ms after NATS last left one of their connections without an answer`,
      );
    },
    conclude: async () => {
      isStopped = true;
      await writing;
      await writer.reload();
      const { generation } = writer.snapshot();
      await until("all are on the last state", () => {
        return watchers.every((config) => config.snapshot().generation >= generation);
      });
      const stored = notedIn(writer);
      const lost = acknowledged.filter((number) => !stored.includes(number));
      assert.deepEqual(lost, [], "acknowledged writes were lost");
      assert.equal(new Set(stored).size, stored.length, "a write was stored twice");
      for (const config of watchers) {
        assert.deepEqual(config.value, writer.value);
        assert.equal(config.snapshot().hash, writer.snapshot().hash);
        assert.equal(config.status().state, "ok");
      }
      for (const generations of seen) {
        const sorted = generations.toSorted((one, other) => one - other);
        assert.deepEqual(generations, sorted, "a watcher stepped back");
      }
      console.log(
        `${acknowledged.length} writes acknowledged, ${failures.length} failed, generation ${generation}`,
      );
    },
  };
}

/** Whether NATS takes something on a connection, for another key of the bucket. */
async function takesOne(connection: NatsConnection): Promise<boolean> {
  const put = jetstream(connection).publish(`$KV.${bucketName}.probe`, "1", { timeout: 250 });
  return await put.then(() => true, () => false);
}
