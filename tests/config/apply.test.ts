// runs on: all
/** Plans applied on trial: what is not confirmed or not healthy is taken back, also after the process died. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { attach } from "../../src/config/reconfigurer.ts";
import type { Migrations } from "../../src/core/migration.ts";
import { holdfastError } from "../../src/core/error.ts";
import { describe, test } from "../support/kit.ts";
import { diskWith, type LogDisk } from "../support/log_disk.ts";
import { path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.number(), 1) });
const kept = "/var/cache/app.json";

/** A config on a simulated disk, in a process of its own. */
async function opened(
  disk: LogDisk,
  options: {
    readonly lastGood?: string;
    readonly history?: number;
    readonly schema?: v.GenericSchema<{ rate?: number | undefined }, { rate: number }>;
    readonly migrations?: Migrations;
    readonly migrate?: "store";
    readonly watch?: Record<never, never>;
  } = {},
) {
  const told = remember();
  const { host, openConfig } = disk.start();
  const opening = openConfig(path, { schema, watch: false, ...told, ...options });
  opening.catch(() => {});
  await disk.disk.advance(5000);
  return { host, told, config: await opening };
}

function numbersOf(entries: readonly { readonly generation: number; readonly origin: string }[]) {
  return entries.map(({ generation, origin }) => `${generation} ${origin}`);
}

describe("a plan applied on trial", () => {
  test("stays when it is confirmed", async () => {
    const disk = diskWith('{"rate":1}');
    const { config } = await opened(disk);
    const plan = await config.plan({ rate: 2 });
    const { snapshot } = await config.apply(plan, { confirmWithinMs: 10_000, actor: "me" });
    assert.equal(snapshot.value.rate, 2);
    const { unconfirmed } = config.status();
    assert.deepEqual([unconfirmed?.generation, unconfirmed?.base], [2, 1]);
    assert.equal(await config.confirm(), 2);
    assert.equal(config.status().unconfirmed, undefined);
    await disk.disk.advance(60_000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [2, 2]);
    await assert.rejects(config.confirm(), { code: "NOT_FOUND" });
  });

  test("is taken back when nobody confirms it, as a new generation", async () => {
    const disk = diskWith('{"rate": 1} ');
    const { config, told } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    await disk.disk.advance(9000);
    assert.equal(config.value.rate, 2);
    await disk.disk.advance(5000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    assert.equal(disk.outside.readFile(path), '{"rate": 1} ');
    assert.deepEqual(numbersOf(await config.history()), ["3 rollback", "2 commit", "1 external"]);
    assert.equal(told.lines.length, 1, told.lines.join("\n"));
    assert.equal(config.status().unconfirmed, undefined);
  });

  test("to a config without a document leaves none", async () => {
    const disk = diskWith();
    const { config } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 1000 });
    await disk.disk.advance(5000);
    assert.deepEqual([config.value.rate, config.snapshot().hash], [1, ""]);
    assert.ok(!disk.outside.list().includes(path));
  });

  test("counts as confirmed once somebody writes over it", async () => {
    const disk = diskWith('{"rate":1}');
    const { config } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    await config.set({ rate: 3 });
    await disk.disk.advance(60_000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [3, 3]);
    await assert.rejects(config.confirm(), { code: "NOT_FOUND" });
  });

  test("is refused while another one waits, and where no history is kept", async () => {
    const disk = diskWith('{"rate":1}');
    const { config } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    const next = await config.plan({ rate: 3 });
    await assert.rejects(config.apply(next, { confirmWithinMs: 10_000 }), { code: "CONFLICT" });
    assert.equal(config.value.rate, 2);
    const short = await opened(diskWith('{"rate":1}'), { history: 1 });
    const plan = await short.config.plan({ rate: 2 });
    await assert.rejects(short.config.apply(plan, { confirmWithinMs: 1 }), { code: "UNSUPPORTED" });
    for (const confirmWithinMs of [0, -1, NaN, Infinity]) {
      await config.confirm().catch(() => {});
      await assert.rejects(config.apply(await config.plan({ rate: 4 }), { confirmWithinMs }), {
        code: "UNSUPPORTED",
      });
    }
    assert.deepEqual([config.value.rate, config.status().unconfirmed], [2, undefined]);
  });

  test("keeps what may have to come back from being purged", async () => {
    const { config } = await opened(diskWith('{"rate":1}'));
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    await assert.rejects(config.purge({ before: 2 }), { code: "CONFLICT" });
    await config.confirm();
    assert.equal(await config.purge({ before: 2 }), 1);
  });

  test("keeps what may have to come back from being purged by another process", async () => {
    const disk = diskWith('{"rate":1}');
    const { config } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 60_000 });
    const other = await opened(disk);
    await assert.rejects(other.config.purge({ before: 2 }), { code: "CONFLICT" });
    await config.confirm();
    assert.equal(await other.config.purge({ before: 2 }), 1);
  });

  test("is taken back though nobody could tell whether it was stored", async () => {
    const disk = diskWith('{"rate":1}');
    const { config, host } = await opened(disk);
    const plan = await config.plan({ rate: 2 });
    let isStored = false;
    host.faults = ({ operation, path }) => {
      isStored ||= operation === "link" && path.endsWith("/g.2");
      return isStored && operation === "syncDirectory" ? { error: "EIO" } : undefined;
    };
    const applying = config.apply(plan, { confirmWithinMs: 10_000 });
    await assert.rejects(applying, { code: "COMMIT_UNKNOWN" });
    host.faults = undefined;
    await config.reload();
    await disk.disk.advance(100);
    assert.deepEqual([config.value.rate, config.status().unconfirmed?.generation], [2, 2]);
    await disk.disk.advance(15_000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    await config.apply(await config.plan({ rate: 4 }), { confirmWithinMs: 10_000 });
    assert.equal(await config.confirm(), 4);
  });

  test("of nothing waits for nobody", async () => {
    const { config } = await opened(diskWith('{"rate":1}'));
    await config.apply(await config.plan({}), {
      confirmWithinMs: 10_000,
      healthCheck: () => false,
    });
    assert.equal(config.status().unconfirmed, undefined);
  });
});

