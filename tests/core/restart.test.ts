// runs on: all
/** What of an edit a running process takes over, and what waits for its restart. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { annotationsOf } from "../../src/core/annotation.ts";
import { restartRequired } from "../../src/core/mark.ts";
import { diff } from "../../src/core/diff.ts";
import { type Json, valueAt } from "../../src/core/document.ts";
import type { Path } from "../../src/core/error.ts";
import { type Held, holdForRestart } from "../../src/core/restart.ts";
import { type StandardSchema, validateAnnotated } from "../../src/core/schema.ts";
import { describe, test } from "../support/kit.ts";
import { type Random, randomFrom } from "../support/random.ts";

const fixed = v.pipe(v.number(), restartRequired());

/** What holds after an edit from one document to another. */
async function edited(schema: StandardSchema, from: Json, to: Json): Promise<Held> {
  return await heldBack(schema, await made(schema, from), to);
}

async function made(schema: StandardSchema, input: Json) {
  const validation = await validateAnnotated(schema, undefined, input);
  assert.ok(validation.ok, JSON.stringify(validation.problems));
  return { input, value: validation.value };
}

async function heldBack(
  schema: StandardSchema,
  running: { input: Json; value: unknown },
  to: Json,
) {
  const annotations = annotationsOf(schema);
  return await holdForRestart(running, await made(schema, to), {
    annotations,
    validate: async (input) => await validateAnnotated(schema, annotations, input),
  });
}

/** The value that runs and the places that wait. */
async function outcome(schema: StandardSchema, from: Json, to: Json) {
  const { value, pending } = await edited(schema, from, to);
  return [value, pending.map(({ path }) => path)];
}

