// runs on: all
/** Confirm or revert, on simulated time: every way that a wait can end, and every moment in which a process can die. */
import assert from "node:assert/strict";
import { confirmMsMax } from "../../src/core/limits.ts";
import { describe, test } from "../support/kit.ts";
import type { LogDisk } from "../support/log_disk.ts";
import { watchEnd } from "../support/protocol_stage.ts";
import { type ConfirmingProcess, stageWithTwo, startProcess } from "./confirmation_stage.ts";

async function started(): Promise<{ stage: LogDisk; process: ConfirmingProcess }> {
  const stage = await stageWithTwo();
  return { stage, process: await startProcess(stage) };
}

/** Runs something that waits on the clock. */
async function inTime<T>(stage: LogDisk, work: Promise<T>, ms = 5000): Promise<T> {
  const watched = watchEnd(work);
  await stage.disk.advance(ms);
  await stage.disk.settle();
  assert.ok(watched.outcome() !== undefined, `it did not end within ${ms} ms`);
  return await work;
}

async function assertStored(process: ConfirmingProcess, generation: number, a: number) {
  const { document, generation: found } = await process.newest();
  assert.deepEqual([found, document], [generation, { a }]);
}

async function assertNothingWaits(process: ConfirmingProcess) {
  assert.equal(process.confirmation.pending, undefined);
  assert.equal(await process.store.readIntent(), undefined);
}

