// runs on: all
/** Variables with what shells, people and other programs put into them, and files of them. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { detectHost } from "../../adapters/detect.ts";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { secret } from "../../src/core/mark.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { readVariables } from "../../src/source/dotenv.ts";
import { env, type EnvOptions } from "../../src/source/env.ts";
import { permits } from "../support/host_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const number = v.optional(v.number());
const schema = v.object({
  n: number,
  b: v.optional(v.boolean()),
  s: v.optional(v.string()),
  either: v.optional(v.union([v.number(), v.string()])),
  maybe: v.optional(v.nullable(v.boolean())),
  list: v.optional(v.array(v.string())),
  pair: v.optional(v.tuple([v.string(), v.number()])),
  pick: v.optional(v.picklist(["1", "true"])),
  enumerated: v.optional(v.enum({ one: "1" })),
  turned: v.optional(v.pipe(v.string(), v.transform(Number), v.number())),
  map: v.optional(v.record(v.string(), v.number())),
  kind: v.optional(v.variant("type", [
    v.object({ type: v.literal("a"), size: v.number() }),
    v.object({ type: v.literal("b"), name: v.string() }),
  ])),
});

function stage(variables: Record<string, string>, files: Record<string, string> = {}) {
  const host = memoryHost({ variables });
  host.outside.makeDirectory("/app", { mode: 0o700 });
  const save = (path: string, text: string, mode = 0o600) => {
    host.outside.writeFile(path, text, { mode });
    host.outside.setMode(path, mode);
  };
  for (const [path, text] of Object.entries(files)) save(path, text);
  const told = remember();
  const open = <Schema extends v.GenericSchema>(
    as: Schema,
    options: Partial<EnvOptions> = {},
  ) => {
    const named = Object.keys(files);
    const source = env({
      prefix: "APP_",
      ...(named.length > 0 ? { files: named } : {}),
      ...options,
    });
    return openConfigOn(() => host)(source, { schema: as, ...told });
  };
  return { host, save, told, open };
}

describe("the text of a variable", () => {
  const taken: readonly (readonly [string, string, unknown])[] = [
    ["N", "1e3", { n: 1000 }],
    ["N", " 1 ", { n: 1 }],
    ["N", "-2.5", { n: -2.5 }],
    ["B", " ON ", { b: true }],
    ["B", "False", { b: false }],
    ["B", "0", { b: false }],
    ["S", "", { s: "" }],
    ["S", " a b ", { s: " a b " }],
    ["S", "null", { s: "null" }],
    ["EITHER", "5", { either: 5 }],
    ["EITHER", "007", { either: "007" }],
    ["EITHER", "12345678901234567890", { either: "12345678901234567890" }],
    ["MAYBE", "NULL", { maybe: null }],
    ["MAYBE", "yes", { maybe: true }],
    ["LIST", "[::1]:80,[::2]:80", { list: ["[::1]:80", "[::2]:80"] }],
    ["LIST", `["a,b", "c"]`, { list: ["a,b", "c"] }],
    ["PAIR", "a,5", { pair: ["a", 5] }],
    ["PICK", "1", { pick: "1" }],
    ["ENUMERATED", "1", { enumerated: "1" }],
    ["TURNED", "8080", { turned: 8080 }],
    ["MAP", `{"Cpu":1}`, { map: { Cpu: 1 } }],
    ["MAP__CPU_MAX", "1", { map: { cpu_max: 1 } }],
  ];
  for (const [name, text, expected] of taken) {
    test(`${name}=${text} is understood`, async () => {
      const { open, told } = stage({ [`APP_${name}`]: text });
      assert.deepEqual((await open(schema)).value, expected);
      assert.deepEqual(told.lines, []);
    });
  }

  const refused: readonly (readonly [string, string])[] = [
    ...["", "0x10", "NaN", "Infinity", "007", "+5", "1_000", "1e400", "12345678901234567890"]
      .map((text) => ["N", text] as const),
    ...["", "2", "y"].map((text) => ["B", text] as const),
    ["LIST", `["a", "b`],
    ["LIST", `[{"a":1}`],
    ["LIST__1", "after nothing"],
    ["LIST__999999999", "far away"],
    ["MAP", `{"__proto__":1}`],
    ["MAP", `{"constructor":{"prototype":1}}`],
    ["MAP", `{"a":1e400}`],
    ["MAP", "x=1"],
  ];
  for (const [name, text] of refused) {
    test(`${name}=${text} is INVALID, and the message names the variable`, async () => {
      const { open } = stage({ [`APP_${name}`]: text });
      await assert.rejects(open(schema), (error) => {
        assert.ok(isHoldfastError(error, "INVALID"));
        assert.equal(error.details.problems[0]!.variable, `APP_${name}`);
        assert.match(error.message, new RegExp(`\\bAPP_${name}\\b`));
        return true;
      });
      assert.equal(({} as { prototype?: unknown }).prototype, undefined);
    });
  }

  test("that is nested without an end is INVALID", async () => {
    const { open } = stage({ APP_X: "[".repeat(5000) + "]".repeat(5000) });
    await assert.rejects(open(v.any()), { code: "INVALID" });
  });

  test("without a schema is not rounded", async () => {
    const id = "12345678901234567890";
    const config = await openConfigOn(() => memoryHost({ variables: { APP_ID: id, APP_N: "5" } }))(
      env({ prefix: "APP_" }),
    );
    assert.deepEqual(config.value, { id, n: 5 });
  });
});

describe("the names of variables", () => {
  test("reach elements in their order, also beyond the ninth", async () => {
    const texts = Array.from({ length: 12 }, (_, index) => `v${index}`);
    const entries = texts.map((text, index) => [`APP_LIST__${index}`, text] as const);
    const { open } = stage(Object.fromEntries(entries.toReversed()));
    assert.deepEqual((await open(schema)).value, { list: texts });
  });

  test("reach into the options of a variant", async () => {
    const { open } = stage({ APP_KIND__SIZE: "5", APP_KIND__TYPE: "a" });
    assert.deepEqual((await open(schema)).value, { kind: { type: "a", size: 5 } });
  });

  test("that clash are told, and it is not by chance which counts", async () => {
    const clash = v.object({ maxSize: v.optional(v.number()), map: v.record(v.string(), number) });
    const variables = { APP_MAXSIZE: "1", APP_MAX_SIZE: "2", APP_MAP: "nonsense", APP_MAP__A: "1" };
    for (const given of [variables, Object.fromEntries(Object.entries(variables).toReversed())]) {
      const { open, told } = stage(given);
      assert.deepEqual((await open(clash)).value, { maxSize: 2, map: { a: 1 } });
      assert.equal(told.lines.length, 2);
      assert.match(told.lines.join("\n"), /APP_MAXSIZE: found APP_MAX_SIZE/);
      assert.match(told.lines.join("\n"), /APP_MAP: found APP_MAP__A/);
      assert.doesNotMatch(told.lines.join("\n"), /nonsense/);
    }
  });

  test("of the environment count over a file, however they are spelled", async () => {
    const files = { "/app/.env": "APP_pool_size=1\nAPP_POOL_SIZE=1\n" };
    const { open } = stage({ APP_POOLSIZE: "2" }, files);
    assert.deepEqual((await open(v.object({ poolSize: number }))).value, { poolSize: 2 });
  });

  test("may have a separator that names have too", async () => {
    const nested = v.object({ pool: v.object({ maxSize: v.number() }) });
    const { open } = stage({ APP_POOL_MAX_SIZE: "5" });
    assert.deepEqual((await open(nested, { separator: "_" })).value, { pool: { maxSize: 5 } });
    assert.throws(() => env({ prefix: "APP_", separator: "" }), { code: "UNSUPPORTED" });
  });

  test("without a prefix are told only where they look like a slip", async () => {
    const variables = { TIMEOUT: "5", TIMEOUTS: "1", PATH: "/bin", SOME_OTHER_PROGRAM: "1" };
    const { open, told } = stage(variables);
    const config = await open(v.object({ timeout: number }), { prefix: "" });
    assert.deepEqual(config.value, { timeout: 5 });
    assert.equal(told.lines.length, 1);
    assert.match(told.lines[0]!, /TIMEOUTS.*did you mean TIMEOUT\?/);
  });

  test("of a recursive schema are found, and come to an end", async () => {
    interface Tree {
      readonly size?: number | undefined;
      readonly [side: string]: Tree | number | undefined;
    }
    const side: v.GenericSchema<Tree> = v.lazy(() => tree);
    const sides = Object.fromEntries([..."abcdefghij"].map((name) => [name, v.optional(side)]));
    const tree = v.object({ ...sides, size: number }) as unknown as v.GenericSchema<Tree>;
    const { open, told } = stage({ APP_A__B__C__D__E__F__G__H__I__J__SIZE: "5", APP_SIZ: "1" });
    const { value } = await open(tree);
    assert.match(JSON.stringify(value), /"j":\{"size":5\}/);
    assert.match(told.lines.join(), /did you mean APP_SIZE\?/);
  });

  test("that cannot be listed are asked for one by one, and it is said", async () => {
    const { host, told } = stage({ APP_N: "5", APP_UNKNOWN: "1" });
    const closed = { ...host, variableNames: () => undefined };
    const openConfig = openConfigOn(() => closed);
    const config = await openConfig(env({ prefix: "APP_" }), { schema, ...told });
    assert.deepEqual(config.value, { n: 5 });
    assert.equal(told.lines.length, 1);
    assert.match(told.lines[0]!, /does not permit it.*--allow-env/);
    await assert.rejects(openConfig(env({ prefix: "APP_" })), (error) => {
      return isHoldfastError(error, "IO") && error.details.errno === "EACCES" &&
        error.message.includes("--allow-env");
    });
  });

  if (!permits({ name: "env" })) {
    test("that this runtime does not permit to be listed are refused by that name", async () => {
      const opening = openConfigOn(detectHost)(env({ prefix: "OTHER_" }));
      await assert.rejects(opening, /the environment.*\(EACCES\).*--allow-env/);
    });
  }
});

describe("a secret in a variable", () => {
  const guarded = v.object({
    pin: v.optional(v.pipe(v.number(), secret())),
    pool: v.optional(v.object({ password: v.pipe(v.string(), v.minLength(90), secret()) })),
    keys: v.optional(v.array(v.pipe(v.string(), v.minLength(90), secret()))),
    map: v.optional(v.record(v.string(), v.pipe(v.number(), secret()))),
  });
  const cases: readonly Record<string, string>[] = [
    { APP_PIN: "canary" },
    { APP_POOL: `{"password":"canary"` },
    { APP_POOL: `{"password":"canary"}` },
    { APP_POOL: `{"password":"canary","__proto__":"canary"}` },
    { APP_POOL: "canary" },
    { APP_POOL__PASSWORD: "canary" },
    { APP_KEYS: `["canary` },
    { APP_KEYS: "canary,canary" },
    { APP_KEYS__3: "canary" },
    { APP_MAP__X: "canary" },
    { APP_MAP: `{"x":"canary"}` },
    { APP_PASSWORD: "canary", APP_POOL: "canary", APP_POOL__PASSWORD: "canary" },
  ];
  for (const variables of cases) {
    test(`is told by nobody: ${Object.keys(variables).join()}`, async () => {
      const { open, told } = stage(variables);
      const error = await open(guarded).then(() => undefined, (caught: unknown) => caught);
      assert.ok(isHoldfastError(error, "INVALID"));
      const all = [error.message, JSON.stringify(error.details), ...told.lines];
      assert.doesNotMatch(all.join("\n"), /canary/);
    });
  }
});

describe("a file of variables", () => {
  const read = (text: string) => {
    return readVariables(new TextEncoder().encode(text), ".env").map((
      one,
    ) => [one.name, one.value]);
  };

  const texts: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
    ["a byte order mark", "\uFEFFA=1", [["A", "1"]]],
    ["carriage returns", "A=1\r\n\r\nB='x\r\ny'\r\n# c\r\n", [["A", "1"], ["B", "x\ny"]]],
    ["separators of lines that are none", "A=a\u2028b\n# \u2029\nB=1", [["A", "a\u2028b"], [
      "B",
      "1",
    ]]],
    ["names with dots and dashes", "a.b-c=1", [["a.b-c", "1"]]],
    ["nothing in a value", `A=\nB=""\nC=''\nD= # x`, [["A", ""], ["B", ""], ["C", ""], ["D", ""]]],
    ["a hash inside", `A=a#b\nB="a #b" # c\nC=a #b`, [["A", "a#b"], ["B", "a #b"], ["C", "a"]]],
    ["equals signs", "A=b=c==", [["A", "b=c=="]]],
    ["escapes", `A="\\n\\t\\"\\\\n\\$B\\d"\nB='\\n'`, [["A", '\n\t"\\n$B\\d'], ["B", "\\n"]]],
    ["what would be expanded elsewhere", 'A=${B}\nB="$A"', [["A", "${B}"], ["B", "$A"]]],
    ["a name twice", "A=1\nB=2\nA=3", [["B", "2"], ["A", "3"]]],
    ["export", "export A=1\n\texport\tB = 2\nexport=3", [["A", "1"], ["B", "2"], ["export", "3"]]],
    ["quotes inside", `A=it's "so"`, [["A", `it's "so"`]]],
  ];
  for (const [name, text, expected] of texts) {
    test(`may have ${name}`, () => assert.deepEqual(read(text), expected));
  }

  test("is read in time that its length allows", () => {
    const long = "x\\n".repeat(300_000);
    assert.equal(read(`A="${long}"\nB='${long}'\n`)[0]![1]!.length, 600_000);
    assert.deepEqual(read('A=""\n'.repeat(200_000)), [["A", ""]]);
    assert.throws(() => read(`A=1\nB="${long}`), { code: "PARSE" });
  });

  test("with bytes that are no text, or NUL, is PARSE with the place", () => {
    const at = (bytes: readonly number[]) => () => readVariables(new Uint8Array(bytes), ".env");
    assert.throws(at([65, 61, 10, 66, 61, 0xff]), /\.env:2:3: found bytes that are not UTF-8/);
    assert.throws(at([65, 61, 10, 66, 61, 0]), /\.env:2:3: found a NUL/);
  });

  test("that is broken is told though no variable changes, each fault anew", async () => {
    const { save, open } = stage({}, { "/app/.env": "" });
    const config = await open(schema, {});
    save("/app/.env", "what?");
    await assert.rejects(config.reload(), { code: "PARSE" });
    assert.equal(config.status().state, "degraded");
    save("/app/.env", "\n\nand what?");
    await assert.rejects(config.reload(), (error) => {
      return isHoldfastError(error, "PARSE") && error.details.line === 3;
    });
    save("/app/.env", "# nothing");
    await config.reload();
    assert.equal(config.status().state, "ok");
  });

  test("that was rearranged is explained as it is now", async () => {
    const { save, open } = stage({}, { "/app/.env": "APP_N=1\n" });
    const config = await open(schema, {});
    save("/app/.env", "# above\nAPP_N=1\n");
    await config.reload();
    assert.deepEqual(config.explain(["n"]).from, {
      source: "/app/.env",
      variable: "APP_N",
      line: 2,
      column: 7,
    });
  });

  test("that is overridden is told of, and so are wholes whose parts are", async () => {
    const files = {
      "/app/.env": "APP_N=1\nAPP_LIST=x\nAPP_MAP__A=1\n",
      "/app/.env.local": 'APP_N=2\nAPP_MAP={"a":0,"b":2}\n',
    };
    const { open } = stage({ APP_N: "3" }, files);
    const config = await open(schema, {});
    const told = (...path: string[]) => {
      const { from, overridden } = config.explain(path);
      const all = [{ value: "counts", from }, ...overridden];
      return all.map(({ value, from: place }) => [value, place?.source, place?.line]);
    };
    assert.deepEqual(told("n"), [
      ["counts", "the environment", undefined],
      [2, "/app/.env.local", 1],
      [1, "/app/.env", 1],
    ]);
    assert.deepEqual(told("map", "a"), [["counts", "/app/.env", 3], [0, "/app/.env.local", 2]]);
    assert.deepEqual(told("map", "b"), [["counts", "/app/.env.local", 2]]);
    assert.equal(told("map")[0]![1], "the environment");
    assert.deepEqual(told("s"), [["counts", undefined, undefined]]);
  });

  test("that everybody can write is refused, or allowed by name", async () => {
    const { save, open } = stage({}, { "/app/.env": "APP_N=1\n" });
    const config = await open(schema, {});
    save("/app/.env", "APP_N=2\n", 0o602);
    await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
    assert.deepEqual(config.value, { n: 1 });
    assert.deepEqual((await open(schema, { trust: "any" })).value, { n: 2 });
  });

  test("is read though its directory cannot be looked at", async () => {
    const { host, open } = stage({}, { "/app/.env": "APP_N=1\n" });
    host.faults = ({ operation, path }) => {
      return operation === "stat" && path === "/app" ? { error: "EACCES" } : undefined;
    };
    assert.deepEqual((await open(schema, {})).value, { n: 1 });
  });

  test("that others can read is warned of", async () => {
    const { save, open, told } = stage({}, { "/app/.env": "" });
    save("/app/.env", "APP_S=canary\n", 0o644);
    await open(schema, {});
    assert.equal(told.lines.length, 1);
    assert.match(told.lines[0]!, /\/app\/\.env has mode 644/);
  });

  test("that became something else keeps the last good value", async () => {
    const { host, open } = stage({}, { "/app/.env": "APP_N=1\n" });
    const config = await open(schema, {});
    host.outside.removeFile("/app/.env");
    host.outside.makeFifo("/app/.env");
    await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
    host.outside.removeFile("/app/.env");
    host.outside.makeDirectory("/app/.env");
    await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
    assert.deepEqual(config.value, { n: 1 });
  });
});