describe("what only a restart changes", () => {
  const schema = v.looseObject({
    port: fixed,
    pools: v.optional(v.record(v.string(), v.looseObject({ size: fixed })), {}),
  });

  test("keeps its running value while the rest of the same edit applies", async () => {
    const running = { port: 1, rate: 1, pools: { a: { size: 1, on: true } } };
    const next = { port: 2, rate: 2, pools: { a: { size: 2, on: false }, b: { size: 3 } } };
    const value = { port: 1, rate: 2, pools: { a: { size: 1, on: false }, b: { size: 3 } } };
    assert.deepEqual(await edited(schema, running, next), {
      input: value,
      value,
      pending: [
        { path: ["port"], running: 1, stored: 2 },
        { path: ["pools", "a", "size"], running: 1, stored: 2 },
      ],
      problems: [],
    });
    assert.equal(next.port, 2);
  });

  test("is pending no more once it is reverted", async () => {
    const running = await edited(schema, { port: 1 }, { port: 2 });
    assert.equal(running.pending.length, 1);
    const { value, pending } = await heldBack(schema, running, { port: 1, rate: 5 });
    assert.deepEqual([value, pending], [{ port: 1, rate: 5, pools: {} }, []]);
  });

  test("keeps a default that runs, and what runs beside a default that is stored", async () => {
    const defaulted = v.object({ port: v.optional(fixed, 80), rate: v.optional(v.number(), 1) });
    const [both, port] = [{ port: 80, rate: 2 }, [["port"]]];
    assert.deepEqual(await outcome(defaulted, {}, { port: 81, rate: 2 }), [both, port]);
    assert.deepEqual(await outcome(defaulted, { port: 81 }, { rate: 2 }), [
      { port: 81, rate: 2 },
      port,
    ]);
  });

  test("is compared as the schema gives it, which need not be what is written", async () => {
    const seconds = v.pipe(v.string(), v.transform(Number), restartRequired());
    const timed = v.object({ seconds, wait: v.pipe(v.string(), v.transform(Number)) });
    const running = { seconds: "1", wait: "1" };
    assert.deepEqual(await outcome(timed, running, { seconds: "1.0", wait: "2" }), [
      { seconds: 1, wait: 2 },
      [],
    ]);
    assert.deepEqual(await outcome(timed, running, { seconds: "2", wait: "2" }), [
      { seconds: 1, wait: 2 },
      [["seconds"]],
    ]);
  });

  test("stays when it is removed, and away when it is added", async () => {
    const optional = v.looseObject({ port: v.optional(fixed) });
    assert.deepEqual(await outcome(optional, { port: 1 }, { a: 1 }), [{ port: 1, a: 1 }, [[
      "port",
    ]]]);
    assert.deepEqual(await outcome(optional, {}, { port: 1, a: 1 }), [{ a: 1 }, [["port"]]]);
  });

  test("in an optional part stays when that goes, and applies when it comes anew", async () => {
    const schema = v.object({ db: v.nullish(v.object({ port: fixed })) });
    const running = { db: { port: 5 } };
    for (const without of [{}, { db: null }]) {
      assert.deepEqual(await outcome(schema, running, without), [running, [["db"]]]);
      assert.deepEqual(await outcome(schema, without, running), [running, []]);
    }
  });

  test("in a record comes with a new entry, and keeps one that is removed", async () => {
    const models = v.record(v.string(), v.object({ upstream: fixed, on: v.boolean() }));
    const [a, b] = [{ upstream: 1, on: true }, { upstream: 2, on: true }];
    assert.deepEqual(await outcome(models, { a }, { a, b }), [{ a, b }, []]);
    assert.deepEqual(await outcome(models, { a, b }, { a }), [{ a, b }, [["b"]]]);
    assert.deepEqual(await outcome(models, { a }, { a: { upstream: 2, on: false } }), [
      { a: { upstream: 1, on: false } },
      [["a", "upstream"]],
    ]);
    // The entry itself is marked: none comes, goes or changes.
    const names = v.record(v.string(), fixed);
    assert.deepEqual(await outcome(names, { a: 1 }, { b: 1 }), [{ a: 1 }, [["b"], ["a"]]]);
  });

  test("in an array keeps the whole of it, unless other things alone differ", async () => {
    const hosts = v.object({ hosts: v.array(v.looseObject({ port: fixed })) });
    const running = { hosts: [{ port: 1 }] };
    for (const to of [[], [{ port: 2 }], [{ port: 9 }, { port: 1 }]]) {
      assert.deepEqual(await outcome(hosts, running, { hosts: to }), [running, [["hosts"]]]);
    }
    for (const to of [[{ port: 1, on: true }], [{ port: 1 }, { port: 2 }]]) {
      assert.deepEqual(await outcome(hosts, running, { hosts: to }), [{ hosts: to }, []]);
    }
  });

  test("in a tuple keeps the whole of it", async () => {
    const pair = v.object({ listen: v.tuple([v.string(), fixed]), rate: v.number() });
    const [running, to] = [{ listen: ["a", 1], rate: 1 }, { listen: ["b", 2], rate: 2 }];
    assert.deepEqual(await outcome(pair, running, to), [
      { listen: ["a", 1], rate: 2 },
      [["listen"]],
    ]);
    assert.deepEqual(await outcome(pair, running, { listen: ["b", 1], rate: 2 }), [
      { listen: ["b", 1], rate: 2 },
      [],
    ]);
  });

  test("is the outermost of several that are marked", async () => {
    const nested = v.object({
      listen: v.pipe(v.object({ port: fixed, on: v.boolean() }), restartRequired()),
    });
    const [running, to] = [{ listen: { port: 1, on: true } }, { listen: { port: 1, on: false } }];
    assert.deepEqual(await outcome(nested, running, to), [running, [["listen"]]]);
  });

  test("is found through intersections and lazy parts", async () => {
    const both = v.intersect([v.looseObject({ port: fixed }), v.looseObject({ rate: v.number() })]);
    assert.deepEqual(await outcome(both, { port: 1, rate: 1 }, { port: 2, rate: 2 }), [
      { port: 1, rate: 2 },
      [["port"]],
    ]);
    interface Tree {
      port: number;
      below?: Tree | undefined;
    }
    const tree: v.GenericSchema<Tree> = v.looseObject({
      port: fixed,
      below: v.optional(v.lazy(() => tree)),
    });
    const to = { port: 1, below: { port: 1, below: { port: 3, a: 1 } } };
    assert.deepEqual(await outcome(tree, { port: 1, below: { port: 1, below: { port: 2 } } }, to), [
      { port: 1, below: { port: 1, below: { port: 2, a: 1 } } },
      [["below", "below", "port"]],
    ]);
  });
});

