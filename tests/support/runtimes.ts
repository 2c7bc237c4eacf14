/** The runtimes the suite runs on, each with the command that runs one test file there. */
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface Runtime {
  readonly name: string;
  /** Relative to the repository. */
  readonly binary: string;
  /** Whether the runtime runs the files that do not say where they run. */
  readonly byDefault: boolean;
  /** @param file relative to the repository, @param reportPath where the JUnit report goes, @param tmp the run's own */
  testArguments(file: string, reportPath: string, tmp: string): string[];
}

export const repositoryPath: string = fileURLToPath(new URL("../..", import.meta.url)).replace(
  /\/$/,
  "",
);

/** The environment variables a test may read under Deno's scoped permissions. */
const SCOPED_VARIABLES = [
  "HOLDFAST_*",
  "TMPDIR",
  "TMP",
  "TEMP",
  "HOME",
  "XDG_CONFIG_HOME",
  "CI",
  "NO_COLOR",
  "NODE_ENV",
];

export const runtimes: readonly Runtime[] = [
  node("node-22", "node_modules/node-22/bin/node"),
  node("node-24", "node_modules/node/bin/node"),
  node("node-26", "node_modules/node-26/bin/node"),
  deno("deno", true, () => ["--allow-all"]),
  deno("deno-scoped", false, (tmp) => [
    `--allow-read=${repositoryPath},${tmp}`,
    `--allow-write=${tmp}`,
    `--allow-env=${SCOPED_VARIABLES.join(",")}`,
  ]),
  {
    name: "bun",
    binary: "node_modules/.bin/bun",
    byDefault: true,
    // Without "./" bun takes the path for a filter over names that look like tests.
    testArguments: (
      file,
      reportPath,
    ) => ["test", "--reporter=junit", `--reporter-outfile=${reportPath}`, `./${file}`],
  },
];

/** The environment for a process of this runtime: the same for everyone, whoever started the runner. */
export function runtimeEnvironment(
  runtime: Runtime,
  tmp: string,
): Record<string, string | undefined> {
  const { NODE_TEST_CONTEXT: _context, FORCE_COLOR: _color, ...inherited } = process.env;
  const path = [
    dirname(join(repositoryPath, runtime.binary)),
    join(repositoryPath, "node_modules/.bin"),
    process.env["PATH"],
  ];
  return { ...inherited, PATH: path.join(delimiter), TMPDIR: tmp, NO_COLOR: "1" };
}

function node(name: string, binary: string): Runtime {
  return {
    name,
    binary,
    byDefault: true,
    testArguments: (file, reportPath) => [
      "--test",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${reportPath}`,
      file,
    ],
  };
}

function deno(name: string, byDefault: boolean, permissions: (tmp: string) => string[]): Runtime {
  return {
    name,
    binary: "node_modules/.bin/deno",
    byDefault,
    testArguments: (file, reportPath, tmp) => [
      "test",
      "--no-check",
      "--no-prompt",
      ...permissions(tmp),
      `--junit-path=${reportPath}`,
      file,
    ],
  };
}
