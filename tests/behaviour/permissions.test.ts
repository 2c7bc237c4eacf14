/** Who may read and write the file: exactly its owner after every write, and nobody who is not to be trusted before. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { detectHost } from "../../adapters/detect.ts";
import { isHoldfastError, openConfig } from "../../mod.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { realAbilities } from "../support/host_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { generationsOf, litterBeside, logOf } from "../support/litter.ts";
import { isForetold, openGuessable, zeros } from "../support/planted.ts";

const schema = v.looseObject({ rate: v.number() });
const { withUmask } = realAbilities;
const notRoot = process.getuid?.() === 0 ? false : "only root can give files away";
const modeOf = async (path: string) => (await fs.stat(path)).mode & 0o7777;

describe("the mode", () => {
  for (const mask of [0, 0o022, 0o077, 0o777]) {
    const octal = mask.toString(8).padStart(4, "0");
    const skip = withUmask === undefined && "no umask here";
    test(`is 0600 after every write with umask ${octal}`, { skip }, async (context) => {
      const path = join(await freshDirectory(context), "made", "config.json");
      await withUmask!(mask, async () => {
        const config = await openConfig(path, {
          schema,
          seed: { rate: 1 },
          watch: false,
          ...listen(),
        });
        context.after(() => config.close());
        assert.equal(await modeOf(path), 0o600);
        assert.equal(await modeOf(join(path, "..")), 0o700);
        assert.equal(await modeOf(logOf(path)), 0o700);
        await config.setAt(["rate"], 2);
        assert.equal(await modeOf(path), 0o600);
        await fs.chmod(path, 0o644);
        await config.patch({ rate: 3 });
        assert.equal(await modeOf(path), 0o600);
        await fs.chmod(path, 0o400);
        await config.update((draft) => void (draft.rate = 4));
        assert.equal(await modeOf(path), 0o600);
        await fs.writeFile(path, "broken");
        await assert.rejects(config.reload(), { code: "PARSE" });
        await config.set({ rate: 5 });
        await config.close();
        assert.deepEqual(await generationsOf(path), [1, 2, 3, 4, 5]);
        assert.deepEqual(await litterBeside(path), []);
        const kept = await fs.readdir(logOf(path));
        assert.ok(kept.some((name) => name.startsWith("refused.")), kept.join());
        const names = await fs.readdir(join(path, ".."), { recursive: true });
        assert.ok(names.length > kept.length + 2, names.join());
        for (const name of names) {
          // The very files whose mode was changed above.
          if (/\/(img|ext)\./.test(name)) continue;
          const expected = name === basename(logOf(path)) ? 0o700 : 0o600;
          assert.equal(await modeOf(join(path, "..", name)), expected, name);
        }
      });
    });
  }

  for (const mode of [0o640, 0o644, 0o604, 0o660, 0o700]) {
    const octal = mode.toString(8);
    test(`${octal} is ${mode === 0o700 ? "taken" : "warned of once"}`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, '{ "rate": 1 }');
      await fs.chmod(path, mode);
      const ears = listen();
      const { host, looksMore } = countLooks();
      const config = await openConfig(path, { schema, host, watch: brisk, ...ears });
      context.after(() => config.close());
      await looksMore();
      await fs.writeFile(path, '{ "rate": 2 }');
      await until("the edit is applied", () => config.value.rate === 2);
      await looksMore();
      if (mode === 0o700) return assert.deepEqual(ears.warnings, []);
      assert.equal(ears.warnings.length, 1, ears.warnings.join("\n"));
      assert.ok(ears.warnings[0]!.includes(octal) && ears.warnings[0]!.includes(path));
      assert.equal(config.status().state, "ok");
      assert.deepEqual(config.status().problems.map(({ severity }) => severity), ["warning"]);
      await config.setAt(["rate"], 3);
      assert.deepEqual(config.status().problems, []);
    });
  }
});

describe("a file that everybody can write", () => {
  for (const mode of [0o666, 0o602, 0o622, 0o777]) {
    test(`with mode ${mode.toString(8)} is refused, unless allowed`, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, '{ "rate": 1 }');
      await fs.chmod(path, mode);
      const seed = { rate: 9 };
      const opening = openConfig(path, { schema, seed, ...listen() });
      await assert.rejects(opening, { code: "UNSAFE_FILE" });
      assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 1 }');
      const config = await openConfig(path, { schema, watch: false, trust: "any", ...listen() });
      context.after(() => config.close());
      assert.equal(config.value.rate, 1);
    });
  }

  test("is not followed when it becomes so", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const ears = listen();
    const { host, looksMore } = countLooks();
    const config = await openConfig(path, { schema, host, watch: brisk, ...ears });
    context.after(() => config.close());
    await fs.chmod(path, 0o666);
    await fs.writeFile(path, '{ "rate": 2 }');
    await until("it is refused", () => config.status().state === "degraded");
    await looksMore();
    assert.equal(config.value.rate, 1);
    assert.equal(ears.refusals.length, 1, ears.refusals.join("\n"));
    await fs.chmod(path, 0o600);
    await until("it is taken", () => config.value.rate === 2);
    assert.equal(config.status().state, "ok");
  });

  test("is refused at a write that finds it, too, and stays", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await fs.writeFile(path, '{ "rate": 2 }');
    await fs.chmod(path, 0o666);
    await assert.rejects(config.setAt(["rate"], 3), { code: "UNSAFE_FILE" });
    assert.equal(await fs.readFile(path, "utf8"), '{ "rate": 2 }');
    assert.equal(await modeOf(path), 0o666);
    assert.equal(config.value.rate, 1);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [1]);
    await config.close();
    assert.deepEqual(await litterBeside(path), []);
  });
});

describe("a file of somebody else", () => {
  test("is refused, unless allowed", { skip: notRoot }, async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    const config = await openConfig(path, { schema, watch: false, ...listen() });
    context.after(() => config.close());
    await fs.chown(path, 4242, 4242);
    await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
    assert.equal(config.value.rate, 1);
    await assert.rejects(openConfig(path, { schema, seed: { rate: 9 }, ...listen() }), {
      code: "UNSAFE_FILE",
    });
    const options = { schema, watch: false, trust: "any", ...listen() } as const;
    const trusting = await openConfig(path, options);
    context.after(() => trusting.close());
    assert.equal(trusting.value.rate, 1);
  });

  test("who is root is fine, also to read by all", { skip: notRoot }, async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, '{ "rate": 1 }');
    await fs.chmod(path, 0o644);
    const ears = listen();
    const host = { ...detectHost(), userId: () => 4242 };
    const config = await openConfig(path, { schema, host, watch: false, ...ears });
    context.after(() => config.close());
    assert.deepEqual(ears.warnings, []);
    await fs.chown(path, 4243, 4243);
    await assert.rejects(config.reload(), { code: "UNSAFE_FILE" });
    await fs.chown(path, 4242, 4242);
    await config.reload();
    assert.equal(config.status().state, "ok");
  });
});

describe("a directory that everybody can write", () => {
  for (const mode of [0o777, 0o1777, 0o755]) {
    const warned = mode === 0o777;
    test(`with mode ${mode.toString(8)} ${warned ? "warns once" : "is fine"}`, async (context) => {
      const directory = join(await freshDirectory(context), "open");
      await fs.mkdir(directory);
      await fs.chmod(directory, mode);
      const path = join(directory, "config.json");
      await writePrivate(path, '{ "rate": 1 }');
      const ears = listen();
      const { host, looksMore } = countLooks();
      const config = await openConfig(path, { schema, host, watch: brisk, ...ears });
      context.after(() => config.close());
      await replace(path, '{ "rate": 2 }');
      await until("the edit is applied", () => config.value.rate === 2);
      await looksMore();
      assert.equal(ears.warnings.length, warned ? 1 : 0, ears.warnings.join("\n"));
      if (warned) assert.match(ears.warnings[0]!, /directory.*777/);
    });
  }
});

describe("temporaries", () => {
  test("have names that nobody guesses", async (context) => {
    const { path, config, made } = await openGuessable(context);
    for (const rate of [2, 3, 4]) await config.setAt(["rate"], rate);
    await config.close();
    const secret = made.filter((name) => !isForetold(path, name));
    const beside = /^\.config\.json\.[0-9a-f]{32}\.tmp$/;
    const within = /^(rec|pub\.\d+|(img|ext|txt)\.\d+\.[0-9a-f]{32})\.[0-9a-f]{32}$/;
    for (const name of secret) {
      assert.match(basename(name), dirname(name) === logOf(path) ? within : beside);
    }
    assert.ok(secret.length >= 4 + 2 * 3, made.join("\n"));
    assert.equal(new Set(secret).size, secret.length);
    assert.deepEqual(await litterBeside(path), ["victim"]);
  });

  for (const name of [`rec.${zeros}`, `pub.3.${zeros}`, `img.3.${zeros}.${zeros}`]) {
    test(`follow no link planted at ${name.replaceAll(zeros, "ID")}`, async (context) => {
      const { path, config, guessing, victim, assertUnharmed } = await openGuessable(context);
      await config.setAt(["rate"], 2);
      await fs.symlink(victim, join(logOf(path), name));
      guessing.on = true;
      await assert.rejects(config.setAt(["rate"], 6), { code: "IO" });
      await assertUnharmed();
      assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 2 });
      assert.deepEqual(await generationsOf(path), [1, 2]);
      guessing.on = false;
      await config.setAt(["rate"], 6);
      assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 6 });
      await assertUnharmed();
    });
  }

  test("follow no link planted beside the file", async (context) => {
    const { path, config, guessing, victim, assertUnharmed } = await openGuessable(context);
    const planted = [`.config.json.${zeros}.tmp`, ".config.json.mark.1000"];
    for (const name of planted) await fs.symlink(victim, join(dirname(path), name));
    guessing.on = true;
    // They may be in the way of a write, and no more than that.
    await config.setAt(["rate"], 2).catch((error: unknown) => {
      assert.ok(isHoldfastError(error, "IO"), String(error));
    });
    await assertUnharmed();
    guessing.on = false;
    await config.setAt(["rate"], 3);
    assert.deepEqual(JSON.parse(await fs.readFile(path, "utf8")), { rate: 3 });
    await assertUnharmed();
  });
});

describe("a symbolic link", () => {
  test("is kept while its target is replaced, edited, and changed", async (context) => {
    const directory = await freshDirectory(context);
    for (const name of ["etc", "one", "two"]) await fs.mkdir(join(directory, name));
    const path = join(directory, "etc", "config.json");
    const target = join(directory, "one", "real.json");
    await writePrivate(target, '{ "rate": 1 }');
    await fs.chmod(target, 0o644);
    await fs.symlink("../one/middle", path);
    await fs.symlink("real.json", join(directory, "one", "middle"));
    const config = await openConfig(path, { schema, watch: brisk, ...listen() });
    context.after(() => config.close());
    await config.setAt(["rate"], 2);
    assert.equal(await fs.readlink(path), "../one/middle");
    assert.equal(await fs.readlink(join(directory, "one", "middle")), "real.json");
    assert.ok((await fs.lstat(target)).isFile());
    assert.equal(await modeOf(target), 0o600);
    assert.deepEqual(JSON.parse(await fs.readFile(target, "utf8")), { rate: 2 });
    // The generations are kept beside the file itself, not beside a link to it.
    assert.deepEqual(await fs.readdir(join(directory, "etc")), ["config.json"]);
    assert.deepEqual(await generationsOf(target), [1, 2]);

    await replace(target, '{ "rate": 3 }');
    await until("an edit of the target is applied", () => config.value.rate === 3);
    await writePrivate(join(directory, "two", "new.json"), '{ "rate": 4 }');
    await fs.symlink("../two/new.json", `${path}.new`);
    await fs.rename(`${path}.new`, path);
    await until("another target is applied", () => config.value.rate === 4);
    await config.setAt(["rate"], 5);
    assert.equal(await fs.readlink(path), "../two/new.json");
    assert.deepEqual(JSON.parse(await fs.readFile(target, "utf8")), { rate: 3 });
    await replace(join(directory, "two", "new.json"), '{ "rate": 6 }');
    await until("an edit of that is applied", () => config.value.rate === 6);
    await config.close();
    assert.deepEqual(await fs.readdir(join(directory, "etc")), ["config.json"]);
    assert.deepEqual(await litterBeside(target), ["middle"]);
    assert.deepEqual(await litterBeside(join(directory, "two", "new.json")), []);
    assert.deepEqual(await generationsOf(target), [1, 2, 3]);
  });
});
