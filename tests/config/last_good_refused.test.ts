// runs on: all
/** What a source holds at the start is corrupt or invalid: the last good document runs, and nothing is written over. */
import assert from "node:assert/strict";
import * as v from "valibot";
import type { Status } from "../../src/config/reports.ts";
import { type ErrorCode, holdfastError, isHoldfastError } from "../../src/core/error.ts";
import { directory } from "../../src/source/directory.ts";
import { env } from "../../src/source/env.ts";
import type { Loaded } from "../../src/source/source.ts";
import { file } from "../../src/store/file/file.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { OpenStore, Store } from "../../src/store/store.ts";
import { describe, test } from "../support/kit.ts";
import {
  inDirectory,
  lastGood,
  memoryPlace,
  type Place,
  type Stage,
  stage,
} from "../support/last_good_stage.ts";
import { path } from "../support/memory_config.ts";

const places: [string, (parts: Stage) => Place | Promise<Place>][] = [
  ["a file without a log", ({ save }) => {
    save('{"rate":1}');
    return {
      target: path,
      file: path,
      breakIt: () => save('{"rate":'),
      mend: () => save('{"rate":7}'),
    };
  }],
  ["a file that breaks a rule", ({ save }) => {
    save('{"rate":1}');
    return {
      target: path,
      file: path,
      breakIt: () => save('{"rate":101}'),
      mend: () => save('{"rate":7}'),
    };
  }],
  ["a file that anybody may write", ({ save, outside }) => {
    save('{"rate":1}');
    return {
      target: path,
      file: path,
      breakIt: () => outside.setMode(path, 0o666),
      mend: () => save('{"rate":7}'),
    };
  }],
  ["a file of which the log was deleted", async ({ save, open, forget }) => {
    save('{"rate":0}');
    const config = await open(path);
    await config.setAt(["rate"], 1);
    await config.close();
    return {
      target: path,
      file: path,
      breakIt: () => {
        save('{"rate":');
        forget();
      },
      mend: () => save('{"rate":7}'),
    };
  }],
  ["a directory", ({ save }) => {
    save('{"rate":1}', inDirectory);
    return {
      target: directory("/etc/app/conf.d"),
      file: inDirectory,
      breakIt: () => save("{", inDirectory),
      mend: () => save('{"rate":7}', inDirectory),
    };
  }],
  ["the environment", ({ save }) => {
    save("APP_RATE=1", "/etc/app/.env");
    return {
      target: env({ prefix: "APP_", files: "/etc/app/.env" }),
      file: "/etc/app/.env",
      breakIt: () => save("APP_RATE=much", "/etc/app/.env"),
      mend: () => save("APP_RATE=7", "/etc/app/.env"),
    };
  }],
  ["layers to be read only", ({ save }) => {
    save('{"rate":1}', inDirectory);
    return {
      target: layered({ layers: [memory({ rate: 0 }), directory("/etc/app/conf.d")] }),
      file: inDirectory,
      breakIt: () => save("{", inDirectory),
      mend: () => save('{"rate":7}', inDirectory),
    };
  }],
  ["layers with a head", ({ save }) => {
    save('{"rate":1}');
    return {
      target: layered({ layers: [memory({ burst: 0 }), file(path)], head: 1 }),
      file: path,
      breakIt: () => save("{"),
      mend: () => save('{"rate":7}'),
    };
  }],
  ["a file that extends others", ({ save }) => {
    save('{"extends":"conf.d/1.json"}');
    save('{"rate":1}', inDirectory);
    return {
      target: file(path, { extends: true }),
      file: inDirectory,
      breakIt: () => save("{", inDirectory),
      mend: () => save('{"rate":7}', inDirectory),
    };
  }],
  ["a store in memory", memoryPlace],
];

function errorsIn({ problems }: Status): number {
  return problems.filter(({ severity }) => severity === "error").length;
}

