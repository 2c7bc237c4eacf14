import type { Mutant } from "./mutant.ts";

const commit = "src/store/file/commit.ts";
const adopt = "src/store/file/adopt.ts";
const publication = "src/store/file/publication.ts";
const races = "config/protocol_races";
const failures = "config/protocol_failures";
const contention = "src/store/file/contention.ts";
const turns = "config/contention";

/** Faults in what keeps writers from undoing each other. */
export const fenceMutants: readonly Mutant[] = [
  {
    name: "a commit leaves older publications to be made",
    file: commit,
    from: "await removeOlderPublications(place, record.generation, view)",
    to: "false",
    tests: races,
    by: "before its rename cannot bring an older generation back",
  },
  {
    name: "an adoption leaves older publications to be made",
    file: adopt,
    from: "await removeOlderPublications(place, record.generation, await log.view());",
    to: "",
    tests: races,
    by: "before its rename cannot replace an edit that was taken over",
  },
  {
    name: "what is to be published is made after the number is taken",
    file: commit,
    from: "isRemoval(record) ? Promise.resolve() : writePublication(commit).then(opened)",
    to: "Promise.resolve()",
    also: [
      { from: "isRemoval(record) ? undefined : nameImage(commit)", to: "undefined" },
      {
        from: "    place.log.made(record);",
        to: "    if (!isRemoval(record)) {\n" +
          "      await syncAndClose(await writePublication(commit));\n" +
          "      await nameImage(commit);\n    }\n    place.log.made(record);",
      },
    ],
    tests: races,
    by: "after its link has nothing to publish once another is about to",
  },
  {
    name: "there is no last look before the rename",
    file: publication,
    from: "if (found?.hash !== base?.hash) {",
    to: "if (found === null) {",
    tests: races,
    by: "after its link does not replace an edit that came meanwhile",
  },
  {
    name: "where nothing was, what somebody makes is renamed over",
    file: publication,
    from: "if (found !== undefined) await renameOver(place.host, from, place.path);",
    to: "if (from !== undefined) await renameOver(place.host, from, place.path);",
    tests: races,
    by: "where there is no config file",
  },
  {
    name: "a link whose answer was lost is taken for somebody else's",
    file: commit,
    from: "if (await isSameFile(place, draft, numbered, error)) return;",
    to: "",
    tests: failures,
    by: "on the way back from its link goes on",
  },
  {
    name: "a gap is looked for, and not the floor",
    file: commit,
    from: "if (view !== undefined && generation > view.floor) {",
    to: "if (view !== undefined) {",
    tests: races,
    by: "before its link, until its number was deleted",
  },
  {
    name: "a writer below the floor tries again",
    file: commit,
    from: "    }\n  }\n  throw unknown(commit, undefined);",
    to:
      "    }\n  }\n  throw outdated(commit.place.path, { expected: parent, current: generation });",
    also: [{
      from: 'throw isHoldfastError(error, "COMMIT_UNKNOWN") ? error : unknown(commit, error);',
      to: 'throw isHoldfastError(error, "CONFLICT") ? error : unknown(commit, error);',
    }],
    tests: races,
    by: "after its link, until its number was deleted, is not made twice",
  },
  {
    name: "a writer that cannot tell unlinks its record",
    file: commit,
    from: 'throw isHoldfastError(error, "COMMIT_UNKNOWN") ? error : unknown(commit, error);',
    to: "await place.log.remove([`g.${record.generation}`]);\n" +
      '    throw isHoldfastError(error, "COMMIT_UNKNOWN") ? error : unknown(commit, error);',
    tests: races,
    by: "and then cannot sync leaves its record to those who built on it",
  },
  {
    name: "a writer below the floor unlinks its record",
    file: commit,
    from: "    }\n  }\n  throw unknown(commit, undefined);",
    to: "    }\n  }\n  await commit.place.log.remove([`g.${commit.record.generation}`]);\n" +
      "  throw unknown(commit, undefined);",
    tests: races,
    by: "before its link, until its number was deleted",
  },
  {
    name: "writers do not stand in line",
    file: contention,
    from: "return this.#meetsOthers && !isNext;",
    to: "return false;",
    tests: turns,
    by: "take turns",
  },
  {
    name: "a dead writer keeps its place in line",
    file: contention,
    from: "return top - generation <= turnAgeMax && !this.#dead.has(name);",
    to: "return top >= 0 && !this.#dead.has(name);",
    tests: turns,
    by: "do not wait for those whom sixty generations have passed",
  },
  {
    name: "a writer that closes stays in line",
    file: contention,
    from: "await turn?.place.log.remove([turn.name]).catch(() => {});",
    to: "",
    tests: turns,
    by: "leave nothing of it behind",
  },
  {
    name: "room is made while older publications are still to come",
    file: "src/store/file/recovery.ts",
    from: "  await removeOlderPublications(place, newest.generation, view);\n  const sight",
    to: "  const sight",
    tests: races,
    by: "is fenced off before another makes room on a full disk",
  },
  {
    name: "numbers below the floor are listed",
    file: "src/store/file/history.ts",
    from: "const oldest = Math.max(floor, ",
    to: "const oldest = Math.max(0, ",
    also: [{ from: " || generation <= view.floor", to: "" }],
    tests: races,
    by: "until its number was deleted, cannot tell what became of it",
  },
];