describe("a health check", () => {
  test("that is passed confirms", async () => {
    const { config } = await opened(diskWith('{"rate":1}'));
    let seen: number | undefined;
    await config.apply(await config.plan({ rate: 2 }), {
      healthCheck: ({ value }) => void (seen = value.rate),
    });
    assert.deepEqual([seen, config.value.rate, config.status().unconfirmed], [2, 2, undefined]);
  });

  test("that is no function is refused, with nothing stored", async () => {
    const { config } = await opened(diskWith('{"rate":1}'));
    const healthCheck = 5 as never;
    await assert.rejects(config.apply(await config.plan({ rate: 2 }), { healthCheck }), {
      code: "UNSUPPORTED",
    });
    assert.equal(config.snapshot().generation, 1);
  });

  test("that fails has the old content back before the call is answered", async () => {
    const failing = [() => false, () => Promise.resolve(false), () => {
      throw new Error("no connection");
    }];
    for (const healthCheck of failing) {
      const { config } = await opened(diskWith('{"rate":1}'));
      const applying = config.apply(await config.plan({ rate: 2 }), {
        healthCheck,
        confirmWithinMs: 10_000,
      });
      await assert.rejects(applying, {
        code: "RELOAD_REFUSED",
        details: { module: "health check" },
        message: /what was there before is back/,
      });
      assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    }
  });

  test("may confirm by itself, or find its generation written over", async () => {
    for (const isWritten of [false, true]) {
      const { config } = await opened(diskWith('{"rate":1}'));
      const { snapshot } = await config.apply(await config.plan({ rate: 2 }), {
        healthCheck: async () => {
          if (isWritten) await config.setAt(["rate"], 3);
          else await config.confirm();
        },
      });
      assert.deepEqual([snapshot.generation, config.value.rate], [2, isWritten ? 3 : 2]);
      assert.equal(config.status().unconfirmed, undefined);
    }
  });

  test("that never answers fails after its time, and its signal aborts", async () => {
    const disk = diskWith('{"rate":1}');
    const { config } = await opened(disk);
    let signalled: AbortSignal | undefined;
    const applying = config.apply(await config.plan({ rate: 2 }), {
      healthCheck: (_snapshot, { signal }) => {
        signalled = signal;
        return new Promise(() => {});
      },
    });
    applying.catch(() => {});
    await disk.disk.advance(10_000);
    await assert.rejects(applying, { code: "RELOAD_REFUSED" });
    assert.ok(signalled!.aborted);
    assert.equal(config.value.rate, 1);
  });
});