describe("what waits to be confirmed", () => {
  test("stays when it is confirmed in time", async () => {
    const { stage, process } = await started();
    assert.equal(await process.apply({ a: 3 }), 3);
    const startedMs = process.host.monotonic();
    assert.deepEqual(process.confirmation.pending, {
      generation: 3,
      base: 2,
      untilMs: startedMs + 10_000,
    });
    await stage.disk.advance(9999);
    assert.equal(await process.confirmation.confirm(), 3);
    await assertNothingWaits(process);
    await stage.disk.advance(60_000);
    await assertStored(process, 3, 3);
    assert.deepEqual([process.reverts, process.warnings], [0, []]);
    await assert.rejects(process.confirmation.confirm(), {
      code: "NOT_FOUND",
      message: /found that generation 3 is confirmed already; see status/,
    });
  });

  test("is taken back when nobody confirms it, whatever the clock shows", async () => {
    for (const jumpMs of [0, 86_400_000, -86_400_000]) {
      const { stage, process } = await started();
      await process.apply({ a: 3 });
      stage.disk.jumpClock(jumpMs);
      await stage.disk.advance(9999);
      await assertStored(process, 3, 3);
      await stage.disk.advance(1);
      await stage.disk.settle();
      await assertStored(process, 4, 2);
      await assertNothingWaits(process);
      const { origin, parent } = (await process.store.read(4))!;
      assert.deepEqual([origin, parent, process.reverts], ["rollback", 3, 1]);
      assert.deepEqual(process.warnings, [
        "Generation 3 of the config is taken back to 2, since nobody confirmed it within 10000 ms",
      ]);
      await assert.rejects(process.confirmation.confirm(), {
        code: "NOT_FOUND",
        message: /generation 3 was taken back/,
      });
      await stage.disk.advance(60_000);
      assert.equal(process.reverts, 1);
    }
  });

  test("is taken back at once when its check fails", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    assert.equal(await process.confirmation.fail("its health check failed"), "reverted");
    await assertStored(process, 4, 2);
    await assertNothingWaits(process);
    assert.match(process.warnings.join(), /taken back to 2, since its health check failed$/);
    assert.equal(await process.confirmation.fail("again"), "settled");
    await stage.disk.advance(60_000);
    assert.equal(process.reverts, 1);
  });

  test("may be a removal, or the first document of all", async () => {
    const { stage, process } = await started();
    await process.apply(undefined);
    assert.equal((await process.newest()).document, undefined);
    await process.confirmation.fail("it is gone");
    await assertStored(process, 4, 2);
    await process.write(undefined);
    await process.apply({ a: 6 });
    await stage.disk.advance(10_000);
    await stage.disk.settle();
    const { document, generation } = await process.newest();
    assert.deepEqual([generation, document], [7, undefined]);
  });

  test("is confirmed or taken back, never both, where the two race", async () => {
    const ends = new Set<string>();
    for (const at of ["before", "with", "after"] as const) {
      const { stage, process } = await started();
      await process.apply({ a: 3 });
      await stage.disk.advance(9999);
      let confirmed = at === "before" ? watchEnd(process.confirmation.confirm()) : undefined;
      const ticked = stage.disk.advance(1);
      if (at === "with") confirmed = watchEnd(process.confirmation.confirm());
      await ticked;
      if (at === "after") confirmed = watchEnd(process.confirmation.confirm());
      await stage.disk.settle();
      const isConfirmed = confirmed!.outcome()?.value === 3;
      ends.add(`${at} ${isConfirmed}`);
      await assertStored(process, isConfirmed ? 3 : 4, isConfirmed ? 3 : 2);
      assert.equal(process.reverts, isConfirmed ? 0 : 1);
      await assertNothingWaits(process);
    }
    assert.ok(ends.has("before true") && ends.has("after false"), [...ends].join());
  });

  test("still waits, and is taken back in time, where the disk takes no confirmation", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.faults = ({ operation }) => operation === "create" ? { error: "EIO" } : undefined;
    await assert.rejects(process.confirmation.confirm(), { code: "IO" });
    assert.equal(process.confirmation.pending?.generation, 3);
    process.host.faults = undefined;
    await stage.disk.advance(10_000);
    await stage.disk.settle();
    await assertStored(process, 4, 2);
  });

  test("is confirmed at the second try where nobody could tell of the first", async () => {
    const { process } = await started();
    await process.apply({ a: 3 });
    let links = 0;
    process.host.faults = ({ operation, path }) => {
      if (operation === "link") links += 1;
      const isAfter = links > 0 && operation === "syncDirectory" && path.endsWith(".d");
      return isAfter ? { error: "EIO" } : undefined;
    };
    await assert.rejects(process.confirmation.confirm(), { code: "COMMIT_UNKNOWN" });
    process.host.faults = undefined;
    assert.equal(await process.confirmation.confirm(), 3);
    await assertNothingWaits(process);
  });

  test("is taken back as soon as that works, and tried with growing pauses until then", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.failure = () => {
      throw Object.assign(new Error("Cannot write: the disk is full"), { code: "IO" });
    };
    assert.equal(await process.confirmation.fail("its health check failed"), "failed");
    assert.match(process.warnings.at(-1)!, /Cannot take back generation 3 .* the disk is full; it/);
    assert.equal(process.confirmation.pending?.generation, 3);
    await assert.rejects(process.confirmation.confirm(), {
      code: "NOT_FOUND",
      message: /its time is over, and it is being taken back/,
    });
    await stage.disk.advance(300_000);
    // After 1, 3, 7, 15, 31 and 63 seconds, and then once a minute.
    assert.equal(process.reverts, 1 + 6 + 3);
    assert.notEqual(await process.store.readIntent(), undefined);
    process.failure = undefined;
    await stage.disk.advance(60_000);
    await stage.disk.settle();
    await assertStored(process, 4, 2);
    await assertNothingWaits(process);
  });

  test("keeps any other from beginning until it is settled", async () => {
    const { stage, process } = await started();
    const other = await startProcess(stage);
    await process.apply({ a: 3 });
    const conflict = {
      code: "CONFLICT",
      message: /found generation 3, which waits to be confirmed; confirm it, or wait/,
      details: { expected: 3, current: 3 },
    };
    await assert.rejects(process.apply({ a: 4 }), conflict);
    await assert.rejects(inTime(stage, other.apply({ a: 4 })), conflict);
    assert.equal(other.confirmation.pending, undefined);
    await process.confirmation.confirm();
    assert.equal(await other.apply({ a: 4 }), 4);
    await other.confirmation.confirm();
    assert.equal(await process.apply({ a: 5 }), 5);
  });

  test("begins once, of two calls in one process and of two processes", async () => {
    const { stage, process } = await started();
    const other = await startProcess(stage);
    const { generation, hash } = await process.newest();
    const begin = ({ confirmation }: ConfirmingProcess) => {
      return confirmation.begin({ generation, hash }, { a: 3 }, 1000);
    };
    const begun = [begin(process), begin(process), begin(other)].map((each) => watchEnd(each));
    await stage.disk.advance(5000);
    const ends = begun.map((each) => each.outcome()!);
    assert.equal(ends.filter((end) => !("error" in end)).length, 1);
    const codes = ends.flatMap(({ error }) =>
      error === undefined ? [] : (error as { code: string }).code
    );
    assert.deepEqual(codes, ["CONFLICT", "CONFLICT"]);
  });

  test("tells its number as soon as the disk takes it", async () => {
    const { stage, process } = await started();
    const { generation, hash } = await process.newest();
    await process.confirmation.begin({ generation, hash }, { a: 3 }, 10_000);
    await process.write({ a: 3 });
    process.host.faults = ({ operation }) => operation === "create" ? { error: "EIO" } : undefined;
    await process.confirmation.arm(3);
    assert.match(process.warnings.join(), /generation 3 is taken back if it is not confirmed/);
    assert.ok(!("generation" in (await process.store.readIntent() as object)));
    process.host.faults = undefined;
    await stage.disk.advance(1000);
    assert.equal((await process.store.readIntent() as { generation: number }).generation, 3);
    assert.equal(await process.confirmation.confirm(), 3);
  });

  test("leaves nothing where its commit did not come about", async () => {
    const { stage, process } = await started();
    const { generation, hash } = await process.newest();
    await process.confirmation.begin({ generation, hash }, { a: 3 }, 1000);
    await assert.rejects(process.confirmation.confirm(), {
      code: "NOT_FOUND",
      message: /what is applied is not stored yet/,
    });
    await stage.disk.advance(60_000);
    assert.notEqual(await process.store.readIntent(), undefined);
    await process.confirmation.drop();
    await assertNothingWaits(process);
    assert.equal(process.reverts, 0);
    assert.equal(await process.apply({ a: 3 }), 3);
  });

  test("is confirmed by a newer generation, with a word about it", async () => {
    const { stage, process } = await started();
    const other = await startProcess(stage);
    await process.apply({ a: 3 });
    await process.confirmation.superseded(3);
    assert.equal(process.confirmation.pending?.generation, 3);
    await other.write({ a: 4 });
    await process.confirmation.superseded(4);
    await assertNothingWaits(process);
    assert.match(process.warnings.join(), /Generation 3 .* written over .* counts as confirmed/);
    await stage.disk.advance(60_000);
    await assertStored(process, 4, 4);
    await assert.rejects(process.confirmation.confirm(), { message: /written over/ });
  });

  test("is not taken back from under a newer generation that nobody told of", async () => {
    const { stage, process } = await started();
    const other = await startProcess(stage);
    await process.apply({ a: 3 });
    await other.write({ a: 4 });
    await stage.disk.advance(10_000);
    await stage.disk.settle();
    await assertStored(process, 4, 4);
    await assertNothingWaits(process);
    assert.equal(process.reverts, 1);
    await stage.disk.advance(600_000);
    assert.equal(process.reverts, 1);
  });

  test("begins for a time that can be", async () => {
    const { process } = await started();
    for (const withinMs of [0, -1, NaN, Infinity, confirmMsMax + 1, "5" as never]) {
      const { generation, hash } = await process.newest();
      await assert.rejects(process.confirmation.begin({ generation, hash }, {}, withinMs), {
        code: "UNSUPPORTED",
      });
    }
    await assertNothingWaits(process);
  });

  test("waits for nobody in a process that closes, and is left for the next one", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    await process.confirmation.close();
    await process.confirmation.close();
    await stage.disk.advance(60_000);
    await assertStored(process, 3, 3);
    assert.equal(process.reverts, 0);
    await assert.rejects(process.confirmation.begin({ generation: 3, hash: "" }, {}, 1), {
      code: "CLOSED",
    });
    const next = await startProcess(stage);
    await inTime(stage, next.recover());
    await assertStored(next, 4, 2);
    await assertNothingWaits(next);
  });

  test("ends at once where another took its process for dead", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 }, 60_000);
    // It stands still, as after SIGSTOP.
    let goOn = () => {};
    const stopped = new Promise<void>((resolve) => goOn = resolve);
    process.host.faults = () => stopped;
    const other = await startProcess(stage);
    await stage.disk.advance(5000);
    await inTime(stage, other.recover());
    await assertStored(other, 4, 2);
    process.host.faults = undefined;
    goOn();
    await stage.disk.advance(5000);
    assert.equal(process.confirmation.pending, undefined);
    assert.match(process.warnings.join(), /taken over by another process/);
    await assert.rejects(process.confirmation.confirm(), {
      code: "NOT_FOUND",
      message: /another process took this one for dead/,
    });
    await stage.disk.advance(60_000);
    assert.equal(process.reverts, 0);
    await assertStored(process, 4, 2);
  });
});

