// runs on: all
/** The environment as a source: names become paths, texts become values, and what is not understood is told. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { secret } from "../../src/core/mark.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { env, type EnvOptions } from "../../src/source/env.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.object({
  port: v.optional(v.pipe(v.number(), v.minValue(1)), 8080),
  debug: v.optional(v.boolean(), false),
  name: v.optional(v.string(), "none"),
  tags: v.optional(v.array(v.string()), []),
  weights: v.optional(v.array(v.number()), []),
  pool: v.optional(
    v.object({ maxSize: v.optional(v.number(), 5), host: v.optional(v.string()) }),
    {},
  ),
  limits: v.optional(v.record(v.string(), v.number()), {}),
  maybe: v.optional(v.nullable(v.number()), 1),
  password: v.optional(v.pipe(v.string(), secret())),
});

async function opened(
  variables: Record<string, string>,
  options: Partial<EnvOptions> = {},
  files: Record<string, string> = {},
) {
  const host = memoryHost({ variables });
  host.outside.makeDirectory("/app");
  for (const [path, text] of Object.entries(files)) host.outside.writeFile(path, text);
  const told = remember();
  const source = env({ prefix: "APP_", ...options });
  const config = await openConfigOn(() => host)(source, { schema, ...told });
  return { host, config, told };
}

describe("variables", () => {
  const cases: readonly (readonly [string, Record<string, string>, object])[] = [
    ["a number", { APP_PORT: "9000" }, { port: 9000 }],
    ["a boolean", { APP_DEBUG: "yes" }, { debug: true }],
    ["a text that looks like a number", { APP_NAME: "007" }, { name: "007" }],
    ["a text that looks like JSON", { APP_NAME: '{"a":1}' }, { name: '{"a":1}' }],
    ["a list with commas", { APP_TAGS: "a, b,c" }, { tags: ["a", "b", "c"] }],
    ["a list of numbers", { APP_WEIGHTS: "1,2.5" }, { weights: [1, 2.5] }],
    ["a list in JSON", { APP_TAGS: '["a,b"]' }, { tags: ["a,b"] }],
    ["an empty list", { APP_TAGS: "" }, { tags: [] }],
    ["an element of a list", { APP_TAGS__0: "x" }, { tags: ["x"] }],
    ["a part of an object", { APP_POOL__MAX_SIZE: "7" }, { pool: { maxSize: 7 } }],
    ["another spelling", { APP_pool__maxsize: "7" }, { pool: { maxSize: 7 } }],
    ["an object in JSON", { APP_POOL: '{"maxSize":8}' }, { pool: { maxSize: 8 } }],
    ["a part over the whole", { APP_POOL: '{"maxSize":8,"host":"a"}', APP_POOL__HOST: "b" }, {
      pool: { maxSize: 8, host: "b" },
    }],
    ["a map", { APP_LIMITS__CPU: "2" }, { limits: { cpu: 2 } }],
    ["null", { APP_MAYBE: "null" }, { maybe: null }],
    ["nothing", { OTHER_PORT: "1", APPX: "2" }, {}],
  ];
  for (const [name, variables, expected] of cases) {
    test(`give ${name}`, async () => {
      const { config, told } = await opened(variables);
      const defaults = v.parse(schema, {});
      assert.deepEqual(config.value, { ...defaults, ...v.parse(schema, { ...expected }) });
      assert.deepEqual(told.lines, []);
      await config.close();
    });
  }

  test("of no known name are told with the nearest one, and left out", async () => {
    const { config, told } = await opened({
      APP_POOL__MAX_SIZ: "7",
      APP_UNHEARD_OF_THING: "canary",
    });
    assert.equal(config.value.pool.maxSize, 5);
    const [one, other, ...more] = told.lines.toSorted();
    assert.match(one!, /APP_POOL__MAX_SIZ\b.*did you mean APP_POOL__MAX_SIZE\?/);
    assert.match(other!, /APP_UNHEARD_OF_THING/);
    assert.deepEqual(more, []);
    assert.doesNotMatch(told.lines.join(), /canary/);
  });

  test("that do not fit are INVALID, at the place that a person knows", async () => {
    await assert.rejects(opened({ APP_PORT: "many" }), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      const [problem] = error.details.problems;
      assert.deepEqual(problem!.path, ["port"]);
      assert.equal((problem as { variable?: string }).variable, "APP_PORT");
      return true;
    });
    await assert.rejects(opened({ APP_PORT: "0" }), { code: "INVALID" });
  });

  test("of keys that no document may have are refused", async () => {
    await assert.rejects(opened({ APP_LIMITS__CONSTRUCTOR: "1" }), { code: "INVALID" });
    const config = await openConfigOn(() => memoryHost({ variables: { "APP|__proto__|x": "1" } }))(
      env({ prefix: "APP|", separator: "|" }),
      { schema },
    ).catch((error: { code?: string }) => error);
    assert.equal((config as { code?: string }).code, undefined);
    assert.equal(({} as { x?: unknown }).x, undefined);
  });

  test("cannot be written", async () => {
    const { config } = await opened({ APP_PORT: "1" });
    const writable = config as unknown as {
      setAt(path: string[], value: unknown): Promise<unknown>;
    };
    await assert.rejects(writable.setAt(["port"], 2), { code: "READ_ONLY" });
  });

  test("without a schema are JSON where they look like it", async () => {
    const variables = { APP_A__B: "1", APP_C: "x", APP_D: "[1]", APP_E: "true" };
    const config = await openConfigOn(() => memoryHost({ variables }))(env({ prefix: "APP_" }));
    assert.deepEqual(config.value, { a: { b: 1 }, c: "x", d: [1], e: true });
  });
});

describe("a file of variables", () => {
  const text = [
    "# comment",
    "export APP_PORT=1000 # behind",
    "",
    "APP_NAME='single $HOME \\n'",
    'APP_PASSWORD="two\\nlines and',
    'three"   # end',
    "APP_TAGS=a,b#c",
    "OTHER=1",
  ].join("\r\n");

  test("is read, and the environment counts over it", async () => {
    const { config } = await opened({ APP_PORT: "2000" }, { files: "/app/.env" }, {
      "/app/.env": text,
    });
    const { port, name, password, tags } = config.value;
    assert.deepEqual({ port, name, password, tags }, {
      port: 2000,
      name: "single $HOME \\n",
      password: "two\nlines and\nthree",
      tags: ["a", "b#c"],
    });
  });

  test("may be missing, is followed, and the later one counts", async () => {
    const files = ["/app/.env", "/app/.env.local"];
    const { host, config } = await opened({}, { files }, { "/app/.env": "APP_PORT=1\n" });
    assert.equal(config.value.port, 1);
    await host.advance(1000);
    host.outside.writeFile("/app/.env.local", "APP_PORT=2\n");
    await host.advance(1000);
    assert.equal(config.value.port, 2);
    host.outside.removeFile("/app/.env.local");
    await host.advance(1000);
    assert.equal(config.value.port, 1);
    await config.close();
  });

  for (
    const [name, broken, line, column] of [
      ["no assignment", "APP_PORT=1\nwhat is this", 2, 1],
      ["a quote without an end", 'APP_NAME="x\ny', 1, 10],
      ["more after a quote", "APP_NAME='x' y", 1, 13],
    ] as const
  ) {
    test(`with ${name} is PARSE with its place, and the last good value stays`, async () => {
      await assert.rejects(opened({}, { files: "/app/.env" }, { "/app/.env": broken }), (error) => {
        assert.ok(isHoldfastError(error, "PARSE"));
        assert.deepEqual([error.details.line, error.details.column], [line, column]);
        return true;
      });
      const { host, config } = await opened({}, { files: "/app/.env" }, {
        "/app/.env": "APP_PORT=5",
      });
      host.outside.writeFile("/app/.env", broken);
      await assert.rejects(config.reload(), { code: "PARSE" });
      assert.deepEqual([config.value.port, config.status().state], [5, "degraded"]);
    });
  }

  test("says where a value that does not fit stands", async () => {
    await assert.rejects(
      opened({}, { files: "/app/.env" }, { "/app/.env": "\nAPP_PORT=much" }),
      (error) => {
        assert.ok(isHoldfastError(error, "INVALID"));
        const { source, line, column } = error.details.problems[0]!;
        assert.deepEqual([source, line, column], ["/app/.env", 2, 10]);
        return true;
      },
    );
  });
});
