import type { Mutant } from "./mutant.ts";

const lastGood = "src/store/last_good.ts";
const refused = "config/last_good_refused";
const writes = "config/last_good_writes";

/** Faults in what runs where a source holds nothing good at the start, and in what is written beside it. */
export const lastGoodMutants: readonly Mutant[] = [
  {
    name: "a bad document keeps a config from starting",
    file: lastGood,
    from: "if (!isTurnedDown || !holdsAnything(loaded)) return loaded;",
    to: "if (loaded !== undefined) return loaded;",
    tests: refused,
    by: "beside a file without a log",
  },
  {
    name: "what was kept goes before what the store has of its own",
    file: lastGood,
    from: "before?.hash === loaded.hash && before.generation === loaded.generation",
    to: "before !== undefined",
    tests: refused,
    by: "not before what the store offers",
  },
  {
    name: "a newer generation counts as turned down",
    file: lastGood,
    from: 'if (isHoldfastError(error, "CONFLICT")) this.giveAgain();',
    to: "",
    tests: refused,
    by: "not where somebody else was quicker",
  },
  {
    name: "whatever a source throws is answered with what was kept",
    file: "src/store/stand_in_reason.ts",
    from: "return isOfContent ? turnedDown(error) : undefined;",
    to: "return isOfContent || code !== undefined ? turnedDown(error) : undefined;",
    tests: refused,
    by: "but not as SIGNATURE",
  },
  {
    name: "an open fails with why what was kept is refused",
    file: "src/config/engine.ts",
    from: "throw newest ?? error;",
    to: "throw loaded.more === true ? error : newest;",
    tests: refused,
    by: "and where the older generation is refused with it",
  },
  {
    name: "the status does not tell that the last good document runs",
    file: "src/config/status.ts",
    from: "loaded.isStandIn === true && stored !== loaded",
    to: "loaded.isStandIn === true && stored === undefined",
    tests: refused,
    by: "beside a file without a log",
  },
  {
    name: "what other layers come to by now is not asked",
    file: lastGood,
    from: "hash === before.hash ? await",
    to: "hash === undefined ? await",
    tests: writes,
    by: "is checked with the others as they are",
  },
  {
    name: "a write is based on what was turned down",
    file: "src/store/replacement_base.ts",
    from: 'written.hash === "" ? await store.adopt(refused) : untaken(refused, written)',
    to: 'written.hash === "" ? await store.adopt(untaken(refused, written)) : refused',
    tests: writes,
    by: "of the head of layers is checked",
  },
];