describe("where what is there at the start is turned down, the last good document runs", () => {
  for (const [what, make] of places) {
    test(`beside ${what}, loudly, until that is mended`, async () => {
      const parts = stage();
      const { host, outside, told, open } = parts;
      const { target, file: name, breakIt, mend } = await make(parts);
      await (await open(target as Store)).close();
      await breakIt();
      const kept = outside.readFile(lastGood);
      const broken = name === undefined ? undefined : outside.readFile(name);
      await assert.rejects(open(target as Store, { lastGood: undefined }));
      const config = await open(target as Store, { watch: {} });
      assert.deepEqual([config.value.rate, config.status().state], [1, "degraded"]);
      assert.equal(errorsIn(config.status()), 1);
      assert.match(
        told.lines.join("\n"),
        /warn Started .* from \/var\/cache\/app\/config\.json.*since what it holds cannot be taken over/,
      );
      assert.ok(config.status().problems.some(({ message }) => message.includes(lastGood)));
      await host.advance(5000);
      if (name !== undefined) assert.equal(outside.readFile(name), broken);
      assert.equal(outside.readFile(lastGood), kept);
      await mend();
      await host.advance(2000);
      assert.deepEqual([config.value.rate, config.status().state], [7, "ok"]);
      assert.deepEqual(config.status().problems, []);
      assert.match(outside.readFile(lastGood), /"rate": 7/);
      await config.close();
    });
  }

  const migrations = { 1: ({ rate }: { rate: number }) => ({ version: 2, rate: 10 / rate }) };
  const versioned = v.object({ version: v.literal(2), rate: v.number() });
  for (
    const [text, code] of [
      ['{"version":3,"rate":1}', "UNSUPPORTED_VERSION"],
      ['{"version":1,"rate":0}', "MIGRATION"],
    ] as const
  ) {
    test(`as ${code}`, async () => {
      const { open, save, outside } = stage();
      const refusing = {
        1: (old: { rate: number }) => {
          if (old.rate === 0) throw new Error("no rate");
          return migrations[1](old);
        },
      };
      const how = { schema: versioned, migrations: refusing };
      save('{"version":2,"rate":5}');
      await (await open(path, how)).close();
      save(text);
      const config = await open(path, how);
      assert.deepEqual([config.value.rate, config.status().state], [5, "degraded"]);
      await assert.rejects(config.reload(), { code });
      assert.equal(outside.readFile(path), text);
    });
  }

  test("brought to the newest version, and stored nowhere by that", async () => {
    for (const whole of [false, true]) {
      const { open, save, outside } = stage();
      const target = whole ? layered({ layers: [memory({}), file(path)], head: 1 }) : path;
      save('{"version":1,"rate":2}');
      await (await open(target, { schema: v.looseObject({}) })).close();
      save("{");
      const kept = outside.readFile(lastGood);
      const config = await open(target, { schema: versioned, migrations });
      assert.deepEqual(config.value, { version: 2, rate: 5 });
      assert.equal(config.status().state, "degraded");
      assert.equal(outside.readFile(path), "{");
      assert.equal(outside.readFile(lastGood), kept);
    }
  });

  test("but not before what the store offers of its own", async () => {
    const { open, save, told } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    const config = await open(path, { lastGood: undefined });
    await config.setAt(["rate"], 2);
    await config.close();
    save("{");
    const next = await open(path);
    assert.deepEqual([next.value.rate, next.status().state], [2, "degraded"]);
    assert.doesNotMatch(told.lines.join("\n"), /Started/);
  });

  test("and where the store's own is turned down too", async () => {
    const { open, save, told, host } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    const config = await open(path, { lastGood: undefined });
    await config.setAt(["rate"], 2);
    await config.close();
    save("{");
    const odd = {
      schema: v.object({ rate: v.pipe(v.number(), v.check((rate) => rate % 2 === 1)) }),
    };
    const next = await open(path, { ...odd, watch: {} });
    assert.deepEqual([next.value.rate, next.status().state], [1, "degraded"]);
    assert.match(told.lines.join("\n"), /Cannot accept .*rate[^]*Started/);
    await assert.rejects(next.setAt(["rate"], 5), { code: "CONFLICT" });
    await next.set({ rate: 5 });
    assert.deepEqual([next.snapshot().generation, next.status().state], [3, "ok"]);
    save('{"rate":7}');
    await host.advance(1000);
    assert.equal(next.value.rate, 7);
  });

  for (const code of ["TOO_LARGE", "PARSE", "INVALID", "CYCLE"] as const) {
    test(`as ${code}, thrown by the source`, async () => {
      const { open, told } = stage();
      await (await open(memory({ rate: 3 }))).close();
      const config = await open(failing(code));
      assert.deepEqual([config.value.rate, config.status().state], [3, "degraded"]);
      assert.match(
        told.lines.join("\n"),
        /since what it holds cannot be taken over: Cannot read it/,
      );
      await assert.rejects(config.set({ rate: 5 }), { code });
    });
  }

  for (const code of ["UNSUPPORTED", "SIGNATURE", "NOT_FOUND"] as const) {
    test(`but not as ${code}, thrown by the source`, async () => {
      const { open, told } = stage();
      await (await open(memory({ rate: 3 }))).close();
      await assert.rejects(open(failing(code)), { code });
      assert.deepEqual(told.lines, []);
    });
  }

  test("where the source cannot be asked once more", async () => {
    const target = wrapped(memory({ rate: 1 }), (open) => {
      let count = 0;
      const load = open.load.bind(open);
      open.load = async () => {
        if (++count === 1) return broken(await load());
        throw holdfastError("UNAVAILABLE", "Cannot reach it", { source: "memory" });
      };
    });
    const { open, told } = stage();
    await (await open(memory({ rate: 3 }))).close();
    const config = await open(target);
    assert.equal(config.value.rate, 3);
    assert.match(told.lines.join("\n"), /since it cannot be reached/);
  });

  test("but not where somebody else was quicker", async () => {
    const { open, told } = stage();
    await (await open(memory({ rate: 3 }))).close();
    const target = wrapped(memory({ rate: 1 }), (open) => {
      let count = 0;
      const adopt = open.adopt.bind(open);
      open.adopt = (loaded) => {
        if (++count > 2) return adopt(loaded);
        const details = { expected: 1, current: 2 };
        return Promise.reject(holdfastError("CONFLICT", "Cannot adopt it", details));
      };
    });
    assert.equal((await open(target)).value.rate, 1);
    assert.deepEqual(told.lines, []);
  });

  test("but not where nothing is there", async () => {
    const { open, save, outside, forget } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    outside.removeFile(path);
    forget();
    await assert.rejects(open(path), { code: "NOT_FOUND" });
    const config = await open(path, { seed: { rate: 4 } });
    assert.deepEqual([config.value.rate, config.status().state], [4, "ok"]);
  });
});

