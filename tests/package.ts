/**
 * Packs the package as it would be published, installs the tarball away from the repository, and uses it there on
 * every runtime and in the compiler. Needs no network.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { repositoryPath, runtimeEnvironment, runtimes } from "./support/runtimes.ts";

const COMMAND_TIMEOUT_MS = 2 * 60_000;

const directory = await mkdtemp(join(tmpdir(), "holdfast-package-"));
try {
  const installed = await install(await pack());
  await listFiles(installed);
  await useOnEveryRuntime();
  await compileAgainst();
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function pack(): Promise<string> {
  run("npm", ["pack", "--pack-destination", directory], repositoryPath);
  const tarball = (await readdir(directory)).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball, "npm pack left no tarball");
  return join(directory, tarball);
}

async function install(tarball: string): Promise<string> {
  const modules = join(directory, "consumer/node_modules");
  const installed = join(modules, "holdfast");
  await mkdir(installed, { recursive: true });
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed], directory);
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  const others = { ...manifest.dependencies, ...manifest.peerDependencies };
  await provide(Object.keys(others), modules);
  const dependencies = { holdfast: manifest.version, ...others };
  const consumer = { name: "consumer", private: true, type: "module", dependencies };
  await writeFile(join(directory, "consumer/package.json"), JSON.stringify(consumer));
  await copyFile(
    join(repositoryPath, "tests/support/package_consumer.ts"),
    join(directory, "consumer/consume.ts"),
  );
  await writeFile(
    join(directory, "consumer/main.ts"),
    'import { consume } from "./consume.ts";\nconsole.log(await consume(process.argv[2]));\n',
  );
  return installed;
}

/** Copies packages from the repository's own, with all that they depend on. */
async function provide(names: readonly string[], modules: string): Promise<void> {
  for (const name of names) {
    const target = join(modules, name);
    if (existsSync(target)) continue;
    await cp(join(repositoryPath, "node_modules", name), target, { recursive: true });
    const { dependencies = {} } = JSON.parse(await readFile(join(target, "package.json"), "utf8"));
    await provide(Object.keys(dependencies), modules);
  }
}

async function listFiles(installed: string): Promise<void> {
  const names = (await readdir(installed)).sort();
  const expected = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"];
  assert.deepEqual(names, expected, "the tarball holds other files than it should");
  console.log(`packed: ${names.join(", ")}`);
}

async function useOnEveryRuntime(): Promise<void> {
  const consumer = join(directory, "consumer");
  // What is not there by default is a runtime of this list again, with fewer permissions.
  for (const runtime of runtimes.filter(({ byDefault }) => byDefault)) {
    const path = join(directory, `${runtime.name}.json`);
    const before = runtime.name === "deno"
      ? ["run", "--allow-all", "--node-modules-dir=manual"]
      : [];
    const environment = runtimeEnvironment(runtime, directory);
    const program = join(repositoryPath, runtime.binary);
    const output = run(program, [...before, "main.ts", path], consumer, environment);
    assert.equal(output.trim(), "packed:8080", `${runtime.name} printed something else`);
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")), { name: "packed" });
    console.log(`used on ${runtime.name}: ${output.trim()}`);
  }
}

// The declarations of the package are checked too, and have to do without Node's types: not every user has them.
async function compileAgainst(): Promise<void> {
  const consumer = join(directory, "consumer");
  const compilerOptions = {
    target: "ES2024",
    module: "NodeNext",
    lib: ["ES2024", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    types: [],
    strict: true,
    noEmit: true,
  };
  await writeFile(
    join(consumer, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["consume.ts"] }),
  );
  run(join(repositoryPath, "node_modules/.bin/tsc"), ["-p", "."], consumer);
  console.log("compiled against");
}

function run(
  program: string,
  programArguments: readonly string[],
  cwd: string,
  environment: Record<string, string | undefined> = process.env,
): string {
  const result = spawnSync(program, programArguments, {
    cwd,
    encoding: "utf8",
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_TIMEOUT_MS,
  });
  if (result.status !== 0) {
    const command = [program, ...programArguments].join(" ");
    const reason = result.error?.message ?? `exit status ${result.status}`;
    throw new Error(`Cannot run ${command}: found ${reason}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}
