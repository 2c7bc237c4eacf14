/** Every fault that the suite claims to notice. */
import type { Mutant } from "./mutant.ts";
import { fenceMutants } from "./mutants_of_fences.ts";
import { flushMutants } from "./mutants_of_flushes.ts";
import { formatMutants } from "./mutants_of_formats.ts";
import { gatewayMutants } from "./mutants_of_gateway.ts";
import { intentMutants } from "./mutants_of_intents.ts";
import { lastGoodMutants } from "./mutants_of_last_good.ts";
import { layerMutants } from "./mutants_of_layers.ts";
import { natsMutants } from "./mutants_of_nats.ts";
import { newcomerMutants } from "./mutants_of_newcomers.ts";
import { placeMutants } from "./mutants_of_places.ts";
import { postgresMutants } from "./mutants_of_postgres.ts";
import { recognitionMutants } from "./mutants_of_recognition.ts";
import { reloadMutants } from "./mutants_of_reloads.ts";
import { reloadEdgeMutants } from "./mutants_of_reload_edges.ts";
import { restartMutants } from "./mutants_of_restart.ts";
import { trialMutants } from "./mutants_of_trials.ts";

const durable = "src/host/durable.ts";
const watch = "src/host/watch.ts";
const commit = "src/store/file/commit.ts";

/** Faults in files: what is written and swept, whose files are trusted. */
const files: readonly Mutant[] = [
  {
    name: "no file is synced",
    file: durable,
    from: "await file.sync();",
    to: "",
    tests: "config/protocol_cuts",
    by: "a write that was acknowledged is there",
  },
  {
    name: "directories made for a file are not synced",
    file: durable,
    from: "for (const made of missing) await host.syncDirectory(directoryOf(made));",
    to: "",
    tests: "config/file_names",
    by: "directories made for a seed are flushed",
  },
  {
    name: "a short write is taken for a whole one",
    file: durable,
    from: "while (written < bytes.length) {",
    to: "if (written < bytes.length) {",
    tests: "config/write",
    by: "a write that takes one byte",
  },
  {
    name: "a part of a file stays",
    file: durable,
    from: "await host.remove(path).catch(() => {});",
    to: "",
    tests: "config/protocol_failures",
    by: "a new file that cannot be written whole",
  },
  {
    name: "the mode is left to the umask",
    file: "adapters/node_file.ts",
    from: "if (capabilities.modes && found !== mode) await changeMode(descriptor, mode);",
    to: "",
    tests: "tests/host.test",
    by: "create sets the mode under a umask of 77",
  },
  {
    name: "others can read what is written",
    file: "src/store/file/generation_log.ts",
    from: "fileMode = 0o600;",
    to: "fileMode = 0o644;",
    tests: "config/protocol_edits",
    by: "is for its owner alone",
  },
  {
    name: "an attempt that failed leaves its files",
    file: commit,
    from: "await log.remove(made).then(() => log.remove([`rec.${id}`])).catch(() => {});",
    to: "",
    tests: "config/protocol_races",
    by: "leaves nothing of its attempt",
  },
  {
    name: "the draft of a generation stays for ever",
    file: "src/store/file/upkeep.ts",
    from: "await log.remove([`rec.${id}`]);",
    to: "",
    tests: "config/write",
    by: "EIO at every single operation of a write",
  },
  {
    name: "a young draft is swept",
    file: "src/store/file/upkeep.ts",
    from: "host.now() - stat.modifiedMs > orphanAgeMs",
    to: "host.now() >= stat.modifiedMs",
    tests: "config/write",
    by: "what dead writers left behind",
  },
  {
    name: "a probe that was left behind stays",
    file: "src/store/file/beside.ts",
    from: "await this.#host.remove(joinPath(directoryOf(this.#prefix), name)).catch(() => {});",
    to: "",
    tests: "config/write",
    by: "what dead writers left behind",
  },
  {
    name: "a swapped link is not noticed",
    file: commit,
    from: "const isElsewhere = sight.place !== place;",
    to: "const isElsewhere = false;",
    tests: "config/protocol_edits",
    by: "that becomes another by a link",
  },
  {
    name: "refused content is not kept aside",
    file: "src/store/file/publication.ts",
    from: "await commit.keepAside(found, place.path);",
    to: "",
    tests: "config/refusal",
    by: "is kept aside when a write replaces it",
  },
  {
    name: "any owner is trusted",
    file: "src/source/file_trust.ts",
    from: 'if (trust === "owner" && isForeign(file, userId)) {',
    to: 'if (trust === "any" && isForeign(file, userId)) {',
    tests: "config/refusal",
    by: "somebody else's: the last good value stays",
  },
];

