// runs on: node-24
/** The repository keeps its own rules: manifests that agree, arrows that point down, files that stay small. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, test } from "./support/kit.ts";
import { mutants } from "./support/mutants.ts";
import { findBreaches, findCircle } from "./support/plan.ts";
import { repositoryPath } from "./support/runtimes.ts";
import { parseImports, readSources } from "./support/source_files.ts";

const FILE_LINES_MAX = 300;
const SNAKE_CASE = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?:\.test)?\.ts$/;

const sources = await readSources(["src", "adapters"]);

const readText = (path: string) => readFile(join(repositoryPath, path), "utf8");

/** The packages that a module imports, itself or by another one. */
function packagesReached(path: string, seen: Set<string> = new Set()): Set<string> {
  const imports = sources.find((source) => source.path === path)?.imports ?? [];
  for (const { target, isFile } of imports) {
    if (seen.has(target)) continue;
    seen.add(target);
    if (isFile) packagesReached(target, seen);
  }
  return seen;
}

describe("manifests", () => {
  interface PackageManifest {
    name: string;
    version: string;
    license: string;
    exports: Record<string, string | { types: string; default: string }>;
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
    peerDependenciesMeta: Record<string, { optional: boolean }>;
  }
  interface DenoManifest {
    name: string;
    version: string;
    license: string;
    exports: Record<string, string>;
    imports: Record<string, string>;
  }
  const readManifests = async () => ({
    npm: JSON.parse(await readText("package.json")) as PackageManifest,
    deno: JSON.parse(await readText("deno.json")) as DenoManifest,
    lock: JSON.parse(await readText("package-lock.json")) as { name: string; version: string },
  });

  test("agree on name, version and license", async () => {
    const { npm, deno, lock } = await readManifests();
    assert.equal(deno.name, `@${npm.name}/${npm.name}`);
    assert.equal(deno.version, npm.version);
    assert.equal(deno.license, npm.license);
    assert.deepEqual([lock.name, lock.version], [npm.name, npm.version]);
    assert.match(await readText("CHANGELOG.md"), new RegExp(`^## \\[${npm.version}\\]`, "m"));
  });

  test("export the same modules, and the documentation imports them by these names", async () => {
    const { npm, deno } = await readManifests();
    const expected = Object.entries(deno.exports).map(([name, source]) => {
      const built = source.replace(/^\.\/(.*)\.ts$/, "./dist/$1");
      return [name, { types: `${built}.d.ts`, default: `${built}.js` }] as const;
    });
    const { "./package.json": itself, ...modules } = npm.exports;
    assert.equal(itself, "./package.json");
    assert.deepEqual(modules, Object.fromEntries(expected));
    for (const [name, source] of Object.entries(deno.exports)) {
      assert.equal(deno.imports[name.replace(/^\./, npm.name)], source);
    }
  });

  test("ask for the same dependencies", async () => {
    const { npm, deno } = await readManifests();
    for (const [name, range] of Object.entries({ ...npm.dependencies, ...npm.peerDependencies })) {
      assert.equal(deno.imports[name], `npm:${name}@${range}`);
    }
  });

  test("what only a subpath needs is optional, and mod.ts does not reach it", async () => {
    const { npm } = await readManifests();
    for (const name of Object.keys(npm.peerDependencies)) {
      assert.deepEqual(npm.peerDependenciesMeta[name], { optional: true });
      assert.ok(!packagesReached("mod.ts").has(name), name);
    }
    assert.ok(packagesReached("src/store/nats/nats_kv.ts").has("@nats-io/jetstream"));
  });

  test("the lock file names no registry", async () => {
    assert.doesNotMatch(await readText("package-lock.json"), /"resolved"/);
  });
});

