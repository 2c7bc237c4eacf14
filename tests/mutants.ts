/**
 * Shows that the suite notices what it claims to: breaks a copy of the code in one way after the other, and runs the tests
 * that are to notice.
 *
 *     node tests/mutants.ts [part of a name ...]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type Mutant, mutants } from "./support/mutants.ts";
import { repositoryPath } from "./support/runtimes.ts";

const wanted = process.argv.slice(2);
const copy = mkdtempSync(join(tmpdir(), "holdfast-mutants-"));
try {
  process.exitCode = main();
} finally {
  rmSync(copy, { recursive: true });
}

function main(): number {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], {
    cwd: repositoryPath,
    encoding: "utf8",
  }).split("\0").filter((file) => file !== "");
  for (const file of files) cpSync(join(repositoryPath, file), join(copy, file));
  symlinkSync(join(repositoryPath, "node_modules"), join(copy, "node_modules"));

  const chosen = mutants.filter(({ name }) => {
    return wanted.length === 0 || wanted.some((part) => name.includes(part));
  });
  const allTests = [...new Set(chosen.flatMap(({ tests }) => tests))];
  if (!passes(allTests)) throw new Error("the tests fail without any mutant: mend them first");
  const survivors = chosen.filter((mutant) => !isNoticed(mutant));
  const count = chosen.length - survivors.length;
  console.log(`${count} of ${chosen.length} mutants noticed`);
  return survivors.length === 0 && chosen.length > 0 ? 0 : 1;
}

function isNoticed({ name, file, from, to, tests }: Mutant): boolean {
  const path = join(copy, file);
  const original = readFileSync(path, "utf8");
  if (original.split(from).length !== 2) {
    throw new Error(`Cannot try "${name}": its text does not stand once in ${file}`);
  }
  writeFileSync(path, original.replace(from, () => to));
  try {
    const noticed = !passes(tests);
    console.log(`${noticed ? "noticed " : "SURVIVED"}  ${name}`);
    return noticed;
  } finally {
    writeFileSync(path, original);
  }
}

function passes(tests: readonly string[]): boolean {
  const { status } = spawnSync(
    process.execPath,
    ["tests/run.ts", "--only=node-24", ...tests],
    { cwd: copy, env: { ...process.env, CI: "true" }, stdio: "ignore" },
  );
  return status === 0;
}