/** Faults in how changes are noticed. */
const watches: readonly Mutant[] = [
  {
    name: "the debounce has no maximum",
    file: "src/host/settle.ts",
    from: "Math.min(lastHintAt + debounceMs, first + maxWaitMs)",
    to: "lastHintAt + debounceMs",
    tests: "config/watch",
    by: "a file that is never quiet is still taken over",
  },
  {
    name: "nothing is looked at after arming",
    file: watch,
    from: "      settling.nudge();\n    } catch",
    to: "    } catch",
    tests: "config/watch",
    by: "between the load and the watch is not missed",
  },
  {
    name: "a replaced directory is not watched anew",
    file: watch,
    from: "before.identity === identity && ",
    to: "",
    tests: "config/watch",
    by: "is found after the directory was deleted and made again",
  },
  {
    name: "there is no poll",
    file: watch,
    from: "      await arm();\n      settling.nudge();",
    to: "",
    tests: "config/watch",
    by: "is found by the poll alone",
  },
];

/** Faults in what is made of documents. */
const documents: readonly Mutant[] = [
  {
    name: "calls that overlap are only checked together",
    file: "src/config/edit.ts",
    from: "pointers.slice(1).every((pointer, index) => !pointer.startsWith(pointers[index]!))",
    to: "true",
    tests: "config/overlapping_calls",
    by: "are each judged by what they did themselves",
  },
  {
    name: "a write that changes nothing is answered from memory",
    file: "src/config/writer.ts",
    from: "    await this.#lookAgain();\n    const { hash, generation } =",
    to: "    const { hash, generation } =",
    tests: "config/shared_store",
    by: "is made all the same when the store moved on",
  },
  {
    name: "the value is not frozen",
    file: "src/core/snapshot.ts",
    from: "  return Object.freeze(copy);\n}\n\nfunction unsupported",
    to: "  return copy;\n}\n\nfunction unsupported",
    tests: "core/diff",
    by: "the rest is frozen",
  },
  {
    name: "a key twice is accepted",
    file: "src/format/json.ts",
    from: "sound = members === countWrittenMembers(text);",
    to: "sound = members >= 0;",
    tests: "format/json",
    by: "a key twice is refused at its place",
  },
  {
    name: "audit events tell secrets",
    file: "src/config/audit.ts",
    from: "const told = redactChanges(changeSet.changes, annotations);",
    to: "const told = redactChanges(changeSet.changes, undefined);",
    tests: "config/refusal",
    by: "a secret appears in nothing",
  },
  {
    name: "messages quote secrets",
    file: "src/core/schema.ts",
    from: "  if (place?.secret === true) return true;",
    to: "",
    tests: "core/schema",
    by: "a secret's own rule may quote it",
  },
];

/** All of them. */
export const mutants: readonly Mutant[] = [
  ...flushMutants,
  ...fenceMutants,
  ...recognitionMutants,
  ...reloadMutants,
  ...reloadEdgeMutants,
  ...restartMutants,
  ...trialMutants,
  ...formatMutants,
  ...gatewayMutants,
  ...intentMutants,
  ...lastGoodMutants,
  ...layerMutants,
  ...placeMutants,
  ...postgresMutants,
  ...natsMutants,
  ...newcomerMutants,
  ...files,
  ...watches,
  ...documents,
];
