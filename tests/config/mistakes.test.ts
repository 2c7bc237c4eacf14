// runs on: all
/** What a newcomer gets wrong is told at once: what was attempted, what was found, what to do. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import {
  directory,
  env,
  file,
  holdfastError,
  isHoldfastError,
  layered,
  memory,
  openConfig,
  overrides,
  secret,
  type Source,
} from "../../mod.ts";
import { natsKv } from "../../src/store/nats/nats_kv.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.object({ rate: v.number() });

/** As far as it is like one of today's. */
function olderConnection(): Parameters<typeof natsKv>[0] {
  const nothing = () => undefined;
  const methods = ["request", "subscribe", "status", "isClosed", "isDraining", "jetstream"];
  const connection = Object.fromEntries(methods.map((name) => [name, nothing]));
  return { connection: connection as never, bucket: "app", key: "config" };
}

/** Opens on a host of its own, where nothing is. */
async function refused(open: () => unknown, code: string, message: RegExp): Promise<void> {
  const host = memoryHost();
  host.outside.makeDirectory("/conf.d");
  const attempt = async () => {
    await openConfig(open() as Source, { schema, seed: { rate: 1 }, host, ...remember() });
  };
  await assert.rejects(attempt, (error) => {
    assert.ok(isHoldfastError(error), String(error));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
    return true;
  });
  assert.deepEqual(host.outside.list(), []);
}

describe("a mistake is told", () => {
  const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
    ["no place at all", () => undefined, /found undefined where it comes from; give a path/],
    ["null for a place", () => null, /found null where it comes from/],
    ["a document for a place", () => ({ rate: 1 }), /found object where it comes from/],
    ["the text of a URL", () => "file:///conf.d/a.json", /found the text of a URL \(file:\)/],
    ["layers without a name", () => layered([memory()] as never), /found no list of them/],
    ["no layers given", () => layered(undefined as never), /found no list of them/],
    ["a path as a layer", () => layered({ layers: ["a"] as never }), /found no source at 0/],
    ["a head that is not there", () => layered({ layers: [memory()], head: 1 }), /the head \(1\)/],
    ["variables by a text", () => env("APP_" as never), /found no prefix; give one, as env\(/],
    ["variables without a prefix", () => env({} as never), /found no prefix/],
    [
      "a connection of the older client",
      () => natsKv(olderConnection()),
      /the older package `nats`/,
    ],
    ["no options for variables", () => env(undefined as never), /found no prefix/],
  ];
  for (const [name, open, message] of wrong) {
    test(name, () => refused(open, "UNSUPPORTED", message));
  }

  const readOnly: readonly (readonly [string, () => Source])[] = [
    ["a directory", () => directory("/conf.d")],
    ["the environment", () => env({ prefix: "APP_" })],
    ["layers without a head", () => layered({ layers: [file("/conf.d/a.json"), overrides({})] })],
  ];
  for (const [name, open] of readOnly) {
    test(`a seed for ${name}, which nobody could store`, async () => {
      await refused(open, "READ_ONLY", /Cannot store the seed of .*: found a source that can only/);
    });
  }
});

test("a value that is missing is told with the variable that would give it", async () => {
  const host = memoryHost({ variables: { APP_DATABASE__USER: "ada" } });
  const options = {
    schema: v.object({
      pool: v.object({ maxSize: v.number() }),
      database: v.object({ user: v.string(), password: v.pipe(v.string(), secret()) }),
    }),
  };
  const opening = openConfig(env({ prefix: "APP_" }), { ...options, host, ...remember() });
  await assert.rejects(opening, (error) => {
    assert.ok(isHoldfastError(error, "INVALID"));
    const told = error.details.problems.map(({ path, variable }) => [path.join("."), variable]);
    assert.deepEqual(told, [["pool", "APP_POOL"], ["database.password", "APP_DATABASE__PASSWORD"]]);
    assert.match(error.message, /at pool \(the environment, APP_POOL\)/);
    const [, password] = error.details.problems;
    assert.equal(password!.message, "is missing (its content is secret)");
    return true;
  });
});

test("a text is no path: its letters would be written as keys", async () => {
  const config = await openConfig(memory({ rate: 1 }), remember());
  const wrong = "rate" as never;
  const path = { code: "UNSUPPORTED", message: /found string where a path belongs; give an array/ };
  await assert.rejects(config.setAt(wrong, 2), path);
  await assert.rejects(config.unset(wrong), path);
  assert.throws(() => config.explain(wrong), path);
  const steps = { code: "UNSUPPORTED", message: /found steps of other kinds/ };
  await assert.rejects(config.setAt([undefined] as never, 2), steps);
  assert.deepEqual([config.value, config.snapshot().generation], [{ rate: 1 }, 1]);
  await config.close();
});

test("what can only be read has no generation among the sources", async () => {
  const host = memoryHost({ variables: { APP_RATE: "1" } });
  const config = await openConfig(env({ prefix: "APP_" }), { schema, host, ...remember() });
  const [state] = config.snapshot().sources;
  assert.deepEqual(Object.keys(state!), ["name", "hash"]);
  assert.deepEqual(Object.keys(config.status().sources[0]!), ["name", "hash", "watch"]);
  await config.close();
});

test("a config shows nothing of its own but what it promises", async () => {
  const config = await openConfig(memory({ rate: 1 }), { schema, ...remember() });
  assert.deepEqual(Object.keys(config), []);
  await config.close();
});

test("a store of one's own can raise the conflict that is tried again", async () => {
  const inner = memory({ rate: 1 });
  let conflicts = 2;
  const store: ReturnType<typeof memory> = {
    ...inner,
    open: async (context) => {
      const open = await inner.open(context);
      const { commit } = open;
      open.commit = (change) => {
        if (conflicts-- <= 0) return commit.call(open, change);
        return Promise.reject(
          holdfastError("CONFLICT", "Cannot write the table: found another generation; read it", {
            expected: 1,
            current: 2,
          }),
        );
      };
      return open;
    },
  };
  const config = await openConfig(store, { schema, ...remember() });
  await config.setAt(["rate"], 2);
  assert.deepEqual([config.value.rate, conflicts], [2, -1]);
  await config.close();
});
