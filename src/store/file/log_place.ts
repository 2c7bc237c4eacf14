import { hasErrno, holdfastError, isHoldfastError } from "../../core/error.ts";
import { markedGenerations } from "../../core/limits.ts";
import { ignoreRejection, together } from "../../core/promise.ts";
import {
  besideName,
  makeDirectoryDurably,
  makeEmpty,
  mountedError,
  readOnlyError,
  uniqueId,
} from "../../host/durable.ts";
import type { Host, HostStat } from "../../host/host.ts";
import { directoryOf, joinPath } from "../../host/path.ts";
import { isForeign, type Trust } from "../../source/file_trust.ts";
import { Beside } from "./beside.ts";
import { fileMode, GenerationLog } from "./generation_log.ts";
import type { LogView } from "./log_view.ts";

const directoryMode = 0o700;

// How systems word that a filesystem, or a rule of theirs, has no hard links.
const withoutLinks = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** A config file, behind every link, and the log beside it. */
export class LogPlace {
  readonly host: Host;
  /** The config file. */
  readonly path: string;
  /** The directory of the config file. */
  readonly directory: string;
  readonly log: GenerationLog;
  readonly #prefix: string;
  readonly #beside: Beside;
  readonly #trust: Trust;
  readonly #warn: (message: string) => void;
  #judged: { readonly as: string; readonly error: Error | undefined } | undefined;
  #mark: number | undefined;
  #opened = false;
  #wasSeen = false;
  #isRefused = false;
  #isEntryDurable = false;

  constructor(host: Host, path: string, trust: Trust, warn: (message: string) => void) {
    this.host = host;
    this.path = path;
    this.#trust = trust;
    this.#warn = warn;
    this.directory = directoryOf(path);
    this.#prefix = joinPath(this.directory, besideName(host, path));
    this.#beside = new Beside(host, this.#prefix);
    this.log = new GenerationLog(host, `${this.#prefix}.d`, warn);
  }

  /**
   * Makes the log if need be and finds out, before anything depends on it, whether commits can work here.
   *
   * @returns whether that was still to be done
   * @throws `UNSAFE_FILE` when the log is no directory of ours alone, `UNSUPPORTED` where there are no hard links or the log
   * is on another filesystem, `READ_ONLY` where the config file cannot be replaced, `IO`
   */
  async open(attempt: number = 1): Promise<boolean> {
    if (this.#opened) return false;
    try {
      await makeDirectoryDurably(this.host, this.log.directory, directoryMode);
      await this.#judge();
      await this.#probe();
      // Who made the log may stand still before its sync.
      await this.syncDirectory();
      this.#isEntryDurable = true;
    } catch (error) {
      // Somebody deleted it in between; or another process, whose clock is ahead, took the probe for one that was left behind.
      if (hasErrno(error, "ENOENT") && attempt < 3) return await this.open(attempt + 1);
      throw error;
    }
    await this.#beside.sweep();
    this.#opened = true;
    return true;
  }

  /** The history as it is now; undefined when there is none, or none that may be read. */
  async view(): Promise<LogView | undefined> {
    const view = await this.entries();
    return view?.isEmpty === true ? undefined : view;
  }

  /** All that stands in the log now, though there may be no history; undefined when there is no log that may be read. */
  async entries(): Promise<LogView | undefined> {
    const listing = this.log.view();
    // Of a directory that is not trusted, nothing matters.
    ignoreRejection(listing);
    this.#isRefused = false;
    const view = await this.#isTrusted() ? await this.#listed(listing) : undefined;
    if (view === undefined) this.#opened = this.#isEntryDurable = false;
    this.#wasSeen = view !== undefined;
    // What was known of marks may have been before the log was deleted.
    if ((view?.top ?? 0) === 0) this.#mark = undefined;
    return view;
  }

  /** Whether there is a log that must not be believed or may not be read: then generations are counted in this process alone. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Up to which number generations may have been used, as the mark beside the log says; 0 without one. */
  async mark(): Promise<number> {
    return this.#mark ??= await this.#readMark();
  }

  /**
   * Sees to it that the mark covers a generation that has its record, so that a mark without records says that they were
   * deleted. Durable with the next sync of the directory.
   *
   * @returns whether it was known to do so, found to do so, or made
   */
  async reserve(generation: number): Promise<"known" | "found" | "made"> {
    const wasKnown = this.#mark !== undefined;
    const before = await this.mark().catch(() => 0);
    if (generation <= before) return wasKnown ? "known" : "found";
    const next = Math.ceil(generation / markedGenerations) * markedGenerations;
    try {
      await this.#beside.makeMark(next);
    } catch (error) {
      // The commit does not depend on it, and the next one tries again.
      if (!hasErrno(error, "EEXIST")) return "found";
    }
    this.#mark = next;
    // The one before is durable, and stays until this one is.
    await this.#beside.removeMarks(before);
    return "made";
  }

  /** Makes what was found in the log durable, and once the log itself: whoever made it may not have come to that. */
  async secure(): Promise<void> {
    const isEntryDurable = this.#isEntryDurable;
    await together([this.log.sync(), isEntryDurable ? Promise.resolve() : this.syncDirectory()]);
    this.#isEntryDurable = true;
  }

  /** Makes the entries beside the config file durable. */
  async syncDirectory(): Promise<void> {
    await this.host.syncDirectory(this.directory);
  }

  async #readMark(): Promise<number> {
    // A floor without records is left of a log that somebody deleted while its writers were at work.
    const floor = await this.#isTrusted() ? (await this.log.view())?.floor ?? 0 : 0;
    return Math.max(floor, await this.#beside.mark());
  }

  async #isTrusted(): Promise<boolean> {
    try {
      await this.#judge();
      return true;
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return true;
      this.#doWithout(error);
      return false;
    }
  }

