import type { Mutant } from "./mutant.ts";

/** Faults in what somebody meets first: what they give that cannot be used, and what they count on without being told. */
export const newcomerMutants: readonly Mutant[] = [
  {
    name: "a process ends while a module is waited for",
    file: "src/reload/attempt.ts",
    from: "host.sleep(timeoutMs, { signal, keepAlive: true })",
    to: "host.sleep(timeoutMs, { signal, keepAlive: false })",
    tests: "behaviour/process",
    by: "waiting for a module",
  },
  {
    name: "a process ends while something that hangs is waited for",
    file: "src/host/bounded.ts",
    from: "keepAlive: true",
    to: "keepAlive: false",
    tests: "behaviour/process",
    by: "waiting for a health check",
  },
  {
    name: "a module loses what it has of its class",
    file: "src/config/module.ts",
    from: "return options as Module<Output>;",
    to: "return { ...options } as Module<Output>;",
    tests: "reload/reloader",
    by: "an instance of a class",
  },
  {
    name: "modules are not told what serves",
    file: "src/reload/reloader.ts",
    from: "this.#modulesOf?.(next.value as DeepReadonly<unknown>, this.instance)",
    to: "this.#modulesOf?.(next.value as DeepReadonly<unknown>, undefined)",
    tests: "reload/full_reload",
    by: "gives the modules of the program",
  },
  {
    name: "what is no plan is taken for one",
    file: "src/config/plan.ts",
    from: "  if (!isPlan(plan)) throw noPlan(parts);\n",
    to: "  void isPlan, noPlan;\n",
    tests: "config/plan",
    by: "something else is to be applied",
  },
  {
    name: "half a plan will do",
    file: "src/config/plan.ts",
    from: ' && typeof given["digest"] === "string"',
    to: "",
    tests: "config/plan",
    by: "something else is to be applied",
  },
];
