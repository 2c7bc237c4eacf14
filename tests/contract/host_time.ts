import assert from "node:assert/strict";
import type { HostTest } from "./host.ts";

/** Time, randomness, hashes and the environment. */
export function hostTimeContract(hostTest: HostTest): void {
  sleepContract(hostTest);

  hostTest("the monotonic clock moves with time and never back", async ({ host, elapse }) => {
    const looks = [host.monotonic()];
    for (let round = 0; round < 3; round += 1) {
      await elapse(5);
      looks.push(host.monotonic());
    }
    for (let index = 1; index < looks.length; index += 1) {
      assert.ok((looks[index] ?? 0) > (looks[index - 1] ?? 0), looks.join(", "));
    }
    assert.ok(host.now() > Date.UTC(1999));
  });

  hostTest("hash is SHA-256 in lower-case hexadecimal", ({ host }) => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const vectors = [
      ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
      ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
      ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
    ] as const;
    for (const [text, hash] of vectors) assert.equal(host.hash(bytes(text)), hash);
    assert.equal(host.hash(bytes("xabcx").subarray(1, 4)), vectors[1][1]);
    return Promise.resolve();
  });

  hostTest("random gives as many bytes as asked, never the same", ({ host }) => {
    for (const byteLength of [0, 1, 16, 100_000]) {
      assert.equal(host.random(byteLength).length, byteLength);
    }
    const draws = Array.from({ length: 1000 }, () => host.random(16).join());
    assert.equal(new Set(draws).size, draws.length);
    assert.ok(new Set(host.random(10_000)).size === 256);
    return Promise.resolve();
  });

  hostTest("an unknown variable is undefined, and a user is a number or none", ({ host }) => {
    assert.equal(host.variable("HOLDFAST_NO_SUCH_VARIABLE"), undefined);
    assert.ok(!host.variableNames()?.includes("HOLDFAST_NO_SUCH_VARIABLE"));
    for (const name of host.variableNames() ?? []) {
      assert.equal(typeof host.variable(name), "string");
    }
    const userId = host.userId();
    assert.ok(userId === undefined || (Number.isInteger(userId) && userId >= 0));
    return Promise.resolve();
  });
}

function sleepContract(hostTest: HostTest): void {
  hostTest("a pause ends, though nobody moves the clock", async ({ host }) => {
    await host.pause(1);
  });

  hostTest("sleeps end in the order of their times", async ({ host, elapse }) => {
    const order: number[] = [];
    const sleeps = [30, 0, 20, 10].map(async (ms) => {
      assert.equal(await host.sleep(ms, { keepAlive: true }), true);
      order.push(ms);
    });
    await elapse(30);
    await Promise.all(sleeps);
    assert.deepEqual(order, [0, 10, 20, 30]);
  });

  hostTest("a sleep lasts at least its time", async ({ host, elapse }) => {
    const start = host.monotonic();
    const sleeping = host.sleep(20, { keepAlive: true });
    await elapse(20);
    await sleeping;
    // Timers count whole milliseconds.
    assert.ok(host.monotonic() - start >= 19);
  });

  hostTest("an abort ends a sleep at once, with false", async ({ host }) => {
    const day = 24 * 60 * 60 * 1000;
    for (const keepAlive of [true, false]) {
      const controller = new AbortController();
      const sleeping = host.sleep(day, { signal: controller.signal, keepAlive });
      controller.abort();
      assert.equal(await sleeping, false);
      assert.equal(await host.sleep(day, { signal: controller.signal, keepAlive }), false);
    }
  });

  hostTest("an abort after the time changes nothing", async ({ host, elapse }) => {
    const controller = new AbortController();
    const sleeping = host.sleep(1, { signal: controller.signal, keepAlive: true });
    await elapse(1);
    assert.equal(await sleeping, true);
    controller.abort();
  });

  hostTest("a sleep leaves no listener behind on its signal", async ({ host, elapse }) => {
    const { signal, counts } = countingSignal();
    const sleeping = host.sleep(1, { signal, keepAlive: true });
    await elapse(1);
    await sleeping;
    assert.ok(counts.added > 0);
    assert.equal(counts.removed, counts.added);
  });

  hostTest("a sleep of months does not end at once", async ({ host, elapse }) => {
    const controller = new AbortController();
    let ended = false;
    const sleeping = host.sleep(2 ** 32, { signal: controller.signal, keepAlive: true });
    const watching = sleeping.then(() => {
      ended = true;
    });
    await elapse(20);
    assert.equal(ended, false);
    controller.abort();
    assert.equal(await sleeping, false);
    await watching;
  });
}

function countingSignal(): { signal: AbortSignal; counts: { added: number; removed: number } } {
  const { signal } = new AbortController();
  const counts = { added: 0, removed: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...given: Parameters<typeof add>) => {
    counts.added += 1;
    add(...given);
  };
  signal.removeEventListener = (...given: Parameters<typeof remove>) => {
    counts.removed += 1;
    remove(...given);
  };
  return { signal, counts };
}
