import type { Mutant } from "./mutant.ts";

const directory = "src/source/directory.ts";
const files = "src/source/directory_files.ts";
const env = "src/source/env.ts";
const variables = "src/source/variable_document.ts";
const hostile = "config/directory_hostile";
const hostileEnv = "config/env_hostile";

/** Faults in what reads directories and variables, and in what several sources share. */
export const placeMutants: readonly Mutant[] = [
  {
    name: "a directory is read once",
    file: files,
    from: "if (before.hash === again.hash) return again;",
    to: "return before;",
    tests: "config/directory.test",
    by: "is not read while it changes from one state to the next",
  },
  {
    name: "files that never rest are taken together",
    file: files,
    from: "return differing.length === 1 &&",
    to: "return differing.length >= 1 &&",
    tests: hostile,
    by: "but not while two do",
  },
  {
    name: "the compiled document is known by its path alone",
    file: directory,
    from: "return place === await host.resolve(this.#path) ? baseName(this.#compiled) : undefined;",
    to: "return directoryOf(this.#compiled) === this.#path && place !== undefined\n" +
      "      ? baseName(this.#compiled)\n      : undefined;",
    tests: hostile,
    by: "is the same by any path",
  },
  {
    name: "what is no file is passed over",
    file: files,
    from: "else if (!isDirectory(error)) throw error;",
    to: 'else if (!isHoldfastError(error, "UNSAFE_FILE")) throw error;',
    tests: hostile,
    by: "in which a file became a FIFO",
  },
  {
    name: "a file keeps what it held",
    file: directory,
    from: "if (known?.hash === hash) return known;",
    to: "if (known !== undefined) return known;",
    tests: "source.test",
    by: "another document has another hash",
  },
  {
    name: "the sum of the files has no bound",
    file: files,
    from: "if (byteLength > documentBytesMax) throw tooLarge(path);",
    to: "",
    tests: hostile,
    by: "is bounded in files and in bytes",
  },
  {
    name: "the name of a file may be any key",
    file: directory,
    from: "if (isForbiddenKey(key))",
    to: 'if (key === "")',
    tests: hostile,
    by: "has no key __proto__",
  },
  {
    name: "files of variables are not judged",
    file: env,
    from: "return { bytes, warnings: judgeTrust(host, { path, file: stat, directories, trust }) };",
    to:
      "return { bytes, warnings: [stat, directories, trust].length > 9 ? [String(judgeTrust)] : [] };",
    tests: hostileEnv,
    by: "that everybody can write is refused",
  },
  {
    name: "variables are known by those that are understood",
    file: env,
    from: "seen.push([path, hashOf(host, found.bytes)]);",
    to: "",
    tests: hostileEnv,
    by: "that is broken is told though no variable changes",
  },
  {
    name: "a list may have gaps",
    file: variables,
    from: 'if (typeof step === "number" && step > lengthOf(part)) {',
    to: 'if (typeof step === "number" && step > 1e12) {',
    tests: hostileEnv,
    by: "LIST__1=after nothing",
  },
  {
    name: "a whole counts over its parts",
    file: variables,
    from: "return one.path.length - other.path.length ||",
    to: "return other.path.length - one.path.length ||",
    tests: hostileEnv,
    by: "that clash are told",
  },
  {
    name: "several watches look at once",
    file: "src/source/shared_look.ts",
    from:
      "if (running === undefined) return running = run();\n        return next ??= running.then(run);",
    to: "return run();",
    tests: "source.test",
    by: "no two looks at once",
  },
  {
    name: "layers are not told what was applied",
    file: "src/store/layered.ts",
    from: "await layer.applied?.(layers!.held[index]!)",
    to: "[layer, layers!.held[index]]",
    tests: hostile,
    by: "is compiled when it is a layer",
  },
];
