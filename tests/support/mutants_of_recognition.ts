import type { Mutant } from "./mutant.ts";

const commit = "src/store/file/commit.ts";
const adopt = "src/store/file/adopt.ts";
const publication = "src/store/file/publication.ts";
const recovery = "src/store/file/recovery.ts";
const recorder = "src/store/file/recorder.ts";
const upkeep = "src/store/file/upkeep.ts";
const sight = "src/store/file/sight.ts";
const openFile = "src/store/file/open_file.ts";
const races = "config/protocol_races";
const failures = "config/protocol_failures";
const cuts = "config/protocol_cuts";
const edits = "config/protocol_edits";

/** Faults in recovery, and in how the content of the config file is told. */
export const recognitionMutants: readonly Mutant[] = [
  {
    name: "recovery publishes what a loser wrote",
    file: recovery,
    from: "  const attempt = uniqueId(place.host);",
    to: "  const theirs = sight.view?.publications.find((one) => {\n" +
      "    return one.generation === record.generation;\n  });\n" +
      '  const attempt = theirs?.name.split(".")[2] ?? uniqueId(place.host);',
    also: [{
      from: "const file = await writePublication(commit);",
      to: "const idle = { write: async () => 0, sync: async () => {}, close: async () => {} };\n" +
        "      const file = theirs === undefined ? await writePublication(commit) : idle;",
    }],
    tests: races,
    by: "after its link is finished with its own text",
  },
  {
    name: "recovery does not list again",
    file: recovery,
    from: "if (view?.top !== sight.view?.top) return",
    to: "if (view === undefined) return",
    tests: races,
    by: "after its link is not finished once there is something newer",
  },
  {
    name: "recovery leaves older publications to be made",
    file: recovery,
    from: "    await removeOlderPublications(place, generation, view);\n",
    to: "",
    tests: races,
    by: "is helped by somebody who fences off who came before",
  },
  {
    name: "history is linked to the published path",
    file: recovery,
    from: "const file = await writePublication(commit);",
    to: "const [old] = sight.view!.images.filter((image) => image.generation === generation);\n" +
      "      if (old) await place.host.link(log.path(old.name), log.path(made[0]!));\n" +
      "      const idle = { write: async () => 0, sync: async () => {}, close: async () => {} };\n" +
      "      const file = old === undefined ? await writePublication(commit) : idle;",
    tests: edits,
    by: "that is gone is put back as its record says",
  },
  {
    name: "an older text is ours, whoever saved it",
    file: sight,
    from: 'return newest === undefined ? other(view) : { kind: "missing" };\n',
    to: 'return newest === undefined ? other(view) : { kind: "missing" };\n' +
      "  for (const generation of view.records) {\n" +
      "    const header = await place.log.header(generation);\n" +
      '    if (header?.hash === found.hash) return { kind: "stale" };\n  }\n',
    tests: edits,
    by: "with the text of an older generation is an edit",
  },
  {
    name: "any second name of an inode counts, not only the newest",
    file: sight,
    from: "    if (header !== undefined) {\n" +
      '      return header.hash === found.hash ? { kind: "stale" } : other(view);\n' +
      "    }\n    // An",
    to: '    if (header?.hash === found.hash) return { kind: "stale" };\n' +
      "    if (header !== undefined) continue;\n    // An",
    tests: edits,
    by: "with the text that its very inode had before",
  },
  {
    name: "a record that lost its number is not recognised",
    file: sight,
    from: "if (draft?.hash === found.hash) {",
    to: "if (draft === null) {",
    tests: cuts,
    by: "a write that had its number is ours",
  },
  {
    name: "an adoption under way is finished by others",
    file: sight,
    from: "if (!image.isPublication) continue;",
    to: "",
    tests: cuts,
    by: "an edit that somebody else was about to take over",
  },
  {
    name: "a file that was saved unchanged is not claimed",
    file: commit,
    from: 'if (standing.kind === "current" && newest !== undefined) await claim(',
    to: 'if (standing.kind === "missing" && newest !== undefined) await claim(',
    tests: races,
    by: "over a file that was saved unchanged",
  },
  {
    name: "what was just replaced is not looked at again",
    file: "src/store/file/open_file.ts",
    from: "    this.#upkeep.goOn(sight.place);\n",
    to: "",
    tests: edits,
    by: "that was just replaced is looked at again",
  },
  {
    name: "second names are removed at once",
    file: upkeep,
    from: "await this.#superseded.clear(place, view.images.filter(isOlder));",
    to: "await log.remove(view.images.filter(isOlder).map(({ name }) => name));",
    tests: edits,
    by: "that was replaced stays known for a while",
  },
  {
    name: "second names are removed unseen",
    file: "src/store/file/superseded.ts",
    from: "if (isEdited) await",
    to: "if (isEdited && former === undefined) await",
    tests: edits,
    by: "that was replaced stays known for a while",
  },
  {
    name: "the log of somebody else is believed",
    file: "src/store/file/log_place.ts",
    from: "const view = await this.#isTrusted() ?",
    to: "const view = true ?",
    tests: edits,
    by: "that somebody else owns decides nothing",
  },
  {
    name: "a second name that cannot be looked at counts as gone",
    file: sight,
    from: 'if (hasErrno(error, "ENOENT")) return undefined;\n    throw error;',
    to: "return undefined;",
    tests: failures,
    by: "at a second name in the log does not take what we published for an edit",
  },
  {
    name: "the mark is made before the number is taken",
    file: adopt,
    from: "    await compareAndSwap(adoption);",
    to: "    await place.reserve(record.generation);\n    await compareAndSwap(adoption);",
    tests: edits,
    by: "that is only begun is no log that was deleted",
  },
  {
    name: "a first generation leaves no mark",
    file: commit,
    from: "    await reserve(commit, published);\n",
    to: "",
    tests: edits,
    by: "begun with a seed and deleted is followed",
  },
  {
    name: "a mark counts although a log was begun meanwhile",
    file: recorder,
    from: "if (marked > 0 && ((await place.view())?.top ?? 0) > 0) {",
    to: "if (marked < 0) {",
    tests: failures,
    by: "does not take a log that was begun meanwhile",
  },
  {
    name: "a file that must not be linked is not told by its text",
    file: sight,
    from: "  for (const image of view.textImages) {",
    to: "  for (const image of [] as typeof view.textImages) {",
    tests: edits,
    by: "that must not be linked is told by its text",
  },
  {
    name: "the mark is ignored where the log was deleted",
    file: recorder,
    from: "await place.mark()",
    to: "0",
    tests: edits,
    by: "begun over a file and deleted is followed",
  },
  {
    name: "there is more to look at for ever",
    file: openFile,
    from: "#take({ more: _, ...loaded }: Loaded): Loaded {",
    to: "#take(loaded: Loaded): Loaded {",
    tests: failures,
    by: "comes to an end, then and later",
  },
  {
    name: "what a removal took away by mistake is not put back",
    file: publication,
    from: "if (!isExpected) await putBack(place, taken, name, keepAside);",
    to: "",
    tests: "config/removal",
    by: "does not take away what a person saved meanwhile",
  },
  {
    name: "a record with another text than its own is believed",
    file: "src/store/record.ts",
    from: "return header.generation === generation && header.hash === hash ?",
    to: "return header.generation === generation ?",
    tests: "config/damaged_log",
    by: "with a flipped bit is lost",
  },
];
