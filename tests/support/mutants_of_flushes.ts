import type { Mutant } from "./mutant.ts";

const commit = "src/store/file/commit.ts";
const adopt = "src/store/file/adopt.ts";
const recovery = "src/store/file/recovery.ts";
const recorder = "src/store/file/recorder.ts";
const upkeep = "src/store/file/upkeep.ts";
const openFile = "src/store/file/open_file.ts";
const failures = "config/protocol_failures";
const races = "config/protocol_races";
const cuts = "config/protocol_cuts";

/** Faults in what must be durable before what. */
export const flushMutants: readonly Mutant[] = [
  {
    name: "a record is not synced",
    file: commit,
    from: "fileMode, draft).then(opened)",
    to: "fileMode, draft).then((file) => file.close())",
    tests: cuts,
    by: "a write that was acknowledged is there",
  },
  {
    name: "what is to be published is not synced",
    file: commit,
    from: "writePublication(commit).then(opened)",
    to: "writePublication(commit).then((file) => file.close())",
    tests: cuts,
    by: "a write that was acknowledged is there",
  },
  {
    name: "the log is not synced before the number is taken",
    file: commit,
    from: "together([log.sync(), ...files.map(syncAndClose)])",
    to: "together(files.map(syncAndClose))",
    tests: cuts,
    by: "a write that had its number is ours, published or not",
  },
  {
    name: "the log is not synced before the answer",
    file: commit,
    from: "await together([place.log.sync(), place.syncDirectory()]);",
    to: "await place.syncDirectory();",
    tests: cuts,
    by: "a write that was acknowledged is there",
  },
  {
    name: "the directory of the config file is not synced before the answer",
    file: commit,
    from: "await together([place.log.sync(), place.syncDirectory()]);",
    to: "await place.log.sync();",
    tests: cuts,
    by: "the newest of many writes is there",
  },
  {
    name: "a failing sync of a directory passes for a success",
    file: commit,
    from: "await together([place.log.sync(), place.syncDirectory()]);",
    to: "await together([place.log.sync(), place.syncDirectory()]).catch(() => {});",
    tests: races,
    by: "and then cannot sync",
  },
  {
    name: "an edited file is not synced when it is adopted",
    file: adopt,
    from: "host.sync(place.path)",
    to: "Promise.resolve()",
    tests: cuts,
    by: "an edit in place that was taken over is there",
  },
  {
    name: "the directory of an edited file is not synced when it is adopted",
    file: adopt,
    from: "      place.syncDirectory(),\n    ]);",
    to: "    ]);",
    tests: cuts,
    by: "the newest of many edits",
  },
  {
    name: "the record of an edit is not synced",
    file: adopt,
    from: "draft.sync(),",
    to: "",
    tests: cuts,
    by: "an edit in place that was taken over is there",
  },
  {
    name: "the log is not synced when an edit was adopted",
    file: adopt,
    from: "together([log.sync(), isReserved",
    to: "together([isReserved",
    tests: cuts,
    by: "an edit that was taken over has its number",
  },
  {
    name: "recovery publishes before the log is synced",
    file: recovery,
    from: "  await log.sync();\n  try {\n    if (!isRemoval",
    to: "  try {\n    if (!isRemoval",
    also: [{ from: "together([syncAndClose(file), log.sync()])", to: "syncAndClose(file)" }],
    tests: cuts,
    by: "a write that a dead writer's helper had published is ours",
  },
  {
    name: "what recovery publishes is not synced",
    file: recovery,
    from: "together([syncAndClose(file), log.sync()])",
    to: "together([file.close(), log.sync()])",
    tests: cuts,
    by: "a write that a dead writer's helper had published is ours",
  },
  {
    name: "the floor is not synced before records are deleted",
    file: upkeep,
    from: "  await together([log.sync(), place.syncDirectory()]);\n  const { records",
    to: "  const { records",
    tests: cuts,
    by: "no record is gone without the floor",
  },
  {
    name: "a reader does not sync what it found",
    file: recorder,
    from: "    await place.secure().catch((error: unknown) => {\n",
    to: "    await Promise.resolve().catch((error: unknown) => {\n",
    tests: cuts,
    by: "what a reader took over",
  },
  {
    name: "a reader does not sync the log's own entry",
    file: "src/store/file/log_place.ts",
    from: "isEntryDurable ? Promise.resolve() : this.syncDirectory()",
    to: "Promise.resolve(isEntryDurable)",
    also: [{
      from: "      await this.syncDirectory();\n      this.#isEntryDurable = true;\n",
      to: "",
    }],
    tests: cuts,
    by: "whoever made the log did not come to sync that",
  },
  {
    name: "a reader goes by what it found before that is synced",
    file: recorder,
    from: "    if (generation <= this.#durable) return;\n",
    to: "    if (generation <= this.#durable) return;\n    this.#durable = generation;\n",
    tests: cuts,
    by: "what a reader took over at its second try",
  },
  {
    name: "state moves before the sync",
    file: "src/store/file/open_file.ts",
    from: "        this.#recorderOf(sight.place).secure(sight.place, newest.generation),\n",
    to: "",
    tests: failures,
    by: "at the sync of what it found does not build on what it did not take over",
  },
  {
    name: "a history tells of what is not synced",
    file: openFile,
    from: ".secure(place, kept[0] ?? 0)",
    to: ".secure(place, 0)",
    tests: cuts,
    by: "what a history told of",
  },
  {
    name: "a file that is claimed is not synced",
    file: commit,
    from: "await together([place.host.sync(place.path), place.syncDirectory()]);",
    to: "await place.syncDirectory();",
    tests: cuts,
    by: "a write over a file that was saved unchanged",
  },
];
