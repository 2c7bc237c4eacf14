/** Visits every state that a plan allows. */
import { cutMoves, type Move, movesOf, type Rules } from "./moves.ts";
import { programsOf } from "./programs.ts";
import { durableStorage, torn } from "./storage.ts";
import {
  formatRecord,
  keyOf,
  newestOf,
  type Plan,
  type Process,
  publishedContent,
  sharedKeyOf,
  textOf,
  visibleKeyOf,
  type World,
} from "./world.ts";

/** What came of it. */
export interface Verdict {
  readonly states: number;
  /** Disks that a power cut left. */
  readonly images: number;
  /** Whether there was nothing left to visit. */
  readonly isExhausted: boolean;
  /** What was violated, each with the moves that lead there. */
  readonly violations: ReadonlyMap<string, readonly string[]>;
}

/** How far to go. */
export interface Limits {
  readonly statesMax?: number;
  /** Stop at the first violation. */
  readonly isFirstOnly?: boolean;
}

/** Visits the states of a plan, nearest first. */
export function explore(plan: Plan, limits: Limits = {}): Verdict {
  const explorer = new Explorer(plan, limits);
  return explorer.run();
}

class Explorer {
  readonly #rules: Rules;
  readonly #alone: Rules;
  readonly #limits: Limits;
  readonly #seen = new Set<number>();
  readonly #converged = new Set<number>();
  readonly #cut = new Set<number>();
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  readonly #violations = new Map<string, string[]>();
  #images = 0;

  constructor(plan: Plan, limits: Limits) {
    this.#rules = { plan, programs: programsOf(plan) };
    this.#alone = { ...this.#rules, plan: { ...plan, cutModel: "none" } };
    this.#limits = limits;
  }

  run(): Verdict {
    const { statesMax = Infinity, isFirstOnly = false } = this.#limits;
    let front: [World, number][] = [];
    this.#visit(initialWorld(this.#rules.plan), -1, "", front);
    let states = 0;
    while (front.length > 0) {
      const next: [World, number][] = [];
      for (const [world, at] of front) {
        const isOver = states >= statesMax || isFirstOnly && this.#violations.size > 0;
        if (isOver) return this.#verdict(states, false);
        states++;
        this.#expand(world, at, next);
      }
      front = next;
    }
    return this.#verdict(states, true);
  }

  #verdict(states: number, isExhausted: boolean): Verdict {
    return { states, images: this.#images, isExhausted, violations: this.#violations };
  }

  #expand(world: World, at: number, next: [World, number][]): void {
    const visible = hash(visibleKeyOf(world.storage));
    if (!this.#converged.has(visible)) {
      this.#converged.add(visible);
      for (const violation of this.#converge(world)) {
        this.#report(violation, at, "everyone is killed; recovery alone");
      }
    }
    for (const index of world.processes.keys()) {
      for (const move of movesOf(world, index, this.#rules)) this.#follow(move, at, next);
    }
    if (world.cuts >= (this.#rules.plan.cuts ?? 0)) return;
    const idle = world.processes.map(({ runsLeft, run }) => `${runsLeft}.${run}`).join();
    const key = hash(sharedKeyOf(world) + idle);
    if (this.#cut.has(key)) return;
    this.#cut.add(key);
    for (const move of cutMoves(world, this.#rules)) {
      this.#images++;
      this.#follow(move, at, next);
    }
  }

  #follow(move: Move, at: number, next: [World, number][]): void {
    for (const violation of move.violations) this.#report(violation, at, move.label);
    if (move.violations.length === 0) this.#visit(move.world, at, move.label, next);
  }

  #visit(world: World, from: number, label: string, next: [World, number][]): void {
    const key = hash(keyOf(world));
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    next.push([world, this.#parents.push(from) - 1]);
    this.#labels.push(label);
  }

  #report(violation: string, at: number, label: string): void {
    if (this.#violations.has(violation)) return;
    const path = [label];
    for (let index = at; index > 0; index = this.#parents[index]!) path.push(this.#labels[index]!);
    this.#violations.set(violation, path.reverse());
  }

  /** When everyone is dead, recovery by itself must come to a config.json that says what the newest record says. */
  #converge(from: World): string[] {
    const helper: Process = { kind: "helper", runsLeft: 9, run: 0 };
    // Named after no process of the plan, as it may find their files.
    let world: World = { ...from, processes: [...from.processes.map(idleFor), helper] };
    const index = world.processes.length - 1;
    for (let step = 0; step < 60; step++) {
      const [move] = movesOf(world, index, this.#alone);
      if (move === undefined) break;
      if (move.violations.length > 0) return [...move.violations];
      world = move.world;
    }
    const content = publishedContent(world.storage);
    if (content === torn) return [];
    const newest = newestOf(world.storage);
    const isConverged = content !== undefined && newest !== undefined &&
      textOf(content) === textOf(newest.published);
    return isConverged ? [] : ["recovery does not converge"];
  }
}

function idleFor({ kind, run }: Process): Process {
  return { kind, run, runsLeft: 0 };
}

/** Two generations, both durable, the second one published. */
function initialWorld(plan: Plan): World {
  const base = { parentId: "", parentGeneration: 0, isAdopted: false };
  const older = formatRecord({ ...base, generation: 1, id: "i", published: "A" });
  const newer = formatRecord({
    generation: 2,
    id: "j",
    parentId: "i",
    parentGeneration: 1,
    published: "B",
    isAdopted: false,
  });
  const storage = durableStorage(
    { "g.1": "r:i", "g.2": "r:j", R: "p:j", "img.2.j.j": "p:j" },
    { "r:i": older, "r:j": newer, "p:j": "B", empty: "-" },
  );
  const kinds: [Process["kind"], number, number][] = [
    ["writer", plan.writers ?? 0, plan.roundsPerWriter ?? 1],
    ["helper", plan.helpers ?? 1, (plan.cuts ?? 0) + 1],
    ["reader", plan.readers ?? 0, 1],
  ];
  const processes: Process[] = kinds.flatMap(([kind, count, runsLeft]) =>
    Array.from({ length: count }, () => ({ kind, runsLeft, run: 0 }))
  );
  for (const { saves = 1 } of plan.editors ?? []) {
    processes.push({ kind: "editor", runsLeft: saves, run: 0 });
  }
  return {
    storage,
    processes,
    promised: new Map([[1, "i"], [2, "j"]]),
    durableEdits: [],
    recordedEdits: new Map(),
    agreedEdits: new Map(),
    saves: 0,
    cuts: 0,
    failures: 0,
  };
}

/** 53 bits of a key. */
function hash(key: string): number {
  let left = 0xdeadbeef;
  let right = 0x41c6ce57;
  for (let index = 0; index < key.length; index++) {
    const code = key.charCodeAt(index);
    left = Math.imul(left ^ code, 2654435761);
    right = Math.imul(right ^ code, 1597334677);
  }
  left = Math.imul(left ^ (left >>> 16), 2246822507) ^
    Math.imul(right ^ (right >>> 13), 3266489909);
  right = Math.imul(right ^ (right >>> 16), 2246822507) ^
    Math.imul(left ^ (left >>> 13), 3266489909);
  return 4294967296 * (2097151 & right) + (left >>> 0);
}
