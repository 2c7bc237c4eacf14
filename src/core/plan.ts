import { type Annotations, cutAtSecret, isHot } from "./annotation.ts";
import { type Claim, claimsOf, type Difference } from "./claim.ts";
import { diff } from "./diff.ts";
import { holdfastError, type Path } from "./error.ts";
import { formatPointer } from "./pointer.ts";
import type { PendingRestart } from "./restart.ts";

/** One thing that a change of the value comes to. */
export type PlannedAction =
  /** Whoever reads the value or subscribes sees it, and nothing else is to be done. */
  | { readonly kind: "hot"; readonly paths: readonly Path[] }
  /** A module takes its new part over in place. */
  | { readonly kind: "reconfigure"; readonly module: string; readonly paths: readonly Path[] }
  /** The program is built anew. */
  | { readonly kind: "full_reload"; readonly reasons: readonly FullReloadReason[] }
  /** The running value stays until a restart. */
  | { readonly kind: "restart_required"; readonly paths: readonly Path[] };

/** Why nothing less than a full reload does. */
export interface FullReloadReason {
  /**
   * `unclaimed`: no module selects what changed; `added`, `removed`, `retyped`: the module itself; `fixed`: the module cannot
   * be reconfigured; `no modules`: nothing is there that could be.
   */
  readonly why: "unclaimed" | "added" | "removed" | "retyped" | "fixed" | "no modules";
  /** Its name. */
  readonly module?: string;
  /** What changed. */
  readonly paths: readonly Path[];
}

/** What a plan has to know of a module. */
export interface PlannedModule {
  readonly name: string;
  select(value: unknown): unknown;
  kind?(value: unknown): unknown;
  reconfigure?: unknown;
}

/** A module whose part a change alters, and what becomes of it. */
export interface ConcernedModule<Module> {
  readonly module: Module;
  readonly before: unknown;
  readonly after: unknown;
  readonly fate: "reconfigure" | Exclude<FullReloadReason["why"], "unclaimed" | "no modules">;
  /** What of the change it selects. */
  readonly paths: readonly Path[];
}

/** A change to be planned for. */
export interface PlanQuestion<Module> extends Difference {
  readonly pending: readonly PendingRestart[];
  /** In the order in which they are to be reconfigured; undefined where nothing is there that asks for it. */
  readonly modules: readonly Module[] | undefined;
  /** The names of the modules that there were at the last change; undefined when it is not known. */
  readonly known?: ReadonlySet<string> | undefined;
  /** The names of those that may hold another part than that of the value before. */
  readonly unsettled?: ReadonlySet<string> | undefined;
  readonly annotations: Annotations | undefined;
}

/** What a change comes to. */
export interface ChangePlan<Module> {
  readonly actions: readonly PlannedAction[];
  /** In the order of the modules. */
  readonly concerned: readonly ConcernedModule<Module>[];
}

/**
 * Works out what a change of the value comes to. All of it is accounted for: what no module selects, and the schema does not
 * declare to be hot, is a full reload, which takes the place of all that the modules would do.
 *
 * @throws `RELOAD_REFUSED` where a module's parts cannot be compared
 */
export function planChange<Module extends PlannedModule>(
  question: PlanQuestion<Module>,
): ChangePlan<Module> {
  const { modules, changes, annotations } = question;
  const told = (paths: readonly Path[]) => withoutSecrets(paths, annotations);
  const restart = listed("restart_required", told(question.pending.map(({ path }) => path)));
  if (modules === undefined) {
    const hot = listed("hot", told(changes.map(({ path }) => path)));
    return { actions: [...hot, ...restart], concerned: [] };
  }
  const drafts = draftsOf(question, modules);
  const claims = claimsOf(question, drafts);
  const concerned = drafts.map(({ take: _, ...draft }, index): ConcernedModule<Module> => {
    const claimed = claims.filter(({ by }) => by.has(index));
    return { ...draft, paths: told(claimed.map(({ path }) => path)) };
  });
  const { hot, cold } = unclaimedIn(claims, annotations);
  const reasons = [
    ...reasonsOf(concerned),
    ...namesThatCameAndWent(question, concerned),
    ...(cold.length === 0 ? [] : [{ why: whyCold(modules), paths: told(cold) }]),
  ];
  const actions: PlannedAction[] = reasons.length > 0
    ? [{ kind: "full_reload", reasons }]
    : concerned.map(({ module, paths }) => ({
      kind: "reconfigure",
      module: module.name,
      paths,
    }));
  return { actions: [...listed("hot", told(hot)), ...actions, ...restart], concerned };
}

/** Why a plan has the program built anew; empty where it does not. */
export function reasonsIn({ actions }: ChangePlan<unknown>): readonly FullReloadReason[] {
  return actions.flatMap((action) => action.kind === "full_reload" ? action.reasons : []);
}

