import { readLog } from "./log_files.ts";
import { describeOperation, shortPath } from "./trace.ts";
import type { World } from "./world.ts";

/** How much is still to happen in a world. */
export interface Left {
  kills: number;
  powerCuts: number;
  edits: number;
  stops: number;
  vandals: number;
}

/** Does something from outside, now and then; tells whether it did. */
export function disturb(world: World): boolean {
  const { random, left, plan } = world;
  if (random.below(60) > 0) return false;
  const chosen = random.pick(["kills", "powerCuts", "stops", "vandals", "edits", "clock"] as const);
  if (chosen === "clock") return plan.clockJumps && jumpClock(world);
  if (left[chosen] === 0 || world.processes.length === 0) return false;
  const isDone = acts[chosen](world);
  if (isDone) left[chosen] -= 1;
  return isDone;
}

const acts: Readonly<Record<keyof Left, (world: World) => boolean>> = {
  kills: kill,
  powerCuts: cutPower,
  stops: stop,
  vandals: vandalise,
  edits: edit,
};

function edit({ chain, editor, note, step }: World): boolean {
  const older = [...chain.records.values()].flatMap(({ text }) => text ?? []);
  note(editor.act(step, older));
  return true;
}

function kill(world: World): boolean {
  const process = world.random.pick(world.processes);
  world.note(`${process.name} is killed`);
  world.end(process);
  world.startScript(Math.max(1, process.actsLeft));
  return true;
}

function cutPower(world: World): boolean {
  const { random, disk, chain, editor } = world;
  const order = random.pick(["any", "prefix"] as const);
  world.note(`power cut (${order})`);
  const left = world.processes.map(({ actsLeft }) => actsLeft);
  for (const process of [...world.processes]) world.end(process);
  // At times nothing is kept that need not be, since what lies between is tried by chance anyway.
  const keepsLeast = random.below(4) === 0;
  disk.powerCut({ order, choose: (bound) => keepsLeast ? 0 : random.below(bound) });
  chain.reconcile(readLog(disk.outside));
  // What was counted in a process alone had the number of a record by chance, as long as nobody was told of that.
  world.forgetReads(({ generation }) => !chain.records.has(generation));
  editor.powerCut();
  for (const acts of left) world.startScript(Math.max(1, acts));
  return true;
}

function stop({ random, processes, step, note, gate }: World): boolean {
  const process = random.pick(processes);
  const steps = 10 + random.below(300);
  if (random.below(3) === 0) {
    process.heldUntil = step + steps;
    note(`${process.name} stands still for ${steps} steps`);
    return true;
  }
  const parked = gate.parked.filter((one) => one.process === process.name);
  if (parked.length === 0) return false;
  const decisive = gate.parked.filter(({ attempt: { operation } }) => {
    return operation === "link" || operation === "rename";
  });
  const one = random.pick(decisive.length > 0 ? decisive : parked);
  one.heldUntil = step + steps;
  note(`${describeOperation(one)} stands still for ${steps} steps`);
  return true;
}

function jumpClock({ random, disk, note }: World): boolean {
  const ms = random.below(2) === 0 ? -3_600_000 : 86_400_000;
  note(`the clock jumps by ${ms} ms`);
  disk.jumpClock(ms);
  return true;
}

function vandalise(world: World): boolean {
  const { random, disk, note, chain } = world;
  const { outside } = disk;
  const inLog = outside.list().filter((path) => path.startsWith("/c/.config.json.d/"));
  if (inLog.length === 0) return false;
  world.isVandalised = true;
  const isWhole = random.below(2) === 0;
  if (isWhole) {
    note("somebody deletes the log");
    outside.removeDirectory("/c/.config.json.d");
  } else {
    const path = random.pick(inLog);
    note(`somebody deletes ${shortPath(path)}`);
    outside.removeFile(path);
  }
  chain.broken(isWhole);
  return true;
}
