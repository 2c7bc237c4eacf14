/** Every move that a state allows: a step of a process, a sync that works or fails, a power cut. */
import { excuseUndone, saveByRename, textsOf, truncate, write } from "./editor.ts";
import type { Programs } from "./programs.ts";
import { auditCut, isRecorded, noteDurableEdit } from "./properties.ts";
import { recognise } from "./recognition.ts";
import { type Context, type Draft, type Next, takeBase } from "./context.ts";
import { steps } from "./steps.ts";
import {
  diskImages,
  failFile,
  forgetUseless,
  type Storage,
  syncDirectory,
  syncFile,
} from "./storage.ts";
import {
  type Editor,
  listGenerations,
  markOf,
  newestOf,
  type Plan,
  type Process,
  publishedContent,
  recordOf,
  type Task,
  type World,
} from "./world.ts";

/** A move: what it is, the state after it, and what it violates. */
export interface Move {
  readonly label: string;
  readonly world: World;
  readonly violations: readonly string[];
}

/** A plan with its programs. */
export interface Rules {
  readonly plan: Plan;
  readonly programs: Programs;
}

/** The moves of one process. */
export function movesOf(world: World, index: number, rules: Rules): Move[] {
  const process = world.processes[index]!;
  if (process.task !== undefined) return run(world, index, rules);
  if (process.runsLeft === 0) return [];
  if (process.kind === "helper") return open(world, index, rules);
  const program = process.kind === "editor" ? editorOf(world, index, rules).manner : process.kind;
  // Idle processes that are alike need not start in every order.
  const twin = world.processes.findIndex((other) =>
    other.task === undefined && other.kind === process.kind && other.runsLeft === process.runsLeft
  );
  if (twin !== index && process.kind !== "editor") return [];
  return run(start(world, index, program), index, rules);
}

function editorOf(world: World, index: number, { plan }: Rules): Editor {
  return plan.editors![index - world.processes.findIndex(({ kind }) => kind === "editor")]!;
}

function start(world: World, index: number, program: string): World {
  const process = world.processes[index]!;
  const task: Task = {
    program,
    at: 0,
    id: `${process.kind[0]}${index}${"abcdefghi"[process.run]}`,
    generation: 0,
    parentGeneration: 0,
    parentId: "",
  };
  const { kind, runsLeft, run } = process;
  return withProcess(world, index, { kind, runsLeft: runsLeft - 1, run: run + 1, task });
}

function withProcess(world: World, index: number, process: Process): World {
  return { ...world, processes: world.processes.with(index, process) };
}

/** Recovery: what does config.json want? Asking is free; only an answer that needs work uses up a run. */
function open(world: World, index: number, { plan }: Rules): Move[] {
  const { storage } = world;
  if (newestOf(storage) === undefined) {
    return [{ label: "helper opens", world, violations: ["the log is empty"] }];
  }
  const finding = recognise(storage, plan.variants ?? []);
  if (finding.kind === "torn" || finding.kind === "current") return [];
  const program = finding.kind === "edit"
    ? "adopt"
    : finding.kind === "half" && finding.isNext
    ? "finish"
    : "forward";
  const next = start(world, index, program);
  const task = next.processes[index]!.task!;
  const base = takeBase(task, storage)!;
  const violations: string[] = [];
  if (program === "forward") task.generation = base.generation;
  if (finding.kind === "half") task.parentId = finding.id;
  if (program === "adopt") {
    task.seenInode = storage.visible.get("R")!;
    task.seenContent = publishedContent(storage)!;
    violations.push(...checkAdoption(world, task.seenContent));
  }
  return [{ label: `${task.id} opens: ${program}`, world: next, violations }];
}

function checkAdoption(world: World, content: string): string[] {
  const mark = markOf(content);
  if (mark === undefined) return ["our own text is taken for an edit"];
  if (isRecorded(world, mark)) return ["an edit is adopted twice"];
  const builders = world.agreedEdits.get(mark)?.split(",") ?? [];
  if (builders.some((id) => isListed(world, id))) {
    return ["a text that was current is taken for an edit"];
  }
  return [];
}

/** The next step of a task. */
function run(world: World, index: number, rules: Rules): Move[] {
  const task = { ...world.processes[index]!.task! };
  for (;;) {
    const step = rules.programs[task.program]![task.at];
    if (step === undefined) return [take(world, index, rules, task, () => "end", "done")];
    if (step === "save" || step === "write") return edits(world, index, rules, task, step);
    if (step.startsWith("sync:")) {
      const targets = task.toSync ?? targetsOf(step, task);
      if (targets.length > 0) return syncs(world, index, rules, task, targets);
    } else {
      const move = take(world, index, rules, task, stepOf(step), step);
      if (!isSkip(move)) return [move];
    }
    task.at++;
  }
}

function stepOf(step: string): (context: Context) => Next {
  return step === "truncate" ? truncate : steps[step]!;
}

const skipped: Move = { label: "", world: undefined as never, violations: [] };

function isSkip(move: Move): boolean {
  return move === skipped;
}

