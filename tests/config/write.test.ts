// runs on: all
/** Writes on a simulated disk: what is stored, who is answered what, and what every possible failure leaves behind. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { Fault } from "../../adapters/memory.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, litterOn, path, remember } from "../support/memory_config.ts";

const schema = v.looseObject({
  rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7),
  models: v.optional(v.record(v.string(), v.object({ on: v.boolean() })), {}),
});
const watch = false;

async function opened(text = '{"rate":0}') {
  const { host, openConfig } = hostWith(text);
  const config = await openConfig(path, { schema, watch, ...remember() });
  const stored = () => JSON.parse(host.outside.readFile(path));
  return { host, config, stored, openConfig };
}

describe("a write", () => {
  test("works on the document: defaults are not written, unknown keys are kept", async () => {
    const { config, stored } = await opened('{"unknown":{"a":1}}');
    const { snapshot, changeSet } = await config.setAt(["models", "fast"], { on: true });
    assert.deepEqual(stored(), { unknown: { a: 1 }, models: { fast: { on: true } } });
    assert.equal(snapshot, config.snapshot());
    assert.equal(snapshot.value.rate, 7);
    assert.deepEqual(changeSet.changes, [
      { path: ["models"], kind: "added", after: { fast: { on: true } } },
    ]);
    assert.deepEqual([changeSet.from, changeSet.to, changeSet.origin], [1, 2, "commit"]);
    await config.unset(["models", "fast"]);
    await config.patch({ unknown: null, rate: 3 });
    await config.update((draft, value) => void (draft.rate = value.rate + 1));
    assert.deepEqual(stored(), { models: {}, rate: 4 });
    assert.equal(config.snapshot().generation, 5);
  });

  test("that changes nothing stores nothing", async () => {
    const { host, config } = await opened();
    const before = config.snapshot();
    const operations: string[] = [];
    host.faults = ({ operation }) => void operations.push(operation);
    const { snapshot, changeSet } = await config.set({ rate: 0 });
    assert.equal(snapshot, before);
    assert.deepEqual([changeSet.from, changeSet.to, changeSet.changes], [1, 1, []]);
    assert.deepEqual(new Set(operations), new Set(["read", "resolve", "list", "stat"]));
  });

  test("that does not fit is refused with every problem before the disk is touched", async () => {
    const { host, config } = await opened();
    let operations = 0;
    host.faults = () => void operations++;
    await assert.rejects(config.set({ rate: 101, models: { a: {} as never } }), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      assert.deepEqual(error.details.problems.map((problem) => problem.path), [
        ["rate"],
        ["models", "a", "on"],
      ]);
      return true;
    });
    assert.equal(operations, 0);
    assert.equal(config.value.rate, 0);
    assert.equal(config.status().state, "ok");
  });

  test("whose value cannot be frozen is refused before the disk is touched", async () => {
    const { host, openConfig } = hostWith('{"on":false}');
    const odd = v.object({
      on: v.pipe(v.boolean(), v.transform((on) => on ? new Date(0) : null)),
    });
    const config = await openConfig(path, { schema: odd, watch });
    await assert.rejects(config.set({ on: true }), { code: "UNSUPPORTED" });
    assert.equal(host.outside.readFile(path), '{"on":false}');
  });

  test("takes a copy: what the caller does to its document later does not matter", async () => {
    const { config, stored } = await opened();
    const document = { models: { a: { on: true } } };
    const writing = config.set(document);
    document.models.a.on = false;
    await writing;
    assert.equal(stored().models.a.on, true);
  });

  test("an update that is asynchronous, or that throws, changes nothing", async () => {
    const { config, stored } = await opened();
    await assert.rejects(config.update((async () => {}) as never), { code: "INVALID" });
    const mine = new Error("mine");
    await assert.rejects(
      config.update(() => {
        throw mine;
      }),
      mine,
    );
    assert.deepEqual(stored(), { rate: 0 });
  });
});

describe("writes at once", () => {
  test("share commits, in order, and one that fails is refused alone", async () => {
    const { host, config, stored } = await opened();
    await config.setAt(["rate"], 1);
    const synced = host.syncs.length;
    const calls = Array.from({ length: 20 }, (_, index) =>
      config.update((draft) => {
        if (index === 7) throw new Error("refused");
        draft.rate = index === 8 ? 101 : draft.rate! + 1;
      }, { actor: `a${index % 2}`, reason: index === 0 ? "because" : undefined }).catch(() =>
        index
      ));
    const results = await Promise.all(calls);
    assert.deepEqual(results.filter((result) => typeof result === "number"), [7, 8]);
    assert.equal(stored().rate, 19);
    assert.equal(config.snapshot().generation, 3, "the calls did not share a commit");
    const shared = results[0] as { changeSet: { actor: string; reason: string } };
    assert.deepEqual([shared.changeSet.actor, shared.changeSet.reason], ["a0, a1", "because"]);
    const syncs = host.syncs.length - synced;
    assert.ok(syncs <= 5, `${syncs} syncs`);
  });

  test("of those that expect the same generation exactly one wins", async () => {
    const { config, stored } = await opened();
    const results = await Promise.allSettled(
      Array.from(
        { length: 10 },
        (_, rate) => config.set({ rate: rate + 1 }, { expectedGeneration: 1 }),
      ),
    );
    const lost = results.filter((result) => result.status === "rejected");
    assert.equal(lost.length, 9);
    for (const { reason } of lost) {
      assert.ok(isHoldfastError(reason, "CONFLICT"));
      assert.deepEqual({ ...reason.details }, { expected: 1, current: 2 });
    }
    assert.equal(stored().rate, config.value.rate);
  });

  test("an edit that was not noticed yet is built upon, not overwritten", async () => {
    const { host, config, stored } = await opened();
    host.outside.replaceFile(path, '{"rate":50,"theirs":true}', { mode: 0o600 });
    await config.update((draft) => void draft.rate!++);
    assert.deepEqual(stored(), { rate: 51, theirs: true });
    assert.equal(config.snapshot().generation, 3);
  });

  test("an edit between the last look and the rename makes the write start over", async () => {
    const { host, config, stored } = await opened();
    let edits = 0;
    host.faults = ({ operation }) => {
      if (operation === "create" && edits++ === 0) {
        host.outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
      }
    };
    await config.update((draft) => void draft.rate!++);
    assert.deepEqual(stored(), { rate: 51 });
  });

  test("an expectation that the disk knows of, though we did not yet, is met", async () => {
    const { host, config } = await opened();
    host.outside.replaceFile(path, '{"rate":50}', { mode: 0o600 });
    await assert.rejects(config.set({ rate: 1 }, { expectedGeneration: 1 }), {
      code: "CONFLICT",
      details: { expected: 1, current: 2 },
    });
    await config.set({ rate: 1 }, { expectedGeneration: 2 });
    assert.equal(config.snapshot().generation, 3);
  });
});

describe("a failure", () => {
  const failures: [string, Fault][] = [
    ["EIO", { error: "EIO" }],
    ["ENOSPC", { error: "ENOSPC" }],
    ["EACCES", { error: "EACCES" }],
    ["EROFS", { error: "EROFS" }],
    ["a write that takes nothing", { shortWrite: 0 }],
    ["a write that takes one byte", { shortWrite: 1 }],
  ];
  for (const [what, fault] of failures) {
    test(`${what} at every single operation of a write leaves old or new, whole, and no litter`, async () => {
      for (let at = 1; at < 100; at++) {
        const { host, config, stored } = await opened();
        await config.set({ rate: 1 });
        let count = 0;
        host.faults = () => ++count === at ? fault : undefined;
        const outcome = await config.set({ rate: 2 }).then(
          () => "stored",
          (error: { code: string }) => error.code,
        );
        host.faults = undefined;
        if (count < at) return;
        const rate = stored().rate;
        const expected: Record<string, number[]> = {
          stored: [2],
          IO: [1],
          READ_ONLY: [1],
          COMMIT_UNKNOWN: [1, 2],
        };
        assert.ok(expected[outcome]?.includes(rate), `operation ${at}: ${outcome}, rate ${rate}`);
        const isUnknown = outcome === "COMMIT_UNKNOWN";
        if (!isUnknown) assert.equal(config.value.rate, rate, `operation ${at}: ${outcome}`);
        await config.set({ rate: 3 });
        assert.deepEqual([stored().rate, config.value.rate], [3, 3]);
        // What could not be removed at once is for later commits.
        await host.advance(61_000);
        await config.set({ rate: 4 });
        await config.close();
        assert.deepEqual(litterOn(host), [], `operation ${at}: ${outcome}`);
      }
      assert.fail("a write has more operations than expected");
    });
  }

  test("a commit takes two rounds of syncs, one before the record counts and one before the answer", async () => {
    const { host, config } = await opened();
    await config.set({ rate: 5 });
    const steps: string[] = [];
    host.faults = ({ operation, path: at }) => {
      if (["sync", "syncDirectory", "link", "rename"].includes(operation)) {
        steps.push(`${operation} ${at.replaceAll(/[0-9a-f]{32}/g, "x")}`);
      }
    };
    await config.set({ rate: 1 });
    const log = "/etc/app/.config.json.d";
    const [image, ...rest] = steps;
    assert.equal(image, `link ${log}/img.3.x.x`);
    assert.deepEqual(
      new Set(rest.slice(0, 3)),
      new Set([
        `sync ${log}/rec.x`,
        `sync ${log}/pub.3.x`,
        `syncDirectory ${log}`,
      ]),
    );
    assert.deepEqual(rest.slice(3, 5), [`link ${log}/g.3`, `rename ${path}`]);
    assert.deepEqual(
      new Set(rest.slice(5)),
      new Set([
        `syncDirectory ${log}`,
        "syncDirectory /etc/app",
      ]),
    );
  });

  test("a directory that cannot be synced leaves it open whether the change will last", async () => {
    const { host, config, stored } = await opened();
    await config.set({ rate: 5 });
    let syncs = 0;
    host.faults = ({ operation, path: at }) => {
      if (operation !== "syncDirectory" || at !== "/etc/app") return;
      syncs++;
      return { error: "EIO" };
    };
    await assert.rejects(config.set({ rate: 1 }), {
      code: "COMMIT_UNKNOWN",
      details: { source: path, generation: 3 },
    });
    assert.equal(syncs, 1, "a sync that failed must not be tried again: the next one may lie");
    assert.deepEqual([stored().rate, config.value.rate], [1, 1]);
  });

  test("what dead writers left behind is swept, what may be in use is not", async () => {
    const { host, config } = await opened();
    const { outside } = host;
    const draft = (digit: string) => `/etc/app/.config.json.d/rec.${digit.repeat(32)}`;
    const probe = (digit: string) => `/etc/app/.config.json.${digit.repeat(32)}.tmp`;
    const foreign = ["/etc/app/.config.json.mine.tmp", "/etc/app/.config.json.d/mine"];
    for (const name of [draft("a"), probe("a"), ...foreign]) outside.writeFile(name, "old");
    outside.setMode("/etc/app/.config.json.d", 0o700);
    await host.advance(120_000);
    for (const name of [draft("b"), probe("b")]) outside.writeFile(name, "new");
    await config.set({ rate: 1 });
    await config.close();
    assert.deepEqual(litterOn(host), [draft("b"), ...foreign].sort());
  });

  test("a rename that Windows refuses for a while is tried again", async () => {
    const { memoryHost } = await import("../../adapters/memory.ts");
    const { openConfigOn } = await import("../../src/config/open.ts");
    const host = memoryHost({
      capabilities: {
        platform: "windows",
        renameOverOpen: false,
        modes: false,
        directorySync: false,
      },
    });
    host.outside.writeFile("/c/config.json", '{"rate":0}');
    const config = await openConfigOn(() => host)("/c/config.json", { schema, watch });
    let refusals = 0;
    host.faults = ({ operation }) =>
      operation === "rename" && refusals++ < 3 ? { error: "EPERM" } : undefined;
    const writing = config.set({ rate: 1 });
    await host.advance(1000);
    await writing;
    assert.equal(refusals, 4);
  });

  test("a mount on the very file is READ_ONLY", async () => {
    const { host, config } = await opened();
    // What is mounted can neither be renamed over nor linked, and only a link can be tried without harm.
    host.faults = ({ from }) => from === path ? { error: "EXDEV" } : undefined;
    await assert.rejects(config.set({ rate: 1 }), { code: "READ_ONLY", message: /mount/ });
  });
});

describe("a write that takes too long", () => {
  test("while it waits is a TIMEOUT and is never made", async () => {
    const { host, config, stored } = await opened();
    let release = () => {};
    const stalled = new Promise<void>((resolve) => release = resolve);
    host.faults = ({ operation }) => operation === "create" ? stalled : undefined;
    const first = config.set({ rate: 1 }).catch((error: { code: string }) => error.code);
    await host.advance(4000);
    const second = config.set({ rate: 2 }).catch((error: { code: string }) => error.code);
    await host.advance(1000);
    assert.equal(await first, "COMMIT_UNKNOWN");
    await host.advance(4000);
    assert.equal(await second, "TIMEOUT");
    release();
    await host.advance(10);
    assert.deepEqual(stored(), { rate: 1 });
    assert.equal(config.value.rate, 1);
    host.faults = undefined;
    await config.set({ rate: 3 });
    assert.deepEqual(stored(), { rate: 3 });
  });

  test("in the schema is a TIMEOUT, and nothing is stored even if the schema answers at last", async () => {
    const { host, openConfig } = hostWith('{"rate":0}');
    let answer = () => {};
    const slow = v.objectAsync({
      rate: v.pipeAsync(
        v.number(),
        v.checkAsync(async (rate) => {
          if (rate > 0) await new Promise<void>((resolve) => answer = resolve);
          return true;
        }),
      ),
    });
    const config = await openConfig(path, { schema: slow, watch, timeoutMs: 100 });
    const writing = config.set({ rate: 1 }).catch((error: { code: string }) => error.code);
    await host.advance(101);
    assert.equal(await writing, "TIMEOUT");
    answer();
    await host.advance(10);
    assert.equal(host.outside.readFile(path), '{"rate":0}');
  });
});
