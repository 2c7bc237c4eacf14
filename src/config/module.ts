import { holdfastError } from "../core/error.ts";
import type { DeepReadonly } from "../core/document.ts";
import type { Snapshot } from "./reports.ts";

/** What a module gets beside its next part. */
export interface ModuleContext<Output, Part, Ready = unknown> {
  /** The part it has now. */
  readonly previous: Part;
  /** What the part was taken from. While the change is prepared, nothing of it is stored yet. */
  readonly snapshot: Snapshot<Output>;
  /** Aborts when the time is over, or when nothing comes of the change: let go of what was built for it. */
  readonly signal: AbortSignal;
  /** What `prepare` gave for this very part; undefined when there was no `prepare`, and when a change is undone. */
  readonly prepared: Ready | undefined;
}

/**
 * A part of the program that takes its part of the configuration over while it runs. For TypeScript, write `select` before
 * `prepare`, and that before `reconfigure`: it works each one's types out from those before it.
 */
export interface ModuleOptions<Output, Part, Ready = unknown> {
  /** As messages call it; no two have the same. */
  readonly name: string;
  /**
   * Its part of the value, which may be built of several. A change that alters it is this module's business; undefined, or
   * throwing, where the value has none.
   */
  select(value: DeepReadonly<Output>): Part;
  /** What kind of module the value asks for; where that changes, it cannot be reconfigured into the other. */
  kind?(value: DeepReadonly<Output>): unknown;
  /** How long each of its functions may take, in milliseconds; the reloader's `timeoutMs` when left out. */
  readonly timeoutMs?: number | undefined;
  /**
   * Gets ready for a part, and changes nothing that is in use.
   *
   * @returns whatever `reconfigure` is to have of it
   * @throws to refuse: then nothing is stored, and all stays as it was
   */
  prepare?(next: Part, context: ModuleContext<Output, Part>): Ready | Promise<Ready>;
  /**
   * Takes a part over, or throws and changes nothing; called with the old one again when another module fails, and a moment
   * after it failed itself. Where it gives no promise, it runs in one turn
   * with the others that give none and with the change of `config.value`, so that nobody sees one without the other. When it
   * is left out, a change of the part is a full reload.
   */
  reconfigure?(next: Part, context: ModuleContext<Output, Part, Ready>): unknown;
}

/** A module of a config, whatever its part. */
export interface Module<Output> extends ModuleOptions<Output, unknown> {}

/**
 * Makes a module of what it is described by.
 *
 * @throws `UNSUPPORTED` for what is no module
 */
export function moduleOf<Output, Part, Ready>(
  options: ModuleOptions<Output, Part, Ready>,
): Module<Output> {
  const fault = moduleFault(options);
  // No copy: what is given may be an instance of a class, whose methods are not its own.
  if (fault === undefined) return options as Module<Output>;
  throw holdfastError("UNSUPPORTED", `Cannot make a module: ${fault}`, { what: "module" });
}

/**
 * What keeps something from being a module, in words that end a message.
 *
 * @returns undefined when it is one
 */
export function moduleFault(given: unknown): string | undefined {
  if (typeof given !== "object" || given === null) {
    return `found ${given === null ? "null" : typeof given}; give an object with name and select`;
  }
  const { name, select, kind, prepare, reconfigure, timeoutMs } = given as Partial<Module<unknown>>;
  if (typeof name !== "string" || name === "") {
    return "found no name; give it one of its own, a text";
  }
  if (typeof select !== "function") {
    return "found no select; give a function that takes its part of the value";
  }
  for (const [key, method] of Object.entries({ kind, prepare, reconfigure })) {
    if (method !== undefined && typeof method !== "function") {
      return `found ${typeof method} as ${key}; give a function, or leave it out`;
    }
  }
  return timeoutMs === undefined ? undefined : timeoutFault(timeoutMs);
}

/** What keeps something from being the time that a module may take, likewise. */
export function timeoutFault(timeoutMs: unknown): string | undefined {
  const isTime = typeof timeoutMs === "number" && timeoutMs > 0;
  return isTime ? undefined : "found no timeoutMs above 0; give a number of milliseconds";
}