describe("an option of a union", () => {
  const tcp = v.looseObject({ kind: v.literal("tcp"), port: fixed, rate: v.number() });
  const unix = v.looseObject({ kind: v.literal("unix"), port: v.optional(v.number()) });
  const schemas: [string, v.GenericSchema][] = [
    ["a variant", v.variant("kind", [tcp, unix])],
    ["a variant of variants", v.variant("kind", [v.variant("kind", [tcp]), unix])],
    [
      "a variant in a pipe",
      v.pipe(v.variant("kind", [v.pipe(tcp, v.metadata({})), unix]), v.metadata({})),
    ],
    ["a union", v.union([tcp, unix])],
    ["an optional union", v.optional(v.union([v.string(), tcp, unix]))],
  ];
  for (const [name, options] of schemas) {
    const schema = v.object({ listen: options, rate: v.optional(v.number(), 0) });
    const running = { listen: { kind: "tcp", port: 1, rate: 1 }, rate: 0 };

    test(`of ${name} stays as a whole where another takes its place`, async () => {
      const to = { listen: { kind: "unix", path: "/a" }, rate: 1 };
      assert.deepEqual(await outcome(schema, running, to), [{ ...running, rate: 1 }, [["listen"]]]);
    });

    test(`of ${name} comes with what it is made of`, async () => {
      const from = { listen: { kind: "unix", port: 5, path: "/a" }, rate: 0 };
      assert.deepEqual(await outcome(schema, from, running), [running, []]);
    });

    test(`of ${name} keeps the parts that it marks`, async () => {
      const to = { listen: { kind: "tcp", port: 2, rate: 2 }, rate: 0 };
      assert.deepEqual(await outcome(schema, running, to), [
        { listen: { kind: "tcp", port: 1, rate: 2 }, rate: 0 },
        [["listen", "port"]],
      ]);
    });

    test(`of ${name} does not keep what another one marks`, async () => {
      const [from, to] = [5, 6].map((port) => ({ listen: { kind: "unix", port }, rate: 0 }));
      assert.deepEqual(await outcome(schema, from!, to!), [to, []]);
    });
  }

  test("that nothing tells from the others stays as a whole", async () => {
    const schema = v.object({
      listen: v.union([
        v.strictObject({ port: fixed, rate: v.number() }),
        v.strictObject({ path: v.string() }),
      ]),
    });
    const running = { listen: { port: 1, rate: 1 } };
    for (const listen of [{ path: "/a" }, { port: 2, rate: 2 }]) {
      assert.deepEqual(await outcome(schema, running, { listen }), [running, [["listen"]]]);
    }
    const hot = { listen: { port: 1, rate: 2 } };
    assert.deepEqual(await outcome(schema, running, hot), [hot, []]);
  });

  test("whose tag may be left out is not taken for another", async () => {
    const schema = v.object({
      listen: v.union([
        v.looseObject({ kind: v.optional(v.literal("tcp")), port: fixed }),
        v.looseObject({ kind: v.nullable(v.literal("unix")), port: fixed }),
      ]),
    });
    for (const tag of [{}, { kind: null }]) {
      const [from, to] = [1, 2].map((port) => ({ listen: { ...tag, port } }));
      assert.deepEqual(await outcome(schema, from!, to!), [from, [["listen"]]]);
    }
  });
});

describe("a running value that the schema refuses beside the rest", () => {
  const range = v.pipe(
    v.object({ port: fixed, portMax: v.number() }),
    v.check(({ port, portMax }) => port < portMax, "port must be below portMax"),
  );

  test("holds back the part that the rule is about, and says why", async () => {
    const schema = v.object({ listen: range, port: fixed, rate: v.number() });
    const running = { listen: { port: 50, portMax: 90 }, port: 1, rate: 1 };
    const to = { listen: { port: 5, portMax: 9 }, port: 2, rate: 2 };
    const { value, pending, problems } = await edited(schema, running, to);
    assert.deepEqual(value, { ...running, rate: 2 });
    assert.deepEqual(pending, [
      { path: ["listen"], running: running.listen, stored: to.listen },
      { path: ["port"], running: 1, stored: 2 },
    ]);
    assert.deepEqual(problems.map(({ path, severity }) => [path, severity]), [
      [["listen"], "warning"],
    ]);
    assert.match(problems[0]!.message, /waits for a restart.*port must be below portMax/);
  });

  test("holds back the entire edit where the rule is about all, listed by what differs", async () => {
    const running = await made(range, { port: 50, portMax: 90 });
    const refused = await heldBack(range, running, { port: 5, portMax: 9 });
    assert.equal(refused.value, running.value);
    assert.deepEqual(refused.pending, [
      { path: ["port"], running: 50, stored: 5 },
      { path: ["portMax"], running: 90, stored: 9 },
    ]);
    assert.deepEqual(refused.problems.map(({ path }) => path), [[]]);
    const { value, pending, problems } = await heldBack(range, refused, { port: 50, portMax: 91 });
    assert.deepEqual([value, pending, problems], [{ port: 50, portMax: 91 }, [], []]);
  });

  test("holds back a part that it would not leave what either of the two is", async () => {
    const server = v.object({ port: v.optional(fixed, 1), rate: v.optional(v.number(), 1) });
    const schema = v.object({ server: v.optional(server, { port: 9, rate: 9 }), a: v.number() });
    assert.deepEqual(await outcome(schema, { server: { port: 2, rate: 2 }, a: 1 }, { a: 2 }), [
      { server: { port: 2, rate: 2 }, a: 2 },
      [["server"]],
    ]);
  });

  test("is not tried without end", async () => {
    let asked = 0;
    const places = Array.from({ length: 30 }, (_, index) => `p${index}`);
    const part = v.object({ port: fixed, rate: v.number() });
    const schema = v.object(Object.fromEntries(places.map((place) => [place, part])));
    const of = (n: number) =>
      Object.fromEntries(places.map((place) => [place, { port: n, rate: n }]));
    const running = await made(schema, of(1));
    const held = await holdForRestart(running, await made(schema, of(2)), {
      annotations: annotationsOf(schema),
      validate: (input) => {
        asked++;
        const path = places.find((place) => valueAt(input, [place, "rate"]) === 2);
        return Promise.resolve({
          ok: false,
          problems: [{ path: [path!], message: "no", severity: "error" }],
        });
      },
    });
    assert.equal(held.value, running.value);
    assert.equal(held.pending.length, 30);
    assert.ok(asked < 10);
  });
});

