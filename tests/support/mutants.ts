/** Faults that the suite claims to notice: each is put into a copy of the code, and one of its tests must then fail. */
export interface Mutant {
  /** What is broken, in words. */
  readonly name: string;
  readonly file: string;
  /** A text that stands once in the file. */
  readonly from: string;
  readonly to: string;
  /** Parts of the paths of the test files that are to notice. */
  readonly tests: readonly string[];
}

const durable = "src/host/durable.ts";
const store = "src/store/file.ts";
const write = ["config/write"];

export const mutants: readonly Mutant[] = [
  {
    name: "the file is not synced",
    file: durable,
    from: "await file.sync();",
    to: "",
    tests: write,
  },
  {
    name: "the directory is not synced",
    file: durable,
    from: "    await host.syncDirectory(directoryOf(path));",
    to: "",
    tests: write,
  },
  {
    name: "a failing sync of the directory passes for a success",
    file: durable,
    from: "    await host.syncDirectory(directoryOf(path));",
    to: "    await host.syncDirectory(directoryOf(path)).catch(() => {});",
    tests: write,
  },
  {
    name: "directories made for a file are not synced",
    file: durable,
    from: "for (const made of missing) await host.syncDirectory(directoryOf(made));",
    to: "",
    tests: ["config/file_names"],
  },
  {
    name: "a short write is taken for a whole one",
    file: durable,
    from: "while (written < bytes.length) {",
    to: "if (written < bytes.length) {",
    tests: write,
  },
  {
    name: "the mode is left to the umask",
    file: "adapters/node_file.ts",
    from: "if (capabilities.modes && found !== mode) await changeMode(descriptor, mode);",
    to: "",
    tests: ["tests/host.test"],
  },
  {
    name: "a temporary stays after a failure",
    file: durable,
    from: 'if (!hasErrno(error, "EEXIST")) await host.remove(temporary).catch(() => {});',
    to: "",
    tests: write,
  },
  {
    name: "a young temporary is swept",
    file: durable,
    from: "host.now() - stat.modifiedMs > orphanAgeMs",
    to: "host.now() >= stat.modifiedMs",
    tests: write,
  },
  {
    name: "there is no last look before the rename",
    file: store,
    from: "beforeRename: () => this.#makeWay(target, base, refused),",
    to: "",
    tests: write,
  },
  {
    name: "a swapped link is not noticed",
    file: store,
    from: " || await this.#target() !== target",
    to: "",
    tests: ["config/file_names"],
  },
  {
    name: "refused content is not kept aside",
    file: store,
    from: "await this.#keepAside(target, read.bytes, found);",
    to: "",
    tests: ["config/refusal"],
  },
  {
    name: "any owner is trusted",
    file: "src/store/file_trust.ts",
    from: 'if (trust === "owner" && foreign) {',
    to: 'if (trust === "any" && foreign) {',
    tests: ["config/refusal"],
  },
  {
    name: "the debounce has no maximum",
    file: "src/host/settle.ts",
    from: "Math.min(lastHintAt + options.debounceMs, first + options.maxWaitMs)",
    to: "lastHintAt + options.debounceMs",
    tests: ["config/watch"],
  },
  {
    name: "nothing is looked at after arming",
    file: "src/host/watch.ts",
    from: "      settling.nudge();\n    } catch",
    to: "    } catch",
    tests: ["config/watch"],
  },
  {
    name: "a replaced directory is not watched anew",
    file: "src/host/watch.ts",
    from: "before.identity === identity && ",
    to: "",
    tests: ["config/watch"],
  },
  {
    name: "there is no poll",
    file: "src/host/watch.ts",
    from: "      await arm();\n      settling.nudge();",
    to: "",
    tests: ["config/watch"],
  },
  {
    name: "calls that overlap are only checked together",
    file: "src/config/edit.ts",
    from: "    if (path === undefined) return false;",
    to: "    if (path === undefined || pointers.length >= 0) return true;",
    tests: ["config/shared_store"],
  },
  {
    name: "a write that changes nothing is answered from memory",
    file: "src/config/writer.ts",
    from:
      "    if (changes.length > 0 || loaded.document === undefined || engine.refusal) return false;",
    to:
      "    if (changes.length === 0) return true;\n    if (loaded.document || engine.refusal) return false;",
    tests: ["config/shared_store"],
  },
  {
    name: "the value is not frozen",
    file: "src/core/snapshot.ts",
    from: "  return Object.freeze(copy);\n}\n\nfunction unsupported",
    to: "  return copy;\n}\n\nfunction unsupported",
    tests: ["core/diff"],
  },
  {
    name: "a key twice is accepted",
    file: "src/format/json.ts",
    from: "sound = members === countWrittenMembers(text);",
    to: "sound = members >= 0;",
    tests: ["format/json"],
  },
  {
    name: "audit events tell secrets",
    file: "src/config/engine.ts",
    from: "const told = redactChanges(changeSet.changes, annotations);",
    to: "const told = redactChanges(changeSet.changes, undefined);",
    tests: ["config/refusal"],
  },
  {
    name: "messages quote secrets",
    file: "src/core/schema.ts",
    from: "  if (place?.secret === true) return true;",
    to: "",
    tests: ["core/schema"],
  },
];
