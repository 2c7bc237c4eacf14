import { hasErrno } from "../../core/error.ts";
import { generationMax } from "../../core/limits.ts";
import { makeEmpty } from "../../host/durable.ts";
import type { Host } from "../../host/host.ts";
import { directoryOf, joinPath } from "../../host/path.ts";
import { isForeign } from "../../source/file_trust.ts";
import { fileMode } from "./generation_log.ts";

/**
 * What stands beside the config file and its log: `PREFIX.mark.<n>` says up to which number generations may have been used,
 * and `PREFIX.<id>.tmp` is left of a probe.
 */
export class Beside {
  readonly #host: Host;
  readonly #prefix: string;

  /** @param prefix the path that all of it begins with */
  constructor(host: Host, prefix: string) {
    this.#host = host;
    this.#prefix = prefix;
  }

  /** The greatest mark of ours; 0 without one. */
  async mark(): Promise<number> {
    const marks = (await this.#marks()).toSorted((one, other) => other - one);
    for (const mark of marks) if (await this.#isOwn(this.#markPath(mark))) return mark;
    return 0;
  }

  /** Makes a mark. */
  async makeMark(mark: number): Promise<void> {
    await makeEmpty(this.#host, this.#markPath(mark), fileMode);
  }

  /** Removes the marks below one. */
  async removeMarks(below: number): Promise<void> {
    const older = (await this.#marks().catch(() => [])).filter((mark) => mark < below);
    for (const mark of older) await this.#host.remove(this.#markPath(mark)).catch(() => {});
  }

  /** Removes what probes left. */
  async sweep(): Promise<void> {
    for (const name of await this.#names()) {
      if (!/\.[0-9a-f]{32}\.tmp$/.test(name)) continue;
      await this.#host.remove(joinPath(directoryOf(this.#prefix), name)).catch(() => {});
    }
  }

  #markPath(mark: number): string {
    return `${this.#prefix}.mark.${mark}`;
  }

  /** Anybody may be able to make files beside ours. */
  async #isOwn(path: string): Promise<boolean> {
    const userId = this.#host.userId();
    if (!this.#host.capabilities.modes || userId === undefined) return true;
    try {
      return !isForeign(await this.#host.stat(path), userId);
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return false;
      throw error;
    }
  }

  async #marks(): Promise<number[]> {
    const marks = (await this.#names()).map((name) => /\.mark\.([1-9]\d{0,15})$/.exec(name));
    const numbers = marks.flatMap((match) => match === null ? [] : [Number(match[1])]);
    return numbers.filter((mark) => mark < generationMax);
  }

  async #names(): Promise<string[]> {
    const directory = directoryOf(this.#prefix);
    const names = await this.#host.list(directory).catch((error: unknown) => {
      // A directory may be open to those who know a name in it, and closed to those who ask for names.
      if (hasErrno(error, "EACCES", "EPERM")) return [];
      throw error;
    });
    return names.filter((name) => joinPath(directory, name).startsWith(`${this.#prefix}.`));
  }
}
