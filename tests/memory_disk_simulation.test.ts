// runs on: all
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { memoryDisk } from "../adapters/memory.ts";
import type { MemoryDisk, Settling } from "../adapters/memory.ts";
import { createFile } from "./contract/host.ts";
import { describe, test } from "./support/kit.ts";
import { randomFrom } from "./support/random.ts";

function diskWithFile(settle: Settling = "microtasks"): MemoryDisk {
  const disk = memoryDisk({ settle });
  disk.outside.writeFile("/d/a", "a");
  return disk;
}

describe("a simulation on a disk in memory", () => {
  test("by promise jobs rests without a turn of the event loop", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    let turned = false;
    setImmediate(() => turned = true);
    const order: string[] = [];
    const both = [1, 2].map(async (ms) => {
      await host.sleep(ms, { keepAlive: false });
      for (let hop = 0; hop < 100; hop += 1) await undefined;
      await host.read("/d/a", 10);
      order.push(`${ms} at ${host.monotonic()}`);
    });
    await disk.advance(10);
    assert.equal(turned, false);
    assert.deepEqual(order, ["1 at 1", "2 at 2"]);
    await Promise.all(both);
  });

  test("does the same again for the same choices", async () => {
    const run = async (seed: number, settle?: Settling): Promise<string[]> => {
      const disk = diskWithFile(settle);
      const random = randomFrom(seed);
      const parked: { readonly name: string; readonly release: () => void }[] = [];
      const trace: string[] = [];
      for (const name of ["p", "q"]) {
        const host = disk.process({ name });
        host.faults = ({ operation }) =>
          new Promise<void>((release) => parked.push({ name: `${name} ${operation}`, release }));
        void (async () => {
          for (let round = 0; round < 3; round += 1) {
            await createFile(host, `/d/${name}`, "x");
            await host.rename(`/d/${name}`, "/d/a");
          }
        })();
      }
      for (await disk.settle(); parked.length > 0; await disk.settle()) {
        const [next] = parked.splice(random.below(parked.length), 1);
        trace.push(next!.name);
        next!.release();
      }
      return trace;
    };
    const traces = await Promise.all([run(1), run(1), run(2), run(1, "turn")]);
    assert.equal(traces[0]!.length, 30);
    assert.deepEqual(traces[0], traces[1]);
    assert.deepEqual(traces[0], traces[3]);
    assert.notDeepEqual(traces[0], traces[2]);
  });

  test("by promise jobs says so when it never rests", async () => {
    const disk = diskWithFile();
    const host = disk.process();
    const signal = AbortSignal.abort();
    void (async () => {
      for (;;) await host.sleep(0, { keepAlive: false, signal });
    })();
    await assert.rejects(disk.settle(), /does not come to rest/);
    host.kill();
  });
});
