/** The part of the tour in which the parts of the program follow the configuration: in place, built anew, or not before a restart. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import {
  type AnyJson,
  countOf,
  edit,
  freePort,
  limitOf,
  openStream,
  patchConfig,
  readConfig,
  save,
  type Stage,
  statusOf,
  type Step,
  until,
  upstreamOf,
} from "./outside.ts";

export const reloadSteps: Readonly<Record<string, Step>> = {
  async "restart required"(stage) {
    const { data_directory } = stage.config.value;
    await edit(stage, (document) => document.data_directory = "elsewhere");
    const pending = async () => (await statusOf(stage)).pendingRestart;
    const ms = await until("it is pending", async () => (await pending()).length > 0);
    assert.deepEqual(await pending(), [
      { path: ["data_directory"], running: data_directory, stored: "elsewhere" },
    ]);
    assert.equal(stage.config.value.data_directory, data_directory);
    return `/status has data_directory pending after ${ms} ms; the value stays ${data_directory}`;
  },

  async "reconfigured in place"(stage) {
    const patch = { rate_limit: { burst: 500 }, pool: { connections: 8 } };
    assert.deepEqual(await actionsOf(stage, patch), ["limiter", "pool"]);
    const counted = await countOf(stage);
    assert.equal((await patchConfig(stage, patch)).status, 200);
    const stream = openStream("fast", stage);
    const { value: { limit, connections } } = await stream.next();
    await stream.return(undefined);
    assert.deepEqual([limit, connections], [500, 8]);
    assert.ok(await countOf(stage) > counted);
    return "the limiter lets 500 through at once, the pool has 8 connections, the counters go on";
  },

  async "mixed edit"(stage) {
    await edit(stage, (document) => {
      document.default_alias = "deep";
      document.models.deep.enabled = true;
      document.rate_limit.burst = 600;
      document.data_directory = "somewhere";
    });
    const ms = await until("the edit counts", async () => await limitOf(stage) === 600);
    const { pendingRestart: [pending] } = await statusOf(stage);
    assert.equal(stage.config.value.default_alias, "deep");
    assert.deepEqual([pending.running, pending.stored], ["data", "somewhere"]);
    return `after ${ms} ms default_alias is deep, the limiter has 600, and data_directory waits for a restart`;
  },

  async "refused beforehand"(stage) {
    const { body: before } = await readConfig(stage);
    const file = await readFile(stage.path, "utf8");
    const answer = await patchConfig(stage, {
      rate_limit: { burst: 700 },
      pool: { connections: 65 },
    });
    assert.equal(answer.status, 409);
    const { code, details, detail } = answer.body;
    assert.deepEqual([code, details.module], ["RELOAD_REFUSED", "pool"]);
    assert.match(detail, /takes 64 connections, and not 65/);
    assert.equal((await readConfig(stage)).body.generation, before.generation);
    assert.equal(await readFile(stage.path, "utf8"), file);
    assert.equal(await limitOf(stage), 600);
    return `409 ${code}: the ${details.module} takes no 65 connections; nothing is stored`;
  },

  async "failed midway"(stage) {
    const running = openStream("fast", stage);
    const { upstream } = (await running.next()).value;
    await edit(stage, (document) => {
      document.rate_limit.burst = 800;
      document.models.fast.upstream = "moody-7b";
    });
    const ms = await until("it is degraded", async () => (await statusOf(stage)).state !== "ok");
    const [problem] = (await statusOf(stage)).problems;
    assert.match(problem.message, /module "pool" failed \(moody-7b hung up\)/);
    assert.deepEqual([await limitOf(stage), await upstreamOf("fast", stage)], [600, upstream]);
    assert.equal((await running.next()).value.upstream, upstream);
    await running.return(undefined);
    assert.match(await readFile(stage.path, "utf8"), /moody-7b/);
    return `after ${ms} ms /status says that moody-7b hung up; the limiter, reconfigured before, is back at 600`;
  },

  async "repair of the upstream"(stage) {
    const file = await readFile(stage.path, "utf8");
    await save(stage, file.replace("moody-7b", "small-11b"));
    const ms = await until("it is ok", async () => (await statusOf(stage)).state === "ok");
    assert.deepEqual([await limitOf(stage), await upstreamOf("fast", stage)], [800, "small-11b"]);
    return `/status is ok after ${ms} ms, and what was meant runs: small-11b and 800`;
  },

  async "full reload"(stage) {
    const patch = { metrics: { buckets_ms: [5, 50, 500] } };
    assert.deepEqual(await actionsOf(stage, patch), ["full_reload by metrics"]);
    const { url } = stage;
    const counted = await countOf(stage);
    assert.equal((await patchConfig(stage, patch)).status, 200);
    assert.ok(await countOf(stage) < counted);
    assert.equal(stage.url, url);
    return "a metrics exporter with other buckets counts anew; all is built anew but the socket";
  },

  async "full reload of the listener"(stage) {
    const { url } = stage;
    const running = openStream("fast", stage);
    await running.next();
    const port = await freePort();
    assert.equal((await patchConfig(stage, { listen: { port } })).status, 200);
    assert.equal(stage.url, `http://127.0.0.1:${port}`);
    assert.equal(await upstreamOf("fast", stage), "small-11b");
    await assert.rejects(fetch(`${url}/status`));
    const { value: before } = await running.next();
    const { value: after } = await running.next();
    assert.deepEqual([after.word, after.generation], [before.word + 1, before.generation]);
    await running.return(undefined);
    return `port ${port} serves, ${new URL(url).port} does not; the stream from there goes on`;
  },
};

/** What a change is going to come to, in short. */
async function actionsOf({ config }: Stage, patch: object): Promise<string[]> {
  const plan: AnyJson = await config.plan(patch);
  return plan.actions.flatMap(({ kind, module, reasons }: AnyJson) => {
    if (kind === "restart_required") return [];
    if (kind !== "full_reload") return [module ?? kind];
    return [`full_reload by ${reasons.map((reason: AnyJson) => reason.module)}`];
  });
}
