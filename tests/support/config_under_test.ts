/** What tests of a whole config share: a directory of its own, ears for all it says, and acts of the outside world. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { detectHost } from "../../adapters/detect.ts";
import type { AuditEvent, Host, Logger, WatchTiming } from "../../mod.ts";
import { eventually } from "./eventually.ts";
import type { TestContext } from "./kit.ts";

/** Quick looks, so that tests are short; no outcome depends on them. */
export const brisk: WatchTiming = { debounceMs: 20, maxWaitMs: 200, pollMs: 50 };

/** A new directory, with its links resolved, that goes away after the test. */
export async function freshDirectory(context: TestContext): Promise<string> {
  const directory = await fs.realpath(await fs.mkdtemp(join(tmpdir(), "holdfast-config-")));
  context.after(() => fs.rm(directory, { recursive: true, force: true }));
  return directory;
}

/** All that a config said. */
export interface Ears {
  readonly logger: Logger;
  readonly audit: (event: AuditEvent) => void;
  readonly infos: string[];
  readonly warnings: string[];
  readonly errors: string[];
  readonly events: AuditEvent[];
}

/** Ears for one config: `openConfig(path, { ...ears.options })` keeps the test's output quiet. */
export function listen(): Ears {
  const infos: string[] = [];
  const warnings: string[] = [];
  const errors: string[] = [];
  const events: AuditEvent[] = [];
  return {
    logger: {
      info: (message) => void infos.push(message),
      warn: (message) => void warnings.push(message),
      error: (message) => void errors.push(message),
    },
    audit: (event) => void events.push(event),
    infos,
    warnings,
    errors,
    events,
  };
}

/** The host of this runtime, with a count of how often a file was looked at. */
export interface CountingHost {
  readonly host: Host;
  /** Waits until the config has looked at its file a few more times: long enough to say all that it has to say. */
  looksMore(): Promise<void>;
}

/** Every look begins by resolving the path, whether it succeeds or not. */
export function countLooks(overrides: Partial<Host> = {}): CountingHost {
  const base = { ...detectHost(), ...overrides };
  let looks = 0;
  return {
    host: {
      ...base,
      resolve: (path) => {
        looks += 1;
        return base.resolve(path);
      },
    },
    looksMore: async () => {
      // A look resolves the path twice, once to read it and once to watch its directory.
      const enough = looks + 8;
      await until("the config looked a few times more", () => looks >= enough);
    },
  };
}

/** Waits for a condition, with a bound that no sound machine reaches. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await eventually(what, condition, async (ms) => {
    await wait(ms);
  });
}

/** Writes a file as a careful program does, in one step for all readers. */
export async function replace(path: string, text: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.new-${basename(path)}`);
  await fs.writeFile(temporary, text, { mode: 0o600 });
  await fs.rename(temporary, path);
}

/** Writes a new file with the mode that a config ought to have. */
export async function writePrivate(path: string, text: string | Uint8Array): Promise<void> {
  await fs.writeFile(path, text, { mode: 0o600 });
}
