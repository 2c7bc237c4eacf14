import { createHash, randomBytes } from "node:crypto";
import { watch } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import type { Capabilities, Host, HostWatch, WatchOptions } from "../src/host/host.ts";
import { errnoOf, ioError, refusal, wordingRefusal } from "./io_error.ts";
import { createFile, readFile, statOf, syncDirectory, syncFile } from "./node_file.ts";
import { pauseOnTimer, sleepOnTimer, unrefTimer } from "./timer.ts";

/**
 * The host over node:fs, which Node and Bun share and Deno falls back on.
 *
 * @param name the runtime's name, such as `node`
 * @param platform the runtime's name of the platform, such as `linux` or `win32`
 * @returns a host without any state of its own
 */
export function nodeFsHost(name: string, platform: string): Host {
  const capabilities = capabilitiesOf(platform);
  return {
    name,
    capabilities,
    create: (path, mode) => createFile(path, mode, capabilities),
    read: readFile,
    sync: (path) => syncFile(path, capabilities),
    syncDirectory: (path) => syncDirectory(path, capabilities),
    link: (existing, path) => wordingRefusal("link", path, () => fs.link(existing, path), existing),
    rename: (from, to) => wordingRefusal("rename", to, () => fs.rename(from, to), from),
    remove: (path) => wordingRefusal("remove", path, () => fs.unlink(path)),
    makeDirectory: (path, mode) => {
      return wordingRefusal("makeDirectory", path, () => makeDirectory(path, mode));
    },
    list: (path) => wordingRefusal("list", path, () => fs.readdir(path)),
    stat: async (path) => {
      return statOf(await wordingRefusal("stat", path, () => fs.stat(path, { bigint: true })));
    },
    resolve: (path) => wordingRefusal("resolve", path, () => fs.realpath(path)),
    watch: watchDirectory,
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: (ms, options) => sleepOnTimer(ms, options, unrefTimer),
    pause: pauseOnTimer,
    random: (byteLength) => new Uint8Array(randomBytes(byteLength)),
    hash: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    variable: (name) => process.env[name],
    variableNames: () => Object.keys(process.env),
    userId: () => process.geteuid?.(),
  };
}

/**
 * What a platform can do.
 *
 * @param platform a runtime's name for it: Node and Bun say `win32`, Deno `windows`
 */
export function capabilitiesOf(platform: string): Capabilities {
  if (platform === "win32" || platform === "windows") {
    return { platform: "windows", directorySync: false, modes: false, renameOverOpen: false };
  }
  const known = platform === "linux" || platform === "darwin" ? platform : "other";
  return { platform: known, directorySync: true, modes: true, renameOverOpen: true };
}

async function makeDirectory(path: string, mode: number, hasParent = false): Promise<void> {
  try {
    await fs.mkdir(path, { mode });
  } catch (cause) {
    const errno = errnoOf(cause);
    // In some places, such as /proc, nothing can be made, parent or not.
    if (errno === "ENOENT" && !hasParent && dirname(path) !== path) {
      await makeDirectory(dirname(path), mode);
      return await makeDirectory(path, mode, true);
    }
    const exists = errno === "EEXIST" && (await fs.stat(path)).isDirectory();
    if (exists) return;
    throw cause;
  }
  // Whatever the umask, which could even leave a directory that its maker cannot enter.
  await fs.chmod(path, mode);
}

async function watchDirectory(directory: string, options: WatchOptions): Promise<HostWatch> {
  return await wordingRefusal("watch", directory, async () => {
    // Asked first, since Deno's node:fs would tell only later, and a file would be watched as well.
    const stats = await fs.stat(directory);
    if (!stats.isDirectory()) throw refusal("ENOTDIR");
    let closed = false;
    const watcher = watch(directory, { persistent: options.keepAlive }, () => {
      if (!closed) options.hint();
    });
    const close = (): void => {
      if (closed) return;
      closed = true;
      watcher.close();
    };
    watcher.on("error", (cause) => {
      if (closed) return;
      close();
      options.failed(ioError("watch", directory, cause));
    });
    return { close };
  });
}
