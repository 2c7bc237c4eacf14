/**
 * Shows that the suite notices what it claims to: breaks a copy of the code in one way after the other, and runs the tests
 * that are to notice.
 *
 *     node tests/mutants.ts [part of a name ...]
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Mutant } from "./support/mutant.ts";
import { mutants } from "./support/mutants.ts";
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
  }).split("\0").filter((file) => file !== "" && existsSync(join(repositoryPath, file)));
  for (const file of files) cpSync(join(repositoryPath, file), join(copy, file));
  symlinkSync(join(repositoryPath, "node_modules"), join(copy, "node_modules"));

  const chosen = mutants.filter(({ name }) => {
    return wanted.length === 0 || wanted.some((part) => name.includes(part));
  });
  const allTests = [...new Set(chosen.map(({ tests }) => tests))];
  const broken = failuresOf(allTests);
  if (broken.length > 0) {
    throw new Error(`the tests fail without any mutant: mend them first\n${broken.join("\n")}`);
  }
  const survivors = chosen.filter((mutant) => !isNoticed(mutant));
  const count = chosen.length - survivors.length;
  console.log(`${count} of ${chosen.length} mutants noticed`);
  return survivors.length === 0 && chosen.length > 0 ? 0 : 1;
}

function isNoticed({ name, file, from, to, also = [], tests, by }: Mutant): boolean {
  const path = join(copy, file);
  const original = readFileSync(path, "utf8");
  let mutated = original;
  for (const change of [{ from, to }, ...also]) {
    if (original.split(change.from).length !== 2) {
      console.log(`OUTDATED  ${name}: its text does not stand once in ${file}`);
      return false;
    }
    mutated = mutated.replace(change.from, () => change.to);
  }
  writeFileSync(path, mutated);
  try {
    const failures = failuresOf([tests]);
    const noticed = failures.some((failure) => failure.includes(by));
    console.log(`${noticed ? "noticed " : "SURVIVED"}  ${name}`);
    if (!noticed) console.log(["", `expected: ${by}`, ...failures].join("\n          "));
    return noticed;
  } finally {
    writeFileSync(path, original);
  }
}

/** What failed: the tests by their names, or the files as a whole. */
function failuresOf(tests: readonly string[]): string[] {
  const { status, stdout } = spawnSync(
    process.execPath,
    ["tests/run.ts", "--only=node-24", ...tests],
    { cwd: copy, env: { ...process.env, CI: "true" }, encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  const failures = [...stdout.matchAll(/^FAILED +node-24 +(.*)$/gm)].map(([, failure]) => failure!);
  return status === 0 || failures.length > 0 ? failures : [`exit status ${status}`];
}
