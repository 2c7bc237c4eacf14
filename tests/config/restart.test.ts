// runs on: all
/** Values that only a restart changes, in a config that runs: what is told of them, and when no more. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { restartRequired, secret, warnIf } from "../../src/core/mark.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const listen = v.pipe(
  v.object({
    port: v.pipe(v.number(), restartRequired()),
    portMax: v.optional(v.number(), 65_535),
    key: v.optional(v.pipe(v.string(), secret(), restartRequired())),
  }),
  v.check(({ port, portMax }) => port <= portMax, "port must not be above portMax"),
);
const schema = v.object({
  listen,
  rate: v.optional(v.pipe(v.number(), warnIf((rate) => rate > 50, "is high")), 1),
});

async function opened(document: unknown = { listen: { port: 80 } }) {
  const { host, openConfig } = hostWith(JSON.stringify(document));
  const told = remember();
  const config = await openConfig(path, { schema, ...told });
  const port = (port: number) => config.setAt(["listen", "port"], port);
  const pending = () => config.status().pendingRestart;
  const warnings = () => told.lines.filter((line) => /warn .*restart/.test(line));
  return { host, openConfig, config, told, port, pending, warnings };
}

describe("a value that waits for a restart", () => {
  test("is told once, whatever else is written, and again with another value", async () => {
    const { config, port, pending, warnings } = await opened();
    await port(81);
    assert.deepEqual(warnings(), [`warn listen.port of ${path} changes only with a restart`]);
    await config.setAt(["rate"], 2);
    await config.setAt(["rate"], 3);
    assert.equal(warnings().length, 1);
    await port(82);
    assert.equal(warnings().length, 2);
    assert.deepEqual(pending(), [{ path: ["listen", "port"], running: 80, stored: 82 }]);
    assert.deepEqual([config.value.listen.port, config.value.rate], [80, 3]);
    assert.equal(config.status().state, "ok");
  });

  test("waits no more once it is reverted, by hand or by a rollback, and wakes nobody", async () => {
    const { host, config, port, pending, warnings } = await opened();
    const got: unknown[] = [];
    config.subscribe((value) => got.push(value));
    await port(81);
    await port(80);
    assert.deepEqual(pending(), []);
    await port(82);
    await config.rollback(1);
    assert.deepEqual(pending(), []);
    await config.rollback(2);
    assert.deepEqual(pending(), [{ path: ["listen", "port"], running: 80, stored: 81 }]);
    host.outside.replaceFile(path, '{"listen":{"port":80}}', { mode: 0o600 });
    await host.advance(2000);
    assert.deepEqual([pending(), got, config.snapshot().revision], [[], [], 0]);
    assert.equal(warnings().length, 3);
  });

  test("counts at the next open, which holds nothing back", async () => {
    const { openConfig, config, port } = await opened();
    await port(81);
    await config.close();
    const again = await openConfig(path, { schema, ...remember() });
    assert.deepEqual([again.value.listen.port, again.status().pendingRestart], [81, []]);
  });

  test("is not there after a seed", async () => {
    const { openConfig } = hostWith();
    const config = await openConfig(path, { schema, seed: { listen: { port: 1 } }, ...remember() });
    assert.deepEqual(config.status().pendingRestart, []);
    assert.equal(config.value.listen.port, 1);
  });

  test("shows nothing of a secret, not even where a rule holds back what is around it", async () => {
    const { config, told, pending } = await opened({ listen: { port: 80, key: "canary-1" } });
    await config.setAt(["listen", "key"], "canary-2");
    const hidden = { $secret: "unchanged" };
    assert.deepEqual(pending(), [{ path: ["listen", "key"], running: hidden, stored: hidden }]);
    assert.equal(config.value.listen.key, "canary-1");
    await config.patch({ listen: { port: 8, portMax: 9 } });
    assert.deepEqual(pending().map(({ path }) => path), [["listen"]]);
    assert.doesNotMatch(JSON.stringify([told.lines, told.events, config.status()]), /canary/);
    assert.deepEqual(config.value.listen, { port: 80, portMax: 65_535, key: "canary-1" });
  });

  test("shows no name below a secret, where what is around it waits as well", async () => {
    const { openConfig } = hostWith('{"creds":{"canary":{"server":{"port":2,"rate":2}}}}');
    const port = v.optional(v.pipe(v.number(), restartRequired()), 1);
    const server = v.object({ port, rate: v.optional(v.number(), 1) });
    const cred = v.object({ server: v.optional(server, { port: 9, rate: 9 }) });
    const schema = v.object({ creds: v.pipe(v.record(v.string(), cred), secret()) });
    const told = remember();
    const config = await openConfig(path, { schema, watch: false, ...told });
    await config.set({ creds: { canary: {} } });
    assert.deepEqual(config.value.creds["canary"], { server: { port: 2, rate: 2 } });
    const { problems, pendingRestart } = config.status();
    assert.deepEqual(problems.map(({ path }) => path), [["creds"]]);
    assert.equal(told.lines.length, 2);
    assert.doesNotMatch(JSON.stringify([told.lines, problems, pendingRestart]), /canary/);
  });

  test("that the rest of an edit does not go with, takes that with it, and status says why", async () => {
    const { config, pending, warnings } = await opened();
    const { changeSet } = await config.patch({ listen: { port: 8, portMax: 9 }, rate: 60 });
    assert.equal(changeSet.changes.length, 3);
    assert.deepEqual(config.value, { listen: { port: 80, portMax: 65_535 }, rate: 60 });
    assert.deepEqual(pending(), [{
      path: ["listen"],
      running: { port: 80, portMax: 65_535 },
      stored: { port: 8, portMax: 9 },
    }]);
    const { state, problems } = config.status();
    assert.deepEqual([state, problems.map(({ path, severity }) => [path, severity])], [
      "ok",
      [[["rate"], "warning"], [["listen"], "warning"]],
    ]);
    assert.match(problems[1]!.message, /restart .*port must not be above portMax/);
    assert.equal(warnings().length, 2);
    await config.patch({ listen: { port: 80, portMax: 90 } });
    assert.deepEqual([pending(), config.value.listen], [[], { port: 80, portMax: 90 }]);
    assert.deepEqual(config.status().problems.map(({ path }) => path), [["rate"]]);
  });

  test("does not make what the schema refuses by itself acceptable", async () => {
    const { config, pending } = await opened();
    await assert.rejects(config.patch({ listen: { port: 8, portMax: 7 } }), { code: "INVALID" });
    assert.deepEqual([pending(), config.snapshot().generation], [[], 1]);
  });

  test("is judged by a schema that takes its time, and one that throws holds all back", async () => {
    const { openConfig } = hostWith('{"port":1,"rate":1}');
    const slow = v.pipeAsync(
      v.object({ port: v.pipe(v.number(), restartRequired()), rate: v.number() }),
      v.checkAsync(({ port, rate }) => {
        if (port === 1 && rate === 3) throw new Error("thrown");
        return Promise.resolve(port !== 1 || rate !== 2);
      }, "port 1 takes no rate 2"),
    );
    const config = await openConfig(path, { schema: slow, watch: false, ...remember() });
    for (const [rate, reason] of [[2, /takes no rate/], [3, /the schema threw/]] as const) {
      await config.set({ port: 2, rate });
      assert.deepEqual(config.value, { port: 1, rate: 1 });
      assert.equal(config.status().pendingRestart.length, 2);
      assert.match(config.status().problems[0]!.message, reason);
    }
    await config.set({ port: 2, rate: 4 });
    assert.deepEqual(config.value, { port: 1, rate: 4 });
  });

  test("in an entry that came later is kept from then on", async () => {
    const { openConfig } = hostWith("{}");
    const model = v.object({ upstream: v.pipe(v.string(), restartRequired()), on: v.boolean() });
    const models = v.record(v.string(), model);
    const config = await openConfig(path, { schema: models, watch: false, ...remember() });
    await config.set({ fast: { upstream: "a", on: true } });
    assert.deepEqual(config.value, { fast: { upstream: "a", on: true } });
    await config.set({ fast: { upstream: "b", on: false } });
    assert.deepEqual(config.value, { fast: { upstream: "a", on: false } });
    await config.set({});
    assert.deepEqual(config.value, { fast: { upstream: "a", on: false } });
    assert.deepEqual(config.status().pendingRestart.map(({ path }) => path), [["fast"]]);
  });

  test("in layers waits whichever of them it comes from", async () => {
    const host = memoryHost();
    host.outside.makeDirectory("/app");
    const save = (name: string, content: unknown) => {
      host.outside.replaceFile(`/app/${name}.json`, JSON.stringify(content), { mode: 0o600 });
    };
    save("base", { listen: { port: 80 } });
    save("local", {});
    const layers = [file("/app/base.json"), file("/app/local.json")];
    const source = layered({ layers, head: 0 });
    const config = await openConfigOn(() => host)(source, { schema, ...remember() });
    const running = () => [config.value.listen.port, config.value.rate];
    const stored = () => config.status().pendingRestart.map(({ stored }) => stored);
    save("local", { listen: { port: 81 }, rate: 2 });
    await host.advance(2000);
    assert.deepEqual([running(), stored()], [[80, 2], [81]]);
    await config.patch({ listen: { port: 79 }, rate: 5 });
    assert.deepEqual([running(), stored()], [[80, 2], [81]]);
    save("local", {});
    await host.advance(2000);
    assert.deepEqual([running(), stored()], [[80, 5], [79]]);
    await config.setAt(["listen", "port"], 80);
    assert.deepEqual([running(), stored()], [[80, 5], []]);
  });
});
