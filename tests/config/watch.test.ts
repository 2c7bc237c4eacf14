// runs on: all
/** How changes from outside reach a config, on a virtual clock. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { hostWith, path, remember } from "../support/memory_config.ts";
import { describe, test } from "../support/kit.ts";

const schema = v.object({ rate: v.number() });
const text = (rate: number) => `{"rate":${rate}}`;

async function following(
  options: { debounceMs?: number; maxWaitMs?: number; pollMs?: number } = {},
) {
  const { host, openConfig } = hostWith(text(0));
  const told = remember();
  const config = await openConfig(path, { schema, watch: options, ...told });
  const seen: number[] = [];
  config.subscribe(({ rate }) => void seen.push(rate));
  await host.advance(1000);
  return { host, config, seen, told, outside: host.outside };
}

describe("an outside change", () => {
  test("is taken over after the debounce, once, however many hints it made", async () => {
    const { host, seen, outside } = await following({ pollMs: 60_000 });
    outside.writeFile(`${path}.swp`, "x");
    outside.replaceFile(path, text(1));
    outside.removeFile(`${path}.swp`);
    await host.advance(249);
    assert.deepEqual(seen, []);
    await host.advance(5);
    assert.deepEqual(seen, [1]);
  });

  test("the debounce is trailing: each hint starts it again", async () => {
    const { host, seen, outside } = await following({ pollMs: 60_000 });
    for (let rate = 1; rate <= 3; rate++) {
      outside.replaceFile(path, text(rate));
      await host.advance(200);
    }
    assert.deepEqual(seen, []);
    await host.advance(60);
    assert.deepEqual(seen, [3]);
  });

  test("a file that is never quiet is still taken over within the maximum wait", async () => {
    const { host, seen, outside } = await following({ pollMs: 60_000 });
    for (let rate = 1; rate <= 100; rate++) {
      outside.replaceFile(path, text(rate));
      await host.advance(10);
    }
    assert.ok(seen.length >= 1, `nothing within a second: ${seen}`);
    assert.ok(seen[0]! >= 70 && seen[0]! <= 80, `first seen: ${seen[0]}`);
    await host.advance(300);
    assert.equal(seen.at(-1), 100);
  });

  test("is found by the poll alone where no event comes", async () => {
    const { host, seen, outside } = await following();
    host.faults = ({ operation }) => operation === "hint" ? { lost: true } : undefined;
    outside.replaceFile(path, text(1));
    await host.advance(500 + 250 + 5);
    assert.deepEqual(seen, [1]);
  });

  test("is found where the watch cannot start, with one warning", async () => {
    const { host, openConfig } = hostWith(text(0));
    const told = remember();
    host.faults = ({ operation }) => operation === "watch" ? { error: "EMFILE" } : undefined;
    const config = await openConfig(path, { schema, ...told });
    assert.equal(config.status().sources[0]?.watch, "polling");
    host.outside.replaceFile(path, text(1));
    await host.advance(3000);
    assert.equal(config.value.rate, 1);
    assert.equal(
      told.lines.filter((line) => /Cannot watch .*EMFILE.*polling/.test(line)).length,
      1,
    );
    host.faults = undefined;
    await host.advance(1000);
    assert.equal(config.status().sources[0]?.watch, "events");
    await config.close();
  });

  test("is found after the watch ended by itself, and the watch starts again", async () => {
    const { host, config, seen, outside } = await following();
    host.endWatches();
    outside.replaceFile(path, text(1));
    await host.advance(1000);
    assert.deepEqual(seen, [1]);
    assert.equal(config.status().sources[0]?.watch, "events");
  });

  test("is found after the directory was deleted and made again, quickly once more", async () => {
    const { host, seen, outside } = await following();
    outside.removeDirectory("/etc/app");
    await host.advance(2000);
    outside.writeFile(path, text(1), { mode: 0o600 });
    // Not a multiple of the poll's interval, so that no poll happens to find the next edit.
    await host.advance(2300);
    assert.deepEqual(seen, [1]);
    outside.replaceFile(path, text(2));
    await host.advance(255);
    assert.deepEqual(seen, [1, 2]);
  });

  test("a ConfigMap swap, which names only ..data, is taken over", async () => {
    const { host, openConfig } = hostWith();
    const { outside } = host;
    outside.writeFile("/etc/app/..1/config.json", text(1), { mode: 0o600 });
    outside.writeFile("/etc/app/..2/config.json", text(2), { mode: 0o600 });
    outside.symlink("..1", "/etc/app/..data");
    outside.symlink("..data/config.json", path);
    const config = await openConfig(path, { schema, watch: { pollMs: 60_000 } });
    await host.advance(1000);
    outside.symlink("..2", "/etc/app/..data_tmp");
    outside.rename("/etc/app/..data_tmp", "/etc/app/..data");
    await host.advance(255);
    assert.equal(config.value.rate, 2);
    await config.close();
  });

  test("between the load and the watch is not missed, with no event for it", async () => {
    const { host, openConfig } = hostWith(text(0));
    host.faults = ({ operation }) => {
      if (operation === "watch" && host.outside.readFile(path) === text(0)) {
        host.outside.replaceFile(path, text(1));
      }
    };
    const config = await openConfig(path, { schema, watch: { pollMs: 60_000 } });
    await host.advance(255);
    assert.equal(config.value.rate, 1);
    await config.close();
  });

  test("with the same content is silent, and so is the config's own write", async () => {
    const { host, config, seen, told, outside } = await following();
    const before = config.snapshot();
    outside.replaceFile(path, text(0), { mode: 0o600 });
    await host.advance(1000);
    assert.equal(config.snapshot(), before);
    await config.set({ rate: 1 });
    const written = config.snapshot();
    await host.advance(2000);
    assert.equal(config.snapshot(), written);
    assert.deepEqual(seen, [1]);
    assert.deepEqual(told.lines, []);
  });

  test("that only spells the same value anew is a generation but wakes nobody", async () => {
    const { host, config, seen, outside } = await following();
    const { value, revision } = config.snapshot();
    outside.replaceFile(path, '{ "rate": 0 }', { mode: 0o600 });
    await host.advance(1000);
    const { generation } = config.snapshot();
    assert.equal(config.value, value);
    assert.deepEqual([generation, config.snapshot().revision], [2, revision]);
    assert.deepEqual(seen, []);
  });
});

describe("closing", () => {
  test("ends every callback, pending timers included, and may be done again", async () => {
    const { host, config, seen, outside } = await following();
    outside.replaceFile(path, text(1));
    await host.advance(100);
    await config.close();
    await config.close();
    await host.advance(5000);
    assert.deepEqual(seen, []);
    await assert.rejects(config.set({ rate: 2 }), { code: "CLOSED" });
    await assert.rejects(config.reload(), { code: "CLOSED" });
    assert.equal(config.value.rate, 0);
  });

  test("follows the signal", async () => {
    const { host, openConfig } = hostWith(text(0));
    const stop = new AbortController();
    const config = await openConfig(path, { schema, signal: stop.signal });
    stop.abort();
    await assert.rejects(config.set({ rate: 1 }), { code: "CLOSED" });
    host.outside.replaceFile(path, text(1));
    await host.advance(5000);
    assert.equal(config.value.rate, 0);
    await assert.rejects(openConfig(path, { schema, signal: stop.signal }), { code: "ABORTED" });
  });

  test("is not opened any more when the signal aborts, though the disk hangs", async () => {
    const { host, openConfig } = hostWith(text(0));
    let release = () => {};
    const stalled = new Promise<void>((resolve) => release = resolve);
    host.faults = ({ operation }) => operation === "read" ? stalled : undefined;
    const said: string[] = [];
    const logger = { warn: (message: string) => void said.push(message) };
    const stop = new AbortController();
    const opening = openConfig(path, { schema, signal: stop.signal, logger });
    const aborted = assert.rejects(opening, { code: "ABORTED" });
    await host.advance(10);
    stop.abort();
    await aborted;
    host.outside.replaceFile(path, "{", { mode: 0o666 });
    release();
    await host.advance(5000);
    assert.deepEqual(said, []);
  });

  test("waits for the write under way and refuses those that wait", async () => {
    const { host, config, outside } = await following();
    let release = () => {};
    const stalled = new Promise<void>((resolve) => release = resolve);
    host.faults = ({ operation }) => operation === "rename" ? stalled : undefined;
    const first = config.set({ rate: 1 });
    await host.advance(1);
    const second = config.set({ rate: 2 }).catch((error: { code: string }) => error.code);
    let closed = false;
    const closing = config.close().then(() => closed = true);
    await host.advance(1);
    assert.equal(closed, false);
    release();
    await closing;
    await first;
    assert.equal(await second, "CLOSED");
    assert.match(outside.readFile(path), /"rate": ?1/);
  });
});

describe("a large file", () => {
  const large = (rate: number) => `{"rate":${rate},"pad":"${"x".repeat(300_000)}"}`;

  async function idle() {
    const { host, openConfig } = hostWith(large(0));
    const config = await openConfig(path, { schema, watch: { pollMs: 500 }, ...remember() });
    await host.advance(10_000);
    const count = { reads: 0 };
    host.faults = ({ operation, path: at }) => {
      if (operation === "read" && at === path) count.reads++;
      return undefined;
    };
    return { host, config, count, outside: host.outside };
  }

  test("is not read at every poll while nothing happens to it", async () => {
    const { host, count } = await idle();
    await host.advance(30_000);
    assert.ok(count.reads <= 1, `${count.reads} reads`);
    await host.advance(60_000);
    assert.ok(count.reads >= 1, "its times alone are believed for ever");
  });

  test("is read when it was edited, in place or not, to the same size", async () => {
    const { host, config, outside } = await idle();
    outside.writeFile(path, large(1));
    await host.advance(600);
    assert.equal(config.value.rate, 1);
    outside.replaceFile(path, large(2), { mode: 0o600 });
    await host.advance(600);
    outside.writeFile(path, large(3));
    await host.advance(600);
    assert.equal(config.value.rate, 3);
  });

  test("is read when its mode changed for the worse", async () => {
    const { host, config, outside } = await idle();
    outside.setMode(path, 0o666);
    await host.advance(600);
    assert.equal(config.status().state, "degraded");
  });
});
