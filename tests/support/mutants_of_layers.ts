import type { Mutant } from "./mutant.ts";

const layers = "src/source/layers.ts";
const apart = "config/layers_apart";
const lastGood = "config/last_good";

/** Faults in what lays sources over one another, and in what stands in for them. */
export const layerMutants: readonly Mutant[] = [
  {
    name: "a layer with a history is followed step by step",
    file: layers,
    from: "loaded.more === true && look < looksMax",
    to: "loaded.more === true && look < 1",
    tests: apart,
    by: "is seen though the file has a history of its own",
  },
  {
    name: "layers are read one after the other, and that is that",
    file: layers,
    from: "look < agreeingLooksMax && !isSame(before, loaded)",
    to: "look < 1 && !isSame(before, loaded)",
    tests: apart,
    by: "made while another was read makes no value that never was",
  },
  {
    name: "layers within layers are one",
    file: layers,
    from: "loaded.layers?.parts ?? [partOf(",
    to: "[partOf(",
    tests: apart,
    by: "count each for itself",
  },
  {
    name: "layers are not migrated",
    file: "src/config/open.ts",
    from: "upgrade: pipeline.upgrade,",
    to: "",
    tests: apart,
    by: "are brought to the newest",
  },
  {
    name: "a write beside a broken layer clears the status",
    file: "src/config/engine.ts",
    from: "if (isBeside) this.#refusals.replace(refusal);",
    to: "",
    tests: apart,
    by: "leaves the status as it was",
  },
  {
    name: "a good head is replaced since another layer is broken",
    file: "src/config/refusal.ts",
    from: "loaded !== undefined && !isFaultOfOthers(loaded)",
    to: "loaded !== undefined && !isFaultOfOthers({ ...loaded, layers: undefined })",
    tests: apart,
    by: "does not replace what a person saved",
  },
  {
    name: "layers stay in line after a write was given up",
    file: "src/store/layered.ts",
    from: "await this.#head.abandon?.();",
    to: "",
    tests: apart,
    by: "lets go of its place in the line",
  },
  {
    name: "a write may extend what is not there",
    file: "src/store/file/extending.ts",
    from: "if (tried.fault !== undefined) throw tried.fault;",
    to: "",
    tests: "config/extends",
    by: "takes what a write makes it extend at once",
  },
  {
    name: "anybody may have written the last good document",
    file: "src/store/kept_file.ts",
    from: "for (const warning of judgeTrust(host, evidence)) warn(warning);",
    to: "void [evidence, judgeTrust, warn];",
    tests: lastGood,
    by: "is not taken from somebody else",
  },
  {
    name: "what was kept goes on where the source has the same",
    file: "src/config/running.ts",
    from: "running.isStandIn !== true",
    to: "running.hash !== undefined",
    tests: lastGood,
    by: "gives way to the source",
  },
];
