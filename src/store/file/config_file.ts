import { hasErrno, holdfastError } from "../../core/error.ts";
import {
  danglingLooksMax,
  documentBytesMax,
  glancedBytesMin,
  rereadMs,
  settledAgeMs,
} from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import { makeDirectoryDurably } from "../../host/durable.ts";
import { hashOf } from "../../host/hash.ts";
import type { Host, HostStat } from "../../host/host.ts";
import { baseName, directoryOf, joinPath } from "../../host/path.ts";
import { judgeTrust, type Trust } from "../../source/file_trust.ts";

/** What a look at the config file found. */
export interface Found {
  readonly bytes: Uint8Array;
  /** Over the bytes. */
  readonly hash: string;
  readonly stat: HostStat;
}

/** Reads a file, and hashes what was read. */
export async function readFound(host: Host, path: string, bytesMax: number): Promise<Found> {
  const { bytes, stat } = await host.read(path, bytesMax);
  return { bytes, stat, hash: hashOf(host, bytes) };
}

/** The file that people read and edit, reached through whatever links lead to it. */
export class ConfigFile {
  /** As it was named, absolute. */
  readonly path: string;
  readonly #host: Host;
  /** Whose files are accepted. */
  readonly trust: Trust;
  #target: string;
  #directories: readonly HostStat[] = [];
  #isFollowed = false;
  #settled: { readonly found: Found; readonly atMs: number } | undefined;

  constructor(host: Host, path: string, trust: Trust) {
    this.#host = host;
    this.path = path;
    this.#target = path;
    this.trust = trust;
  }

  /** Reads it and finds out where the links lead now; undefined when nothing is there. */
  async read(): Promise<Found | undefined> {
    const [found] = await together([this.reread(), this.#findTarget()]);
    return found;
  }

  /**
   * Reads it, or finds that it is the same by what it is alone: a large file is not read at every look. One that changed lately
   * is, since times are coarse, and so is every one from time to time, since times can be set.
   */
  async glance(): Promise<Found | undefined> {
    const host = this.#host;
    const { found, atMs } = this.#settled ?? { found: undefined, atMs: 0 };
    if (found !== undefined && host.monotonic() - atMs < rereadMs) {
      const [stat] = await together([
        host.stat(this.path).catch(() => undefined),
        this.#findTarget(),
      ]);
      if (stat !== undefined && isSameContent(stat, found.stat)) return { ...found, stat };
    }
    const read = await this.read();
    const isSettled = read !== undefined && read.bytes.length >= glancedBytesMin &&
      host.now() - read.stat.modifiedMs > settledAgeMs;
    this.#settled = isSettled ? { found: read, atMs: host.monotonic() } : undefined;
    return read;
  }

  /** Reads it once more. */
  async reread(): Promise<Found | undefined> {
    try {
      return await readFound(this.#host, this.path, documentBytesMax);
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
      return undefined;
    }
  }

  /** Where the links lead, as last seen. */
  get target(): string {
    return this.#target;
  }

  /** Finds out where the links lead now, and what the directories on the way are. */
  async follow(): Promise<string> {
    const target = this.#target = await this.#host.resolve(this.path)
      .catch(() => this.#unresolved());
    const directories: HostStat[] = [];
    for (const directory of new Set([directoryOf(this.path), directoryOf(target)])) {
      const stat = await this.#host.stat(directory).catch(() => undefined);
      if (stat !== undefined) directories.push(stat);
    }
    this.#directories = directories;
    this.#isFollowed = true;
    return target;
  }

  async #findTarget(): Promise<void> {
    if (!this.#isFollowed) return void await this.follow();
    const target = await this.#host.resolve(this.path).catch(() => this.#unresolved());
    if (target !== this.#target) await this.follow();
  }

  /**
   * What is dubious about the place and about who can write the file.
   *
   * @throws `UNSAFE_FILE`
   */
  judge(file: HostStat): readonly string[] {
    const { path, trust } = this;
    return judgeTrust(this.#host, { path, file, directories: this.#directories, trust });
  }

  /**
   * Where to write: the file behind the links, in a directory that is made if need be.
   *
   * @throws `UNSAFE_FILE` when a link leads to nothing
   */
  async writableTarget(): Promise<string> {
    // What is there and leads nowhere may be somebody else's file that comes or goes this very moment.
    for (let attempt = 1; attempt <= danglingLooksMax; attempt++) {
      const found = await this.#whereLinksLead();
      if (found !== undefined) return this.#target = found;
      const directory = directoryOf(this.path);
      await makeDirectoryDurably(this.#host, directory, 0o700);
      const name = baseName(this.path);
      const isThere = (await this.#host.list(directory)).includes(name);
      if (!isThere) return this.#target = joinPath(await this.#host.resolve(directory), name);
    }
    throw holdfastError(
      "UNSAFE_FILE",
      `Cannot write ${this.path}: found a symbolic link to nothing; make its target, or remove the link`,
      { path: this.path, found: "dangling link" },
    );
  }

  async #whereLinksLead(): Promise<string | undefined> {
    try {
      return await this.#host.resolve(this.path);
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /** Nothing is there, or cannot be looked at: then its directory may still be reached through links. */
  async #unresolved(): Promise<string> {
    const directory = directoryOf(this.path);
    const behind = await this.#host.resolve(directory).catch(() => directory);
    return joinPath(behind, baseName(this.path));
  }
}

function isSameContent(one: HostStat, other: HostStat): boolean {
  return one.identity === other.identity && one.byteLength === other.byteLength &&
    one.modifiedMs === other.modifiedMs;
}
