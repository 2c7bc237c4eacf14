// runs on: all
/** Where a secret could slip out although every place for it is guarded. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { restartRequired, secret, warnIf } from "../../src/core/mark.ts";
import { toEnvelope } from "../../src/config/envelope.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, path, remember } from "../support/memory_config.ts";

const watch = false;

describe("a secret is not told", () => {
  test("by the record of a migration that renamed it", async () => {
    const { host, openConfig } = hostWith('{"version":1,"pass":"canary"}');
    const told = remember();
    await openConfig(path, {
      schema: v.object({ version: v.literal(2), password: v.pipe(v.string(), secret()) }),
      migrations: { 1: ({ pass, ...rest }) => ({ ...rest, password: pass }) },
      watch,
      ...told,
    });
    await host.advance(1);
    assert.equal(told.events.length, 1);
    assert.doesNotMatch(JSON.stringify(told), /canary/);
  });

  test("by what waits for a restart below it", async () => {
    const { openConfig } = hostWith('{"creds":{"user":"canary-1"}}');
    const creds = v.object({ user: v.pipe(v.string(), restartRequired()) });
    const schema = v.object({ creds: v.pipe(creds, secret()) });
    const config = await openConfig(path, { schema, watch, ...remember() });
    await config.setAt(["creds", "user"], "canary-2");
    assert.equal(config.status().pendingRestart.length, 1);
    assert.doesNotMatch(JSON.stringify(config.status()), /canary/);
  });

  test("by the keys of a record that is secret", async () => {
    const { openConfig } = hostWith('{"tokens":{}}');
    const schema = v.object({ tokens: v.pipe(v.record(v.string(), v.boolean()), secret()) });
    const told = remember();
    const config = await openConfig(path, { schema, watch, ...told });
    await config.setAt(["tokens", "canary"], true);
    await assert.rejects(config.setAt(["tokens", "canary"], 1), (error: Error) => {
      assert.doesNotMatch(JSON.stringify([told.events, error]) + error.message, /canary/);
      return true;
    });
  });

  test("by a warning about a part of it", async () => {
    const { openConfig } = hostWith('{"tokens":{"canary":1}}');
    const token = v.pipe(v.number(), warnIf((n) => n > 5, "is big"), restartRequired());
    const schema = v.object({ tokens: v.pipe(v.record(v.string(), token), secret()) });
    const told = remember();
    const config = await openConfig(path, { schema, watch, ...told });
    await config.setAt(["tokens", "canary"], 9);
    assert.equal(told.lines.length, 2);
    assert.doesNotMatch(JSON.stringify([told.lines, config.status()]), /canary/);
  });

  test("by the envelope of a copied snapshot, which is refused", async () => {
    const { openConfig } = hostWith('{"token":"canary"}');
    const schema = v.object({ token: v.pipe(v.string(), secret()) });
    const config = await openConfig(path, { schema, watch });
    assert.throws(() => toEnvelope({ ...config.snapshot() }), { code: "UNSUPPORTED" });
  });
});

test("a secret object written back by a patch keeps what is there", async () => {
  const { host, openConfig } = hostWith('{"creds":{"user":"u","pass":"p"},"rate":1}');
  const schema = v.looseObject({ creds: v.pipe(v.looseObject({}), secret()) });
  const config = await openConfig(path, { schema, watch });
  await config.patch({ ...toEnvelope(config.snapshot()).document as object, rate: 2 });
  await config.setAt(["creds"], { $secret: "unchanged" });
  assert.deepEqual(JSON.parse(host.outside.readFile(path)), {
    creds: { user: "u", pass: "p" },
    rate: 2,
  });
});

test("what a caller does to the problems it was told changes nobody else's", async () => {
  const { host, openConfig } = hostWith('{"rate":0}');
  const schema = v.object({ rate: v.number() });
  const config = await openConfig(path, { schema, watch, ...remember() });
  host.outside.replaceFile(path, '{"rate":"x"}', { mode: 0o600 });
  await config.reload().catch(() => {});
  assert.throws(() => Object.assign(config.status().problems[0]!, { message: "mine" }), TypeError);
});