  async #listed(listing: Promise<LogView | undefined>): Promise<LogView | undefined> {
    try {
      return await listing;
    } catch (error) {
      this.#doWithout(error);
      return undefined;
    }
  }

  /** A log that must not be believed, or may not be read, is none. */
  #doWithout(error: unknown): void {
    const isRefused = isHoldfastError(error, "UNSAFE_FILE") ||
      hasErrno(error, "EACCES", "EPERM", "ENOTDIR");
    // One that was read before is there, whatever is the matter with it now.
    if (!isRefused || this.#wasSeen) throw error;
    this.#isRefused = true;
    this.#warn(`${(error as Error).message}; generations are counted in this process alone`);
  }

  /** Whoever can write the log can write the config. */
  async #judge(): Promise<void> {
    const stat = await this.host.stat(this.log.directory);
    const as = `${stat.identity} ${stat.kind} ${stat.mode} ${stat.userId}`;
    if (this.#judged?.as !== as) this.#judged = { as, error: await this.#faultOf(stat) };
    if (this.#judged.error !== undefined) throw this.#judged.error;
  }

  async #faultOf(stat: HostStat): Promise<Error | undefined> {
    const { host, log: { directory } } = this;
    if (stat.kind !== "directory") return this.#unsafe("something else of that name");
    if (await host.resolve(directory) !== directory) return this.#unsafe("a symbolic link");
    if (!host.capabilities.modes) return undefined;
    if ((stat.mode & 0o022) !== 0) {
      return this.#unsafe(`mode ${stat.mode.toString(8)}, which lets others write`);
    }
    const userId = host.userId();
    return isForeign(stat, userId) && this.#trust === "owner"
      ? this.#unsafe(`the owner ${stat.userId}, who is neither root nor user ${userId}`)
      : undefined;
  }

  async #probe(): Promise<void> {
    const { host, log } = this;
    const mount = await this.#mountOnFile();
    await this.#assertReplaceable();
    const id = uniqueId(host);
    const from = log.path(`rec.${id}`);
    const to = `${this.#prefix}.${id}.tmp`;
    try {
      await makeEmpty(host, from, fileMode);
    } catch (error) {
      throw readOnlyError(error, this.path) ?? error;
    }
    try {
      await host.link(from, to);
      await host.remove(to).catch((error: unknown) => {
        if (!hasErrno(error, "ENOENT")) throw error;
      });
    } catch (error) {
      if (hasErrno(error, "EXDEV")) throw this.#unsupported("the log on another filesystem", error);
      if (hasErrno(error, ...withoutLinks)) {
        throw this.#unsupported("a filesystem without hard links", error);
      }
      throw readOnlyError(error, this.path) ?? error;
    } finally {
      await host.remove(from).catch(() => {});
    }
    if (typeof mount !== "string") throw mount;
  }

  /** In a sticky directory only the owners of the file and of the directory can rename over it. */
  async #assertReplaceable(): Promise<void> {
    const { host, path, directory } = this;
    const userId = host.userId();
    if (!host.capabilities.modes || userId === undefined || userId === 0) return;
    const above = await host.stat(directory);
    if ((above.mode & 0o1000) === 0 || above.userId === userId) return;
    const file = await host.stat(path).catch(() => undefined);
    if (file === undefined || file.userId === userId) return;
    throw holdfastError(
      "READ_ONLY",
      `Cannot replace ${path}: found a sticky directory, in which the file of user ${file.userId} is not ours to replace; chown one of them`,
      { source: path },
    );
  }

  /** What is mounted on the config file itself cannot be renamed over, and not be linked either. */
  async #mountOnFile(): Promise<"none" | "unknown" | Error> {
    const { host, log } = this;
    const image = log.path(`img.0.${uniqueId(host)}.${uniqueId(host)}`);
    try {
      await host.link(this.path, image);
      await host.remove(image);
      return "none";
    } catch (error) {
      if (!hasErrno(error, "EXDEV")) return "unknown";
      return mountedError(this.path, error);
    }
  }

  /** Removes what a probe left behind when its process died. One under way does not need it any more either. */
  #unsafe(found: string): Error {
    const { directory } = this.log;
    return holdfastError(
      "UNSAFE_FILE",
      `Cannot keep generations in ${directory}: found ${found}; move it away, or chown and chmod 700 it`,
      { path: directory, found },
    );
  }

  #unsupported(found: string, cause: unknown): Error {
    return holdfastError(
      "UNSUPPORTED",
      `Cannot keep generations of ${this.path}: found ${found}; use a local filesystem with hard links for both`,
      { what: found },
      cause,
    );
  }
}
