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
  /** What was turned down, at whatever level it was told. */
  readonly refusals: string[];
  readonly warnings: string[];
  readonly errors: string[];
  readonly events: AuditEvent[];
}

/** Ears for one config: `openConfig(path, { ...ears.options })` keeps the test's output quiet. */
export function listen(): Ears {
  const infos: string[] = [];
  const refusals: string[] = [];
  const warnings: string[] = [];
  const errors: string[] = [];
  const events: AuditEvent[] = [];
  const sort = (others: string[]) => (message: string) => {
    (message.endsWith("the last good configuration stays") ? refusals : others).push(message);
  };
  return {
    logger: {
      info: (message) => void infos.push(message),
      warn: sort(warnings),
      error: sort(errors),
    },
    audit: (event) => void events.push(event),
    infos,
    refusals,
    warnings,
    errors,
    events,
  };
}

/** The host of this runtime, with a count of how often the file was looked at: every look reads it. */
export interface CountingHost {
  readonly host: Host;
  /** How often the file was read so far, in vain or not. */
  looks(): number;
  /** Waits until the config has looked at its file a few more times: long enough to say all that it has to say. */
  looksMore(times?: number): Promise<void>;
}

export function countLooks(overrides: Partial<Host> = {}): CountingHost {
  const base = { ...detectHost(), ...overrides };
  let looks = 0;
  return {
    host: {
      ...base,
      read: (path, bytesMax) => {
        looks += 1;
        return base.read(path, bytesMax);
      },
    },
    looks: () => looks,
    looksMore: async (times = 4) => {
      const enough = looks + times;
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
