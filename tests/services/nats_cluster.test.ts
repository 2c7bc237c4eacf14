// runs on: node-24, deno, bun
/** A cluster of three servers of NATS that loses its leader, or most of itself. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { bucketName, natsFor } from "./nats_config.ts";
import { startNatsCluster, withoutNats } from "./nats_server.ts";
import { startTrial } from "./nats_trial.ts";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

const skip = withoutNats;
const timeoutMs = 120_000;

describe("NATS, a cluster of three", () => {
  test("its leader killed, nothing is lost", { skip, timeoutMs }, async (t) => {
    const nats = await natsFor(t, startNatsCluster);
    const trial = await startTrial(nats, t);
    trial.start();
    await until("some were written", () => trial.acknowledged() > 20);
    const leader = await nats.leaderOf(bucketName);
    await leader.kill();
    await trial.recovery("leader killed");
    await leader.start();
    await trial.recovery("leader started again");
    await trial.conclude();
  });

  test("its leader stopped and let go on, nobody steps back", { skip, timeoutMs }, async (t) => {
    const nats = await natsFor(t, startNatsCluster);
    const trial = await startTrial(nats, t);
    trial.start();
    await until("some were written", () => trial.acknowledged() > 20);
    const leader = await nats.leaderOf(bucketName);
    leader.pause();
    await trial.recovery("leader stopped");
    await wait(500);
    leader.resume();
    await trial.recovery("leader let go on");
    await wait(1000);
    await trial.conclude();
  });

  test(
    "most of it killed, the last value is served until it is back",
    { skip, timeoutMs },
    async (t) => {
      const nats = await natsFor(t, startNatsCluster);
      const trial = await startTrial(nats, t);
      trial.start();
      await until("some were written", () => trial.acknowledged() > 20);
      const [first, second] = nats.servers;
      await Promise.all([first!.kill(), second!.kill()]);
      const failed = trial.failures.length;
      await until("writes fail", () => trial.failures.length > failed);
      // Who is left may still answer questions, though it takes no order.
      await wait(1500);
      for (const { value } of trial.watchers) {
        assert.ok((value as unknown as { writes: number[] }).writes.length > 0);
      }
      await Promise.all([first!.start(), second!.start()]);
      await trial.recovery("most of the cluster killed and started again");
      await trial.conclude();
    },
  );
});
