import assert from "node:assert/strict";
import { assertRefused } from "./host.ts";
import type { Abilities, HostTest } from "./host.ts";

/** Making, listing, looking, resolving and syncing. */
export function hostDirectoryContract(hostTest: HostTest, abilities: Abilities): void {
  makeContract(hostTest, abilities);
  statContract(hostTest, abilities);
  resolveContract(hostTest, abilities);

  hostTest(
    "list names everything in a directory, and only there",
    async ({ host, directory, outside }) => {
      assert.deepEqual(await host.list(directory), []);
      await outside.writeFile(`${directory}/b`, "");
      await outside.writeFile(`${directory}/.hidden`, "");
      await outside.makeDirectory(`${directory}/sub`);
      await outside.writeFile(`${directory}/sub/below`, "");
      assert.deepEqual((await host.list(directory)).sort(), [".hidden", "b", "sub"]);
    },
  );

  hostTest("list refuses what is missing or no directory", async ({ host, directory, outside }) => {
    await assertRefused(host.list(`${directory}/none`), "list", `${directory}/none`, "ENOENT");
    await outside.writeFile(`${directory}/file`, "");
    await assertRefused(host.list(`${directory}/file`), "list", `${directory}/file`, "ENOTDIR");
  });

  hostTest("sync and syncDirectory accept what is there", async ({ host, directory, outside }) => {
    await outside.writeFile(`${directory}/file`, "text");
    await host.sync(`${directory}/file`);
    await host.syncDirectory(directory);
    assert.equal(await outside.readFile(`${directory}/file`), "text");
  });

  hostTest("sync and syncDirectory refuse what is missing or another kind", async (subject) => {
    const { host, directory, outside } = subject;
    const [none, file] = [`${directory}/none`, `${directory}/file`];
    await assertRefused(host.sync(none), "sync", none, "ENOENT");
    if (!host.capabilities.directorySync) return await host.syncDirectory(none);
    await assertRefused(host.syncDirectory(none), "syncDirectory", none, "ENOENT");
    await outside.writeFile(file, "text");
    await assertRefused(host.syncDirectory(file), "syncDirectory", file, "ENOTDIR");
  });

  if (abilities.fifo) {
    hostTest(
      "sync of a FIFO is refused and does not hang",
      async ({ host, directory, outside }) => {
        const path = `${directory}/fifo`;
        await outside.makeFifo(path);
        await assertRefused(host.sync(path), "sync", path, "EINVAL", "ENOTSUP");
        await assertRefused(host.syncDirectory(path), "syncDirectory", path, "ENOTDIR");
      },
    );
  }
}

function makeContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("makeDirectory makes what is missing above as well", async ({ host, directory }) => {
    const path = `${directory}/a/b/c`;
    await host.makeDirectory(path, 0o700);
    const stat = await host.stat(path);
    assert.equal(stat.kind, "directory");
    if (host.capabilities.modes) assert.equal(stat.mode, 0o700);
  });

  hostTest(
    "makeDirectory leaves an existing one as it is",
    async ({ host, directory, outside }) => {
      const path = `${directory}/sub`;
      await outside.makeDirectory(path);
      await outside.writeFile(`${path}/file`, "kept");
      if (host.capabilities.modes) await outside.setMode(path, 0o751);
      await host.makeDirectory(path, 0o700);
      if (host.capabilities.modes) assert.equal((await host.stat(path)).mode, 0o751);
      assert.deepEqual(await host.list(path), ["file"]);
    },
  );

  hostTest("of many that make one directory all succeed", async ({ host, directory }) => {
    await Promise.all(
      Array.from({ length: 8 }, () => host.makeDirectory(`${directory}/a/b`, 0o700)),
    );
    assert.deepEqual(await host.list(`${directory}/a`), ["b"]);
  });

  hostTest(
    "makeDirectory refuses where a file is, and below one",
    async ({ host, directory, outside }) => {
      const path = `${directory}/file`;
      await outside.writeFile(path, "kept");
      await assertRefused(host.makeDirectory(path, 0o700), "makeDirectory", path, "EEXIST");
      await assertRefused(
        host.makeDirectory(`${path}/sub`, 0o700),
        "makeDirectory",
        `${path}/sub`,
        "ENOTDIR",
      );
      assert.equal(await outside.readFile(path), "kept");
    },
  );

  if (abilities.symlink) {
    hostTest(
      "makeDirectory takes a link to a directory for one",
      async ({ host, directory, outside }) => {
        await outside.makeDirectory(`${directory}/real`);
        await outside.symlink("real", `${directory}/link`);
        await host.makeDirectory(`${directory}/link`, 0o700);
        await host.makeDirectory(`${directory}/link/sub`, 0o700);
        assert.deepEqual(await host.list(`${directory}/real`), ["sub"]);
      },
    );
  }

  const { withUmask } = abilities;
  if (withUmask !== undefined) {
    hostTest("makeDirectory sets the mode whatever the umask", async ({ host, directory }) => {
      for (const mask of [0, 0o777]) {
        const path = `${directory}/${mask}/sub`;
        await withUmask(mask, () => host.makeDirectory(path, 0o700));
        assert.equal((await host.stat(path)).mode, 0o700);
        assert.equal((await host.stat(`${directory}/${mask}`)).mode, 0o700);
      }
    });
  }
}

function statContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("stat tells kind, size, mode, owner and time", async ({ host, directory, outside }) => {
    const path = `${directory}/file`;
    await outside.writeFile(path, "12345");
    const stat = await host.stat(path);
    assert.equal(stat.kind, "file");
    assert.equal(stat.byteLength, 5);
    assert.ok(Math.abs(stat.modifiedMs - host.now()) < 60_000);
    assert.equal((await host.stat(directory)).kind, "directory");
    if (!host.capabilities.modes) return;
    for (const mode of [0o600, 0o664]) {
      await outside.setMode(path, mode);
      assert.equal((await host.stat(path)).mode, mode);
    }
    const userId = host.userId();
    if (userId !== undefined) assert.equal(stat.userId, userId);
  });

  hostTest(
    "stat refuses what is missing, below a file, or has too long a name",
    async (subject) => {
      const { host, directory, outside } = subject;
      await outside.writeFile(`${directory}/file`, "");
      const long = `${directory}/${"n".repeat(300)}`;
      await assertRefused(host.stat(`${directory}/none`), "stat", `${directory}/none`, "ENOENT");
      await assertRefused(
        host.stat(`${directory}/file/x`),
        "stat",
        `${directory}/file/x`,
        "ENOTDIR",
      );
      await assertRefused(host.stat(long), "stat", long, "ENAMETOOLONG");
    },
  );

  hostTest(
    "an identity lasts through writes, renames and links, and agrees with read",
    async (subject) => {
      const { host, directory, outside } = subject;
      const [a, b] = [`${directory}/a`, `${directory}/b`];
      await outside.writeFile(a, "one");
      const { identity } = await host.stat(a);
      await outside.writeFile(a, "in place");
      await outside.setMode(a, 0o640);
      assert.equal((await host.stat(a)).identity, identity);
      await host.link(a, `${directory}/second`);
      await host.rename(a, b);
      assert.equal((await host.stat(b)).identity, identity);
      assert.equal((await host.read(b, 100)).stat.identity, identity);
    },
  );

  hostTest(
    "an identity changes when the file is replaced",
    async ({ host, directory, outside }) => {
      const path = `${directory}/file`;
      await outside.writeFile(path, "same");
      const before = await host.stat(path);
      await outside.replaceFile(path, "same");
      assert.notEqual((await host.stat(path)).identity, before.identity);
    },
  );

  hostTest("an identity changes when what was removed is made again", async (subject) => {
    const { host, directory, outside, elapse } = subject;
    const [file, sub] = [`${directory}/file`, `${directory}/sub`];
    await outside.writeFile(file, "same");
    await outside.makeDirectory(sub);
    const before = [await host.stat(file), await host.stat(sub)];
    // Inode numbers are used again at once; what differs is the birth, which has the grain of the kernel's tick.
    await elapse(20);
    await outside.removeFile(file);
    await outside.writeFile(file, "same");
    await outside.removeDirectory(sub);
    await outside.makeDirectory(sub);
    assert.notEqual((await host.stat(file)).identity, before[0]?.identity);
    assert.notEqual((await host.stat(sub)).identity, before[1]?.identity);
  });

  if (abilities.fifo) {
    hostTest("stat of a FIFO says other", async ({ host, directory, outside }) => {
      await outside.makeFifo(`${directory}/fifo`);
      assert.equal((await host.stat(`${directory}/fifo`)).kind, "other");
    });
  }

  if (abilities.symlink) {
    hostTest(
      "stat follows symbolic links, and refuses a dangling or circular one",
      async (subject) => {
        const { host, directory, outside } = subject;
        await outside.writeFile(`${directory}/file`, "text");
        await outside.symlink("file", `${directory}/link`);
        await outside.symlink("nowhere", `${directory}/dangling`);
        await outside.symlink("circle", `${directory}/circle`);
        const [file, link] = [
          await host.stat(`${directory}/file`),
          await host.stat(`${directory}/link`),
        ];
        assert.equal(link.identity, file.identity);
        assert.equal(link.kind, "file");
        const [dangling, circle] = [`${directory}/dangling`, `${directory}/circle`];
        await assertRefused(host.stat(dangling), "stat", dangling, "ENOENT");
        await assertRefused(host.stat(circle), "stat", circle, "ELOOP");
      },
    );
  }
}

function resolveContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest(
    "resolve gives the absolute path, without detours",
    async ({ host, directory, outside }) => {
      await outside.makeDirectory(`${directory}/sub`);
      await outside.writeFile(`${directory}/file`, "");
      assert.equal(await host.resolve(directory), directory);
      assert.equal(await host.resolve(`${directory}/sub/../file`), `${directory}/file`);
      assert.equal(await host.resolve(`${directory}/./sub/`), `${directory}/sub`);
      await assertRefused(
        host.resolve(`${directory}/none`),
        "resolve",
        `${directory}/none`,
        "ENOENT",
      );
    },
  );

  if (abilities.symlink) {
    hostTest("resolve follows chains of symbolic links", async ({ host, directory, outside }) => {
      await outside.makeDirectory(`${directory}/real`);
      await outside.writeFile(`${directory}/real/file`, "");
      await outside.symlink("real", `${directory}/sub`);
      await outside.symlink(`${directory}/sub/file`, `${directory}/second`);
      await outside.symlink("second", `${directory}/first`);
      await outside.symlink("nowhere", `${directory}/dangling`);
      assert.equal(await host.resolve(`${directory}/first`), `${directory}/real/file`);
      const dangling = `${directory}/dangling`;
      await assertRefused(host.resolve(dangling), "resolve", dangling, "ENOENT");
    });
  }
}