/** Takes a step and moves the task on. */
function take(
  world: World,
  index: number,
  { plan, programs }: Rules,
  from: Task,
  step: (context: Context) => Next,
  name: string,
): Move {
  const draft: Draft = { ...world };
  const task = { ...from };
  const context: Context = { draft, plan, task, violations: [], note: "" };
  const next = step(context);
  if (next === "skip") return skipped;
  if (next === "next") task.at++;
  if (next === "abandon") {
    task.program = "abandon";
    task.at = 0;
  }
  const isEnd = next === "end" || task.at >= programs[task.program]!.length;
  const { kind, runsLeft, run } = world.processes[index]!;
  const process: Process = isEnd ? { kind, runsLeft, run } : { kind, runsLeft, run, task };
  const label = `${task.id} ${name} ${context.note}`.trimEnd();
  return {
    label,
    world: settle(withProcess(draft, index, process), world),
    violations: context.violations,
  };
}

function edits(world: World, index: number, rules: Rules, task: Task, step: string): Move[] {
  const editor = editorOf(world, index, rules);
  const context: Context = {
    draft: { ...world },
    plan: rules.plan,
    task,
    violations: [],
    note: "",
  };
  return textsOf(context, editor).map((text) => {
    const save = (inner: Context): Next =>
      step === "save" ? saveByRename(inner, editor, text) : write(inner, text);
    return take(world, index, rules, task, save, step);
  });
}

/** What a round syncs; nothing where it is about a file that needs no work. */
function targetsOf(step: string, task: Task): string[] {
  const targets = step.slice("sync:".length).split(",");
  return targets.includes("seen") && task.seenInode === undefined ? [] : targets;
}

function syncs(
  world: World,
  index: number,
  rules: Rules,
  task: Task,
  targets: readonly string[],
): Move[] {
  const steps = rules.programs[task.program]!;
  return targets.flatMap((target) => {
    const left = targets.filter((other) => other !== target);
    const sync = (context: Context): Next => {
      context.draft.storage = syncTarget(context, target);
      if (left.length === 0) {
        delete context.task.toSync;
        return "next";
      }
      context.task.toSync = left;
      return "again";
    };
    const fail = (context: Context): Next => {
      context.draft.failures++;
      for (const inode of inodesOf(target, task)) {
        context.draft.storage = failFile(context.draft.storage, inode);
      }
      const isRetried = hasVariant(
        rules.plan,
        isDirectory(target) ? "retryDirectory" : "retryFile",
      );
      if (isRetried) return "again";
      delete context.task.toSync;
      if (hasVariant(rules.plan, "ignoreFailure")) return "next";
      // Before the link nothing has happened; after it nobody knows whether it will stay.
      const isBefore = steps.indexOf("link", task.at) !== -1 ||
        steps.indexOf("publish", task.at) !== -1;
      return isBefore ? "abandon" : "end";
    };
    const moves = [take(world, index, rules, task, sync, `sync ${target}`)];
    if (world.failures < (rules.plan.failures ?? 0)) {
      moves.push(take(world, index, rules, task, fail, `sync ${target} FAILS`));
    }
    return moves;
  });
}

function isDirectory(target: string): boolean {
  return target === "L" || target === "R";
}

function hasVariant(plan: Plan, variant: string): boolean {
  return plan.variants?.includes(variant) ?? false;
}

function syncTarget({ draft, plan, task }: Context, target: string): Storage {
  if (target === "L" || target === "R") return syncDirectory(draft.storage, plan.cutModel, target);
  return inodesOf(target, task).reduce(syncFile, draft.storage);
}

function inodesOf(target: string, task: Task): string[] {
  if (target === "L" || target === "R") return [];
  if (target === "seen") return [task.seenInode!];
  // A writer's record and its file to be published count as one: nobody else can tell.
  if (target === "own") return [`r:${task.id}`, `p:${task.id}`];
  return [target === "rec" ? `r:${task.id}` : `p:${task.id}`];
}

/** Forgets what nobody can use any more, and notes what is on disk now. */
function settle(world: World, before: World): World {
  if (world.storage === before.storage) return world;
  const running = new Set<string>();
  for (const { task } of world.processes) {
    if (task !== undefined) running.add(task.id).add(task.parentId);
  }
  const draft: Draft = {
    ...world,
    storage: forgetUseless(world.storage, running, heldInodes(world)),
  };
  noteDurableEdit(draft);
  return draft;
}

function heldInodes(world: World): string[] {
  return world.processes.flatMap(({ kind, task }) =>
    kind === "editor" && task?.seenInode !== undefined ? [task.seenInode] : []
  );
}

/** What may be left when the power fails now. */
export function cutMoves(world: World, { plan }: Rules): Move[] {
  return diskImages(world.storage, plan.cutModel).map(({ storage, label }) => {
    const processes = world.processes.map(({ kind, runsLeft, run }) => ({ kind, runsLeft, run }));
    const draft: Draft = { ...world, storage, processes, cuts: world.cuts + 1 };
    const kept = [...world.recordedEdits].filter(([mark]) => isRecorded(draft, mark));
    draft.recordedEdits = new Map(kept);
    excuseUndone(draft);
    return { label: `POWER CUT (${label})`, world: draft, violations: auditCut(draft) };
  });
}

function isListed({ storage }: World, id: string): boolean {
  return listGenerations(storage).some((generation) => recordOf(storage, generation)?.id === id);
}
