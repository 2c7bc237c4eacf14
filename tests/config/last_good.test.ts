// runs on: all
/** A store that cannot be reached at the start: the last good document runs, and it is said that it does. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { holdfastError } from "../../src/core/error.ts";
import { directory } from "../../src/source/directory.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.object({ rate: v.pipe(v.number(), v.maxValue(100)) });
const lastGood = "/var/cache/app/config.json";

function stage() {
  const host = memoryHost();
  const store = memory({ rate: 1 });
  const remote = { isDown: false, hangs: false, hangsAtOpening: false };
  const refuse = () => {
    const message = "Cannot reach the remote store: found nobody there; start it";
    return Promise.reject(holdfastError("UNAVAILABLE", message, { source: "remote" }));
  };
  const described: Store = {
    kind: "store",
    name: "remote",
    open: async (context) => {
      if (remote.isDown) return await refuse();
      if (remote.hangsAtOpening) return new Promise(() => {});
      const open = await store.open(context);
      const load = open.load.bind(open);
      open.load = (considered) => {
        if (remote.hangs) return new Promise(() => {});
        return remote.isDown ? refuse() : load(considered);
      };
      return open;
    },
  };
  const told = remember();
  const open = (target: Store = described, options: object = { lastGood }) => {
    return openConfigOn(() => host)(target, { schema, ...told, ...options });
  };
  return { host, remote, open, told, store, described };
}

describe("the last good document", () => {
  test("is kept, readable by its owner alone, whenever one was good", async () => {
    const { host, open } = stage();
    const config = await open();
    assert.match(host.outside.readFile(lastGood), /"rate": 1/);
    assert.equal((await host.stat(lastGood)).mode, 0o600);
    await config.setAt(["rate"], 2);
    await config.reload();
    await config.close();
  });

  test("is kept of a seed", async () => {
    const { host, open } = stage();
    await (await open(memory(), { lastGood, seed: { rate: 4 }, watch: false })).close();
    assert.match(host.outside.readFile(lastGood), /"rate": 4/);
  });

  test("runs where the store cannot be reached, loudly, until it is there", async () => {
    const { host, remote, open, told, store } = stage();
    await (await open()).close();
    remote.isDown = true;
    const config = await open();
    assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
    assert.match(told.lines.join("\n"), /Started remote from \/var\/cache\/app\/config\.json/);
    assert.ok(config.status().problems.some(({ severity }) => severity === "error"));
    await assert.rejects(config.setAt(["rate"], 5), { code: "UNAVAILABLE" });
    assert.equal(config.value.rate, 1);
    const writer = await openConfigOn(() => host)(store, { schema, watch: false });
    await writer.setAt(["rate"], 7);
    remote.isDown = false;
    await host.advance(2000);
    assert.deepEqual([config.value.rate, config.status().state], [7, "ok"]);
    await config.setAt(["rate"], 8);
    await writer.reload();
    assert.equal(writer.value.rate, 8);
    await host.advance(1000);
    assert.match(host.outside.readFile(lastGood), /"rate": 8/);
    await config.close();
  });

  test("runs where the store does not answer", async () => {
    const { host, remote, open } = stage();
    await (await open()).close();
    remote.hangs = true;
    const opening = open(undefined, { lastGood, timeoutMs: 300, watch: false });
    await host.advance(1000);
    const config = await opening;
    assert.equal(config.value.rate, 1);
  });

  test("is not used where it is not good any more, which is told", async () => {
    const { remote, open, told } = stage();
    await (await open()).close();
    remote.isDown = true;
    const stricter = v.object({ rate: v.pipe(v.number(), v.maxValue(0)) });
    await assert.rejects(open(undefined, { lastGood, schema: stricter }), { code: "UNAVAILABLE" });
    assert.match(told.lines.join("\n"), /Cannot accept remote: .*at rate .*\/var\/cache/);
  });

  test("is not waited for where there is none and the store never opens", async () => {
    const { host, remote, open } = stage();
    remote.hangsAtOpening = true;
    const opening = open(undefined, { lastGood, timeoutMs: 300 });
    const failed = assert.rejects(opening, { code: "TIMEOUT" });
    await host.advance(1000);
    await failed;
  });

  test("leaves no watch that began as the config was closed", async () => {
    const { host, open } = stage();
    const closed = { watches: 0 };
    let release = () => {};
    const stalled = new Promise<void>((resolve) => release = resolve);
    const slow: Store = {
      kind: "store",
      name: "remote",
      open: async (context) => {
        const opened = await memory({ rate: 1 }).open(context);
        opened.watch = async () => {
          await stalled;
          return { mode: "events", close: () => Promise.resolve(void closed.watches++) };
        };
        return opened;
      },
    };
    const config = await open(slow);
    const closing = config.close().then(() => closed.watches);
    await host.advance(10);
    release();
    await host.advance(10);
    assert.equal(await closing, 1);
  });

  test("is not used where nobody allowed it, where there is none, and where it was tampered with", async () => {
    const { host, remote, open, told } = stage();
    await (await open()).close();
    remote.isDown = true;
    await assert.rejects(open(undefined, {}), { code: "UNAVAILABLE" });
    await assert.rejects(open(undefined, { lastGood: "/var/cache/other.json" }), {
      code: "UNAVAILABLE",
    });
    const text = host.outside.readFile(lastGood);
    for (
      const broken of [text.replace('"rate": 1', '"rate": 9'), text.slice(0, 40), "", "null", "{}"]
    ) {
      host.outside.writeFile(lastGood, broken);
      await assert.rejects(open(), { code: "UNAVAILABLE" });
    }
    assert.match(told.lines.join("\n"), /Cannot start from .*remove it/);
    host.outside.writeFile(lastGood, text);
    assert.equal((await open()).value.rate, 1);
  });

  test("that fits the schema no more is no start", async () => {
    const { remote, open } = stage();
    await (await open()).close();
    remote.isDown = true;
    const strict = v.object({ rate: v.pipe(v.number(), v.maxValue(0)) });
    await assert.rejects(open(undefined, { lastGood, schema: strict }), { code: "UNAVAILABLE" });
  });

  test("of another source is not taken", async () => {
    const { remote, open } = stage();
    await (await open()).close();
    remote.isDown = true;
    const other: Store = {
      kind: "store",
      name: "another",
      open: () =>
        Promise.reject(
          holdfastError("UNAVAILABLE", "Cannot reach another: found nobody; start it", {
            source: "another",
          }),
        ),
    };
    await assert.rejects(open(other), { code: "UNAVAILABLE" });
  });

  test("of layers is the whole of them, and the head alone is written when it is there again", async () => {
    const { remote, open, described } = stage();
    const target = layered({ layers: [memory({ below: 1, rate: 0 }), described], head: 1 });
    const options = { lastGood, schema: v.looseObject({}), watch: false };
    await (await open(target, options)).close();
    remote.isDown = true;
    const config = await open(target, options);
    assert.deepEqual([config.value, config.status().state], [{ below: 1, rate: 1 }, "degraded"]);
    assert.equal(config.explain(["below"]).from?.source, lastGood);
    await assert.rejects(config.setAt(["rate"], 5), { code: "UNAVAILABLE" });
    remote.isDown = false;
    const { changeSet } = await config.setAt(["rate"], 5);
    assert.deepEqual(changeSet.changes.map(({ path }) => path), [["rate"]]);
    assert.deepEqual([config.value, config.status().state], [{ below: 1, rate: 5 }, "ok"]);
    await config.unset(["rate"]);
    assert.deepEqual(config.value, { below: 1, rate: 0 });
  });

  test("gives way to the source as soon as that is there, though nothing changed", async () => {
    const { host, remote, open } = stage();
    await (await open()).close();
    host.outside.setMode(lastGood, 0o644);
    remote.isDown = true;
    const config = await open(undefined, { lastGood, watch: false });
    assert.equal(config.explain(["rate"]).from?.source, lastGood);
    remote.isDown = false;
    await config.reload();
    assert.notEqual(config.explain(["rate"]).from?.source, lastGood);
    assert.equal((await host.stat(lastGood)).mode, 0o600);
  });

  test("runs where the store never opens, and nothing waits for that for ever", async () => {
    const { host, remote, open } = stage();
    await (await open()).close();
    remote.hangsAtOpening = true;
    const opening = open(undefined, { lastGood, timeoutMs: 300 });
    await host.advance(1000);
    const config = await opening;
    assert.equal(config.value.rate, 1);
    for (const write of [() => config.setAt(["rate"], 2), () => config.rollback(1)]) {
      const refused = assert.rejects(write(), { code: "TIMEOUT" });
      await host.advance(3000);
      await refused;
    }
    const closing = config.close();
    await host.advance(1000);
    await closing;
  });

  test("is not taken from somebody else, and tells nothing of what it cannot read", async () => {
    const { host, remote, open, told } = stage();
    await (await open()).close();
    remote.isDown = true;
    const text = host.outside.readFile(lastGood);
    host.outside.setMode(lastGood, 0o666);
    await assert.rejects(open(), { code: "UNAVAILABLE" });
    host.outside.setMode(lastGood, 0o600);
    host.outside.setOwner(lastGood, 4321);
    await assert.rejects(open(), { code: "UNAVAILABLE" });
    assert.match(told.lines.join("\n"), /mode 666[^]*owner 4321/);
    host.outside.removeFile(lastGood);
    host.outside.writeFile(lastGood, '{ "canary": canary }', { mode: 0o600 });
    await assert.rejects(open(), { code: "UNAVAILABLE" });
    assert.doesNotMatch(told.lines.join("\n"), /canary/);
    host.outside.writeFile(lastGood, text, { mode: 0o600 });
    assert.equal((await open()).value.rate, 1);
  });

  test("goes when the document is removed", async () => {
    const { host, remote, open } = stage();
    const options = { lastGood, schema: v.object({ rate: v.optional(v.number(), 7) }) };
    const config = await open(undefined, options);
    await config.remove();
    assert.ok(!host.outside.list().includes(lastGood));
    await config.close();
    remote.isDown = true;
    await assert.rejects(open(undefined, options), { code: "UNAVAILABLE" });
  });

  test("that cannot be written harms nothing, and is told", async () => {
    const { host, open, told } = stage();
    host.outside.makeDirectory(lastGood);
    const config = await open();
    await config.setAt(["rate"], 2);
    assert.deepEqual([config.value.rate, config.status().state], [2, "ok"]);
    assert.match(told.lines.join("\n"), /config\.json/);
    await config.close();
  });

  test("is never kept where the configuration itself is", async () => {
    const { host, open } = stage();
    host.outside.makeDirectory("/app/conf.d");
    host.outside.writeFile("/app/config.json", '{ "rate": 3 }', { mode: 0o600 });
    const own = { lastGood: "/app/config.json", watch: false };
    await assert.rejects(open(file("/app/config.json"), own), { code: "UNSUPPORTED" });
    assert.equal(host.outside.readFile("/app/config.json"), '{ "rate": 3 }');
    host.outside.writeFile("/app/conf.d/1.json", '{ "rate": 3 }', { mode: 0o600 });
    const within = { lastGood: "/app/conf.d/2.json", watch: false };
    const config = await open(directory("/app/conf.d") as Store, within);
    await assert.rejects(config.reload(), { code: "UNSUPPORTED" });
    assert.equal(config.value.rate, 3);
  });

  test("on a disk that hangs holds up nothing for long, and the newest is kept in the end", async () => {
    const { host, open, told } = stage();
    const free: (() => void)[] = [];
    const { create } = host;
    host.create = async (...given) => {
      if (!told.lines.includes("free")) await new Promise<void>((resolve) => free.push(resolve));
      return await create.apply(host, given);
    };
    const opening = open(undefined, { lastGood, timeoutMs: 300, watch: false });
    await host.advance(1000);
    const config = await opening;
    await config.setAt(["rate"], 2);
    await config.setAt(["rate"], 3);
    assert.equal(config.value.rate, 3);
    told.lines.push("free");
    for (const go of free) go();
    await host.advance(100);
    assert.match(host.outside.readFile(lastGood), /"rate": 3/);
    await config.close();
  });
});
