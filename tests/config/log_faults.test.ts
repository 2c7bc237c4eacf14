// runs on: all
/** Places where no log can be kept, full disks and clocks that jump: a typed error or a recovery, and one content a number. */
import assert from "node:assert/strict";
import type { Attempt, Fault } from "../../adapters/memory.ts";
import { describe, test } from "../support/kit.ts";
import { acts, options, prepared, schema } from "../support/log_acts.ts";
import { contentOf, diskWith, logDirectory, NumberLedger, recordsOn } from "../support/log_disk.ts";
import { litterOn, path, remember } from "../support/memory_config.ts";

const isIn = (codes: readonly string[]) => (error: { code?: string }) => {
  assert.ok(codes.includes(error.code ?? ""), String(error));
  return true;
};

/** A running config whose disk refuses something from the start. */
async function refusing(fault: (attempt: Attempt) => Fault | undefined, hasLog: boolean) {
  const parts = diskWith('{"rate":1}');
  if (hasLog) {
    const before = await parts.start().openConfig(path, { ...options, ...remember() });
    await before.setAt(["rate"], 2);
    await before.close();
    await parts.disk.advance(120_000);
  }
  const { host, openConfig } = parts.start();
  host.faults = fault;
  const told = remember();
  const config = await openConfig(path, { schema, watch: {}, ...told });
  return { ...parts, host, config, told };
}

const changing = ["create", "write", "link", "rename", "remove", "makeDirectory"];

describe("a directory that cannot be written", () => {
  for (const error of ["EROFS", "EACCES", "EPERM"]) {
    for (const hasLog of [false, true]) {
      test(`${error}, ${hasLog ? "with" : "without"} a log: is read and followed, and refuses writes`, async () => {
        const { disk, outside, config, host, start } = await refusing(({ operation }) => {
          return changing.includes(operation) ? { error } : undefined;
        }, hasLog);
        const ledger = new NumberLedger();
        const generation = hasLog ? 2 : 1;
        assert.deepEqual([config.value.rate, config.snapshot().generation], [
          generation,
          generation,
        ]);
        await ledger.noteAll(config);
        outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
        await disk.advance(2000);
        assert.deepEqual([config.value.rate, config.snapshot().generation], [50, generation + 1]);
        await ledger.noteAll(config);
        const before = contentOf(outside);
        for (const write of [() => config.setAt(["rate"], 3), () => config.remove()]) {
          await assert.rejects(write(), isIn(["READ_ONLY", "IO"]));
        }
        assert.deepEqual(contentOf(outside), before);
        assert.equal(config.value.rate, 50);
        outside.replaceFile(path, '{"rate":51}', { mode: 0o600 });
        await disk.advance(2000);
        assert.deepEqual([config.value.rate, config.status().state], [51, "ok"]);
        await ledger.noteAll(config);
        host.faults = undefined;
        await config.setAt(["rate"], 4);
        // What was counted in this process alone was never of the log.
        await new NumberLedger().noteAll(config);
        const other = await start().openConfig(path, { ...options, ...remember() });
        assert.equal(other.snapshot().generation, config.snapshot().generation);
      });
    }
  }
});

describe("a filesystem without hard links", () => {
  for (const error of ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]) {
    test(`(${error}) is UNSUPPORTED for writes, with nothing stored, and can be read`, async () => {
      const { disk, outside, config, told } = await refusing(({ operation }) => {
        return operation === "link" ? { error } : undefined;
      }, false);
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(config.setAt(["rate"], 3), isIn(["UNSUPPORTED"]));
        assert.equal(outside.readFile(path), '{"rate":1}');
        assert.deepEqual(outside.list(), [path]);
      }
      outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
      await disk.advance(2000);
      assert.deepEqual([config.value.rate, config.snapshot().generation], [50, 2]);
      assert.equal(config.status().state, "ok");
      assert.match(told.lines.join("\n"), /warn .*hard links/);
      await config.reload();
      assert.deepEqual(outside.list(), [path]);
    });
  }

  test("so is a log on another filesystem", async () => {
    const isWithin = (name = "") => name.startsWith(`${logDirectory}/`);
    const { outside, config } = await refusing(({ operation, path: to, from }) => {
      const crosses = operation === "link" || operation === "rename";
      return crosses && isWithin(from) !== isWithin(to) ? { error: "EXDEV" } : undefined;
    }, false);
    await assert.rejects(config.setAt(["rate"], 3), isIn(["UNSUPPORTED"]));
    assert.deepEqual(outside.list(), [path]);
    assert.equal(outside.readFile(path), '{"rate":1}');
  });

  test("a mount on the very file is READ_ONLY, and is followed", async () => {
    const { disk, outside, config } = await refusing(({ operation, path: to, from }) => {
      if (operation === "link" && from === path) return { error: "EXDEV" };
      return operation === "rename" && (to === path || from === path)
        ? { error: "EBUSY" }
        : undefined;
    }, false);
    await assert.rejects(config.setAt(["rate"], 3), isIn(["READ_ONLY"]));
    await assert.rejects(config.remove(), isIn(["READ_ONLY"]));
    assert.equal(outside.readFile(path), '{"rate":1}');
    assert.deepEqual(recordsOn(outside), []);
    outside.writeFile(path, '{"rate":50}');
    await disk.advance(2000);
    assert.deepEqual([config.value.rate, config.status().state], [50, "ok"]);
  });
});