describe("a process that dies within the time", () => {
  async function died(disk: LogDisk) {
    const { host, config } = await opened(disk);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 600_000 });
    host.kill();
  }

  test("has its change taken back at the next open", async () => {
    const disk = diskWith('{"rate":1}');
    await died(disk);
    assert.equal(disk.outside.readFile(path), JSON.stringify({ rate: 2 }));
    const { config, told } = await opened(disk);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    assert.equal(disk.outside.readFile(path), '{"rate":1}');
    assert.match(told.lines[0]!, /generation 2 .*unconfirmed.*taken back to 1/i);
    const [newest] = await config.history();
    assert.deepEqual([newest!.origin, newest!.reason], [
      "rollback",
      "generation 2 was not confirmed",
    ]);
    await config.close();
    const again = await opened(disk);
    assert.deepEqual([again.config.value.rate, again.told.lines], [1, []]);
  });

  test("leaves what a person wrote over it", async () => {
    const disk = diskWith('{"rate":1}');
    await died(disk);
    disk.outside.replaceFile(path, '{"rate":5}', { mode: 0o600 });
    const { config } = await opened(disk);
    assert.equal(config.value.rate, 5);
  });

  test("has its change taken back before anybody sees it, however many open it at once", async () => {
    const disk = diskWith('{"rate":1}');
    await died(disk);
    const all = [disk.start(), disk.start(), disk.start()].map(async ({ host, openConfig }) => {
      // Whoever takes it back takes a while.
      host.faults = async ({ operation, path }) => {
        if (operation !== "link" || !path.endsWith("/g.3")) return undefined;
        await host.sleep(1000, { keepAlive: false });
        return undefined;
      };
      return await openConfig(path, { schema, watch: false, ...remember() });
    });
    await disk.disk.advance(10_000);
    const configs = await Promise.all(all);
    const seen = configs.map((config) => [config.value.rate, config.snapshot().generation]);
    assert.deepEqual(seen, [[1, 3], [1, 3], [1, 3]]);
  });

  test("has its change taken back before it is migrated", async () => {
    const disk = diskWith('{"version":1,"rate":1}');
    await died(disk);
    const migrations: Migrations = { 1: (document) => ({ ...Object(document), version: 2 }) };
    const { config } = await opened(disk, { migrations, migrate: "store" });
    assert.equal(config.value.rate, 1);
    assert.deepEqual(numbersOf(await config.history()), [
      "4 migration",
      "3 rollback",
      "2 commit",
      "1 external",
    ]);
    assert.deepEqual(JSON.parse(disk.outside.readFile(path)), { version: 2, rate: 1 });
  });

  test("has its change taken back where the next one cannot run with it", async () => {
    const disk = diskWith('{"rate":1}');
    await died(disk);
    const strict = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(1)), 1) });
    const { config } = await opened(disk, { schema: strict });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    assert.deepEqual([config.status().state, disk.outside.readFile(path)], ["ok", '{"rate":1}']);
  });

  test("is taken for alive while it lives", async () => {
    const disk = diskWith('{"rate":1}');
    const first = await opened(disk);
    await first.config.apply(await first.config.plan({ rate: 2 }), { confirmWithinMs: 600_000 });
    const second = await opened(disk);
    assert.equal(second.config.value.rate, 2);
    assert.equal(await first.config.confirm(), 2);
    await disk.disk.advance(700_000);
    assert.equal(second.config.value.rate, 2);
  });
});

describe("a process that stands still within the time", () => {
  test("says that it was taken for dead, and not that its change is confirmed", async () => {
    const disk = diskWith('{"rate":1}');
    const { config, host, told } = await opened(disk, { watch: {} });
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 600_000 });
    let goOn = () => {};
    const stalled = new Promise<void>((resolve) => goOn = resolve);
    // No sign of life comes from it, while it sees what others do.
    host.faults = ({ path }) =>
      path.includes("/intent.") ? stalled.then(() => undefined) : undefined;
    const other = await opened(disk);
    assert.equal(other.config.value.rate, 1);
    await disk.disk.advance(5000);
    assert.deepEqual([config.value.rate, config.snapshot().generation], [1, 3]);
    goOn();
    host.faults = undefined;
    await disk.disk.advance(5000);
    assert.match(told.lines.join("\n"), /taken over by another process/);
    assert.doesNotMatch(told.lines.join("\n"), /counts as confirmed/);
    await assert.rejects(config.confirm(), { code: "NOT_FOUND" });
  });
});

