// runs on: all
/** A directory with what people, editors, mounts and attackers leave in it. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { detectHost } from "../../adapters/detect.ts";
import { memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import { mergeArrays } from "../../src/core/mark.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { directoryFilesMax, documentBytesMax } from "../../src/core/limits.ts";
import { directory, type DirectoryOptions } from "../../src/source/directory.ts";
import { layered } from "../../src/store/layered.ts";
import { memory } from "../../src/store/memory.ts";
import type { HostUnderTest } from "../contract/host.ts";
import { eventually } from "../support/eventually.ts";
import {
  memoryAbilities,
  memoryHostUnderTest,
  realAbilities,
  realHostUnderTest,
} from "../support/host_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { remember } from "../support/memory_config.ts";

const schema = v.looseObject({ rate: v.optional(v.pipe(v.number(), v.maxValue(100)), 7) });
const brisk = { debounceMs: 1, maxWaitMs: 5, pollMs: 20 };

/** A directory on a host, and what opens it. */
async function stage({ host, directory: parent, outside }: HostUnderTest) {
  const path = `${parent}/conf.d`;
  await outside.makeDirectory(path);
  const told = remember();
  const save = async (name: string, document: unknown) => {
    const text = typeof document === "string" ? document : JSON.stringify(document);
    await outside.replaceFile(`${path}/${name}`, text);
    await outside.setMode(`${path}/${name}`, 0o600);
  };
  const open = (options: DirectoryOptions = {}, watch: typeof brisk | false = brisk) => {
    return openConfigOn(() => host)(directory(path, options), { schema, watch, ...told });
  };
  return { path, parent, host, outside, told, save, open };
}

const hosts = [
  [detectHost().name, () => realHostUnderTest(detectHost()), realAbilities],
  ["memory host", memoryHostUnderTest, memoryAbilities],
] as const;

