// runs on: node-24
/** Each call to the filesystem that a write makes fails once: the caller is told so, and the next write goes on. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessInstalled } from "../support/child.ts";
import { freshDirectory, writePrivate } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { failEveryCall } from "../support/trial_errno.ts";
import { startTrialProcess } from "../support/trial_process.ts";
import { readLog } from "../support/trial_records.ts";
import { fillerOf } from "../support/trial_writer.ts";

const skip = unlessInstalled("strace");

describe("each call of a write fails", () => {
  for (const runtime of ["node-24", "deno", "bun"]) {
    test(`on ${runtime}`, { skip, timeoutMs: 120_000 }, async (context) => {
      const base = await freshDirectory(context);
      const [directory, reports] = [join(base, "config"), join(base, "reports")];
      await mkdir(directory, { mode: 0o700 });
      await mkdir(reports);
      const faults = await failEveryCall({ runtime, directory, reports });
      const told = new Set(
        faults.map(({ call, errno, outcome }) => `${call}: ${errno} ${outcome}`),
      );
      console.log(`${runtime}: ${faults.length} faults\n  ${[...told].join("\n  ")}`);
      for (const call of ["openat", "write", "fsync", "link", "rename", "unlink", "getdents64"]) {
        assert.ok(faults.some((fault) => fault.call.startsWith(call)), `no ${call} failed`);
      }
    });
  }
});

describe("a file that may not grow", () => {
  for (const runtime of ["node-24", "deno", "bun"]) {
    test(`takes a part of a write on ${runtime}, which is refused`, {
      skip: unlessInstalled("prlimit"),
    }, async (context) => {
      const directory = await freshDirectory(context);
      const path = join(directory, "config.json");
      // The next one is the greatest for long.
      const document = { counter: 25, writers: { before: 25 }, filler: fillerOf(25) };
      await writePrivate(path, JSON.stringify(document));
      const child = startTrialProcess({
        runtime,
        path,
        mode: "step",
        reportPath: `${directory}-report`,
        through: ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"],
      });
      context.after(async () => {
        child.signal("SIGKILL");
        await child.ended;
        await rm(`${directory}-report`);
        await rm(`${directory}-report.errors`);
      });
      await child.next("opened");
      const limit = (bytes: string) => {
        const given = ["--pid", String(child.pid), `--fsize=${bytes}`];
        const { status, stderr } = spawnSync("prlimit", given, { encoding: "utf8" });
        assert.equal(status, 0, stderr);
      };
      const { size } = await stat(path);
      assert.ok(size > 2200, "the document is greater than the report");
      const names = await readdir(directory);

      limit("2200:unlimited");
      child.send("write");
      const refused = await child.next("acknowledged", "refused", "untyped");
      assert.deepEqual([refused.code, refused.errno], ["IO", "EFBIG"], refused.message);
      assert.deepEqual(JSON.parse(await readFile(path, "utf8")), document);
      assert.deepEqual(readLog(path).records.map(({ calls }) => calls.length), []);
      limit("unlimited:unlimited");
      child.send("write");
      assert.equal((await child.next("acknowledged", "refused")).kind, "acknowledged");
      await child.finish();
      const left = readLog(path).names.filter((name) => /^(?:rec|pub)/.test(name));
      assert.deepEqual([left, names], [[], ["config.json"]]);
    });
  }
});
