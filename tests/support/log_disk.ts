/** A simulated disk with a config file, processes on it, and the log beside the file as somebody with a shell sees it. */
import assert from "node:assert/strict";
import {
  type MemoryDisk,
  memoryDisk,
  type MemoryHost,
  type OutsideProgram,
} from "../../adapters/memory.ts";
import { type OpenConfig, openConfigOn } from "../../src/config/open.ts";
import { path } from "./memory_config.ts";

/** The log of the config file of a memory host. */
export const logDirectory = "/etc/app/.config.json.d";

/** What outlives the log. */
export const markPath = "/etc/app/.config.json.mark.1000";

/** A disk, and what starts processes on it. */
export interface LogDisk {
  readonly disk: MemoryDisk;
  readonly outside: OutsideProgram;
  readonly start: () => LogProcess;
}

/** A process with its `openConfig`. */
export interface LogProcess {
  readonly host: MemoryHost;
  readonly openConfig: OpenConfig;
}

/** A disk with a config file on it, if a text is given. */
export function diskWith(text?: string): LogDisk {
  const disk = memoryDisk();
  const { outside } = disk;
  outside.makeDirectory("/etc/app");
  if (text !== undefined) outside.writeFile(path, text, { mode: 0o600 });
  const start = () => {
    const host = disk.process();
    return { host, openConfig: openConfigOn(() => host) };
  };
  return { disk, outside, start };
}

/** The names in the log that begin with something, such as `g.`. */
export function namesInLog(outside: OutsideProgram, prefix: string): string[] {
  const start = `${logDirectory}/${prefix}`;
  const names = outside.list().filter((name) => name.startsWith(start));
  return names.map((name) => name.slice(logDirectory.length + 1));
}

/** The numbers of the generations that have a record, ascending. */
export function recordsOn(outside: OutsideProgram): number[] {
  const numbers = namesInLog(outside, "g.").map((name) => name.slice(2));
  return numbers.filter((number) => /^\d+$/.test(number)).map(Number).sort((a, b) => a - b);
}

/** The paths of all files in which a text stands. */
export function holding(outside: OutsideProgram, text: string): string[] {
  return outside.list().filter((name) => outside.readFile(name).includes(text));
}

/** Deletes the files of the log that begin with something. */
export function deleteFromLog(outside: OutsideProgram, prefix: string): void {
  for (const name of namesInLog(outside, prefix)) outside.removeFile(`${logDirectory}/${name}`);
}

/** Everything on a disk: paths and content. */
export function contentOf(outside: OutsideProgram): Record<string, string> {
  return Object.fromEntries(outside.list().map((name) => [name, outside.readFile(name)]));
}

/** Notes which content each number stands for; a number must never stand for two. */
export class NumberLedger {
  readonly #hashes = new Map<number, string>();

  /** The greatest number that was given. */
  get top(): number {
    return Math.max(0, ...this.#hashes.keys());
  }

  /** Notes what a snapshot, or an entry of a history, says. */
  note(generation: number, hash: string): void {
    const known = this.#hashes.get(generation);
    assert.ok(
      known === undefined || known === hash,
      `generation ${generation} was ${known}, and now is ${hash}`,
    );
    this.#hashes.set(generation, hash);
  }

  /** Notes what a config runs with and all that it tells of its history. */
  async noteAll(config: {
    snapshot(): { readonly generation: number; readonly hash: string };
    history(): Promise<readonly { readonly generation: number; readonly newHash: string }[]>;
  }): Promise<void> {
    const { generation, hash } = config.snapshot();
    this.note(generation, hash);
    for (const entry of await config.history()) this.note(entry.generation, entry.newHash);
  }
}
