import { isDeepStrictEqual } from "node:util";
import type { MemoryDisk } from "../../adapters/memory.ts";
import { checkHistory } from "../support/history_checker.ts";
import { type CountedDocument, valueOf } from "./calls.ts";
import { countedRecords, hashOf, readLog, readPublished, sha256 } from "./log_files.ts";
import type { LogRecord } from "./log_files.ts";
import type { World } from "./world.ts";

const restMs = 1500;

/** Once nothing goes wrong any more, everybody agrees, and nothing is left lying about. */
export async function checkEnd(world: World): Promise<void> {
  await world.rest(restMs);
  const last = world.start("last", 0);
  const opening = settling(last.open());
  await world.rest(restMs);
  if (last.config === undefined) {
    // Somebody left what cannot be read, or nothing at all; a good edit mends it.
    if (world.plan.edits === 0) world.breach("cannot be opened in the end", "though nobody edited");
    world.editor.mend();
    await world.rest(restMs);
  }
  const reload = () => world.processes.map(({ config }) => settling(config?.reload()));
  const reloads = reload();
  await world.rest(restMs);
  // Some of them may only now have recorded what they counted by themselves while the disk was full.
  reloads.push(...reload());
  await world.rest(restMs);
  if (![opening, ...reloads].every(({ isSettled }) => isSettled)) {
    world.breach("a call never ends", "open or reload, with nothing wrong any more");
  }
  checkAgreement(world);
  if (!world.isVandalised) checkEdits(world);
  if (!world.isVandalised) checkRecords(world);
  else if (!world.chain.isLoose) checkNumbers(world);
  const closes = world.processes.map((process) => settling(process.close()));
  await world.rest(restMs);
  if (!closes.every(({ isSettled }) => isSettled)) world.breach("a call never ends", "close");
  for (const path of litterIn(world.disk)) world.breach("litter", path);
}

/** Tells whether something came to an end, without waiting for what may never do so. */
function settling(promise: Promise<unknown> | undefined): { readonly isSettled: boolean } {
  const state = { isSettled: false };
  const end = (): void => void (state.isSettled = true);
  Promise.resolve(promise).then(end, end);
  return state;
}

function newestOf(world: World): LogRecord | undefined {
  const { records } = readLog(world.disk.outside);
  return records.get(Math.max(0, ...records.keys()));
}

/** Every live config has what the newest record and the published file have. */
function checkAgreement(world: World): void {
  const { breach, processes, disk, editor } = world;
  const text = readPublished(disk.outside);
  const newest = newestOf(world);
  const isMended = editor.standing !== undefined && newest?.hash !== hashOf(text ?? "");
  if (newest !== undefined && newest.text !== text && !isMended && text !== undefined) {
    breach("the published file is not the newest generation", `${newest.generation}: ${text}`);
  }
  for (const { name, config } of processes) {
    if (config === undefined || text === undefined || isMended) continue;
    const { value, generation, hash } = config.snapshot();
    if (newest !== undefined && generation !== newest.generation) {
      breach("behind in the end", `${name} has ${generation}, stored is ${newest.generation}`);
    }
    if (hash !== hashOf(text)) breach("another hash in the end", `${name} at ${generation}`);
    if (!isDeepStrictEqual(value, valueOf(JSON.parse(text) as CountedDocument))) {
      breach("another value in the end", `${name}: ${JSON.stringify(value)}, stored ${text}`);
    }
  }
}

/** Nothing that a person saved is gone without a trace. */
function checkEdits({ editor, chain, disk, breach }: World): void {
  const names = disk.outside.list();
  for (const { text, hash, fate } of editor.edits) {
    if (fate !== "pending" || chain.holds(hash) || text === readPublished(disk.outside)) continue;
    const digits = sha256(text).slice(0, 16);
    if (names.some((name) => name.includes(`/refused.${digits}`))) continue;
    breach("an edit is gone", text);
  }
}

/** Whatever was deleted, no number is acknowledged for two contents. */
function checkNumbers({ acknowledged, breach }: World): void {
  const known = new Map<number, string>();
  for (const { generation, hash } of acknowledged) {
    const before = known.get(generation) ?? hash;
    if (before !== hash) breach("number used again", `${generation}: ${before}, ${hash}`);
    known.set(generation, hash);
  }
}

function checkRecords(world: World): void {
  const { disk, acknowledged, failed, reads, breach } = world;
  const log = readLog(disk.outside);
  const newest = newestOf(world);
  if (newest === undefined) return;
  for (const generation of log.torn) breach("torn record", `${generation}`);
  const found = checkHistory({
    acknowledged,
    failed,
    ...countedRecords(log),
    unreadable: world.chain.passedOver,
    reads,
    final: { generation: newest.generation, hash: newest.hash },
  });
  for (const { rule, message } of found) breach(rule, message);
}

const named = [
  /^\/c\/config\.json$/,
  /^\/c\/\.config\.json\.mark\.\d+$/,
  /^\/c\/\.config\.json\.[0-9a-f]{32}\.tmp$/,
  /^\/c\/\.config\.json\.d\/(?:g|floor)\.\d+$/,
  /^\/c\/\.config\.json\.d\/(?:rec|(?:pub|img|ext|txt|gone|turn)\.\d+)\.[0-9a-f]{32}(?:\.[0-9a-f]{32})?$/,
  /^\/c\/\.config\.json\.d\/refused\.[0-9a-f]{16}(?:\.[0-9a-f]{32})?$/,
];

/** The files that are of no kind that may stay. */
export function litterIn({ outside }: MemoryDisk): string[] {
  return outside.list().filter((path) => !named.some((pattern) => pattern.test(path)));
}
