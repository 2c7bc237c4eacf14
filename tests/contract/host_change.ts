import assert from "node:assert/strict";
import { assertRefused, createFile } from "./host.ts";
import type { Abilities, HostTest } from "./host.ts";

/** Creating, writing, linking, moving and removing files. */
export function hostChangeContract(hostTest: HostTest, abilities: Abilities): void {
  createContract(hostTest, abilities);
  linkContract(hostTest, abilities);
  renameContract(hostTest, abilities);
  removeContract(hostTest, abilities);
}

function createContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest(
    "create makes a file of exactly the mode asked for",
    async ({ host, directory, outside }) => {
      const path = `${directory}/file`;
      await createFile(host, path, "hello");
      assert.equal(await outside.readFile(path), "hello");
      const stat = await host.stat(path);
      assert.equal(stat.kind, "file");
      assert.equal(stat.byteLength, 5);
      if (host.capabilities.modes) assert.equal(stat.mode, 0o600);
      assert.deepEqual(await host.list(directory), ["file"]);
    },
  );

  hostTest(
    "create refuses where a file is and leaves it alone",
    async ({ host, directory, outside }) => {
      const path = `${directory}/file`;
      await outside.writeFile(path, "theirs");
      await assertRefused(host.create(path, 0o600), "create", path, "EEXIST");
      assert.equal(await outside.readFile(path), "theirs");
    },
  );

  hostTest(
    "create refuses where a directory is, and below what is missing or a file",
    async (subject) => {
      const { host, directory, outside } = subject;
      await outside.makeDirectory(`${directory}/sub`);
      await outside.writeFile(`${directory}/file`, "");
      await assertRefused(
        host.create(`${directory}/sub`, 0o600),
        "create",
        `${directory}/sub`,
        "EEXIST",
      );
      const missing = `${directory}/missing/file`;
      await assertRefused(host.create(missing, 0o600), "create", missing, "ENOENT");
      const below = `${directory}/file/below`;
      await assertRefused(host.create(below, 0o600), "create", below, "ENOTDIR");
    },
  );

  hostTest("of many that create one name, one succeeds", async ({ host, directory }) => {
    const path = `${directory}/file`;
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => host.create(path, 0o600)),
    );
    const made = attempts.filter((attempt) => attempt.status === "fulfilled");
    assert.equal(made.length, 1);
    await made[0]?.value.close();
  });

  hostTest(
    "write goes to the end and returns what was taken",
    async ({ host, directory, outside }) => {
      const path = `${directory}/file`;
      const file = await host.create(path, 0o600);
      const first = await file.write(new Uint8Array(1_000_000).fill(0x61));
      assert.equal((await host.stat(path)).byteLength, first);
      const second = await file.write(new TextEncoder().encode("bc"));
      assert.equal(await file.write(new Uint8Array()), 0);
      await file.sync();
      await file.close();
      assert.equal(await outside.readFile(path), "a".repeat(first) + "bc".slice(0, second));
    },
  );

  hostTest("write takes only its part of a larger buffer", async ({ host, directory, outside }) => {
    const path = `${directory}/file`;
    const whole = new TextEncoder().encode("0123456789");
    const file = await host.create(path, 0o600);
    assert.equal(await file.write(whole.subarray(3, 6)), 3);
    await file.close();
    assert.equal(await outside.readFile(path), "345");
  });

  hostTest(
    "a file can be written and synced under another name, and with none",
    async (subject) => {
      const { host, directory, outside } = subject;
      const file = await host.create(`${directory}/a`, 0o600);
      await host.rename(`${directory}/a`, `${directory}/b`);
      await file.write(new TextEncoder().encode("moved"));
      assert.equal(await outside.readFile(`${directory}/b`), "moved");
      await host.remove(`${directory}/b`);
      await file.write(new TextEncoder().encode("gone"));
      await file.sync();
      await file.close();
      assert.deepEqual(await host.list(directory), []);
    },
  );

  if (abilities.symlink) {
    hostTest(
      "create follows no symbolic link, dangling or not",
      async ({ host, directory, outside }) => {
        await outside.writeFile(`${directory}/target`, "theirs");
        await outside.symlink(`${directory}/target`, `${directory}/link`);
        await outside.symlink(`${directory}/nowhere`, `${directory}/dangling`);
        await assertRefused(
          host.create(`${directory}/link`, 0o600),
          "create",
          `${directory}/link`,
          "EEXIST",
        );
        const dangling = `${directory}/dangling`;
        await assertRefused(host.create(dangling, 0o600), "create", dangling, "EEXIST");
        assert.equal(await outside.readFile(`${directory}/target`), "theirs");
        assert.deepEqual((await host.list(directory)).sort(), ["dangling", "link", "target"]);
      },
    );
  }

  const { withUmask } = abilities;
  if (withUmask !== undefined) {
    for (const mask of [0, 0o077, 0o777]) {
      hostTest(
        `create sets the mode under a umask of ${mask.toString(8)}`,
        async ({ host, directory }) => {
          for (const mode of [0o600, 0o644]) {
            const path = `${directory}/file-${mode}`;
            const file = await withUmask(mask, () => host.create(path, mode));
            await file.close();
            assert.equal((await host.stat(path)).mode, mode);
          }
        },
      );
    }
  }
}

function linkContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("link gives a file a second name", async ({ host, directory, outside }) => {
    await outside.writeFile(`${directory}/a`, "one");
    await host.link(`${directory}/a`, `${directory}/b`);
    const [first, second] = [await host.stat(`${directory}/a`), await host.stat(`${directory}/b`)];
    assert.equal(first.identity, second.identity);
    await outside.writeFile(`${directory}/a`, "two");
    assert.equal(await outside.readFile(`${directory}/b`), "two");
  });

  hostTest("link refuses a taken name and a missing file", async ({ host, directory, outside }) => {
    const [a, b] = [`${directory}/a`, `${directory}/b`];
    await outside.writeFile(a, "one");
    await outside.writeFile(b, "two");
    await assertRefused(host.link(a, b), "link", b, "EEXIST");
    assert.equal(await outside.readFile(b), "two");
    await assertRefused(host.link(a, a), "link", a, "EEXIST");
    await assertRefused(
      host.link(`${directory}/none`, `${directory}/c`),
      "link",
      `${directory}/c`,
      "ENOENT",
    );
    assert.deepEqual((await host.list(directory)).sort(), ["a", "b"]);
  });

  hostTest("of many that link to one name, one succeeds", async ({ host, directory, outside }) => {
    const sources = Array.from({ length: 8 }, (_, index) => `${directory}/source-${index}`);
    for (const source of sources) await outside.writeFile(source, source);
    const won = await Promise.all(sources.map((source) => {
      return host.link(source, `${directory}/name`).then(() => [source], () => []);
    }));
    assert.equal(won.flat().length, 1);
    assert.equal(await outside.readFile(`${directory}/name`), won.flat()[0]);
  });

  if (abilities.symlink) {
    hostTest(
      "link refuses a name that a dangling link has",
      async ({ host, directory, outside }) => {
        await outside.writeFile(`${directory}/a`, "one");
        await outside.symlink(`${directory}/nowhere`, `${directory}/b`);
        await assertRefused(
          host.link(`${directory}/a`, `${directory}/b`),
          "link",
          `${directory}/b`,
          "EEXIST",
        );
      },
    );
  }
}

function renameContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("rename moves over another file", async ({ host, directory, outside }) => {
    const [a, b] = [`${directory}/a`, `${directory}/b`];
    await outside.writeFile(a, "new");
    await outside.writeFile(b, "old");
    const { identity } = await host.stat(a);
    await host.rename(a, b);
    assert.equal(await outside.readFile(b), "new");
    assert.equal((await host.stat(b)).identity, identity);
    assert.deepEqual(await host.list(directory), ["b"]);
  });

  hostTest(
    "rename moves to a new name, also in another directory",
    async ({ host, directory, outside }) => {
      await outside.makeDirectory(`${directory}/sub`);
      await outside.writeFile(`${directory}/a`, "text");
      await host.rename(`${directory}/a`, `${directory}/sub/b`);
      assert.equal(await outside.readFile(`${directory}/sub/b`), "text");
      assert.deepEqual(await host.list(directory), ["sub"]);
    },
  );

  hostTest("rename refuses what is missing, and to replace a directory", async (subject) => {
    const { host, directory, outside } = subject;
    const [a, b] = [`${directory}/a`, `${directory}/b`];
    await outside.writeFile(b, "kept");
    await assertRefused(host.rename(a, b), "rename", b, "ENOENT");
    assert.equal(await outside.readFile(b), "kept");
    await outside.makeDirectory(`${directory}/sub`);
    await outside.writeFile(`${directory}/sub/inside`, "");
    const sub = `${directory}/sub`;
    await assertRefused(
      host.rename(b, sub),
      "rename",
      sub,
      "EISDIR",
      "EPERM",
      "EEXIST",
      "ENOTEMPTY",
    );
    await assertRefused(
      host.rename(b, `${directory}/no/b`),
      "rename",
      `${directory}/no/b`,
      "ENOENT",
    );
    assert.equal(await outside.readFile(b), "kept");
  });

  if (abilities.symlink) {
    hostTest("rename replaces a symbolic link, not what it leads to", async (subject) => {
      const { host, directory, outside } = subject;
      await outside.writeFile(`${directory}/target`, "theirs");
      await outside.symlink("target", `${directory}/link`);
      await outside.writeFile(`${directory}/new`, "ours");
      await host.rename(`${directory}/new`, `${directory}/link`);
      assert.equal(await outside.readFile(`${directory}/target`), "theirs");
      assert.equal(await outside.readFile(`${directory}/link`), "ours");
    });
  }
}

function removeContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("remove takes one name and leaves the others", async ({ host, directory, outside }) => {
    await outside.writeFile(`${directory}/a`, "text");
    await host.link(`${directory}/a`, `${directory}/b`);
    await host.remove(`${directory}/a`);
    assert.deepEqual(await host.list(directory), ["b"]);
    assert.equal(await outside.readFile(`${directory}/b`), "text");
  });

  hostTest("remove refuses what is missing and an empty directory", async (subject) => {
    const { host, directory, outside } = subject;
    await assertRefused(host.remove(`${directory}/none`), "remove", `${directory}/none`, "ENOENT");
    const sub = `${directory}/sub`;
    await outside.makeDirectory(sub);
    await assertRefused(host.remove(sub), "remove", sub, "EISDIR", "EPERM");
    assert.equal((await host.stat(sub)).kind, "directory");
  });

  if (abilities.symlink) {
    hostTest("remove takes a symbolic link, not what it leads to", async (subject) => {
      const { host, directory, outside } = subject;
      await outside.writeFile(`${directory}/target`, "theirs");
      await outside.makeDirectory(`${directory}/sub`);
      await outside.symlink("target", `${directory}/link`);
      await outside.symlink("sub", `${directory}/sub-link`);
      await host.remove(`${directory}/link`);
      await host.remove(`${directory}/sub-link`);
      assert.deepEqual((await host.list(directory)).sort(), ["sub", "target"]);
    });
  }
}