for (const [name, make, abilities] of hosts) {
  describe(`a directory, ${name}`, () => {
    const on = (what: string, body: (staged: Staged, elapse: Elapse) => Promise<void>) => {
      test(what, async (t) => {
        const under = await make();
        t.after(under.dispose);
        const staged = await stage(under);
        const open = async (...parameters: Parameters<typeof staged.open>) => {
          const config = await staged.open(...parameters);
          t.after(() => config.close());
          return config;
        };
        await body({ ...staged, open }, under.elapse);
      });
    };

    on("passes over what editors and mounts leave beside the files", async (staged) => {
      const { save, outside, path, open } = staged;
      await save("a.json", { rate: 1 });
      for (
        const litter of [
          ".a.json.swp",
          ".a.json",
          "a.json~",
          "#a.json#",
          "a.json.swp",
          "a.json.new",
          "a.json___jb_tmp___",
          "4913",
          "sedXk3jd2",
          "a.json.orig",
        ]
      ) await outside.writeFile(`${path}/${litter}`, "{ what?");
      if (abilities.symlink) await outside.symlink("user@host.1:2", `${path}/.#a.json`);
      await outside.makeDirectory(`${path}/z.json`);
      const config = await open();
      assert.deepEqual(config.value, { rate: 1 });
      assert.deepEqual(staged.told.lines, []);
    });

    on("removed and made again is followed, with the last good value in between", async (
      { save, outside, path, open },
      elapse,
    ) => {
      await save("a.json", { rate: 1 });
      const config = await open();
      await outside.removeDirectory(path);
      await eventually("it is missed", () => config.status().state === "degraded", elapse);
      assert.deepEqual(config.value, { rate: 1 });
      await outside.makeDirectory(path);
      await save("b.json", { rate: 2 });
      await eventually("it is back", () => config.value.rate === 2, elapse);
      assert.equal(config.status().state, "ok");
      await save("b.json", { rate: 3 });
      await eventually("it is followed", () => config.value.rate === 3, elapse);
    });

    on("is the same by any path, and what is compiled is no part of it", async (staged) => {
      const { save, outside, path, parent, host, open } = staged;
      await save("a.json", { rate: 1 });
      const names = [`${parent}/./conf.d/b.json`, `${parent}/conf.d/../conf.d/b.json`];
      if (abilities.symlink) {
        await outside.symlink("conf.d", `${parent}/link`);
        names.push(`${parent}/link/b.json`);
      }
      for (const compileTo of names) {
        await save("a.json", { rate: 1 });
        const config = await open({ compileTo });
        await save("a.json", { other: true });
        await config.reload();
        assert.deepEqual(config.value, { rate: 7, other: true });
        assert.deepEqual(JSON.parse(await outside.readFile(`${path}/b.json`)), { other: true });
        await config.close();
      }
      assert.deepEqual((await host.list(path)).toSorted(), ["a.json", "b.json"]);
      assert.equal((await host.stat(`${path}/b.json`)).mode, 0o600);
    });

    on("runs all the same where it cannot be compiled to, and says so once", async (staged) => {
      const { save, parent, told, open } = staged;
      await save("a.json", { rate: 1 });
      const config = await open({ compileTo: `${parent}/nowhere/compiled.json` });
      await save("a.json", { rate: 2 });
      await config.reload();
      assert.equal(config.value.rate, 2);
      // Between its rename and its chmod a file may have been seen readable by others.
      const lines = told.lines.filter((line) => !line.includes("wider than 600"));
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, /nowhere\/compiled\.json\b.*ENOENT/);
      assert.doesNotMatch(lines[0]!, /\.tmp/);
      assert.equal(config.status().state, "ok");
    });

    on("with a file that everybody can write is refused, and the last good value stays", async (
      { save, outside, path, open },
    ) => {
      await save("a.json", { rate: 1 });
      await save("b.json", { b: 1 });
      const config = await open();
      await save("a.json", { rate: 2 });
      await outside.setMode(`${path}/b.json`, 0o602);
      await assert.rejects(config.reload(), (error) => {
        return isHoldfastError(error, "UNSAFE_FILE") && error.details.path === `${path}/b.json`;
      });
      assert.deepEqual(config.value, { rate: 1, b: 1 });
      await open({ trust: "any" });
    });

    on("that everybody can write into is warned of, empty or not", async (staged) => {
      const { outside, path, told, open } = staged;
      await outside.setMode(path, 0o777);
      await open();
      assert.equal(told.lines.length, 1);
      assert.match(told.lines[0]!, /everybody can put files into .*conf\.d; chmod o-w it/);
      await outside.setMode(path, 0o700);
    });

    if (abilities.symlink) {
      on("tells of a link to nothing, and refuses one that never ends", async (staged) => {
        const { save, outside, path, told, open } = staged;
        await save("a.json", { rate: 1 });
        await outside.symlink("nowhere", `${path}/b.json`);
        const config = await open();
        assert.equal(config.value.rate, 1);
        assert.match(told.lines.join(), /b\.json is a link to nothing/);
        await outside.removeFile(`${path}/b.json`);
        await outside.symlink("c.json", `${path}/b.json`);
        await outside.symlink("b.json", `${path}/c.json`);
        await assert.rejects(config.reload(), { code: "IO" });
        assert.equal(config.value.rate, 1);
      });
    }

    if (abilities.symlink) {
      on("mounted from a ConfigMap is never read half old and half new", async (
        { save: _, outside, path, open },
        elapse,
      ) => {
        const swap = async (version: number) => {
          await outside.makeDirectory(`${path}/..v${version}`);
          for (const name of ["a", "b"]) {
            const file = `${path}/..v${version}/${name}.json`;
            await outside.writeFile(file, JSON.stringify({ [name]: version }));
          }
          await outside.symlink(`..v${version}`, `${path}/..data_tmp`);
          await outside.rename(`${path}/..data_tmp`, `${path}/..data`);
          if (version > 1) await outside.removeDirectory(`${path}/..v${version - 1}`);
        };
        await swap(1);
        for (const name of ["a", "b"]) {
          await outside.symlink(`..data/${name}.json`, `${path}/${name}.json`);
        }
        const config = await open();
        const seen: unknown[] = [config.value];
        config.subscribe((value) => void seen.push(value));
        for (let version = 2; version <= 40; version++) {
          await Promise.all([
            swap(version),
            config.reload().catch(() => {}),
            config.reload()
              .catch(() => {}),
          ]);
        }
        await eventually("the last one runs", () => config.value["a"] === 40, elapse);
        for (const value of seen as { readonly a: number; readonly b: number }[]) {
          assert.deepEqual([value.a, typeof value.a], [value.b, "number"]);
        }
      });
    }

    if (abilities.fifo) {
      on("in which a file became a FIFO keeps the last good value, and does not wait", async (
        { save, outside, path, open },
      ) => {
        await save("a.json", { rate: 1 });
        // Deno's own watcher would wait where none looks after it.
        const config = await open({}, false);
        await outside.removeFile(`${path}/a.json`);
        await outside.makeFifo(`${path}/a.json`);
        await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
        assert.equal(config.value.rate, 1);
      });
    }
  });
}

type Staged = Awaited<ReturnType<typeof stage>>;
type Elapse = HostUnderTest["elapse"];

