import { hasErrno } from "../core/error.ts";
import { documentBytesMax, editorGraceMs, orphanAgeMs } from "../core/limits.ts";
import type { Found } from "./config_file.ts";
import type { LogPlace } from "./log_place.ts";
import type { Image } from "./log_view.ts";
import { hashOf } from "./record.ts";

const hashesMax = 10_000;

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

  constructor(keepAside: (place: LogPlace, found: Found, path: string) => Promise<void>) {
    this.#keepAside = keepAside;
  }

  /** Looks at those that had their time, and removes them. */
  async clear(place: LogPlace, images: readonly Image[]): Promise<void> {
    const names = new Set(images.map(({ name }) => name));
    for (const name of this.#former.keys()) if (!names.has(name)) this.#former.delete(name);
    for (const image of images) {
      if (await this.#isDue(place, image)) await this.#clear(place, image);
    }
  }

  async #isDue({ host, log }: LogPlace, { name, generation, recordId }: Image): Promise<boolean> {
    const nowMs = host.monotonic();
    const known = this.#former.get(name);
    if (known !== undefined) return nowMs - known.sinceMs >= editorGraceMs;
    const header = await log.header(generation);
    const hash = header?.id === recordId ? header.hash : undefined;
    this.#former.set(name, { sinceMs: nowMs, hash });
    if (hash !== undefined) this.#remember(hash);
    // Of a process that has ended since: nobody else will look.
    const stat = await host.stat(log.path(name)).catch(() => undefined);
    return stat === undefined || host.now() - stat.modifiedMs > orphanAgeMs;
  }

  async #clear(place: LogPlace, { name }: Image): Promise<void> {
    const { host, log } = place;
    const path = log.path(name);
    const former = this.#former.get(name);
    try {
      const { bytes, stat } = await host.read(path, documentBytesMax);
      const hash = hashOf(host, bytes);
      const isEdited = former?.hash !== undefined && former.hash !== hash &&
        !this.#recorded.has(hash) && !await this.#isCurrent(place, stat.identity);
      if (isEdited) await this.#keepAside(place, { bytes, hash, stat }, path);
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
    }
    await log.remove([name]);
    this.#former.delete(name);
  }

  #remember(hash: string): void {
    if (this.#recorded.size >= hashesMax) this.#recorded.clear();
    this.#recorded.add(hash);
  }

  async #isCurrent({ host, path }: LogPlace, identity: string): Promise<boolean> {
    const stat = await host.stat(path).catch(() => undefined);
    return stat?.identity === identity;
  }
}
