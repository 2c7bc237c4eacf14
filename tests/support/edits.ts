/** The ways in which people and programs change a file, done by the real programs or step by step as they do it. */
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { startProgram } from "./child.ts";
import type { TestContext } from "./kit.ts";

/** One way to change `{ "rate": N }` in a file. */
export interface EditKind {
  readonly name: string;
  /** The program that it needs. */
  readonly program?: string;
  /** Makes the rate another number; resolves when the program has ended. */
  edit(path: string, rate: number, context: TestContext): Promise<void>;
}

const documentOf = (rate: number): string => `{ "rate": ${rate} }\n`;

/** Every way that leaves the path itself a regular file. */
export const editKinds: readonly EditKind[] = [
  ...[["yes", "backup"], ["no", "backup"], ["auto", "nobackup"]].map((
    [copy, backup],
  ): EditKind => ({
    name: `vim with backupcopy=${copy} and ${backup}`,
    program: "vim",
    edit: (path, rate, context) => editWithVim(path, rate, `backupcopy=${copy} ${backup}`, context),
  })),
  { name: "nano", program: "nano", edit: editWithNano },
  { name: "emacs with lock and backup files", program: "emacs", edit: editWithEmacs },
  {
    name: "sed -i",
    program: "sed",
    edit: (path, rate, context) => {
      return succeed("sed", ["-i", `s/"rate": [0-9]*/"rate": ${rate}/`, path], context);
    },
  },
  {
    name: "mv over it",
    program: "mv",
    edit: async (path, rate, context) => {
      const other = join(dirname(path), `other-${rate}`);
      await fs.writeFile(other, documentOf(rate), { mode: 0o600 });
      await succeed("mv", [other, path], context);
    },
  },
  {
    name: "cp over it",
    program: "cp",
    edit: async (path, rate, context) => {
      const other = join(dirname(path), `other-${rate}`);
      await fs.writeFile(other, documentOf(rate), { mode: 0o600 });
      await succeed("cp", [other, path], context);
    },
  },
  {
    name: "echo of a shell",
    program: "sh",
    edit: (path, rate, context) => {
      return succeed("sh", ["-c", `echo '{ "rate": ${rate} }' > "$1"`, "sh", path], context);
    },
  },
  {
    name: "a save as VS Code does it",
    edit: async (path, rate) => {
      const file = await fs.open(path, "r+");
      await file.truncate();
      await file.write(documentOf(rate), 0);
      await file.sync();
      await file.close();
    },
  },
  {
    name: "a safe write as JetBrains does it",
    edit: async (path, rate) => {
      await fs.writeFile(`${path}~jb_tmp~`, documentOf(rate), { mode: 0o600 });
      await fs.rename(path, `${path}~jb_old~`);
      await fs.rename(`${path}~jb_tmp~`, path);
      await fs.unlink(`${path}~jb_old~`);
    },
  },
  {
    name: "removing it and writing it anew",
    edit: async (path, rate) => {
      await fs.unlink(path);
      await fs.writeFile(path, documentOf(rate), { mode: 0o600 });
    },
  },
];

/** Lays a directory out as a ConfigMap is mounted; the answer swaps its content as the kubelet does. */
export async function mountConfigMap(
  directory: string,
  name: string,
  rate: number,
): Promise<(rate: number) => Promise<void>> {
  let version = 0;
  let current: string | undefined;
  const swap = async (rate: number) => {
    const before = current;
    current = `..2024_01_01_00_00_00.${++version}`;
    await fs.mkdir(join(directory, current), { mode: 0o755 });
    await fs.writeFile(join(directory, current, name), documentOf(rate), { mode: 0o600 });
    await fs.symlink(current, join(directory, "..data_tmp"));
    await fs.rename(join(directory, "..data_tmp"), join(directory, "..data"));
    if (before !== undefined) await fs.rm(join(directory, before), { recursive: true });
  };
  await swap(rate);
  await fs.symlink(join("..data", name), join(directory, name));
  return swap;
}

async function succeed(
  program: string,
  given: readonly string[],
  context: TestContext,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = startProgram(program, given, context, environment);
  child.process.stdin?.end();
  const ending = await child.ended;
  if (ending === 0) return;
  throw new Error(`Cannot edit with ${program}: it ended with ${ending} and ${child.output()}`);
}

async function editWithVim(
  path: string,
  rate: number,
  settings: string,
  context: TestContext,
): Promise<void> {
  const commands = [
    `set ${settings} swapfile directory=. backupdir=. updatecount=1`,
    `%s/"rate": \\d\\+/"rate": ${rate}/`,
    "wq",
  ];
  const given = commands.flatMap((command) => ["-c", command]);
  await succeed("vim", ["-N", "-u", "NONE", "-i", "NONE", "-es", ...given, path], context);
}

async function editWithNano(path: string, rate: number, context: TestContext): Promise<void> {
  // It wants a terminal; script gives it one.
  const child = startProgram("script", ["-qec", `nano -I '${path}'`, "/dev/null"], context, {
    TERM: "xterm",
  });
  await child.says("Exit");
  const control = (letter: string) => String.fromCharCode(letter.charCodeAt(0) & 31);
  // Escape and t cut all up to the end.
  child.process.stdin?.write(`${control("[")}t{ "rate": ${rate} }${control("o")}\r`);
  await child.says("Wrote");
  child.process.stdin?.write(control("x"));
  const ending = await child.ended;
  if (ending !== 0) throw new Error(`Cannot edit with nano: it ended with ${ending}`);
}

async function editWithEmacs(path: string, rate: number, context: TestContext): Promise<void> {
  const lock = join(dirname(path), `.#${basename(path)}`);
  const program = `(progn
    (setq create-lockfiles t make-backup-files t backup-by-copying nil version-control nil)
    (goto-char (point-min))
    (re-search-forward "\\"rate\\": [0-9]+")
    (replace-match "\\"rate\\": ${rate}")
    (unless (file-symlink-p "${lock}") (kill-emacs 3))
    (save-buffer))`;
  const home = process.env["HOME"] ?? dirname(path);
  await succeed("emacs", ["-Q", "--batch", path, "--eval", program], context, { HOME: home });
}