describe("what the dead left unconfirmed", () => {
  test("is not looked for long where there is nothing", async () => {
    const { process } = await started();
    const beforeMs = process.host.monotonic();
    assert.equal(await process.recover(), undefined);
    assert.equal(process.host.monotonic(), beforeMs);
    assert.deepEqual(process.warnings, []);
  });

  test("is taken back at the next open, wherever the process died", async () => {
    const outcomes = new Set<string>();
    for (let nth = 1;; nth++) {
      const { stage, process } = await started();
      let count = 0;
      process.host.faults = () => ++count >= nth ? new Promise<void>(() => {}) : undefined;
      const applied = watchEnd(process.apply({ a: 3 }));
      await stage.disk.settle();
      const isDone = applied.outcome() !== undefined;
      process.host.kill();
      const next = await startProcess(stage);
      await inTime(stage, next.recover());
      const { document, generation } = await next.newest();
      // Not stored, or taken back.
      assert.deepEqual(document, { a: 2 }, `killed at ${nth}`);
      assert.ok(generation === 2 || generation === 4, `generation ${generation}, killed at ${nth}`);
      await assertNothingWaits(next);
      outcomes.add(`${generation}`);
      if (isDone) break;
    }
    assert.deepEqual([...outcomes].sort(), ["2", "4"]);
  });

  test("is taken back after a power cut at any call, whatever the disk kept", async () => {
    const outcomes = new Set<number>();
    for (let nth = 1;; nth++) {
      let isDone = false;
      for (const keepsMost of [false, true]) {
        const { stage, process } = await started();
        let count = 0;
        process.host.faults = () => ++count >= nth ? new Promise<void>(() => {}) : undefined;
        const applied = watchEnd(process.apply({ a: 3 }));
        await stage.disk.settle();
        isDone = applied.outcome() !== undefined;
        stage.disk.powerCut({ order: "any", choose: (bound) => keepsMost ? bound - 1 : 0 });
        const next = await startProcess(stage);
        await inTime(stage, next.recover());
        const { document, generation } = await next.newest();
        assert.deepEqual(document, { a: 2 }, `cut at ${nth}`);
        outcomes.add(generation);
      }
      if (isDone) break;
    }
    assert.deepEqual([...outcomes].sort(), [2, 4]);
  });

  test("is taken back, or is confirmed, wherever the process died as it confirmed", async () => {
    const outcomes = new Set<string>();
    for (let nth = 1;; nth++) {
      const { stage, process } = await started();
      await process.apply({ a: 3 });
      let count = 0;
      process.host.faults = () => ++count >= nth ? new Promise<void>(() => {}) : undefined;
      const confirmed = watchEnd(process.confirmation.confirm());
      await stage.disk.settle();
      const isDone = confirmed.outcome()?.value === 3;
      process.host.kill();
      const next = await startProcess(stage);
      await inTime(stage, next.recover());
      const { document } = await next.newest();
      outcomes.add(JSON.stringify(document));
      await assertNothingWaits(next);
      if (isDone) {
        assert.deepEqual(document, { a: 3 });
        break;
      }
    }
    assert.deepEqual([...outcomes].sort(), ['{"a":2}', '{"a":3}']);
  });

  test("is taken back once, wherever a process died that took it back", async () => {
    for (let nth = 1;; nth++) {
      const { stage, process } = await started();
      await process.apply({ a: 3 });
      process.host.kill();
      const heir = await startProcess(stage);
      let count = 0;
      heir.host.faults = () => ++count >= nth ? new Promise<void>(() => {}) : undefined;
      const recovered = watchEnd(heir.recover());
      await stage.disk.advance(5000);
      const isDone = recovered.outcome() !== undefined;
      heir.host.kill();
      const next = await startProcess(stage);
      await inTime(stage, next.recover());
      await assertStored(next, 4, 2);
      await assertNothingWaits(next);
      const written = next.warnings.filter((text) => /written over/.test(text));
      assert.deepEqual(written, [], `killed at ${nth}`);
      if (isDone) break;
    }
  });

  test("is taken back once by many who open it at the same moment", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.kill();
    const heirs = [await startProcess(stage), await startProcess(stage), await startProcess(stage)];
    // Each of them has looked before the first one writes.
    const waiting: (() => void)[] = [];
    for (const { host } of heirs) {
      host.faults = async ({ operation }) => {
        if (operation !== "create") return;
        host.faults = undefined;
        await new Promise<void>((resolve) => waiting.push(resolve));
      };
    }
    void stage.disk.advance(5000).then(() => {
      assert.equal(waiting.length, heirs.length);
      for (const goOn of waiting) goOn();
    });
    const recovered = await inTime(stage, Promise.all(heirs.map((heir) => heir.recover())), 10_000);
    assert.equal(recovered.filter((reversion) => reversion !== undefined).length, 1);
    for (const heir of heirs) await assertStored(heir, 4, 2);
  });

  test("is over where something newer comes while it is being taken back", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.kill();
    const [heir, other] = [await startProcess(stage), await startProcess(stage)];
    const { restore } = heir;
    heir.restore = async (...given) => {
      await other.write({ a: 4 });
      await restore.apply(heir, given);
    };
    await inTime(stage, heir.recover());
    await assertStored(heir, 4, 4);
    await assertNothingWaits(heir);
    assert.ok(!heir.warnings.some((text) => /Cannot/.test(text)), heir.warnings.join());
  });

  test("is left alone while its owner lives, and not after", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 }, 60_000);
    const other = await startProcess(stage);
    assert.equal(await inTime(stage, other.recover()), undefined);
    await assertStored(other, 3, 3);
    assert.deepEqual(other.warnings, []);
    process.host.kill();
    const reversion = await inTime(stage, other.recover());
    assert.deepEqual([reversion?.generation, reversion?.base.generation], [3, 2]);
    assert.match(
      other.warnings.join(),
      /Found generation 3 .* unconfirmed, .* gone: it is taken back to 2/,
    );
    await assertStored(other, 4, 2);
  });

  test("is left alone before its owner stored it", async () => {
    const { stage, process } = await started();
    const { generation, hash } = await process.newest();
    await process.confirmation.begin({ generation, hash }, { a: 3 }, 1000);
    const other = await startProcess(stage);
    assert.equal(await inTime(stage, other.recover()), undefined);
    assert.notEqual(await other.store.readIntent(), undefined);
    await process.write({ a: 3 });
    await process.confirmation.arm(3);
    assert.equal(await process.confirmation.confirm(), 3);
  });

  test("was never stored: what somebody else stored instead stays", async () => {
    const { stage, process } = await started();
    const { generation, hash } = await process.newest();
    await process.confirmation.begin({ generation, hash }, { a: 3 }, 1000);
    process.host.kill();
    const other = await startProcess(stage);
    await other.write({ a: 33 });
    await inTime(stage, other.recover());
    await assertStored(other, 3, 33);
    await assertNothingWaits(other);
  });

  test("was written over: that stays, with a word about it", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.kill();
    const other = await startProcess(stage);
    await other.write({ a: 4 });
    const beforeMs = other.host.monotonic();
    assert.equal(await other.recover(), undefined);
    assert.equal(other.host.monotonic(), beforeMs);
    await assertStored(other, 4, 4);
    await assertNothingWaits(other);
    assert.match(other.warnings.join(), /generation 3 .* written over before it was confirmed/);
  });

  test("runs where it cannot be taken back, with a word, and is taken back once it can", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.kill();
    const readOnly = await startProcess(stage);
    readOnly.host.faults = ({ operation }) =>
      operation === "create" ? { error: "EROFS" } : undefined;
    assert.equal(await inTime(stage, readOnly.recover()), undefined);
    assert.match(readOnly.warnings.join(), /runs as it is stored, confirmed or not/);
    await assertStored(readOnly, 3, 3);
    const full = await startProcess(stage);
    full.host.faults = ({ operation, path }) => {
      return operation === "create" && /\/pub\./.test(path) ? { error: "ENOSPC" } : undefined;
    };
    assert.equal((await inTime(stage, full.recover()))?.generation, 3);
    assert.match(full.warnings.at(-1)!, /Cannot take back generation 3 .*; it runs, unconfirmed/);
    const next = await startProcess(stage);
    await inTime(stage, next.recover());
    await assertStored(next, 4, 2);
    await assertNothingWaits(next);
  });

  test("does not hold up whoever applies something newer", async () => {
    const { stage, process } = await started();
    await process.apply({ a: 3 });
    process.host.kill();
    const other = await startProcess(stage);
    assert.equal(await inTime(stage, other.apply({ a: 4 })), 4);
    assert.match(
      other.warnings.join(),
      /Found generation 3 .* unconfirmed, .* counts as confirmed/,
    );
    await other.confirmation.fail("no");
    await assertStored(other, 5, 3);
  });

  test("is nothing that an older program knows: it is left to a newer one", async () => {
    const { stage, process } = await started();
    for (const intent of ["text", { id: 1 }, { id: "new", base: "x" }]) {
      const kept = await process.store.readIntent();
      assert.equal(await process.store.writeIntent(intent, kept), true);
      const before = process.warnings.length;
      assert.equal(await process.recover(), undefined);
      assert.equal(process.warnings.length, before + 1);
      assert.deepEqual(await process.store.readIntent(), intent);
    }
    assert.equal(await inTime(stage, process.apply({ a: 3 })), 3);
  });
});
