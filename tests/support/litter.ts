/** What a config leaves on the disk: its file, the log of its generations, and nothing else. */
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The directory that holds the generations of a config file. */
export function logOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.d`);
}

/** The numbers of the generations that have a record beside a config file, ascending. */
export async function generationsOf(path: string): Promise<number[]> {
  const numbers = (await namesIn(logOf(path))).map((name) => /^g\.([1-9]\d*)$/.exec(name)?.[1]);
  return numbers.filter((number) => number !== undefined).map(Number).sort((a, b) => a - b);
}

/**
 * The names in the directory of a config file that neither belong to it and its log nor are to be told about: what was left
 * behind. Its configs must be closed, since they clear away in the background what a write made superfluous.
 *
 * @param path need not be there
 */
export async function litterBeside(path: string): Promise<string[]> {
  const log = logOf(path);
  const mark = `.${basename(path)}.mark.`;
  const beside = (await fs.readdir(dirname(path))).filter((name) => {
    const isMark = name.startsWith(mark) && /^[1-9]\d*000$/.test(name.slice(mark.length));
    return name !== basename(path) && name !== basename(log) && !isMark;
  });
  const newest = (await generationsOf(path)).at(-1);
  // What was published has a second name, which stays for a while, and a third one where another process helped.
  const images = new RegExp(
    `^((img|ext)\\.[1-9]\\d*|txt\\.${newest})\\.[0-9a-f]{32}\\.[0-9a-f]{32}$`,
  );
  const wanted = /^((g|floor|intent)\.[1-9]\d*|refused\.[0-9a-f]{16}(\.[0-9a-f]{32})?)$/;
  const within = (await namesIn(log)).filter((name) => !images.test(name) && !wanted.test(name));
  return [...beside, ...within.map((name) => join(basename(log), name))].sort();
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await fs.readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
