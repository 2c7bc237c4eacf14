import { hasErrno } from "../../core/error.ts";
import { documentBytesMax, editorGraceMs, orphanAgeMs } from "../../core/limits.ts";
import { type Found, readFound } from "./config_file.ts";
import type { LogPlace } from "./log_place.ts";
import type { Image } from "./log_view.ts";
import { identityOf } from "./sight.ts";

const hashesMax = 10_000;
const clearedTogether = 16;

/** A file that was the config file once. */
interface Former {
  readonly sinceMs: number;
  /** What it said as a generation; undefined where no record of that is kept. */
  readonly hash: string | undefined;
}

/**
 * Files that were the config file until a newer one took their place. Their second names in the log stay for a while: an
 * editor that writes in place may have opened such a file just before, and then saves into it. What it saved is kept aside.
 */
export class Superseded {
  readonly #keepAside: (place: LogPlace, found: Found, path: string) => Promise<void>;
  readonly #former = new Map<string, Former>();
  /** Of generations that such files were: an edit in place that was noticed gave the same file one more. */
  readonly #recorded = new Set<string>();
  #hasMet = false;
  #clearedMs = -Infinity;

  constructor(keepAside: (place: LogPlace, found: Found, path: string) => Promise<void>) {
    this.#keepAside = keepAside;
  }

  /** Takes note of those that are there, looks at those that had their time, and removes these. */
  async clear(place: LogPlace, images: readonly Image[]): Promise<void> {
    await this.#meetNew(place, images);
    if (this.#former.size > images.length) this.#forgetAllBut(images);
    await this.clearDue(place);
  }

  /** Looks at those that had their time, and removes them. */
  async clearDue(place: LogPlace): Promise<void> {
    const nowMs = place.host.monotonic();
    const due = [...this.#former].filter(([, { sinceMs }]) => nowMs - sinceMs >= editorGraceMs);
    // Few at a time cost more than many together.
    const isSoon = due.length < clearedTogether && nowMs - this.#clearedMs < editorGraceMs;
    if (due.length === 0 || isSoon) return;
    this.#clearedMs = nowMs;
    await Promise.all(due.map(([name]) => this.#clear(place, name)));
  }

  /** Looks at all of them and removes them, where their room is needed. */
  async clearNow(place: LogPlace, images: readonly Image[]): Promise<void> {
    await this.#meetNew(place, images);
    for (const { name } of images) await this.#clear(place, name);
  }

  async #meetNew(place: LogPlace, images: readonly Image[]): Promise<void> {
    const nowMs = place.host.monotonic();
    for (const image of images) {
      if (!this.#former.has(image.name)) await this.#meet(place, image, nowMs);
    }
    this.#hasMet = true;
  }

  async #meet({ host, log }: LogPlace, image: Image, nowMs: number): Promise<void> {
    const { name, generation, recordId } = image;
    const header = await log.header(generation);
    const hash = header?.id === recordId ? header.hash : undefined;
    if (hash !== undefined) this.#remember(hash);
    // Of what was there before us, some is of processes that have ended: nobody else will look.
    const stat = this.#hasMet ? undefined : await host.stat(log.path(name)).catch(() => undefined);
    const isOld = stat !== undefined && host.now() - stat.modifiedMs > orphanAgeMs;
    this.#former.set(name, { sinceMs: isOld ? nowMs - editorGraceMs : nowMs, hash });
  }

  /** Looks at those that are still to have their time, and leaves them where nobody wrote into them. */
  async inspect(place: LogPlace): Promise<void> {
    for (const name of [...this.#former.keys()]) {
      if (!await this.#rescue(place, name)) continue;
      await place.log.remove([name]);
      this.#former.delete(name);
    }
  }

  async #clear(place: LogPlace, name: string): Promise<void> {
    await this.#rescue(place, name);
    await place.log.remove([name]);
    this.#former.delete(name);
  }

  /**
   * Keeps aside what somebody wrote into a file that was the config file.
   *
   * @returns whether there was anything
   */
  async #rescue(place: LogPlace, name: string): Promise<boolean> {
    const { host, log } = place;
    const former = this.#former.get(name)?.hash;
    try {
      const found = await readFound(host, log.path(name), documentBytesMax);
      const { hash, stat: { identity } } = found;
      const isEdited = former !== undefined && former !== hash && !this.#recorded.has(hash) &&
        identity !== await identityOf(host, place.path).catch(() => undefined);
      if (isEdited) await this.#keepAside(place, found, log.path(name));
      return isEdited;
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
      return false;
    }
  }

  /** Other processes clear away, too. */
  #forgetAllBut(images: readonly Image[]): void {
    const names = new Set(images.map(({ name }) => name));
    for (const name of this.#former.keys()) if (!names.has(name)) this.#former.delete(name);
  }

  #remember(hash: string): void {
    if (this.#recorded.size >= hashesMax) this.#recorded.clear();
    this.#recorded.add(hash);
  }
}
