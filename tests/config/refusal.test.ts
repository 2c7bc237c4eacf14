// runs on: all
/** What is turned down, where the fault is told to be, and what stays. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { restartRequired, secret, warnIf } from "../../src/core/mark.ts";
import { toEnvelope } from "../../src/config/envelope.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const mode = { mode: 0o600 };
const schema = v.object({
  rate: v.pipe(v.number(), warnIf((rate) => rate > 50, "is high")),
  token: v.optional(v.pipe(v.string(), secret()), ""),
  port: v.optional(v.pipe(v.number(), restartRequired()), 80),
});

async function opened(text = '{"rate":0}') {
  const { host, openConfig } = hostWith(text);
  const told = remember();
  const config = await openConfig(path, { schema, ...told });
  return { host, config, told, outside: host.outside };
}

describe("an edit that is turned down", () => {
  test("keeps the value, tells its place once, and is forgotten with the repair", async () => {
    const { host, config, told, outside } = await opened();
    const before = config.snapshot();
    outside.writeFile(path, '{\n  "rate": "canary"\n}');
    await host.advance(5000);
    const { state, problems, stored, running } = config.status();
    assert.equal(config.snapshot(), before);
    assert.equal(state, "degraded");
    assert.notEqual(stored.hash, running.hash);
    const [problem] = problems;
    assert.deepEqual(
      [problem?.path, problem?.source, problem?.line, problem?.column, problem?.severity],
      [["rate"], path, 2, 11, "error"],
    );
    assert.deepEqual(told.lines.length, 1, told.lines.join("\n"));
    assert.match(
      told.lines[0]!,
      /^warn .*at rate \(line 2, column 11\).*last good configuration stays/,
    );
    assert.deepEqual(told.events.map(({ outcome }) => outcome), ["refused"]);
    outside.writeFile(path, '{"rate":1}');
    await host.advance(1000);
    assert.equal(config.status().state, "ok");
    assert.deepEqual(config.status().problems, []);
    assert.equal(config.value.rate, 1);
  });

  test("that is taken back leaves everything as it was", async () => {
    const { host, config, told, outside } = await opened();
    const before = config.snapshot();
    outside.replaceFile(path, "{", mode);
    await host.advance(1000);
    outside.replaceFile(path, '{"rate":0}', mode);
    await host.advance(1000);
    assert.equal(config.snapshot(), before);
    assert.equal(config.status().state, "ok");
    assert.match(told.lines.at(-1)!, /^info .*good again/);
  });

  test("reload() tells why", async () => {
    const { config, outside } = await opened();
    outside.writeFile(path, '{"rate":}');
    for (let times = 0; times < 2; times++) {
      await assert.rejects(config.reload(), {
        code: "PARSE",
        details: { source: path, line: 1, column: 9 },
      });
    }
  });

  test("is kept aside when a write replaces it", async () => {
    const { host, config, told, outside } = await opened();
    outside.replaceFile(path, "{ broken", mode);
    await host.advance(1000);
    await config.setAt(["rate"], 5);
    const aside = outside.list().find((name) => name.includes("/refused."));
    assert.ok(aside !== undefined && outside.readFile(aside) === "{ broken");
    assert.ok(told.lines.some((line) => line.includes(aside)));
    assert.deepEqual(JSON.parse(outside.readFile(path)), { rate: 5 });
    assert.equal(config.status().state, "ok");
  });
});

describe("a file that is not what it was", () => {
  const acts: [string, (host: Awaited<ReturnType<typeof opened>>["host"]) => void, string][] = [
    ["removed", ({ outside }) => outside.removeFile(path), "NOT_FOUND"],
    ["emptied", ({ outside }) => outside.writeFile(path, ""), "PARSE"],
    ["a directory", ({ outside }) => {
      outside.removeFile(path);
      outside.makeDirectory(path);
    }, "UNSAFE_FILE"],
    ["a FIFO", ({ outside }) => {
      outside.removeFile(path);
      outside.makeFifo(path);
    }, "UNSAFE_FILE"],
    ["somebody else's", ({ outside }) => outside.setOwner(path, 4711), "UNSAFE_FILE"],
    ["writable by everybody", ({ outside }) => outside.setMode(path, 0o602), "UNSAFE_FILE"],
  ];
  for (const [what, act, code] of acts) {
    test(`${what}: the last good value stays, and the next good file counts`, async () => {
      const { host, config, told, outside } = await opened();
      act(host);
      await host.advance(3000);
      await assert.rejects(config.reload(), { code });
      assert.equal(config.status().state, "degraded");
      assert.equal(config.value.rate, 0);
      assert.equal(told.lines.length, 1, told.lines.join("\n"));
      if (what === "a directory") outside.removeDirectory(path);
      else if (what !== "removed") outside.removeFile(path);
      outside.writeFile(path, '{"rate":9}', mode);
      await host.advance(1000);
      assert.equal(config.value.rate, 9);
      assert.equal(config.status().state, "ok");
    });
  }

  test("a read error is no reason to seed, at the start or later", async () => {
    const { host, openConfig } = hostWith('{"rate":3}');
    for (const error of ["EACCES", "EIO", "EMFILE"]) {
      host.faults = ({ operation }) => operation === "read" ? { error } : undefined;
      await assert.rejects(openConfig(path, { schema, seed: { rate: 1 } }), {
        code: "IO",
        details: { operation: "read", path, errno: error },
      });
    }
    host.faults = undefined;
    assert.equal(host.outside.readFile(path), '{"rate":3}');
  });
});

describe("the start", () => {
  test("seeds what is missing, once, durably, in a directory made for it", async () => {
    const { host, openConfig } = hostWith();
    const seed = { rate: 1 };
    const config = await openConfig("/etc/new/deep/config.json", { schema, seed, watch: false });
    assert.deepEqual(JSON.parse(host.outside.readFile("/etc/new/deep/config.json")), seed);
    assert.equal(config.snapshot().generation, 1);
    assert.equal((await host.stat("/etc/new/deep")).mode, 0o700);
    const again = await openConfig("/etc/new/deep/config.json", { schema, seed: { rate: 2 } });
    assert.equal(again.value.rate, 1);
  });

  test("runs on the defaults where nothing is stored and they make a whole", async () => {
    const { host, openConfig } = hostWith();
    const whole = v.object({ rate: v.optional(v.number(), 7) });
    const config = await openConfig(path, { schema: whole });
    assert.deepEqual([config.value.rate, config.snapshot().generation], [7, 0]);
    assert.deepEqual(host.outside.list(), []);
    await config.setAt(["rate"], 8);
    assert.equal(config.snapshot().generation, 1);
    await assert.rejects(openConfig("/etc/app/other.json", { schema }), { code: "NOT_FOUND" });
  });

  test("refuses a broken or invalid document, and an invalid seed, and stores nothing", async () => {
    for (const [text, code] of [["{", "PARSE"], ['{"rate":"x"}', "INVALID"]] as const) {
      const { host, openConfig } = hostWith(text);
      await assert.rejects(openConfig(path, { schema, seed: { rate: 1 } }), { code });
      assert.equal(host.outside.readFile(path), text);
    }
    const { host, openConfig } = hostWith();
    await assert.rejects(openConfig(path, { schema, seed: { rate: "x" } as never }), {
      code: "INVALID",
    });
    assert.deepEqual(host.outside.list(), []);
  });

  test("migrates and stores, or only migrates, or runs with what it cannot store", async () => {
    const migrations = { 1: (old: { r: number }) => ({ version: 2, rate: old.r }) };
    const versioned = v.object({ version: v.literal(2), rate: v.number() });
    const open = async (migrate: "store" | "memory", fault?: string) => {
      const { host, openConfig } = hostWith('{"version":1,"r":5}');
      if (fault !== undefined) {
        host.faults = ({ operation }) => operation === "create" ? { error: fault } : undefined;
      }
      const told = remember();
      const config = await openConfig(path, { schema: versioned, migrations, migrate, ...told });
      assert.equal(config.value.rate, 5);
      await Promise.resolve();
      return { config, told, text: host.outside.readFile(path) };
    };
    const stored = await open("store");
    assert.deepEqual(JSON.parse(stored.text), { version: 2, rate: 5 });
    assert.equal(stored.config.snapshot().generation, 2);
    assert.deepEqual(stored.told.events.map(({ origin, changes }) => [origin, changes.length]), [
      ["migration", 3],
    ]);
    assert.equal((await open("memory")).text, '{"version":1,"r":5}');
    const readOnly = await open("store", "EROFS");
    assert.equal(readOnly.text, '{"version":1,"r":5}');
    assert.match(readOnly.told.lines.join(), /migrated, which cannot be stored/);
  });
});

describe("annotations at work", () => {
  test("warnings advise and block nothing", async () => {
    const { config, told } = await opened();
    await config.setAt(["rate"], 60);
    await config.setAt(["rate"], 70);
    assert.equal(config.status().state, "ok");
    assert.deepEqual(
      config.status().problems.map(({ path, severity, message }) => ({
        path,
        severity,
        message,
      })),
      [{ path: ["rate"], severity: "warning", message: "is high" }],
    );
    assert.equal(told.lines.filter((line) => line.includes("is high")).length, 1);
  });

  test("what needs a restart stays, pending, while the rest applies", async () => {
    const { config, told } = await opened();
    await config.patch({ port: 81, rate: 5 });
    assert.deepEqual([config.value.port, config.value.rate], [80, 5]);
    assert.deepEqual(config.status().pendingRestart, [{ path: ["port"], running: 80, stored: 81 }]);
    assert.ok(told.lines.some((line) => /port .*restart/.test(line)));
    await config.setAt(["port"], 80);
    assert.deepEqual(config.status().pendingRestart, []);
  });

  test("a secret appears in nothing that leaves the process's own code", async () => {
    const { host, config, told, outside } = await opened('{"rate":0,"token":"canary-1"}');
    await config.setAt(["token"], "canary-2", { actor: "ann" });
    await config.setAt(["token"], { canary: 3 }).catch((error: Error) =>
      told.lines.push(error.message)
    );
    outside.replaceFile(path, '{"rate":0,"token":["canary-4"]}', mode);
    await host.advance(1000);
    outside.replaceFile(path, '{"rate":0,"token":"canary-5}', mode);
    await host.advance(1000);
    await config.reload().catch((error: Error) => told.lines.push(error.message));
    const said = JSON.stringify([
      told,
      config.status(),
      toEnvelope(config.snapshot()),
      toEnvelope(config.snapshot(), "diagnostic"),
    ]);
    assert.equal(told.events.length, 3);
    assert.doesNotMatch(said, /canary/);
    assert.equal(config.value.token, "canary-2");
  });

  test("an envelope that is written back keeps its secrets", async () => {
    const { config } = await opened('{"rate":0,"token":"canary"}');
    const { document } = toEnvelope(config.snapshot());
    await config.set({ ...document as { rate: number }, rate: 1 });
    assert.deepEqual([config.value.token, config.value.rate], ["canary", 1]);
  });
});

test("an envelope tells where it comes from, paths only in the diagnostic view", async () => {
  const { openConfig } = hostWith('{"rate":0}');
  const realm = { id: "realm", instance: "i-1" };
  const config = await openConfig(path, { schema, realm, watch: false });
  const shown = toEnvelope(config.snapshot());
  assert.deepEqual([shown.realm_id, shown.instance_id, shown.backend, shown.generation], [
    "realm",
    "i-1",
    "file",
    1,
  ]);
  assert.equal("resolved_paths" in shown, false);
  assert.deepEqual(toEnvelope(config.snapshot(), "diagnostic").resolved_paths, [path]);
});
