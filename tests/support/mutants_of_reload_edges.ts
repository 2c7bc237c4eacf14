import type { Mutant } from "./mutant.ts";

const edges = "config/reload_edges";
const secrecy = "config/reload_secrecy";
const engine = "src/config/engine.ts";
const writer = "src/config/writer.ts";

/** Faults where reloads meet other layers, deadlines, trials and secrets. */
export const reloadEdgeMutants: readonly Mutant[] = [
  {
    name: "a layer that a module failed at runs after a write to the head",
    file: engine,
    from: "beside: isBeside ? running.loaded : undefined,",
    to: "beside: undefined,",
    tests: edges,
    by: "does not count as running",
  },
  {
    name: "a call that was told TIMEOUT is stored with the others",
    file: writer,
    from: "return calls.every((call) => !call.settled);",
    to: "return calls.some((call) => !call.settled);",
    tests: edges,
    by: "is not stored with those",
  },
  {
    name: "a trial is tried again while another one waits",
    file: writer,
    from: "how?.pledge !== undefined || attempt",
    to: "attempt",
    tests: edges,
    by: "asks the modules once",
  },
  {
    name: "what was written over a trial is never the last good",
    file: engine,
    from: "if (loaded.generation === this.#onTrial) return;",
    to: "if (this.#onTrial !== undefined) return;",
    tests: edges,
    by: "keeps nothing from being the last good",
  },
  {
    name: "modules that are stuck stay so until the value changes",
    file: "src/config/reloads.ts",
    from: "return this.reconfigurer?.isUnsettled === true;",
    to: "return false;",
    tests: edges,
    by: "takes over what runs",
  },
  {
    name: "a failed write stays where the turn to take it back is lost",
    file: "src/config/bring_back.ts",
    from: "if (!isSameContent(found, base)) throw error;",
    to: "if (found !== undefined) throw error;",
    tests: edges,
    by: "though the turn is lost",
  },
  {
    name: "a secret is hidden as it is, and not as URLs write it",
    file: "src/core/redact.ts",
    from: "    encodeURIComponent(secret.toWellFormed()),\n",
    to: "",
    tests: secrecy,
    by: "is hidden",
  },
];