interface Sample {
  readonly schema: v.GenericSchema;
  readonly value: (random: Random) => Json;
}

/** A random schema with some places marked, and what makes documents that it takes. */
function randomSchema(random: Random, depth: number): Sample {
  const kind = random.below(depth > 0 ? 9 : 3);
  const sample = kind < 3 ? leaf : composite(random, depth - 1, kind);
  if (random.below(5) > 0) return sample;
  return { ...sample, schema: v.pipe(sample.schema, restartRequired()) };
}

const leaf: Sample = { schema: v.number(), value: (random) => random.below(3) };

function composite(random: Random, depth: number, kind: number): Sample {
  const parts = ["a", "b", "c"].map((key) => [key, randomSchema(random, depth)] as const);
  const object = {
    schema: v.object(Object.fromEntries(parts.map(([key, { schema }]) => [key, schema]))),
    value: (random: Random): Json => {
      return Object.fromEntries(parts.map(([key, { value }]) => [key, value(random)]));
    },
  };
  const [[, part]] = parts as [readonly [string, Sample]];
  const times = (random: Random) =>
    Array.from({ length: random.below(3) }, () => part.value(random));
  if (kind === 3) {
    const value = (random: Random) =>
      Object.fromEntries(times(random).map((item) => [random.pick(["x", "y"]), item]));
    return { schema: v.record(v.string(), part.schema), value };
  }
  if (kind === 4) return { schema: v.array(part.schema), value: times };
  if (kind === 5) {
    const value = (random: Random) => random.below(2) === 0 ? null : part.value(random);
    return { schema: v.nullable(part.schema), value };
  }
  if (kind > 6) return object;
  const options = ["one", "two"].map((tag, index) => {
    return v.object({ kind: v.literal(tag), ["abc"[index]!]: parts[index]![1].schema });
  });
  const value = (random: Random): Json => {
    const index = random.below(2);
    return { kind: ["one", "two"][index]!, ["abc"[index]!]: parts[index]![1].value(random) };
  };
  return { schema: v.variant("kind", options as never), value };
}

const startsWith = (path: Path, start: Path) => start.every((step, index) => path[index] === step);

test("of random schemas: what runs is either, pending are exactly the differences, and nothing is held twice", async () => {
  let pendings = 0;
  for (let seed = 1; seed <= 2000; seed++) {
    const random = randomFrom(seed);
    const { schema, value } = randomSchema(random, 3);
    const from = await made(schema, value(random));
    const to = await made(schema, value(random));
    const held = await heldBack(schema, from, to.input);
    const told = `seed ${seed}: ${JSON.stringify([from.value, to.value, held])}`;
    pendings += held.pending.length;
    // The schema gives it, and gives it again.
    assert.deepEqual((await made(schema, held.input)).value, held.value, told);
    const places = held.pending.map(({ path }) => path);
    for (const { path } of diff(held.value, to.value)) {
      assert.ok(places.some((place) => startsWith(path, place)), told);
    }
    for (const { path, running, stored } of held.pending) {
      assert.deepEqual(
        [running, stored],
        [valueAt(from.value, path), valueAt(to.value, path)],
        told,
      );
      assert.deepEqual(valueAt(held.value, path), running, told);
      assert.notDeepEqual(running, stored, told);
      const others = places.filter((place) => place !== path);
      assert.ok(!others.some((place) => startsWith(path, place)), told);
    }
    const again = await heldBack(schema, held, to.input);
    assert.deepEqual([again.value, again.pending], [held.value, held.pending], told);
    const back = await heldBack(schema, held, held.input);
    assert.deepEqual([back.value, back.pending], [held.value, []], told);
    // A marked value that runs, runs on.
    if (annotationsOf(schema)?.restartRequired) assert.deepEqual(held.value, from.value, told);
  }
  assert.ok(pendings > 300, `${pendings} pending`);
});
