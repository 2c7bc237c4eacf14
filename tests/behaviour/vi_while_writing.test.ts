// runs on: node-24
/** A person saves with vi again and again while a program writes the same file: no text of theirs vanishes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { unlessInstalled } from "../support/child.ts";
import { freshDirectory, until, writePrivate } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { startTrialProcess } from "../support/trial_process.ts";
import { readLog } from "../support/trial_records.ts";

const edits = 50;
const skip = unlessInstalled("vim");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/**
 * Changes one line in a fresh buffer, keeps a copy of the whole of it, and saves whatever happened to the file.
 *
 * @returns the hash of what was saved; undefined when vim says that it could not
 */
async function editWithVim(path: string, copy: string, edit: number, settings: string) {
  const commands = [
    `set ${settings}`,
    `%s/"edits": \\d\\+/"edits": ${edit}/`,
    // A buffer that was not written stays modified.
    ...[`w! ${copy}`, "w!", "if &modified | cquit | endif", "q!"],
  ];
  const given = commands.flatMap((command) => ["-c", command]);
  const vim = spawn("vim", ["-N", "-n", "-u", "NONE", "-i", "NONE", "-es", ...given, path], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  // It asks whether to write over a file that has changed since it was read.
  vim.stdin.on("error", () => {});
  vim.stdin.end("y\n".repeat(20));
  vim.stdout.resume();
  vim.stderr.resume();
  const status = await new Promise((resolve) => vim.on("close", resolve));
  return status === 0 ? sha256(await readFile(copy)) : undefined;
}

describe("every text that a person saves is in the history or kept aside", () => {
  for (const runtime of ["node-24", "deno", "bun"]) {
    for (const settings of ["backupcopy=auto", "backupcopy=yes", "backupcopy=no"]) {
      test(`vim with ${settings} while ${runtime} writes`, {
        skip,
        timeoutMs: 90_000,
      }, async (context) => {
        const base = await freshDirectory(context);
        const directory = join(base, "config");
        await mkdir(directory, { mode: 0o700 });
        const path = join(directory, "config.json");
        const document = { edits: 0, counter: 0, writers: {}, filler: "" };
        await writePrivate(path, `${JSON.stringify(document, undefined, 2)}\n`);
        const child = startTrialProcess({
          runtime,
          path,
          mode: "tick",
          options: ["--watch"],
          reportPath: join(base, "report"),
        });
        context.after(async () => {
          child.signal("SIGKILL");
          await child.ended;
        });
        await child.next("ticked");
        const saved: string[] = [];
        for (let edit = 1; edit <= edits; edit++) {
          const copy = join(base, `copy-${edit}`);
          let hash: string | undefined;
          while (hash === undefined) hash = await editWithVim(path, copy, edit, settings);
          saved.push(hash);
          // The next edit would replace this one if nobody had looked meanwhile; one write may have been under way.
          const writes = () => child.lines().filter(({ kind }) => kind === "ticked").length;
          const before = writes();
          await until("the program wrote twice", () => writes() >= before + 2);
        }
        await child.finish();

        const { records } = readLog(path);
        const kept = new Set(records.map(({ hash }) => hash.replace("sha256:", "")));
        const told = child.lines().filter(({ kind }) => kind === "warning" || kind === "error")
          .map(({ message = "" }) => message).join("\n");
        for (const place of [directory, join(directory, ".config.json.d")]) {
          for (const name of (await readdir(place)).filter((name) => name.includes("refused."))) {
            const aside = sha256(await readFile(join(place, name)));
            if (told.includes(name)) kept.add(aside);
          }
        }
        const vanished = saved.flatMap((hash, index) => kept.has(hash) ? [] : [index + 1]);
        assert.deepEqual(vanished, [], `vanished of ${edits}`);
        const refused = child.lines().filter(({ kind }) => kind === "refused");
        assert.deepEqual(refused.map(({ code, message }) => `${code}: ${message}`), []);
      });
    }
  }
});
