// runs on: all
/** One edit of a file that mixes what is hot, what a module takes over, and what only a restart changes. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { hot, restartRequired } from "../../src/core/mark.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const schema = v.object({
  log: v.pipe(v.string(), hot()),
  pool: v.object({ size: v.number(), threads: v.pipe(v.number(), restartRequired()) }),
  listen: v.object({ port: v.number() }),
});
const start = { log: "info", pool: { size: 2, threads: 4 }, listen: { port: 80 } };

async function opened() {
  const { host, openConfig } = hostWith(JSON.stringify(start));
  const config = await openConfig(path, { schema, ...remember() });
  const calls: string[] = [];
  const pool = config.module({
    name: "pool",
    select: (value) => value.pool,
    reconfigure: (next) => void calls.push(`pool ${next.size} of ${next.threads}`),
  });
  const reloader = createReloader(config, {
    modules: () => [pool],
    fullReload: ({ value }) => void calls.push(`full ${value.listen.port}`),
  });
  const logs: string[] = [];
  config.subscribe((value) => value.log, (log) => logs.push(log));
  const save = async (document: unknown) => {
    host.outside.replaceFile(path, JSON.stringify(document), { mode: 0o600 });
    await host.advance(1000);
  };
  return { config, calls, logs, reloader, save };
}

describe("an edit of several kinds", () => {
  test("has each part treated as its kind asks", async () => {
    const { config, calls, logs, save } = await opened();
    await save({ ...start, log: "debug", pool: { size: 3, threads: 8 } });
    assert.deepEqual(config.value, { ...start, log: "debug", pool: { size: 3, threads: 4 } });
    assert.deepEqual([calls, logs], [["pool 3 of 4"], ["debug"]]);
    const { state, pendingRestart, stored, running } = config.status();
    assert.deepEqual([state, stored], ["ok", { generation: 2, hash: running.hash }]);
    assert.deepEqual(pendingRestart, [{ path: ["pool", "threads"], running: 4, stored: 8 }]);
    await save(start);
    assert.deepEqual([config.value, config.status().pendingRestart], [start, []]);
  });

  test("reconfigures nothing where all of it waits for a restart", async () => {
    const { config, calls, save } = await opened();
    await save({ ...start, pool: { size: 2, threads: 8 } });
    assert.deepEqual([config.value, calls], [start, []]);
    assert.equal(config.snapshot().generation, 2);
  });

  test("is one full reload where a part of it asks for that", async () => {
    const { config, calls, logs, save } = await opened();
    await save({ log: "debug", pool: { size: 3, threads: 4 }, listen: { port: 81 } });
    assert.deepEqual([calls, logs, config.value.pool.size], [["full 81"], ["debug"], 3]);
  });

  test("is planned the way it comes to be", async () => {
    const { config, reloader } = await opened();
    const plan = await config.plan({ log: "debug", pool: { size: 3, threads: 8 } });
    assert.ok(plan.ok);
    assert.deepEqual(plan.actions, [
      { kind: "hot", paths: [["log"]] },
      { kind: "reconfigure", module: "pool", paths: [["pool", "size"]] },
      { kind: "restart_required", paths: [["pool", "threads"]] },
    ]);
    const full = await config.plan({ listen: { port: 81 } });
    assert.ok(full.ok);
    assert.deepEqual(full.actions, [
      { kind: "full_reload", reasons: [{ why: "unclaimed", paths: [["listen", "port"]] }] },
    ]);
    await reloader.close();
    await assert.rejects(config.apply(full), { code: "CONFLICT" });
  });
});
