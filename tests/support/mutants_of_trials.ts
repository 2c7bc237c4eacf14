import type { Mutant } from "./mutant.ts";

const applier = "src/config/trial/applier.ts";
const apply = "config/apply.test";
const kills = "behaviour/confirm_kills";

/** Faults in what becomes of a document that was applied on trial, when its process dies or others come in between. */
export const trialMutants: readonly Mutant[] = [
  {
    name: "what ran on trial is taken back after it was taken over",
    file: "src/config/start.ts",
    from: "    const isOld = isThere && await takeBackUnconfirmed(parts, source);\n" +
      "    await engine.start(seed, isOld ? await source.load() : loaded);",
    to: "    await engine.start(seed, loaded);\n" +
      "    if (isThere && await takeBackUnconfirmed(parts, source)) await engine.look();",
    tests: apply,
    by: "has its change taken back before it is migrated",
  },
  {
    name: "whoever does not take back what ran on trial runs with it",
    file: "src/config/trial/recovery.ts",
    from: "return isOthers ? await recover(parts, newest) : undefined;",
    to: "return undefined;",
    tests: apply,
    by: "before anybody sees it, however many open it at once",
  },
  {
    name: "what comes after a trial is on trial too",
    file: "src/config/engine.ts",
    from: "if (loaded.generation === this.#onTrial) return;",
    to: "if (this.#onTrial !== undefined) return;",
    tests: apply,
    by: "is what a person wrote over what ran on trial",
  },
  {
    name: "what may have to come back is purged by another process",
    file: applier,
    from: "(isOpenStore(source) ? await pendingIn(source) : undefined)",
    to: "(isOpenStore(source) ? undefined : await pendingIn(source))",
    tests: apply,
    by: "from being purged by another process",
  },
  {
    name: "a trial that nobody can tell of is never taken back",
    file: applier,
    from: 'if (isHoldfastError(error, "COMMIT_UNKNOWN")) await this.#settle(confirmation);',
    to: "",
    tests: apply,
    by: "is taken back though nobody could tell whether it was stored",
  },
  {
    name: "a trial whose number was not noted is not known again",
    file: "src/config/trial/intent.ts",
    from: 'origin === "commit" && parent === intent.base',
    to: 'origin === "seed" && parent === intent.base',
    tests: kills,
    by: "where deno is killed at any step",
  },
];
