// runs on: node-24, deno, bun
/** One server of NATS that is shared, killed, started again, or not there at all. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { openConfig } from "../../mod.ts";
import { natsKv } from "../../src/store/nats/nats_kv.ts";
import { natsFor, openOver } from "./nats_config.ts";
import { withoutNats } from "./nats_server.ts";
import { startTrial } from "./nats_trial.ts";
import { startScript } from "../support/child.ts";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

const skip = withoutNats;
const timeoutMs = 90_000;

describe("NATS, one server", () => {
  test(
    "concurrent increments by several processes lose nothing",
    { skip, timeoutMs },
    async (t) => {
      const nats = await natsFor(t);
      const connection = await nats.connect();
      const { config } = await openOver(connection, t, { seed: { count: 0 } });
      const [processes, times] = [4, 25];
      const children = Array.from({ length: processes }, () => {
        const { url } = nats.servers[0]!;
        return startScript("../services/nats_writer_child.ts", [url, String(times)], t);
      });
      const endings = await Promise.all(children.map(({ ended }) => ended));
      assert.deepEqual(
        endings,
        Array(processes).fill(0),
        children.map((each) => each.output()).join(),
      );
      await until("it follows", () => config.snapshot().generation === processes * times + 1);
      assert.deepEqual(config.value, { count: processes * times });
    },
  );

  test("killed and started again, it lost nothing", { skip, timeoutMs }, async (t) => {
    const nats = await natsFor(t);
    const trial = await startTrial(nats, t);
    trial.start();
    await until("some were written", () => trial.acknowledged() > 20);
    const before = trial.watchers[0]!.snapshot();
    await nats.servers[0]!.kill();
    await until("writes fail", () => trial.failures.length > 0);
    await until("it is told", () => trial.watchers[0]!.status().state === "degraded");
    assert.ok(trial.watchers[0]!.snapshot().generation >= before.generation);
    await nats.servers[0]!.start();
    await trial.recovery("server killed and started again");
    await trial.conclude();
  });

  test("stopped and let go on, it lost nothing", { skip, timeoutMs }, async (t) => {
    const nats = await natsFor(t);
    const trial = await startTrial(nats, t);
    trial.start();
    await until("some were written", () => trial.acknowledged() > 20);
    nats.servers[0]!.pause();
    await wait(1500);
    nats.servers[0]!.resume();
    await trial.recovery("server stopped for 1.5 s");
    await trial.conclude();
  });

  test("gone before the config is opened, that fails in words", { skip, timeoutMs }, async (t) => {
    const nats = await natsFor(t);
    const connection = await nats.connect();
    await nats.servers[0]!.kill();
    const store = natsKv({ connection, bucket: "app", key: "config", timeoutMs: 500 });
    await assert.rejects(openConfig(store), {
      code: "UNAVAILABLE",
      message: /Cannot read nats:app/,
    });
    await nats.servers[0]!.start();
    await until("it is back", async () => {
      return await openOver(connection, t, { seed: {} }).then(() => true, () => false);
    });
  });
});
