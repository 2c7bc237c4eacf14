/** The hosts that the contract is tried on, each with a directory of its own. */
import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { memoryHost } from "../../adapters/memory.ts";
import type { Host } from "../../src/host/host.ts";
import type { Abilities, HostUnderTest, OutsideActs } from "../contract/host.ts";

interface DenoPermissions {
  readonly permissions: { querySync(descriptor: object): { readonly state: string } };
}

const deno = (globalThis as { Deno?: DenoPermissions }).Deno;

/** Whether the runtime permits something; always true but on Deno. */
export function permits(descriptor: { readonly name: string; readonly kind?: string }): boolean {
  return deno === undefined || deno.permissions.querySync(descriptor).state === "granted";
}

/** What can be tried on this runtime's disk. */
export const realAbilities: Abilities = {
  // Deno makes a symbolic link only for who may read and write everything, and a FIFO needs another program.
  symlink: permits({ name: "read" }) && permits({ name: "write" }),
  fifo: process.platform !== "win32" && permits({ name: "run" }),
  withUmask: process.platform !== "win32" && permits({ name: "sys", kind: "umask" })
    ? withUmask
    : undefined,
};

/** What can be tried in memory. */
export const memoryAbilities: Abilities = { symlink: true, fifo: true };

/** A host of a runtime, in a fresh directory of the disk. */
export async function realHostUnderTest(host: Host): Promise<HostUnderTest> {
  const directory = await fs.realpath(await fs.mkdtemp(join(tmpdir(), "holdfast-host-")));
  return {
    host,
    directory,
    outside: realOutside,
    elapse: async (ms) => {
      await wait(ms);
    },
    dispose: () => fs.rm(directory, { recursive: true, force: true }),
  };
}

/** A new host in memory. */
export async function memoryHostUnderTest(): Promise<HostUnderTest> {
  const host = memoryHost();
  const { outside } = host;
  const directory = "/tmp/test";
  outside.makeDirectory(directory);
  return await Promise.resolve({
    host,
    directory,
    outside: {
      writeFile: async (path, text) => outside.writeFile(path, text),
      replaceFile: async (path, text) => outside.replaceFile(path, text),
      readFile: async (path) => outside.readFile(path),
      removeFile: async (path) => outside.removeFile(path),
      rename: async (from, to) => outside.rename(from, to),
      makeDirectory: async (path) => outside.makeDirectory(path),
      removeDirectory: async (path) => outside.removeDirectory(path),
      setMode: async (path, mode) => outside.setMode(path, mode),
      symlink: async (target, path) => outside.symlink(target, path),
      makeFifo: async (path) => outside.makeFifo(path),
    },
    elapse: host.advance,
    dispose: async () => {},
  });
}

const realOutside: OutsideActs = {
  writeFile: (path, text) => fs.writeFile(path, text),
  replaceFile: async (path, text) => {
    await fs.writeFile(`${path}.new`, text);
    await fs.rename(`${path}.new`, path);
  },
  readFile: (path) => fs.readFile(path, "utf8"),
  removeFile: (path) => fs.unlink(path),
  rename: (from, to) => fs.rename(from, to),
  makeDirectory: async (path) => {
    await fs.mkdir(path, { recursive: true });
  },
  removeDirectory: (path) => fs.rm(path, { recursive: true }),
  setMode: (path, mode) => fs.chmod(path, mode),
  symlink: (target, path) => fs.symlink(target, path),
  makeFifo: async (path) => {
    await promisify(execFile)("mkfifo", [path]);
  },
};

async function withUmask<Result>(mask: number, body: () => Promise<Result>): Promise<Result> {
  const before = process.umask(mask);
  try {
    return await body();
  } finally {
    process.umask(before);
  }
}