describe("a full disk", () => {
  const growing = ["create", "write", "link", "rename", "makeDirectory", "sync", "syncDirectory"];
  for (const [name, begun, rates, act] of acts) {
    for (const lasts of [false, true]) {
      const how = lasts ? "from every operation on" : "at every operation";
      test(`${how} of ${name}: old or new, told, and made good afterwards`, async () => {
        for (let at = 1; at < 100; at++) {
          const { disk, outside, start, host, config, ledger } = await prepared(begun);
          let count = 0;
          host.faults = ({ operation }) => {
            if (!growing.includes(operation)) return;
            count++;
            return count === at || (lasts && count > at) ? { error: "ENOSPC" } : undefined;
          };
          const where = `${how} ${at} of ${name}`;
          const outcome = await act(config, host).then(() => "done", (error) => error.code);
          await disk.settle();
          if (count < at) {
            assert.ok(at > 1);
            return;
          }
          assert.ok(["done", "IO", "COMMIT_UNKNOWN"].includes(outcome), `${where}: ${outcome}`);
          assert.ok(rates.includes(config.value.rate), `${where}: ${config.value.rate}`);
          if (outcome === "done") assert.equal(config.value.rate, rates.at(-1), where);
          ledger.note(config.snapshot().generation, config.snapshot().hash);
          host.faults = undefined;
          await config.reload().catch(() => {});
          await ledger.noteAll(config);
          await config.setAt(["rate"], 60);
          await ledger.noteAll(config);
          const other = await start().openConfig(path, { ...options, ...remember() });
          assert.deepEqual(
            [other.value.rate, other.snapshot().generation],
            [60, ledger.top],
            where,
          );
          await ledger.noteAll(other);
          await disk.advance(120_000);
          await config.setAt(["rate"], 61);
          await config.close();
          const litter = litterOn(host).filter((file) => !file.includes("/refused."));
          assert.deepEqual(litter, [], where);
          assert.equal(JSON.parse(outside.readFile(path)).rate, 61);
        }
        assert.fail(`${name} has more operations than expected`);
      });
    }
  }
});

describe("a clock that jumps a year", () => {
  const yearMs = 365 * 86_400_000;
  for (const [name, begun, rates, act] of acts) {
    for (const first of [yearMs, -yearMs]) {
      const how = first > 0 ? "forth and back" : "back and forth";
      test(`${how} between any two operations of ${name}: nothing comes of it`, async () => {
        for (let at = 0; at < 200; at++) {
          const { start, host, config, ledger } = await prepared(begun);
          let count = 0;
          host.faults = () => {
            count++;
            // First at one place after the other, there once and back; at last between all.
            if (count === at || at === 0) host.jumpClock(count % 2 === 0 ? first : -first);
            else if (count === at + 3) host.jumpClock(at % 2 === 0 ? -first : first);
          };
          await act(config, host);
          host.faults = undefined;
          if (count < at) return;
          assert.equal(config.value.rate, rates.at(-1), `operation ${at}`);
          await ledger.noteAll(config);
          await config.setAt(["rate"], 60);
          await ledger.noteAll(config);
          const other = await start().openConfig(path, { ...options, ...remember() });
          assert.deepEqual([other.value.rate, other.snapshot().generation], [60, ledger.top]);
          await config.close();
          assert.deepEqual(litterOn(host), [], `operation ${at}`);
        }
        assert.fail(`${name} has more operations than expected`);
      });
    }
  }

  test("while two processes write: no write is lost, and no number given twice", async () => {
    for (let at = 1; at < 40; at++) {
      const { disk, outside, start } = diskWith('{"rate":0}');
      const ledger = new NumberLedger();
      const processes = [start(), start()];
      const configs = await Promise.all(
        processes.map(({ openConfig }) => openConfig(path, { ...options, ...remember() })),
      );
      let count = 0;
      for (const { host } of processes) {
        host.faults = () => {
          count++;
          if (count % at === 0) disk.jumpClock((count / at) % 2 === 0 ? yearMs : -yearMs);
        };
      }
      for (let round = 0; round < 3; round++) {
        await Promise.all(configs.map((config) => config.update((draft) => void draft.rate!++)));
        for (const config of configs) await ledger.noteAll(config);
      }
      assert.equal(JSON.parse(outside.readFile(path)).rate, 6, `every ${at}`);
    }
  });
});