describe("a directory as one document", () => {
  function opening(files: Record<string, string>, options: DirectoryOptions = {}) {
    const host = memoryHost();
    host.outside.makeDirectory("/conf.d");
    for (const [name, text] of Object.entries(files)) {
      host.outside.writeFile(`/conf.d/${name}`, text, { mode: 0o600 });
    }
    return { host, source: directory("/conf.d", options), openConfig: openConfigOn(() => host) };
  }

  test("that is empty says where it was looked for what is required", async () => {
    const { source, openConfig } = opening({});
    const required = v.object({ rate: v.number() });
    await assert.rejects(openConfig(source, { schema: required }), (error) => {
      assert.ok(isHoldfastError(error, "INVALID"));
      assert.equal(error.details.problems[0]!.source, "/conf.d");
      return true;
    });
  });

  for (const name of ["__proto__", "constructor", "prototype"]) {
    test(`has no key ${name} by the name of a file`, async () => {
      const { source, openConfig } = opening({ [`${name}.json`]: `{"a":1}` }, { as: "byName" });
      await assert.rejects(openConfig(source), (error) => {
        assert.ok(isHoldfastError(error, "INVALID"));
        assert.match(error.message, new RegExp(`/conf.d/${name}.json`));
        return true;
      });
      assert.equal(({} as { a?: unknown }).a, undefined);
    });
  }

  test("names both files of one name", async () => {
    const files = { "a.json": "{}", "a.jsonc": "{}", "c.json": "{}" };
    const { source, openConfig } = opening(files, { as: "byName" });
    await assert.rejects(openConfig(source), /a\.jsonc.*a\.json\b/);
  });

  test("is not replaced by a file that holds no object", async () => {
    for (const text of ["null", "[1]", '"text"', "5"]) {
      const { source, openConfig } = opening({ "a.json": `{"rate":1}`, "b.json": text });
      await assert.rejects(openConfig(source, { schema }), (error) => {
        assert.ok(isHoldfastError(error, "INVALID"));
        assert.equal(error.details.problems[0]!.source, "/conf.d/b.json");
        return true;
      });
    }
    const { source, openConfig } = opening({ "a.json": "[1]" });
    assert.deepEqual((await openConfig(source)).value, [1]);
  });

  test("is in the order of code units, whatever the locale", async () => {
    const names = ["a.json", "B.json", "ä.json", "10.json", "9.json", "_.json"];
    const files = names.map((name) => [name, JSON.stringify({ last: name })] as const);
    const { source, openConfig } = opening(Object.fromEntries(files));
    assert.deepEqual((await openConfig(source)).value, { last: "ä.json" });
    const { [`ä.json`]: _, ...others } = Object.fromEntries(files);
    const ascii = opening(others);
    assert.deepEqual((await ascii.openConfig(ascii.source)).value, { last: "a.json" });
  });

  test("merges its arrays as the schema says", async () => {
    const entries = v.array(v.object({ name: v.string() }));
    for (const [how, expected] of [["replace", ["b"]], ["byName", ["a", "b"]]] as const) {
      const { source, openConfig } = opening({
        "1.json": `{"list":[{"name":"a"}]}`,
        "2.json": `{"list":[{"name":"b"}]}`,
      });
      const config = await openConfig(source, {
        schema: v.object({ list: v.pipe(entries, mergeArrays(how)) }),
      });
      assert.deepEqual(config.value.list.map((entry) => entry.name), expected);
    }
  });

  test("is bounded in files and in bytes, each told by its limit", async () => {
    const many = Array.from({ length: directoryFilesMax + 1 }, (_, index) => `${index}.json`);
    const crowded = opening(Object.fromEntries(many.map((name) => [name, "{}"])));
    await assert.rejects(crowded.openConfig(crowded.source), (error) => {
      return isHoldfastError(error, "TOO_LARGE") && error.details.found === many.length;
    });
    const half = `{}${" ".repeat(documentBytesMax / 2)}`;
    const heavy = opening({ "a.json": half, "b.json": half });
    await assert.rejects(heavy.openConfig(heavy.source), /\/conf\.d: .*in all/);
    const one = opening({ "a.json": half + half });
    await assert.rejects(one.openConfig(one.source), (error) => {
      return isHoldfastError(error, "TOO_LARGE") && error.message.includes("/conf.d/a.json");
    });
  });

  test("that cannot be read in part is refused as a whole", async () => {
    const { host, source, openConfig } = opening({ "a.json": `{"rate":1}`, "b.json": "{}" });
    const config = await openConfig(source, { schema, ...remember() });
    host.faults = ({ operation, path }) => {
      return operation === "read" && path.endsWith("b.json") ? { error: "EACCES" } : undefined;
    };
    await assert.rejects(config.reload(), (error) => {
      return isHoldfastError(error, "IO") && error.details.path === "/conf.d/b.json";
    });
    assert.equal(config.value.rate, 1);
  });

  test("is compiled when it is a layer, and kept as the last good one all the same", async () => {
    const { host, source, openConfig } = opening({ "a.json": `{"rate":1}` }, {
      compileTo: "/compiled.json",
    });
    const whole = layered({ layers: [memory({ other: 1 }), source] });
    await openConfig(whole, { schema, ...remember() });
    assert.deepEqual(JSON.parse(host.outside.readFile("/compiled.json")), { rate: 1 });

    const broken = directory("/conf.d", { compileTo: "/nowhere/compiled.json" });
    await openConfig(broken, { schema, lastGood: "/kept/last.json", ...remember() });
    assert.match(host.outside.readFile("/kept/last.json"), /"rate": 1/);
  });

  test("is read though one file never rests, but not while two do", async () => {
    const { host, source, openConfig } = opening({
      "a.json": `{"a":0}`,
      "b.json": `{"b":0}`,
      "c.json": `{"c":0}`,
    });
    const config = await openConfig(source, { schema, watch: false, ...remember() });
    let restless: readonly string[] = ["b"];
    let count = 0;
    host.faults = ({ operation, path }) => {
      if (operation !== "read" || !path.endsWith("a.json")) return;
      count++;
      for (const name of restless) {
        host.outside.replaceFile(`/conf.d/${name}.json`, `{"${name}":${count}}`, { mode: 0o600 });
      }
    };
    await config.reload();
    assert.deepEqual({ ...config.value, b: 0 }, { rate: 7, a: 0, b: 0, c: 0 });
    assert.ok(Number(config.value["b"]) > 0);
    restless = ["b", "c"];
    await assert.rejects(config.reload(), { code: "UNAVAILABLE" });
    host.faults = undefined;
    await config.reload();
    assert.equal(config.value["b"], config.value["c"]);
    await config.close();
  });

  test("takes over what a script changes file by file as one change", async () => {
    const { host, source, openConfig } = opening({ "a.json": `{"a":1}`, "b.json": `{"b":1}` });
    const config = await openConfig(source, { schema, ...remember() });
    await host.advance(1000);
    const seen: unknown[] = [];
    config.subscribe((value) => void seen.push(value));
    for (const name of ["a", "b", "c"]) {
      host.outside.replaceFile(`/conf.d/${name}.json`, `{"${name}":2}`, { mode: 0o600 });
      await host.advance(100);
    }
    await host.advance(1000);
    assert.deepEqual(seen, [{ rate: 7, a: 2, b: 2, c: 2 }]);
    await config.close();
  });

  test("clears away what a writer left that died while it compiled", async () => {
    const { host, source, openConfig } = opening({ "a.json": `{"rate":1}` }, {
      compileTo: "/out/compiled.json",
    });
    host.outside.makeDirectory("/out");
    const left = (letter: string) => `compiled.json.${letter.repeat(32)}.tmp`;
    host.outside.writeFile(`/out/${left("a")}`, "{");
    host.outside.writeFile("/out/compiled.json.bak.tmp", "{");
    await host.advance(120_000);
    host.outside.writeFile(`/out/${left("b")}`, "{");
    await (await openConfig(source, { schema, ...remember() })).close();
    assert.deepEqual(
      (await host.list("/out")).toSorted(),
      [
        "compiled.json",
        "compiled.json.bak.tmp",
        left("b"),
      ].toSorted(),
    );
  });

  test("is compiled wholly or not at all, whatever fails on the way", async () => {
    const failing = ["create", "write", "sync", "rename", "syncDirectory"] as const;
    for (const operation of failing) {
      const { host, source, openConfig } = opening({ "a.json": `{"rate":1}` }, {
        compileTo: "/out/compiled.json",
      });
      host.outside.makeDirectory("/out");
      const told = remember();
      const config = await openConfig(source, { schema, ...told });
      host.outside.replaceFile("/conf.d/a.json", `{"rate":2}`, { mode: 0o600 });
      host.faults = (attempt) => attempt.operation === operation ? { error: "EIO" } : undefined;
      await config.reload();
      host.faults = undefined;
      assert.equal(config.value.rate, 2);
      assert.match(told.lines.join(), /\/out\b.*EIO/);
      const isDone = operation === "syncDirectory";
      const compiled = JSON.parse(host.outside.readFile("/out/compiled.json")) as unknown;
      assert.deepEqual(compiled, { rate: isDone ? 2 : 1 });
      assert.deepEqual(await host.list("/out"), ["compiled.json"]);
      await config.close();
    }
  });

  test("that does not change is not compiled again and again", async () => {
    const { host, source, openConfig } = opening({ "a.json": `{"rate":1}` }, {
      compileTo: "/conf.d/out.json",
    });
    const config = await openConfig(source, { schema, ...remember() });
    let changes = 0;
    host.faults = ({ operation }) => {
      if (["create", "rename", "write"].includes(operation)) changes++;
      return undefined;
    };
    await host.advance(5000);
    assert.equal(changes, 0);
    await config.close();
  });
});
