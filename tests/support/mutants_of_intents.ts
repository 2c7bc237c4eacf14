import type { Mutant } from "./mutant.ts";

const kept = "src/store/file/intents.ts";
const recovery = "src/config/trial/recovery.ts";
const onFile = "config/intents.test";
const confirmation = "config/confirmation";

/** Faults in what is kept beside a document until somebody confirms it. */
export const intentMutants: readonly Mutant[] = [
  {
    name: "an intent is not synced",
    file: kept,
    from: "await syncAndClose(await writeNew(host, draft, fileMode, encode(host, text)));",
    to: "await (await writeNew(host, draft, fileMode, encode(host, text))).close();\n" +
      "    if (text === magic) await syncAndClose(await host.create(draft, fileMode));",
    tests: onFile,
    by: "after a cut at any call while it is replaced",
  },
  {
    name: "the number of an intent is not synced",
    file: kept,
    from: "await place.secure();",
    to: "",
    tests: onFile,
    by: "after a cut at any call while it is removed",
  },
  {
    name: "an intent counts whatever came after it",
    file: kept,
    from: "if (intents.at(-1) !== number) return false;",
    to: "",
    tests: onFile,
    by: "that a writer stood still over does not come back",
  },
  {
    name: "whoever waits for a confirmation counts as dead",
    file: recovery,
    from: "if (!isOver && await showsLife(host, store, found)) {",
    to: "if (isOver && await showsLife(host, store, found)) {",
    tests: confirmation,
    by: "is left alone while its owner lives, and not after",
  },
  {
    name: "what anybody stored on a base counts as announced",
    file: "src/config/trial/intent.ts",
    from: "fingerprintOf(host, document) === intent.fingerprint",
    to: "fingerprintOf(host, document) !== undefined",
    tests: confirmation,
    by: "was never stored: what somebody else stored instead stays",
  },
  {
    name: "what the dead left is claimed by everybody",
    file: recovery,
    from: "if (!await store.writeIntent(jsonOf(claimed), found)) return undefined;",
    to: "await store.writeIntent(jsonOf(claimed), found);",
    tests: confirmation,
    by: "is taken back once by many who open it at the same moment",
  },
  {
    name: "what was written over is taken back again and again",
    file: "src/config/trial/confirmation.ts",
    from: 'if (isHoldfastError(error, "CONFLICT")) {',
    to: 'if (isHoldfastError(error, "READ_ONLY")) {',
    tests: confirmation,
    by: "is not taken back from under a newer generation that nobody told of",
  },
  {
    name: "an intent whose answer was lost counts as somebody else's",
    file: "src/store/postgres/intents.ts",
    from: "return (await this.#read()).id === id;",
    to: "return false;",
    tests: "services/postgres_intents",
    by: "are written once where the answers are lost",
  },
];
