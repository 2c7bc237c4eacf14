import { hasErrno, isHoldfastError } from "../../core/error.ts";
import { documentBytesMax } from "../../core/limits.ts";
import { together } from "../../core/promise.ts";
import { makeEmpty } from "../../host/durable.ts";
import type { Host } from "../../host/host.ts";
import { joinPath } from "../../host/path.ts";
import { decodeRecord, type GenerationRecord, type RecordHeader } from "../record.ts";
import { type LogView, viewOf } from "./log_view.ts";

// A header is far smaller than a document; what is over this is no record.
const recordBytesMax = documentBytesMax + 16 * 1024 * 1024;

const headersMax = 256;

/** The mode of everything written: only the owner reads a config and its history, since they may hold secrets. */
export const fileMode = 0o600;

/**
 * The directory beside a config file that holds its generations: `g.<n>` is the record of generation n, `rec.<id>` one that
 * is being committed, `pub.<n>.<id>` a file to be published, `img.<n>.<id>.<id>` a second name of its inode, `ext.…` one of a
 * file that somebody else saved, `txt.…` the mark of such a file that could not be linked, `gone.<n>.<id>` what a removal took
 * away, `turn.<n>.<id>` a writer that waits in line, `intent.<n>` what somebody is about to do, and `floor.<n>` says up to where records were deleted. What a record says
 * never changes, so it is read once.
 */
export class GenerationLog {
  readonly directory: string;
  readonly #host: Host;
  readonly #warn: (message: string) => void;
  readonly #headers = new Map<number, RecordHeader | "void">();
  #topSeen = 0;
  #absent = 0;

  constructor(host: Host, directory: string, warn: (message: string) => void) {
    this.#host = host;
    this.directory = directory;
    this.#warn = warn;
  }

  /** The path of a file in the log. */
  path(name: string): string {
    return joinPath(this.directory, name);
  }

  /** What is there; undefined when there is no log. */
  async view(): Promise<LogView | undefined> {
    try {
      const view = viewOf(await this.#host.list(this.directory));
      // A log that was deleted and begun anew may give a number to something else.
      if (view.top < this.#topSeen) this.#headers.clear();
      this.#topSeen = view.top;
      return view;
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error;
      this.#headers.clear();
      this.#topSeen = 0;
      return undefined;
    }
  }

  /**
   * The newest record that can be read. One that cannot keeps its number, is told about and passed over.
   *
   * @returns undefined when there is none, "moved" when the listing is out of date
   */
  async newest(view: LogView): Promise<RecordHeader | undefined | "moved"> {
    for (const generation of view.records.toReversed()) {
      if (generation <= view.floor) return undefined;
      const header = await this.header(generation);
      if (header !== undefined) return header;
      if (this.#headers.get(generation) !== "void" && !this.#isNothing(generation)) return "moved";
    }
    return undefined;
  }

  /** Whether a name was listed again after nothing was found behind it, as a link to nothing is. */
  #isNothing(generation: number): boolean {
    const isAgain = this.#absent === generation;
    this.#absent = generation;
    if (isAgain) this.#tellVoid(generation);
    return isAgain;
  }

  /** What a record says beside its text; undefined when it is void or not there. */
  async header(generation: number): Promise<RecordHeader | undefined> {
    const known = this.#headers.get(generation);
    if (known !== undefined) return known === "void" ? undefined : known;
    return await this.read(generation);
  }

  /** Remembers what a record says that was just made here. */
  made({ text: _, ...header }: GenerationRecord): void {
    this.#topSeen = Math.max(this.#topSeen, header.generation);
    this.#remember(header.generation, header);
  }

  /** A whole record; undefined when it is void or not there. */
  async read(generation: number): Promise<GenerationRecord | undefined> {
    const name = `g.${generation}`;
    const bytes = await this.#bytes(name);
    if (bytes === "absent") return undefined;
    const record = bytes === "unsafe" ? undefined : decodeRecord(this.#host, bytes, generation);
    if (record === undefined) {
      this.#tellVoid(generation);
      return undefined;
    }
    const { text: _, ...header } = record;
    this.#remember(generation, header);
    return record;
  }

  /** A record that has no number yet; undefined when it is void or gone. */
  async draft(id: string, generation: number): Promise<GenerationRecord | undefined> {
    const bytes = await this.#bytes(`rec.${id}`);
    if (typeof bytes === "string") return undefined;
    return decodeRecord(this.#host, bytes, generation);
  }

  /**
   * Says that records up to a generation were deleted, or were never there. Durable with the next sync: then nobody who
   * stood still can take one of those numbers without finding out.
   */
  async writeFloor(generation: number): Promise<void> {
    try {
      const path = this.path(`floor.${generation}`);
      await makeEmpty(this.#host, path, fileMode);
    } catch (error) {
      if (!hasErrno(error, "EEXIST")) throw error;
    }
  }

  /** Makes every entry durable. */
  async sync(): Promise<void> {
    await this.#host.syncDirectory(this.directory);
  }

  /** Removes files that may be gone already. One that cannot be removed keeps none of the others. */
  async remove(names: readonly string[]): Promise<void> {
    await together(names.map(async (name) => {
      try {
        await this.#host.remove(this.path(name));
      } catch (error) {
        if (!hasErrno(error, "ENOENT")) throw error;
      }
    }));
  }

  async #bytes(name: string): Promise<Uint8Array | "absent" | "unsafe"> {
    try {
      return (await this.#host.read(this.path(name), recordBytesMax)).bytes;
    } catch (error) {
      if (hasErrno(error, "ENOENT")) return "absent";
      // A directory or a FIFO of that name, or something huge, is no record; a refusal of the system tells nothing.
      if (isHoldfastError(error, "UNSAFE_FILE") || isHoldfastError(error, "TOO_LARGE")) {
        return "unsafe";
      }
      throw error;
    }
  }

  #tellVoid(generation: number): void {
    this.#warn(
      `Cannot read ${
        this.path(`g.${generation}`)
      }: found no whole record; generation ${generation} is lost, and its number is not used again`,
    );
    this.#remember(generation, "void");
  }

  #remember(generation: number, header: RecordHeader | "void"): void {
    if (this.#headers.size >= headersMax) this.#headers.clear();
    this.#headers.set(generation, header);
  }
}
