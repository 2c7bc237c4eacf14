import { closeSync, constants, openSync } from "node:fs";
import type { HostWatch, WatchOptions } from "../src/host/host.ts";
import { ioError, refusal, wordingRefusal } from "./io_error.ts";
import { sleepOnTimer, unrefTimer } from "./timer.ts";

interface DenoWatcher extends AsyncIterable<{ readonly kind: string }> {
  close(): void;
  /** Undocumented: unrefs only the pending `next()`. */
  unref?: () => void;
}

/** What is used of Deno, declared here so that tsc needs none of its global types. */
interface DenoRuntime {
  lstat(path: string): Promise<{ readonly isFifo: boolean | null }>;
  stat(path: string): Promise<{ readonly isDirectory: boolean; readonly isFifo: boolean | null }>;
  readDir(path: string): AsyncIterable<{
    readonly name: string;
    readonly isFile: boolean;
    readonly isDirectory: boolean;
    readonly isSymlink: boolean;
  }>;
  watchFs(path: string, options: { recursive: boolean }): DenoWatcher;
}

// Undefined on the other runtimes, where this module is loaded but never called.
const deno: DenoRuntime = (globalThis as unknown as { Deno: DenoRuntime }).Deno;

// How long a FIFO that appears can go unnoticed.
const inspectionMs = 500;

// How long the watcher's thread is given to take note of something.
const releaseMs = 50;

/** The running watches' inspections; see {@link leaveFifo}. */
const inspections = new Set<() => Promise<void>>();

/**
 * Watches a directory with Deno.watchFs, unless it holds a FIFO.
 *
 * Deno's watcher thread opens every new entry to read it, and waits for ever where that is a FIFO; the next call of
 * watchFs then waits for the thread, and the whole program with it. Nothing tells of it, so the directory is inspected
 * now and then, and a watch that met a FIFO ends: the directory is to be polled while that is there.
 *
 * @param directory an existing directory
 * @param options whom to tell
 * @throws `IO` with `ENOTSUP` where there is a FIFO, and when the system refuses
 */
export async function watchOnDeno(directory: string, options: WatchOptions): Promise<HostWatch> {
  await Promise.all([...inspections].map((inspect) => inspect()));
  const watcher = await wordingRefusal("watch", directory, async () => {
    if (!(await deno.stat(directory)).isDirectory) throw refusal("ENOTDIR");
    if (await findFifo(directory) !== undefined) throw refusal("ENOTSUP");
    return deno.watchFs(directory, { recursive: false });
  });
  const closing = new AbortController();
  const close = (): void => {
    if (closing.signal.aborted) return;
    closing.abort();
    inspections.delete(inspect);
    watcher.close();
  };
  const fail = (cause: unknown): void => {
    if (closing.signal.aborted) return;
    close();
    options.failed(ioError("watch", directory, cause));
  };
  const inspect = async (): Promise<void> => {
    const fifo = await findFifo(directory).catch(() => undefined);
    if (fifo !== undefined && !closing.signal.aborted) {
      leaveFifo(fifo, () => fail(refusal("ENOTSUP")));
    }
  };
  inspections.add(inspect);
  report(watcher, options, closing.signal).then(() => fail("ECANCELED"), fail);
  inspectAgain(inspect, closing.signal);
  return { close };
}

async function report(
  watcher: DenoWatcher,
  options: WatchOptions,
  closed: AbortSignal,
): Promise<void> {
  const events = watcher[Symbol.asyncIterator]();
  while (true) {
    const next = events.next();
    if (!options.keepAlive) watcher.unref?.();
    const event = await next;
    if (event.done) return;
    // A file that was written is reported as modified before it is reported as closed.
    if (!closed.aborted && event.value.kind !== "access") options.hint();
  }
}

async function inspectAgain(inspect: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const options = { signal, keepAlive: false };
  while (await sleepOnTimer(inspectionMs, options, unrefTimer)) await inspect();
}

/** Opens the FIFO from both ends, which lets the waiting thread go, until it has heard that the watch is closed. */
async function leaveFifo(fifo: string, closeWatch: () => void): Promise<void> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  } catch {
    // Gone meanwhile, or not ours to open: then the thread cannot be helped.
  }
  await sleepOnTimer(releaseMs, { keepAlive: false }, unrefTimer);
  closeWatch();
  await sleepOnTimer(releaseMs, { keepAlive: false }, unrefTimer);
  if (descriptor !== undefined) closeSync(descriptor);
}

async function findFifo(directory: string): Promise<string | undefined> {
  for await (const { name, isFile, isDirectory, isSymlink } of deno.readDir(directory)) {
    if (isFile || isDirectory) continue;
    const path = `${directory}/${name}`;
    // Through a link, a FIFO is opened as well. One that leads nowhere, or is gone meanwhile, is none.
    const stat = await (isSymlink ? deno.stat(path) : deno.lstat(path)).catch(() => undefined);
    if (stat?.isFifo) return path;
  }
  return undefined;
}