describe("what is kept as the last good document", () => {
  test("is not what runs on trial", async () => {
    const disk = diskWith('{"rate":1}');
    disk.outside.makeDirectory("/var/cache");
    const { config } = await opened(disk, { lastGood: kept });
    const rate = () => JSON.parse(disk.outside.readFile(kept)).kept.document.rate;
    assert.equal(rate(), 1);
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    assert.equal(rate(), 1);
    await config.confirm();
    assert.equal(rate(), 2);
    await config.apply(await config.plan({ rate: 3 }), { healthCheck: () => false }).catch(
      () => {},
    );
    assert.equal(rate(), 2);
    await config.setAt(["rate"], 4);
    assert.equal(rate(), 4);
    await config.apply(await config.plan({ rate: 5 }), { confirmWithinMs: 10_000 });
    disk.outside.replaceFile(path, '{"rate":6}', { mode: 0o600 });
    await config.reload();
    assert.equal(rate(), 6);
  });
});

describe("what is kept as the last good document, at the next open", () => {
  test("is not what is taken back", async () => {
    const disk = diskWith('{"rate":1}');
    disk.outside.makeDirectory("/var/cache");
    const first = await opened(disk, { lastGood: kept });
    await first.config.apply(await first.config.plan({ rate: 2 }), { confirmWithinMs: 60_000 });
    first.host.kill();
    const written: number[] = [];
    const { host, openConfig } = disk.start();
    const opening = openConfig(path, { schema, watch: false, lastGood: kept, ...remember() });
    for (let step = 0; step < 100; step++) {
      await disk.disk.advance(100);
      written.push(JSON.parse(disk.outside.readFile(kept)).kept.document.rate);
    }
    assert.equal((await opening).value.rate, 1);
    assert.ok(!written.includes(2));
    host.kill();
  });

  test("is what a person wrote over what ran on trial", async () => {
    const disk = diskWith('{"rate":1}');
    disk.outside.makeDirectory("/var/cache");
    const { config } = await opened(disk, { lastGood: kept });
    await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 60_000 });
    disk.outside.replaceFile(path, '{"rate":5}', { mode: 0o600 });
    await config.reload();
    assert.equal(config.value.rate, 5);
    assert.equal(JSON.parse(disk.outside.readFile(kept)).kept.document.rate, 5);
  });
});

describe("a module that fails at a change on trial", () => {
  const refused = holdfastError("RELOAD_REFUSED", "Cannot reload: pool failed", {
    module: "pool",
  });

  test("leaves nothing that waits", async () => {
    const { config } = await opened(diskWith('{"rate":1}'));
    attach(config, {
      plan: () => [],
      prepare: () =>
        Promise.resolve({ carryOut: () => Promise.reject(refused), abandon: () => {} }),
    });
    const applying = config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
    await assert.rejects(applying, { code: "RELOAD_REFUSED", details: { module: "pool" } });
    assert.deepEqual([config.value.rate, config.status().unconfirmed], [1, undefined]);
    await assert.rejects(config.confirm(), { code: "NOT_FOUND" });
  });

  test("is brought back as soon as the disk takes it, also at the next open", async () => {
    for (const dies of [false, true]) {
      const disk = diskWith('{"rate":1}');
      const { config, host } = await opened(disk);
      let isFailed = false;
      host.faults = ({ path }) => {
        return isFailed && path.endsWith("/g.3") ? { error: "EIO" } : undefined;
      };
      attach(config, {
        plan: () => [],
        prepare: () =>
          Promise.resolve({
            carryOut: () => {
              isFailed = true;
              return Promise.reject(refused);
            },
            abandon: () => {},
          }),
      });
      const applying = config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 10_000 });
      await assert.rejects(applying, { code: "RELOAD_REFUSED", details: { module: "pool" } });
      assert.deepEqual([config.value.rate, config.status().unconfirmed?.generation], [1, 2]);
      host.faults = undefined;
      if (dies) host.kill();
      else await disk.disk.advance(15_000);
      const { config: next } = dies ? await opened(disk) : { config };
      assert.deepEqual([next.value.rate, next.snapshot().generation], [1, 3]);
      assert.deepEqual([next.status().state, next.status().unconfirmed], ["ok", undefined]);
      assert.equal(disk.outside.readFile(path), '{"rate":1}');
    }
  });
});
