import type { Mutant } from "./mutant.ts";

const restart = "src/core/restart.ts";
const subscriber = "src/config/subscribe/subscriber.ts";
const steps = "src/config/subscribe/steps.ts";
const held = "tests/core/restart.test";
const subscribe = "tests/config/subscribe.test";

/** Faults in what waits for a restart, and in how subscribers are woken. */
export const restartMutants: readonly Mutant[] = [
  {
    name: "what is mixed is not asked of the schema",
    file: restart,
    from: "if (!validation.ok) {",
    to: "if (!validation.ok && places.length > 1e9) {",
    also: [{ from: "diff(validation.value, value)[0]", to: "diff(value, value)[0]" }],
    tests: held,
    by: "holds back the part that the rule is about",
  },
  {
    name: "a mixture that comes out as something else is taken",
    file: restart,
    from: "if (differing !== undefined) return",
    to: "if (differing?.path.length === -1) return",
    tests: held,
    by: "would not leave what either of the two is",
  },
  {
    name: "options of a union are mixed",
    file: restart,
    from: "if (was !== will || !areAlike)",
    to: "if (!areAlike)",
    tests: held,
    by: "of a variant stays as a whole",
  },
  {
    name: "what one option marks is kept in another",
    file: "src/core/annotation.ts",
    from: "if (!hasUnion) return place;",
    to: "if (!hasUnion || value !== null) return place;",
    tests: held,
    by: "does not keep what another one marks",
  },
  {
    name: "options that nothing tells apart are mixed",
    file: restart,
    from: "const isOne = areArrays || was.isAmbiguous;",
    to: "const isOne = areArrays;",
    tests: held,
    by: "that nothing tells from the others",
  },
  {
    name: "the mixture is made of the value that was read first",
    file: "src/config/running_value.ts",
    from: "{ loaded, document, input, snapshot,",
    to: "{ loaded, document, input: this.#current?.input ?? input, snapshot,",
    tests: "tests/config/restart.test",
    by: "in an entry that came later",
  },
  {
    name: "what waits is told at every change",
    file: "src/config/running.ts",
    from: "return !known.has(pointer) || diff(",
    to: "return known.size >= 0 || diff(",
    tests: "tests/config/restart.test",
    by: "is told once, whatever else is written",
  },
  {
    name: "a subscriber with an equality of its own drifts",
    file: subscriber,
    from: "if (this.#subscription.options.equals !== undefined) return;",
    to: "",
    tests: subscribe,
    by: "so that no drift is lost",
  },
  {
    name: "what a listener wrote to counts as what it got",
    file: subscriber,
    from: "const before = this.#selectLast();",
    to: "const before = this.#part === undefined ? this.#selectLast() : this.#part.value;",
    tests: subscribe,
    by: "whose part a listener writes to",
  },
  {
    name: "a listener that hangs is told of after it was stopped",
    file: subscriber,
    from: "this.#busy?.abort();",
    to: "",
    tests: subscribe,
    by: "is told of once, and not after it was stopped",
  },
  {
    name: "a busy listener is called",
    file: subscriber,
    from: "if (this.#ended || this.#busy !== undefined || this.#seen === newest) return;",
    to: "if (this.#ended || this.#seen === newest) return;",
    tests: subscribe,
    by: "that is slow gets the newest value",
  },
  {
    name: "somebody is named for changes of others",
    file: steps,
    from: "missedCount > this.#last.length ? []",
    to: "missedCount > 1e9 ? []",
    tests: subscribe,
    by: "hears who made the changes it missed",
  },
];
