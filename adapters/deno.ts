import process from "node:process";
import { dirname } from "node:path";
import type { Host, SleepOptions } from "../src/host/host.ts";
import { watchOnDeno } from "./deno_watch.ts";
import { errnoOf, refusal, wordingRefusal } from "./io_error.ts";
import { nodeFsHost } from "./node_fs.ts";
import { sleepOnTimer, unrefTimer } from "./timer.ts";

/** What is used of Deno, declared here so that tsc needs none of its global types. */
interface DenoRuntime {
  readonly env: { get(name: string): string | undefined; toObject(): Record<string, string> };
  readonly permissions: { querySync(descriptor: object): { readonly state: string } };
  link(existing: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  mkdir(path: string, options: { mode: number }): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  readDir(path: string): AsyncIterable<{ readonly name: string }>;
  stat(path: string): Promise<{ readonly isDirectory: boolean }>;
  lstat(path: string): Promise<{ readonly isDirectory: boolean }>;
  realPath(path: string): Promise<string>;
  unrefTimer(timer: number): void;
  uid(): number | null;
}

// Undefined on the other runtimes, where this module is loaded but its host never called.
const deno: DenoRuntime = (globalThis as unknown as { Deno: DenoRuntime }).Deno;

const shared: Host = nodeFsHost("deno", process.platform);

/**
 * The host on Deno, over Deno's own API.
 *
 * node:fs serves where that lacks something: opening without waiting on a FIFO, refusing to sync what is no directory,
 * setting the mode on a handle, and a stat that agrees with the one made through a handle.
 */
export const denoHost: Host = {
  ...shared,
  link: (existing, path) => wordingRefusal("link", path, () => deno.link(existing, path), existing),
  rename: (from, to) => wordingRefusal("rename", to, () => deno.rename(from, to), from),
  remove: (path) => wordingRefusal("remove", path, () => removeFile(path)),
  makeDirectory: (path, mode) => {
    return wordingRefusal("makeDirectory", path, () => makeDirectory(path, mode));
  },
  list: (path) => wordingRefusal("list", path, () => list(path)),
  resolve: (path) => wordingRefusal("resolve", path, () => deno.realPath(path)),
  watch: watchOnDeno,
  sleep: (ms: number, options: SleepOptions) => sleepOnTimer(ms, options, unref),
  variable: (name) => isGranted({ name: "env", variable: name }) ? deno.env.get(name) : undefined,
  variableNames: () => isGranted({ name: "env" }) ? Object.keys(deno.env.toObject()) : undefined,
  userId: () => isGranted({ name: "sys", kind: "uid" }) ? deno.uid() ?? undefined : undefined,
};

// Asked first, since on a terminal the look itself would stop and ask the person there.
function isGranted(descriptor: object): boolean {
  return deno.permissions.querySync(descriptor).state === "granted";
}

async function removeFile(path: string): Promise<void> {
  // Deno.remove, and Deno's node:fs unlink alike, would take an empty directory away.
  if ((await deno.lstat(path)).isDirectory) throw refusal("EISDIR");
  await deno.remove(path);
}

async function makeDirectory(path: string, mode: number, hasParent = false): Promise<void> {
  try {
    await deno.mkdir(path, { mode });
  } catch (cause) {
    const errno = errnoOf(cause);
    // In some places, such as /proc, nothing can be made, parent or not.
    if (errno === "ENOENT" && !hasParent && dirname(path) !== path) {
      await makeDirectory(dirname(path), mode);
      return await makeDirectory(path, mode, true);
    }
    if (errno === "EEXIST" && (await deno.stat(path)).isDirectory) return;
    throw cause;
  }
  // Whatever the umask, which could even leave a directory that its maker cannot enter.
  if (shared.capabilities.modes) await deno.chmod(path, mode);
}

async function list(path: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of deno.readDir(path)) names.push(entry.name);
  return names;
}

function unref(timer: unknown): void {
  if (typeof timer === "number") deno.unrefTimer(timer);
  else unrefTimer(timer);
}
