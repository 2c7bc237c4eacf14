import { type Module, moduleFault, timeoutFault } from "../config/module.ts";
import { Queue } from "../config/queue.ts";
import {
  attach,
  type Attachment,
  type Reconfiguration,
  type Reconfigurer,
  type Step,
} from "../config/reconfigurer.ts";
import type { ReadonlyConfig } from "../config/types.ts";
import type { DeepReadonly } from "../core/document.ts";
import { holdfastError } from "../core/error.ts";
import { timeoutMsDefault } from "../core/limits.ts";
import { type ChangePlan, planChange, type PlannedAction, reasonsIn } from "../core/plan.ts";
import { ignoreRejection, isPromise } from "../core/promise.ts";
import { reasonOf } from "../core/reason.ts";
import {
  type Builder,
  type FullReload,
  type FullReloadSteps,
  FunctionBuilder,
  StepsBuilder,
} from "./full_reload.ts";
import { ModuleCalls } from "./module_calls.ts";
import { nobodyBuilds, unusable } from "./refused.ts";
import { Transition } from "./transition.ts";

/** How a program follows its config. */
export interface ReloaderOptions<Output, Instance = undefined> {
  /**
   * Gives the modules that there are, in the order in which they take a change over; called at every reload and every plan,
   * with the value that is to run, and with what serves where a full reload is given in steps. Without any, every change is a
   * full reload.
   */
  readonly modules?:
    | ((value: DeepReadonly<Output>, instance: Instance) => readonly Module<Output>[])
    | undefined;
  /**
   * Builds the program anew for a change that no module takes over, in one function or in steps. All of it, with what its
   * modules hold: they are not called for such a change. Without it, such a change is refused.
   */
  readonly fullReload?: FullReload<Output> | FullReloadSteps<Output, Instance> | undefined;
  /** How long each function of a module, and each of a full reload, may take, in milliseconds. Default: 5 s. */
  readonly timeoutMs?: number | undefined;
}

/** What brings the changes of a config to a program. */
export interface Reloader<Instance = undefined> {
  /** What serves, where a full reload is given in steps. */
  readonly instance: Instance;
  /**
   * Lets changes go their way without the program, which is not stopped. The one under way is carried out first.
   *
   * @returns resolves when it is
   */
  close(): Promise<void>;
  /** The same, for `using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Has every change of a config taken over by the parts of the program that it concerns: by all of them, or by none. All are
 * asked before anything is stored; then each takes its part over, in order, and where one fails, those before it take their old
 * parts over again. What no module selects has the program built anew.
 *
 * @param config what `openConfig` gave
 * @param options the modules, and what builds the program anew
 * @returns the reloader, from whose making on every change goes by it
 * @throws `UNSUPPORTED` for options that cannot be used, for what is no config, and where it has a reloader; `CLOSED`
 *
 * @example
 * ```ts
 * import { createReloader, memory, openConfig } from "holdfast";
 * import * as v from "valibot";
 *
 * const schema = v.object({ pool: v.optional(v.object({ size: v.number() }), { size: 2 }) });
 * const config = await openConfig(memory({}), { schema });
 * let slots = config.value.pool.size;
 * const pool = config.module({
 *   name: "pool",
 *   select: (value) => value.pool,
 *   reconfigure: (next) => slots = next.size,
 * });
 * const reloader = createReloader(config, { modules: () => [pool] });
 * await config.setAt(["pool", "size"], 8);
 * console.log(slots); // 8
 * await reloader.close();
 * await config.close();
 * ```
 */
export function createReloader<Output, Instance = undefined>(
  config: Pick<ReadonlyConfig<Output>, "snapshot">,
  options: ReloaderOptions<Output, Instance> = {},
): Reloader<Instance> {
  const given = options as ReloaderOptions<unknown, unknown>;
  checkOptions(given);
  return new LiveReloader(config, given) as Reloader<unknown> as Reloader<Instance>;
}

class LiveReloader implements Reconfigurer, Reloader<unknown> {
  readonly #modulesOf: ReloaderOptions<unknown, unknown>["modules"];
  readonly #attachment: Attachment;
  readonly #turns = new Queue();
  readonly #calls: ModuleCalls;
  readonly #builder: Builder | undefined;
  /** The last change that was asked for: what is said of it may quote its secrets. */
  #step: Step | undefined;
  /** The names of the modules at the last change. */
  #known: ReadonlySet<string> | undefined;

