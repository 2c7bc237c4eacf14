/**
 * Runs what must hold besides the tests: form, types, documentation and what would be published.
 *
 *     node tests/check.ts [name of a step ...]
 *
 * Every step runs, whatever the ones before it found.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { repositoryPath } from "./support/runtimes.ts";

interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const STEP_TIMEOUT_MS = 5 * 60_000;
/** The modules that are published, and so the roots of their documentation. */
const ENTRY_POINTS = [
  "mod.ts",
  "src/store/postgres/postgres.ts",
  "src/store/nats/nats_kv.ts",
  "adapters/memory.ts",
];
const TREES = ["mod.ts", "src", "adapters", "tests", "examples", "bench"]
  .filter((path) => existsSync(join(repositoryPath, path)));

const steps: readonly Step[] = [
  { name: "format", command: ["deno", "fmt", "--check"] },
  { name: "lint", command: ["deno", "lint"] },
  { name: "types", command: ["tsc", "-p", "tsconfig.json"] },
  { name: "types-deno", command: ["deno", "check", "--quiet", ...TREES] },
  { name: "core", command: ["tsc", "-p", "tsconfig.core.json"] },
  // Without npm packages, since it would ask for their types to be documented here.
  { name: "doc-lint", command: ["deno", "doc", "--quiet", "--no-npm", "--lint", ...ENTRY_POINTS] },
  {
    name: "doc-tests",
    command: [
      "deno",
      "test",
      "--doc",
      "--quiet",
      "--allow-all",
      "README.md",
      "mod.ts",
      "src",
      "adapters",
    ],
  },
  { name: "publish", command: ["deno", "publish", "--dry-run", "--allow-dirty"] },
  { name: "build", command: ["npm", "run", "build"] },
  { name: "publint", command: ["publint", "--strict"] },
  { name: "attw", command: ["attw", "--pack", ".", "--profile", "esm-only"] },
  { name: "package", command: ["node", "tests/package.ts"] },
];

process.exitCode = main(process.argv.slice(2));

function main(names: readonly string[]): number {
  const unknown = names.find((name) => steps.every((step) => step.name !== name));
  if (unknown !== undefined) {
    throw new Error(
      `Cannot check "${unknown}": choose from ${steps.map((step) => step.name).join(", ")}`,
    );
  }
  const chosen = steps.filter((step) => names.length === 0 || names.includes(step.name));
  const failed = chosen.filter((step) => !runStep(step)).map((step) => step.name);
  console.log(failed.length === 0 ? "check: all steps hold" : `check: FAILED ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function runStep({ name, command }: Step): boolean {
  const startedAt = performance.now();
  const [program = "", ...programArguments] = command;
  const result = spawnSync(program, programArguments, {
    cwd: repositoryPath,
    encoding: "utf8",
    env: {
      ...process.env,
      NO_COLOR: "1",
      PATH: [join(repositoryPath, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
    },
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_TIMEOUT_MS,
  });
  const held = result.status === 0;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${held ? "ok    " : "FAILED"}  ${name}  ${seconds} s`);
  if (!held) {
    console.log(
      `    ${command.join(" ")}: ${result.error?.message ?? `exit status ${result.status}`}`,
    );
    for (const line of `${result.stdout}${result.stderr}`.trimEnd().split("\n")) {
      console.log(`    ${line}`);
    }
  }
  return held;
}
