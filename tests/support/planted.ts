/** What somebody who can make names beside a config file may plant there, and the proof that it did no harm. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { detectHost } from "../../adapters/detect.ts";
import { type Config, isHoldfastError, type Json, openConfig } from "../../mod.ts";
import { countLooks, freshDirectory, listen, writePrivate } from "./config_under_test.ts";
import { permits, realAbilities } from "./host_under_test.ts";
import type { TestContext } from "./kit.ts";
import { logOf } from "./litter.ts";

const quiet = () => ({ watch: false, ...listen() }) as const;

/** The id that comes of random numbers which are all zero. */
export const zeros: string = "0".repeat(32);

/** A config whose temporaries have names that can be guessed while that is asked for. */
export interface GuessableConfig {
  readonly path: string;
  readonly config: Config<Json, Json>;
  /** The paths of all files and links that were made for it, or were to be. */
  readonly made: readonly string[];
  readonly guessing: { on: boolean };
  /** A file of somebody else, to lead links to. */
  readonly victim: string;
  readonly assertUnharmed: () => Promise<void>;
}

/** Opens a config on `{ "rate": 1 }`. */
export async function openGuessable(context: TestContext): Promise<GuessableConfig> {
  const directory = await freshDirectory(context);
  const path = join(directory, "config.json");
  const victim = join(directory, "victim");
  await writePrivate(path, '{ "rate": 1 }');
  await writePrivate(victim, "untouched");
  const before = await fs.stat(victim);
  const real = detectHost();
  const made: string[] = [];
  const guessing = { on: false };
  const { host } = countLooks({
    create: (at, mode) => {
      made.push(at);
      return real.create(at, mode);
    },
    link: (from, to) => {
      made.push(to);
      return real.link(from, to);
    },
    random: (byteLength) => guessing.on ? new Uint8Array(byteLength) : real.random(byteLength),
  });
  const config = await openConfig(path, { host, ...quiet() });
  context.after(() => config.close());
  const assertUnharmed = async () => {
    assert.equal(await fs.readFile(victim, "utf8"), "untouched");
    const { ino, mode, nlink, mtimeMs } = await fs.stat(victim);
    const expected = [before.ino, before.mode, before.nlink, before.mtimeMs];
    assert.deepEqual([ino, mode, nlink, mtimeMs], expected);
  };
  return { path, config, made, guessing, victim, assertUnharmed };
}

/** Whether a name of a temporary can be told beforehand; the numbers of generations can, and the empty mark. */
export function isForetold(path: string, made: string): boolean {
  const isWithin = dirname(made) === logOf(path);
  if (isWithin && /^g\.\d+$/.test(basename(made))) return true;
  return !isWithin && /^\.config\.json\.mark\.\d+$/.test(basename(made));
}

/** Something that is no directory of ours alone, in the place of the log. */
export interface LogPlant {
  readonly name: string;
  readonly skip: string | false;
  /** @param log to be planted; where it is there already, its content is kept if that can be */
  readonly plant: (log: string) => Promise<void>;
}

const permitsUserId = permits({ name: "sys", kind: "uid" });
const userId = () => permitsUserId ? process.getuid?.() : undefined;

const link: LogPlant = {
  name: "a link to another",
  skip: false,
  plant: async (log) => {
    const elsewhere = join(dirname(log), "elsewhere");
    await fs.mkdir(log, { recursive: true, mode: 0o700 });
    await fs.rename(log, elsewhere);
    await fs.symlink(elsewhere, log);
  },
};

const foreign: LogPlant = {
  name: "one of somebody else",
  skip: userId() === 0 ? false : "only root can give files away",
  plant: async (log) => {
    await fs.mkdir(log, { recursive: true, mode: 0o700 });
    for (const name of await fs.readdir(log)) await fs.chown(join(log, name), 4242, 4242);
    await fs.chown(log, 4242, 4242);
  },
};

/** All kinds of it that this runtime may plant. */
export const logPlants: readonly LogPlant[] = [
  ...(realAbilities.symlink ? [link] : []),
  ...(permitsUserId ? [foreign] : []),
  {
    name: "a file",
    skip: false,
    plant: async (log) => {
      await fs.rm(log, { recursive: true, force: true });
      await writePrivate(log, "");
    },
  },
  ...[0o777, 0o770, 0o1777, 0o702].map((mode): LogPlant => ({
    name: `one of mode ${mode.toString(8)}`,
    skip: false,
    plant: async (log) => {
      await fs.mkdir(log, { recursive: true });
      await fs.chmod(log, mode);
    },
  })),
];

/** What a history may be found beside. */
export const situations: readonly ["a file", "no file", "a running config"] = [
  "a file",
  "no file",
  "a running config",
];

/**
 * Opens a config beside a history that it did not make: generation 1 with `{ "rate": 1 }`, which the file has too, and 2 with
 * `{ "rate": 66 }`, of which the history says that it is still to be published.
 *
 * @param plant makes the history one of somebody else
 * @returns no config where opening was refused, as is right for a place that is not to be trusted
 */
export async function openBesideHistory(
  situation: (typeof situations)[number],
  plant: LogPlant["plant"],
  context: TestContext,
): Promise<{ readonly path: string; readonly config: Config<Json, Json> | undefined }> {
  const path = join(await freshDirectory(context), "config.json");
  const open = async () => {
    const config = await openConfig(path, quiet());
    context.after(() => config.close());
    return config;
  };
  if (situation !== "no file") await writePrivate(path, '{ "rate": 1 }');
  const running = situation === "a running config" ? await open() : undefined;
  await layHistory(path, context);
  await plant(logOf(path));
  const config = running ?? await open().catch((error: unknown) => {
    assert.ok(isHoldfastError(error), String(error));
    return undefined;
  });
  return { path, config };
}

async function layHistory(path: string, context: TestContext): Promise<void> {
  const other = join(await freshDirectory(context), basename(path));
  await writePrivate(other, '{ "rate": 1 }');
  const config = await openConfig(other, quiet());
  await config.setAt(["rate"], 66);
  await config.close();
  const log = logOf(path);
  await fs.mkdir(log, { mode: 0o700 });
  for (const name of await fs.readdir(logOf(other))) {
    await fs.copyFile(join(logOf(other), name), join(log, name));
  }
  const header = (await fs.readFile(join(log, "g.1"), "utf8")).split("\n")[1]!;
  const { id } = JSON.parse(header) as { readonly id: string };
  await writePrivate(join(log, `txt.1.${id}.${id}`), "");
}
