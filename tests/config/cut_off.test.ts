// runs on: all
/** Whatever makes or deletes generations, cut off between any two operations: old or new, whole, and the numbers go on. */
import assert from "node:assert/strict";
import type { MemoryDisk } from "../../adapters/memory.ts";
import { describe, test } from "../support/kit.ts";
import { acts, options, prepared } from "../support/log_acts.ts";
import { litterOn, path, remember } from "../support/memory_config.ts";

const cuts: [
  string,
  readonly number[],
  (disk: MemoryDisk, host: { kill(): void }, choice: number) => void,
][] = [
  ["its process is killed", [0], (_disk, host) => host.kill()],
  ["the power is cut, and keeps hardly anything", [0], (disk) => {
    disk.powerCut({ order: "any", choose: () => 0 });
  }],
  ["the power is cut, and keeps some", [1, 2, 3], (disk, _host, choice) => {
    let state = choice * 7919;
    disk.powerCut({
      order: "any",
      choose: (options) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % options,
    });
  }],
];

describe("when", () => {
  for (const [name, begun, rates, act] of acts) {
    for (const [cut, choices, cutOff] of cuts) {
      test(`${cut} during ${name}, it is done or not`, { timeoutMs: 60_000 }, async () => {
        for (let at = 1; at < 200; at++) {
          for (const choice of choices) {
            const { disk, outside, start, host, config, ledger } = await prepared(begun);
            outside.sync();
            let count = 0;
            let [isAnswered, wasAnswered] = [false, false];
            host.faults = () => {
              if (++count !== at) return;
              wasAnswered = isAnswered;
              cutOff(disk, host, choice);
            };
            act(config, host).then(() => isAnswered = true, () => {});
            await disk.settle();
            if (count < at) return;
            const where = `operation ${at}, choice ${choice}`;
            const next = start();
            const after = await next.openConfig(path, { ...options, ...remember() });
            assert.ok(rates.includes(after.value.rate), `${where}: rate ${after.value.rate}`);
            if (wasAnswered) assert.equal(after.value.rate, rates.at(-1), where);
            assert.ok(after.snapshot().generation >= ledger.top, where);
            await ledger.noteAll(after);
            await after.setAt(["rate"], 60);
            await ledger.noteAll(after);
            await disk.advance(120_000);
            await after.setAt(["rate"], 61);
            await ledger.noteAll(after);
            await after.close();
            const last = await start().openConfig(path, { ...options, ...remember() });
            assert.deepEqual(
              [last.value.rate, last.snapshot().generation],
              [61, ledger.top],
              where,
            );
            const litter = litterOn(next.host).filter((file) => !file.includes("/refused."));
            assert.deepEqual(litter, [], where);
          }
        }
        assert.fail(`${name} has more operations than expected`);
      });
    }
  }
});