/** A module that is concerned, with what takes its part. */
interface Draft<Module> extends Omit<ConcernedModule<Module>, "paths"> {
  readonly take: (value: unknown) => unknown;
}

function draftsOf<Module extends PlannedModule>(
  { before, after, known, unsettled }: PlanQuestion<Module>,
  modules: readonly Module[],
): Draft<Module>[] {
  return modules.flatMap((module): Draft<Module>[] => {
    const take = (value: unknown) => attempt(() => module.select(value));
    const part = { before: take(before), after: take(after) };
    if (part.before === undefined && part.after === undefined) return [];
    const kindOf = (value: unknown) => attempt(() => module.kind?.(value));
    const isRetyped = isDifferent(module, "kind", kindOf(before), kindOf(after));
    const isDue = isRetyped || unsettled?.has(module.name) === true ||
      isDifferent(module, "part", part.before, part.after);
    if (!isDue) return [];
    const isNew = known?.has(module.name) === false;
    return [{ module, take, ...part, fate: fateOf(module, part, isRetyped, isNew) }];
  });
}

function fateOf(
  module: PlannedModule,
  { before, after }: { readonly before: unknown; readonly after: unknown },
  isRetyped: boolean,
  isNew: boolean,
): ConcernedModule<unknown>["fate"] {
  if (after === undefined) return "removed";
  if (isNew || before === undefined) return "added";
  if (isRetyped) return "retyped";
  return module.reconfigure === undefined ? "fixed" : "reconfigure";
}

/** Where a module throws, the value has nothing for it. */
function attempt(take: () => unknown): unknown {
  try {
    return take();
  } catch {
    return undefined;
  }
}

function isDifferent(
  { name }: PlannedModule,
  what: string,
  before: unknown,
  after: unknown,
): boolean {
  if (before === after) return false;
  try {
    return diff(before, after).length > 0;
  } catch (cause) {
    throw holdfastError(
      "RELOAD_REFUSED",
      `Cannot plan the reload of module ${JSON.stringify(name)}: found a ${what} that cannot be ` +
        "compared; let it give plain data, taken from the value",
      { module: name },
      cause,
    );
  }
}

/** What nobody claims: what is declared to be harmless, and the rest. */
function unclaimedIn(
  claims: readonly Claim[],
  annotations: Annotations | undefined,
): { readonly hot: readonly Path[]; readonly cold: readonly Path[] } {
  const hot: Path[] = [];
  const cold: Path[] = [];
  for (const { path, unclaimed, isWhole } of claims) {
    if (unclaimed.length === 0) continue;
    const rest = unclaimed.filter((place) => !isHot(annotations, place));
    if (rest.length === 0) hot.push(...(isWhole ? [path] : unclaimed));
    else if (isWhole && rest.length === unclaimed.length) cold.push(path);
    else cold.push(...rest);
  }
  return { hot, cold };
}

function whyCold(modules: readonly unknown[]): FullReloadReason["why"] {
  return modules.length === 0 ? "no modules" : "unclaimed";
}

function reasonsOf(concerned: readonly ConcernedModule<PlannedModule>[]): FullReloadReason[] {
  return concerned.flatMap(({ module: { name }, fate, paths }) => {
    return fate === "reconfigure" ? [] : [{ why: fate, module: name, paths }];
  });
}

/** Modules that are or are not listed any more, though what they select is the same. */
function namesThatCameAndWent(
  { modules = [], known }: PlanQuestion<PlannedModule>,
  concerned: readonly ConcernedModule<PlannedModule>[],
): FullReloadReason[] {
  if (known === undefined) return [];
  const listedNames = new Set(modules.map(({ name }) => name));
  const concernedNames = new Set(concerned.map(({ module }) => module.name));
  const added = [...listedNames].filter((name) => !known.has(name) && !concernedNames.has(name));
  const removed = [...known].filter((name) => !listedNames.has(name));
  return [
    ...added.map((module): FullReloadReason => ({ why: "added", module, paths: [] })),
    ...removed.map((module): FullReloadReason => ({ why: "removed", module, paths: [] })),
  ];
}

function listed(kind: "hot" | "restart_required", paths: readonly Path[]): PlannedAction[] {
  return paths.length === 0 ? [] : [{ kind, paths }];
}

/** Paths as far as they may be told, each once. */
function withoutSecrets(
  paths: readonly Path[],
  annotations: Annotations | undefined,
): readonly Path[] {
  if (annotations?.mayHoldSecret !== true) return paths;
  const told = paths.map((path) => cutAtSecret(annotations, path));
  return [...new Map(told.map((path) => [formatPointer(path), path])).values()];
}
