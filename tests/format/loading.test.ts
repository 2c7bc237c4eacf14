/** A format, and the package that it needs, is loaded when a file in it is opened, and not before. */
import assert from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { startProgram } from "../support/child.ts";
import { freshDirectory, writePrivate } from "../support/config_under_test.ts";
import { runtime, test } from "../support/kit.ts";
import { repositoryPath } from "../support/runtimes.ts";
import { parseImports } from "../support/source_files.ts";
import { readFile } from "node:fs/promises";

const child = `
import process from "node:process";
import { openConfig } from "./mod.ts";
const config = await openConfig(process.argv[2], { watch: false });
console.log("value " + JSON.stringify(config.value));
await config.close();
`;

test("what mod.ts imports for good leads to no package and to no format but JSON", async () => {
  const reached = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = await readFile(join(repositoryPath, path), "utf8");
    // Without the imports that are made on the way.
    const lasting = text.replaceAll(/\bimport\(/g, "later(");
    for (const { target, isFile, typesOnly } of parseImports(path, lasting)) {
      if (typesOnly) continue;
      assert.ok(isFile || target.startsWith("node:"), `${path} imports ${target}`);
      if (isFile) await visit(target);
    }
  };
  await visit("mod.ts");
  const formats = [...reached].filter((path) => path.startsWith("src/format/"));
  assert.ok(formats.includes("src/format/json.ts"));
  assert.deepEqual(formats.filter((path) => /\/(?:jsonc|yaml|toml)/.test(path)), []);
});

test("where the package is missing, JSON, JSONC and TOML open and YAML alone does not", {
  timeoutMs: 60_000,
}, async (t) => {
  const directory = await freshDirectory(t);
  for (const part of ["mod.ts", "src", "adapters"]) {
    await cp(join(repositoryPath, part), join(directory, part), { recursive: true });
  }
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  await writeFile(join(directory, "child.ts"), child);
  await mkdir(join(directory, "configs"));
  const before = runtime === "deno"
    ? ["run", "--no-check", "--no-config", "--no-remote", "--allow-all"]
    : [];
  const open = async (name: string, text: string) => {
    const path = join(directory, "configs", name);
    await writePrivate(path, text);
    const given = [...before, join(directory, "child.ts"), path];
    const started = startProgram(process.execPath, given, t, { BUN_CONFIG_NO_AUTO_INSTALL: "1" });
    return { status: await started.ended, output: started.output() };
  };
  for (
    const [name, text] of [["a.json", '{"a":1}'], ["a.jsonc", '{"a":1,}'], ["a.toml", "a = 1"]]
  ) {
    const { status, output } = await open(name!, text!);
    assert.match(output, /value \{"a":1\}/);
    assert.equal(status, 0, output);
  }
  const { status, output } = await open("a.yaml", "a: 1");
  assert.notEqual(status, 0);
  assert.doesNotMatch(output, /value/);
  assert.match(output, /Cannot read \S+a\.yaml: .*does not load .*yaml/);
});

if (runtime === "deno") {
  test("where Deno keeps from the package what it looks at, a YAML file says so when it is opened", async (t) => {
    const directory = await freshDirectory(t);
    await writeFile(
      join(directory, "child.ts"),
      child.replace("./mod.ts", `${repositoryPath}/mod.ts`),
    );
    await writePrivate(join(directory, "a.yaml"), "a: 1");
    const open = async (...permissions: readonly string[]) => {
      const given = ["run", "--no-prompt", `--config=${repositoryPath}/deno.json`, ...permissions];
      const scripts = [join(directory, "child.ts"), join(directory, "a.yaml")];
      const started = startProgram(process.execPath, [...given, ...scripts], t);
      return { status: await started.ended, output: started.output() };
    };
    const refused = await open("--allow-read", "--allow-sys=uid");
    assert.match(refused.output, /Cannot read \S+a\.yaml: .*does not load .*LOG_TOKENS/);
    const permitted = await open(
      "--allow-read",
      "--allow-sys=uid",
      "--allow-env=LOG_TOKENS,LOG_STREAM",
    );
    assert.match(permitted.output, /value \{"a":1\}/);
  });
}
