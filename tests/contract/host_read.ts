import assert from "node:assert/strict";
import { isHoldfastError } from "../../src/core/error.ts";
import { assertRefused, createFile } from "./host.ts";
import type { Abilities, HostTest } from "./host.ts";

const bytesMax = 1_000_000;

/** Reading whole files, and what is not to be read. */
export function hostReadContract(hostTest: HostTest, abilities: Abilities): void {
  hostTest("read gives all bytes and the stat", async ({ host, directory }) => {
    const path = `${directory}/file`;
    for (const byteLength of [0, 1, 4096, 4097, 300_001]) {
      const text = "0123456789".repeat(byteLength / 10 + 1).slice(0, byteLength);
      await createFile(host, path, text);
      const { bytes, stat } = await host.read(path, bytesMax);
      assert.equal(new TextDecoder().decode(bytes), text);
      assert.deepEqual(stat, await host.stat(path));
      assert.equal(stat.byteLength, byteLength);
      await host.remove(path);
    }
  });

  hostTest("read leaves bytes as they are", async ({ host, directory }) => {
    const path = `${directory}/file`;
    const every = Uint8Array.from({ length: 256 }, (_, value) => value);
    const file = await host.create(path, 0o600);
    await file.write(every);
    await file.close();
    assert.deepEqual([...(await host.read(path, bytesMax)).bytes], [...every]);
  });

  hostTest("read refuses more than it was allowed", async ({ host, directory, outside }) => {
    const path = `${directory}/file`;
    await outside.writeFile(path, "12345");
    assert.equal((await host.read(path, 5)).bytes.length, 5);
    const error = await host.read(path, 4).then(() => undefined, (caught: unknown) => caught);
    assert.ok(isHoldfastError(error, "TOO_LARGE"), String(error));
    assert.deepEqual({ ...error.details }, { what: "file", limit: 4, found: 5 });
    assert.match(error.message, /^Cannot read .*: found 5 bytes where .* 4 .*; .+$/);
  });

  hostTest("read refuses a directory and what is missing", async ({ host, directory, outside }) => {
    await assertUnsafe(host.read(directory, bytesMax), directory, "directory");
    await outside.writeFile(`${directory}/file`, "");
    const [none, below] = [`${directory}/none`, `${directory}/file/below`];
    await assertRefused(host.read(none, bytesMax), "read", none, "ENOENT");
    await assertRefused(host.read(below, bytesMax), "read", below, "ENOTDIR");
  });

  if (abilities.fifo) {
    hostTest("read refuses a FIFO and does not hang", async ({ host, directory, outside }) => {
      const path = `${directory}/fifo`;
      await outside.makeFifo(path);
      await assertUnsafe(host.read(path, bytesMax), path, "FIFO");
    });
  }

  if (abilities.symlink) {
    hostTest("read follows symbolic links", async ({ host, directory, outside }) => {
      await outside.writeFile(`${directory}/file`, "text");
      await outside.symlink("file", `${directory}/link`);
      await outside.symlink("nowhere", `${directory}/dangling`);
      await outside.symlink(".", `${directory}/here`);
      const { bytes } = await host.read(`${directory}/here/link`, bytesMax);
      assert.equal(new TextDecoder().decode(bytes), "text");
      const dangling = `${directory}/dangling`;
      await assertRefused(host.read(dangling, bytesMax), "read", dangling, "ENOENT");
      await assertUnsafe(
        host.read(`${directory}/here`, bytesMax),
        `${directory}/here`,
        "directory",
      );
    });
  }
}

async function assertUnsafe(attempt: Promise<unknown>, path: string, found: string): Promise<void> {
  const error = await attempt.then(() => undefined, (caught: unknown) => caught);
  assert.ok(isHoldfastError(error, "UNSAFE_FILE"), String(error));
  assert.deepEqual({ ...error.details }, { path, found });
  assert.match(error.message, /^Cannot read .*: found a .+; .+$/);
}