describe("why the source was turned down is what an open fails with", () => {
  async function refused() {
    const parts = stage();
    parts.save('{"rate":1}');
    await (await parts.open(path)).close();
    parts.save('{"rate":');
    return parts;
  }

  test("where today's schema refuses what was kept, which is told too", async () => {
    const { open, told } = await refused();
    const strict = v.object({ rate: v.pipe(v.number(), v.minValue(10)) });
    await assert.rejects(open(path, { schema: strict }), { code: "PARSE" });
    assert.match(told.lines.join("\n"), /warn Cannot accept .*at rate .*\/var\/cache/);
  });

  test("and where the older generation is refused with it", async () => {
    const { open, save, told } = stage();
    save('{"rate":1}');
    const config = await open(path);
    await config.setAt(["rate"], 2);
    await config.close();
    save("{");
    const strict = v.object({ rate: v.pipe(v.number(), v.minValue(10)) });
    await assert.rejects(open(path, { schema: strict }), { code: "PARSE" });
    const refusals = told.lines.filter((line) => line.includes("Cannot accept"));
    assert.deepEqual([refusals.length, refusals.some((line) => line.includes(lastGood))], [
      2,
      true,
    ]);
  });

  test("where that is the very document that was kept", async () => {
    const { open, told, save } = stage();
    save('{"rate":1}');
    await (await open(path)).close();
    const strict = v.object({ rate: v.pipe(v.number(), v.minValue(10)) });
    await assert.rejects(open(path, { schema: strict }), (error: Error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      return error.details.problems[0]?.source === path;
    });
    assert.equal(told.lines.filter((line) => line.includes("/var/cache")).length, 1);
  });

  test("where what was kept was tampered with, or is of another source", async () => {
    const { open, told, outside, save } = await refused();
    const text = outside.readFile(lastGood);
    for (const wrong of [text.replace('"rate": 1', '"rate": 9'), text.slice(0, 40), "", "{}"]) {
      outside.writeFile(lastGood, wrong);
      told.lines.length = 0;
      await assert.rejects(open(path), { code: "PARSE" });
      assert.match(told.lines.join("\n"), /warn Cannot start from .*remove it/);
      assert.equal(outside.readFile(lastGood), wrong);
    }
    outside.writeFile(lastGood, text);
    save("{", "/etc/app/other.json");
    told.lines.length = 0;
    await assert.rejects(open("/etc/app/other.json"), { code: "PARSE" });
    assert.match(told.lines.join("\n"), /found a document of .*config\.json; remove it/);
  });
});

function wrapped(store: Store, change: (open: OpenStore) => void): Store {
  return {
    kind: "store",
    name: store.name,
    open: async (context) => {
      const open = await store.open(context);
      change(open);
      return open;
    },
  };
}

function failing(code: ErrorCode): Store {
  return wrapped(memory({ rate: 1 }), (open) => {
    const details = { source: "memory", problems: [], chain: [] } as never;
    open.load = () => Promise.reject(holdfastError(code, "Cannot read it: it is bad", details));
  });
}

function broken({ document: _, ...loaded }: Loaded): Loaded {
  const details = { source: "memory", line: 1, column: 1 };
  const fault = holdfastError("PARSE", "Cannot read it: found no JSON; mend it", details);
  return { ...loaded, document: undefined, fault };
}