  constructor(
    config: Pick<ReadonlyConfig<unknown>, "snapshot">,
    { modules, fullReload, timeoutMs = timeoutMsDefault }: ReloaderOptions<unknown, unknown>,
  ) {
    this.#modulesOf = modules;
    const attachment = this.#attachment = attach(config, this);
    const running = () => config.snapshot();
    const parts = { attachment, timeoutMs, running, turns: this.#turns, reasonOf: this.#reasonOf };
    this.#calls = new ModuleCalls(parts);
    if (typeof fullReload === "function") this.#builder = new FunctionBuilder(fullReload, parts);
    else if (fullReload !== undefined) this.#builder = new StepsBuilder(fullReload, parts);
  }

  get instance(): unknown {
    return this.#builder?.instance;
  }

  get isUnsettled(): boolean {
    return this.#calls.unsettled.size > 0 || this.#builder?.isDown === true;
  }

  plan(step: Step): readonly PlannedAction[] {
    return this.#planFor(step, this.#modulesFor(step)).actions;
  }

  async prepare(step: Step): Promise<Reconfiguration> {
    const asked = Promise.withResolvers<Reconfiguration>();
    // Until it is over, nothing that came late is put right: that could have the program built anew underneath it.
    void this.#turns.run(async () => {
      const over = Promise.withResolvers<void>();
      try {
        const transition = this.#begin(step, over.resolve);
        await transition.ask();
        asked.resolve(transition);
      } catch (error) {
        asked.reject(error);
        return;
      }
      await over.promise;
    });
    return await asked.promise;
  }

  readonly #reasonOf = (cause: unknown): string => {
    const { previous, next } = this.#step ?? {};
    const values = [previous?.value, next?.value];
    return reasonOf(cause, values, this.#attachment.annotations);
  };

  #begin(step: Step, over: () => void): Transition {
    this.#step = step;
    const modules = this.#modulesFor(step);
    return new Transition(
      {
        attachment: this.#attachment,
        calls: this.#calls,
        builder: this.#builder,
        reasonOf: this.#reasonOf,
        ended: (isCarriedOut) => {
          if (isCarriedOut) this.#known = new Set(modules.map(({ name }) => name));
          over();
        },
      },
      step,
      this.#planFor(step, modules),
    );
  }

  async close(): Promise<void> {
    this.#attachment.detach();
    await this.#turns.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #planFor(
    { previous, next, changes, pending }: Step,
    modules: readonly Module<unknown>[],
  ): ChangePlan<Module<unknown>> {
    const plan = planChange({
      before: previous.value,
      after: next.value,
      changes,
      pending,
      modules,
      known: this.#known,
      unsettled: this.#calls.unsettled,
      annotations: this.#attachment.annotations,
    });
    const reasons = reasonsIn(plan);
    if (this.#builder !== undefined || reasons.length === 0) return plan;
    throw nobodyBuilds(this.#attachment.name, reasons);
  }

  #modulesFor({ previous, next }: Step): readonly Module<unknown>[] {
    const { name, annotations } = this.#attachment;
    let modules: unknown;
    try {
      modules = this.#modulesOf?.(next.value as DeepReadonly<unknown>, this.instance) ?? [];
    } catch (cause) {
      const reason = reasonOf(cause, [previous.value, next.value], annotations);
      throw unusable(name, `found that modules() throws (${reason}); mend it`, cause);
    }
    return checkModules(name, modules);
  }
}

function checkModules(config: string, given: unknown): readonly Module<unknown>[] {
  if (!Array.isArray(given)) {
    ignoreRejection(given);
    const found = isPromise(given) ? "a promise" : typeof given;
    throw unusable(config, `found that modules() gives ${found}; let it give an array`);
  }
  const names = new Set<string>();
  for (const [index, module] of given.entries()) {
    const fault = moduleFault(module);
    if (fault !== undefined) throw unusable(config, `of modules()[${index}], ${fault}`);
    const { name } = module as Module<unknown>;
    if (names.has(name)) {
      const twice = `found two of the name ${JSON.stringify(name)}; give each one of its own`;
      throw unusable(config, twice, undefined, name);
    }
    names.add(name);
  }
  return [...given];
}

function checkOptions(options: ReloaderOptions<unknown, unknown> | null): void {
  const { modules, fullReload, timeoutMs } = options ?? {};
  const fault = options === null
    ? "found null as its options; give an object, or leave them out"
    : modules !== undefined && typeof modules !== "function"
    ? `found ${typeof modules} as modules; give a function that lists them`
    : fullReload !== undefined && typeof fullReload !== "function"
    ? stepsFault(fullReload)
    : timeoutMs === undefined
    ? undefined
    : timeoutFault(timeoutMs);
  if (fault === undefined) return;
  throw holdfastError("UNSUPPORTED", `Cannot create a reloader: ${fault}`, { what: "reloader" });
}

function stepsFault(steps: FullReloadSteps<unknown, unknown>): string | undefined {
  const isWhole = typeof steps === "object" && steps !== null &&
    [steps.build, steps.start, steps.stop].every((step) => typeof step === "function");
  return isWhole
    ? undefined
    : "found no full reload; give a function, or an object with instance, build, start and stop";
}
