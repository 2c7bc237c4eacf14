/** What can happen to a configuration file, played on the running gateway from the outside: by the file and over HTTP. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import {
  edit,
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
import { reloadSteps } from "./tour_of_reloads.ts";

/** Plays every step until one goes wrong; the answer is whether none did. */
export async function playTour(stage: Stage): Promise<boolean> {
  const all = Object.entries({ ...steps, ...reloadSteps });
  for (const [index, [name, step]] of all.entries()) {
    try {
      console.log(`${index + 1}/${all.length}  ${name}: ${await step(stage)}`);
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      console.error(`FAILED at step ${index + 1}/${all.length}, ${name}`);
      return false;
    }
  }
  console.log("Every step went as it should.");
  return true;
}

/** The file as version 1 of the gateway wrote it. */
export async function writeOldVersion(path: string): Promise<void> {
  const document = {
    version: 1,
    admin_token: crypto.randomUUID(),
    default_alias: "fast",
    aliases: { fast: "small-7b", deep: "large-70b" },
    retention_days: 14,
  };
  await writeFile(path, JSON.stringify(document, undefined, 2), { mode: 0o600 });
}

const steps: Readonly<Record<string, Step>> = {
  async migration({ config, path }) {
    const stored = JSON.parse(await readFile(path, "utf8"));
    assert.equal(stored.version, 2);
    assert.deepEqual(stored.models.fast, { upstream: "small-7b" });
    assert.deepEqual(config.value.models["fast"], { upstream: "small-7b", enabled: true });
    return "version 1 became version 2, in the file too; the defaults stay out of it";
  },

  async "atomic save"(stage) {
    await edit(stage, (document) => document.models.fast.upstream = "small-8b");
    const ms = await until(
      "the edit counts",
      async () => await upstreamOf("fast", stage) === "small-8b",
    );
    return `/v1/models has fast as small-8b after ${ms} ms`;
  },

  async "broken edit"(stage) {
    const good = await readFile(stage.path, "utf8");
    const broken = good.replace('"fast",', '"fast"');
    const before = broken.slice(0, broken.indexOf('"models"')).split("\n");
    await save(stage, broken);
    const ms = await until("it is degraded", async () => (await statusOf(stage)).state !== "ok");
    const [problem] = (await statusOf(stage)).problems;
    assert.deepEqual(
      [problem.line, problem.column],
      [before.length, before.at(-1)!.length + 1],
    );
    assert.equal(await upstreamOf("fast", stage), "small-8b");
    const place = `line ${problem.line}, column ${problem.column}`;
    return `/status is degraded after ${ms} ms, by ${place}; fast is small-8b still`;
  },

  async repair(stage) {
    const broken = await readFile(stage.path, "utf8");
    await save(stage, broken.replace('"fast"\n', '"fast",\n').replace("small-8b", "small-9b"));
    const ms = await until("it is ok", async () => (await statusOf(stage)).state === "ok");
    assert.equal(await upstreamOf("fast", stage), "small-9b");
    return `/status is ok after ${ms} ms, and fast is small-9b`;
  },

  async "invalid edit"(stage) {
    const good = await readFile(stage.path, "utf8");
    await edit(stage, (document) => document.default_alias = "gone");
    const ms = await until("it is degraded", async () => (await statusOf(stage)).state !== "ok");
    const [problem] = (await statusOf(stage)).problems;
    assert.deepEqual(problem.path, ["default_alias"]);
    assert.equal(stage.config.value.default_alias, "fast");
    await save(stage, good);
    await until("it is ok", async () => (await statusOf(stage)).state === "ok");
    return `refused after ${ms} ms: default_alias ${problem.message}; undone`;
  },

  async patch(stage) {
    const { etag, body } = await readConfig(stage);
    assert.deepEqual(body.value.admin_token, { $secret: "unchanged" });
    const patch = { models: { deep: { enabled: false } } };
    assert.equal((await patchConfig(stage, patch, { authorization: "Bearer wrong" })).status, 401);
    const startedAt = performance.now();
    const answer = await patchConfig(stage, patch, { "if-match": etag });
    const ms = Math.round(performance.now() - startedAt);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.generation, body.generation + 1);
    const stored = JSON.parse(await readFile(stage.path, "utf8"));
    assert.deepEqual(stored.models.deep, { upstream: "large-70b", enabled: false });
    return `200 and durable after ${ms} ms, generation ${body.generation} → ${body.generation + 1}`;
  },

  async "stale patch"(stage) {
    const { etag } = await readConfig(stage);
    await patchConfig(stage, { retention: { days: 60 } });
    const answer = await patchConfig(stage, { retention: { days: 90 } }, { "if-match": etag });
    assert.equal(answer.status, 412);
    const { code, details } = answer.body;
    assert.equal(code, "CONFLICT");
    assert.equal(stage.config.value.retention.days, 60);
    return `412 ${code}, expected ${details.expected}, current ${details.current}; nothing is written`;
  },

  async "stream across a reload"(stage) {
    const running = openStream("fast", stage);
    const old = (await running.next()).value.upstream;
    await edit(stage, (document) => document.models.fast.upstream = "small-10b");
    const counts = async () => await upstreamOf("fast", stage) === "small-10b";
    const ms = await until("the edit counts", counts);
    const reloadedMs = Date.now();
    let { value: event } = await running.next();
    while (event.sentMs <= reloadedMs) event = (await running.next()).value;
    assert.equal(event.upstream, old);
    const next = openStream("fast", stage);
    assert.equal((await next.next()).value.upstream, "small-10b");
    await Promise.all([running.return(undefined), next.return(undefined)]);
    return `reloaded after ${ms} ms; the running stream goes on with ${old}, a new one has small-10b`;
  },
};
