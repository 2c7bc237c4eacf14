/**
 * What every host must do, as a suite over any host: the adapters of the runtimes and the one in memory.
 */
import assert from "node:assert/strict";
import type { Host } from "../../src/host/host.ts";
import { isHoldfastError } from "../../src/core/error.ts";
import { describe, test } from "../support/kit.ts";
import type { TestContext } from "../support/kit.ts";
import { hostChangeContract } from "./host_change.ts";
import { hostDirectoryContract } from "./host_directory.ts";
import { hostReadContract } from "./host_read.ts";
import { hostTimeContract } from "./host_time.ts";
import { hostWatchContract } from "./host_watch.ts";

/** What another program does to the same files. */
export interface OutsideActs {
  /** Writes in place, keeping the inode. */
  writeFile(path: string, text: string): Promise<void>;
  /** Puts a new file in the place of the old one by an atomic rename. */
  replaceFile(path: string, text: string): Promise<void>;
  readFile(path: string): Promise<string>;
  removeFile(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  makeDirectory(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  makeFifo(path: string): Promise<void>;
}

/** A host, and a place to try it in. */
export interface HostUnderTest {
  readonly host: Host;
  /** Fresh and empty, without symbolic links in its path. */
  readonly directory: string;
  readonly outside: OutsideActs;
  /** Lets time pass: waits, or advances a virtual clock. */
  elapse(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** What can be tried here; the tests that need more are not part of the suite. */
export interface Abilities {
  readonly symlink: boolean;
  readonly fifo: boolean;
  /** Runs a body under another umask; undefined where that cannot be done. */
  readonly withUmask?:
    | (<Result>(mask: number, body: () => Promise<Result>) => Promise<Result>)
    | undefined;
}

/** Registers a test that gets a host of its own. */
export type HostTest = (
  name: string,
  body: (subject: HostUnderTest, context: TestContext) => Promise<void>,
) => void;

/**
 * Registers the whole suite.
 *
 * @param name the host's, for the reports
 * @param make makes a host and a fresh directory
 */
export function hostContract(
  name: string,
  make: () => Promise<HostUnderTest>,
  abilities: Abilities,
): void {
  describe(`host contract on ${name}`, () => {
    const hostTest: HostTest = (testName, body) => {
      test(testName, async (context) => {
        const subject = await make();
        context.after(() => subject.dispose());
        await body(subject, context);
      });
    };
    hostChangeContract(hostTest, abilities);
    hostDirectoryContract(hostTest, abilities);
    hostReadContract(hostTest, abilities);
    hostWatchContract(hostTest, abilities);
    hostTimeContract(hostTest);
  });
}

/** Asserts that an operation is refused with one of some errnos, and that the error tells all it should. */
export async function assertRefused(
  attempt: Promise<unknown>,
  operation: string,
  path: string,
  ...errnos: string[]
): Promise<void> {
  const error = await attempt.then(
    (result) => assert.fail(`${operation} of ${path} was not refused: ${JSON.stringify(result)}`),
    (caught: unknown) => caught,
  );
  assert.ok(isHoldfastError(error, "IO"), `no IO error: ${String(error)}`);
  assert.equal(error.details.operation, operation);
  assert.equal(error.details.path, path);
  assert.ok(errnos.includes(error.details.errno), `errno ${error.details.errno}`);
  assert.match(error.message, /^Cannot [a-z ]+ \/.*: .+ \(E[A-Z0-9]+\); .+$/);
  assert.ok(error.message.includes(path) && error.message.includes(error.details.errno));
}

/** Writes a whole text through the host. */
export async function createFile(host: Host, path: string, text: string): Promise<void> {
  const file = await host.create(path, 0o600);
  try {
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    await file.sync();
  } finally {
    await file.close();
  }
}