describe("sources", () => {
  test("imports are found in every form, and not in comments", () => {
    const text = [
      'import { a } from "./b.ts";',
      'import type { C } from "../d.ts";',
      'import {\n  e,\n  type F,\n} from "node:fs";',
      'export { g } from "./h.ts";',
      'import "./i.ts";',
      'const j = await import("./k.ts");',
      ' * import { openConfig } from "holdfast";',
    ];
    const found = parseImports("src/x/y.ts", text.join("\n"));
    assert.deepEqual(
      found.map(({ target, typesOnly, reexports }) => [target, typesOnly, reexports]),
      [
        ["src/x/b.ts", false, false],
        ["src/d.ts", true, false],
        ["node:fs", false, false],
        ["src/x/h.ts", false, true],
        ["src/x/i.ts", false, false],
        ["src/x/k.ts", false, false],
      ],
    );
  });

  test("a breach of the plan is found", () => {
    const breach = (path: string, line: string) =>
      findBreaches([{ path, text: line, imports: parseImports(path, line) }]).length;
    assert.equal(breach("src/core/a.ts", 'import { b } from "../host/b.ts";'), 1);
    assert.equal(breach("src/core/a.ts", 'import * as v from "valibot";'), 1);
    assert.equal(breach("src/core/a.ts", 'import type { BaseSchema } from "valibot";'), 0);
    assert.equal(breach("src/store/a.ts", 'import { b } from "../../adapters/node.ts";'), 1);
    assert.equal(breach("src/host/a.ts", 'import { open } from "node:fs";'), 1);
    assert.equal(breach("src/config/a.ts", 'import { b } from "../core/b.ts";'), 0);
    assert.equal(breach("adapters/bun.ts", 'import { denoHost } from "./deno.ts";'), 1);
    assert.equal(findBreaches([{ path: "src/new/a.ts", text: "", imports: [] }]).length, 1);
  });

  test("every arrow points down the plan", () => {
    assert.deepEqual(findBreaches(sources), []);
  });

  test("nothing imports itself in a circle", () => {
    assert.equal(findCircle(sources), undefined);
  });

  test("mod.ts reaches no database", () => {
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const reached = new Set(["mod.ts"]);
    // What is added while it is walked is walked too.
    for (const path of reached) {
      for (const { target, isFile } of byPath.get(path)?.imports ?? []) {
        if (isFile) reached.add(target);
      }
    }
    assert.ok(reached.has("src/store/memory.ts"));
    assert.deepEqual([...reached].filter((path) => path.includes("postgres")), []);
  });

  test("mod.ts alone passes names on, one by one", () => {
    const barrels = sources.filter(({ imports }) => imports.some(({ reexports }) => reexports));
    assert.deepEqual(barrels.map(({ path }) => path), ["mod.ts"]);
    assert.doesNotMatch(barrels[0]?.text ?? "", /^export \*/m);
  });

  test("no default exports", () => {
    const defaults = /^export\s+default\b|^export\s*\{[^}]*\bdefault\b[^}]*\}/m;
    const found = sources.filter(({ text }) => defaults.test(text));
    assert.deepEqual(found.map(({ path }) => path), []);
  });

  test("files stay small", () => {
    const lines = sources.map(({ path, text }) => ({
      path,
      lines: text.trimEnd().split("\n").length,
    }));
    assert.deepEqual(lines.filter((file) => file.lines > FILE_LINES_MAX), []);
  });

  test("files are named in snake_case", () => {
    const names = sources.flatMap(({ path }) => path.split("/").map((name) => ({ path, name })));
    const folders = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
    assert.deepEqual(names.filter(({ name }) => !SNAKE_CASE.test(name) && !folders.test(name)), []);
  });
});

describe("core", () => {
  const cases = [
    { name: "a timer", line: "setTimeout(() => {}, 1);", compiles: false },
    { name: "the console", line: 'console.log("");', compiles: false },
    { name: "a built-in module", line: 'import "node:fs";', compiles: false },
    { name: "only the language", line: "Math.max(1, 2);", compiles: true },
  ];
  for (const { name, line, compiles } of cases) {
    test(`${name} ${compiles ? "compiles" : "does not compile"} there`, async (context) => {
      const directory = await mkdtemp(join(tmpdir(), "core-"));
      context.after(() => rm(directory, { recursive: true, force: true }));
      await writeFile(join(directory, "probe.ts"), `${line}\nexport {};\n`);
      const settings = {
        extends: join(repositoryPath, "tsconfig.core.json"),
        include: ["probe.ts"],
      };
      await writeFile(join(directory, "tsconfig.json"), JSON.stringify(settings));
      const compiler = join(repositoryPath, "node_modules/typescript/bin/tsc");
      const options = { encoding: "utf8", timeout: 15_000 } as const;
      const result = spawnSync(process.execPath, [compiler, "-p", directory], options);
      assert.equal(result.status === 0, compiles, result.stdout);
    });
  }
});

describe("committed files", () => {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];

  test("name no path of the machine they were written on", async () => {
    const result = spawnSync("git", list, { cwd: repositoryPath, encoding: "utf8" });
    assert.equal(result.status, 0, result.stderr);
    const files = result.stdout.split("\0").filter((path) => path !== "");
    assert.ok(files.includes("package.json"));

    // The folder above tells of the machine too, unless it is one that every machine has.
    const parent = dirname(repositoryPath);
    const common = ["/", "/home", "/mnt", "/opt", "/root", "/srv", "/tmp", "/usr", "/var"];
    const forbidden = common.includes(parent) ? repositoryPath : parent;
    const pattern = new RegExp(`(?<![\\w.~])${forbidden.replace(/[^\w/]/g, "\\$&")}(?![\\w-])`);
    for (const file of files) {
      const text = await readText(file).catch(() => "");
      assert.doesNotMatch(text, pattern, file);
    }
  });
});

test("every mutant breaks a text that stands there once", async () => {
  for (const { name, file, from, also = [] } of mutants) {
    const text = await readText(file);
    for (const replaced of [from, ...also.map((each) => each.from)]) {
      assert.equal(text.split(replaced).length, 2, `${name}, in ${file}`);
    }
  }
  const names = mutants.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
});
