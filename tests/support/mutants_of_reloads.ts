import type { Mutant } from "./mutant.ts";

const plan = "core/plan";
const reloader = "reload/reloader";
const full = "reload/full_reload";
const random = "reload/random_modules";

/** Faults in what a change comes to, and in how it is brought to the parts of a program. */
export const reloadMutants: readonly Mutant[] = [
  {
    name: "what was added as a whole is claimed by whoever selects some of it",
    file: "src/core/claim.ts",
    from: "const places = leaves.length > 0 ? leaves : [{ path, by }];",
    to: "const places = [{ path, by }];",
    tests: plan,
    by: "in every leaf of what was added",
  },
  {
    name: "a trial leaves the keys in another order",
    file: "src/core/claim.ts",
    from: "  container[step] = value;\n",
    to: "  if (value === undefined) delete container[step];\n  else container[step] = value;\n",
    tests: plan,
    by: "by keys alone",
  },
  {
    name: "what nobody claims is hot",
    file: "src/core/plan.ts",
    from: "unclaimed.filter((place) => !isHot(annotations, place))",
    to: "unclaimed.filter((place) => isHot(annotations, place))",
    tests: plan,
    by: "as a full reload where nobody selects it",
  },
  {
    name: "modules are taken back in the order in which they were changed",
    file: "src/reload/transition.ts",
    from: "reached.unshift(participant);",
    to: "reached.push(participant);",
    tests: reloader,
    by: "has those before it undone in reverse",
  },
  {
    name: "a turn passes between two modules",
    file: "src/reload/transition.ts",
    from: "const outcome: Outcome = answer instanceof Promise ? await answer : answer;",
    to: "const outcome: Outcome = await answer;",
    tests: random,
    by: "hold what it says",
  },
  {
    name: "what comes late stays",
    file: "src/reload/module_calls.ts",
    from: "this.#mendAfter(outcome.late, module, handover, isMend);",
    to: "",
    tests: reloader,
    by: "by being late is undone",
  },
  {
    name: "the modules that were asked are not told that another refused",
    file: "src/reload/transition.ts",
    from: "      this.#letGo(refusal);\n",
    to: "",
    also: [{ from: "    if (!isCarriedOut) this.#letGo(reason);\n", to: "" }],
    tests: reloader,
    by: "by never answering has nothing stored",
  },
  {
    name: "the old program is not started again",
    file: "src/reload/full_reload.ts",
    from:
      "    this.afterwards(started, () => this.#letGo(candidate));\n    await this.#startAgain(old);",
    to: "    this.afterwards(started, () => this.#letGo(candidate));",
    tests: full,
    by: "cannot be started is stopped, and the old started again",
  },
  {
    name: "what was late is forgotten though the same program goes on",
    file: "src/reload/transition.ts",
    from: "    if (isAnew) this.#parts.calls.forget();",
    to: "    this.#parts.calls.forget();\n    void isAnew;",
    tests: random,
    by: "hold what it says",
  },
  {
    name: "what came late is put right in the middle of a change",
    file: "src/reload/reloader.ts",
    from: "      await over.promise;\n",
    to: "",
    tests: full,
    by: "in the middle of another change, waits",
  },
];
