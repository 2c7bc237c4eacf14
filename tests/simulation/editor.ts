import type { MemoryDisk } from "../../adapters/memory.ts";
import type { Random } from "../support/random.ts";
import { configPath, hashOf, readPublished } from "./log_files.ts";

/** A text that somebody saved. */
export interface Edit {
  readonly text: string;
  readonly hash: string;
  /** When it came. */
  readonly step: number;
  /** `pending` until something else explains why it need not be found any more. */
  fate: "pending" | "overwritten from outside" | "came after the last look" | "lost in a power cut";
}

/** Somebody who edits the config file by hand, and remembers what was saved. */
export class Editor {
  readonly #disk: MemoryDisk;
  readonly #random: Random;
  readonly #edits: Edit[] = [];
  #rest: string | undefined;
  #count = 0;

  constructor(disk: MemoryDisk, random: Random) {
    this.#disk = disk;
    this.#random = random;
  }

  get edits(): readonly Edit[] {
    return this.#edits;
  }

  /** Whether the text of a hash was ever saved. */
  wrote(hash: string): boolean {
    return this.#edits.some((edit) => edit.hash === hash);
  }

  /** The newest edit that stands in the file. */
  get standing(): Edit | undefined {
    const text = readPublished(this.#disk.outside);
    return this.#edits.findLast((edit) => edit.text === text && edit.fate === "pending");
  }

  /** Begins the world with a file that is there already. */
  begin(text: string): void {
    this.#disk.outside.writeFile(configPath, text, { mode: 0o600 });
    this.#remember(text, 0);
  }

  /**
   * Does something to the file.
   *
   * @param older texts of generations, one of which may be saved again
   * @returns what was done, for the trace
   */
  act(step: number, older: readonly string[]): string {
    const kind = this.#rest === undefined ? this.#random.below(10) : 10;
    if (kind === 8 && older.length > 0) {
      return this.#save(this.#random.pick(older), step, "replace", "older text");
    }
    if (kind === 9) return this.#remove(step);
    if (kind === 7) {
      return this.#save(`{"count":"${this.#count += 1}"}`, step, "replace", "invalid");
    }
    if (kind === 10) return this.#finish(step);
    this.#count += 1;
    const text = `{ "count": ${this.#random.below(50)}, "log": ["edit${this.#count}"] }\n`;
    if (kind < 4) return this.#save(text, step, "replace", `edit${this.#count}`);
    if (kind < 6) return this.#save(text, step, "in place", `edit${this.#count}`);
    this.#rest = text;
    const part = text.slice(0, 1 + this.#random.below(text.length - 2));
    return this.#save(part, step, "in place", `part of edit${this.#count}`);
  }

  /** Saves something good. */
  mend(): void {
    this.#rest = undefined;
    this.#save('{"count":0,"log":["mended"]}', Infinity, "replace", "what is good");
  }

  /** A process publishes over the file: what came after its last look is lost without anybody's fault. */
  publishedOver(lastLookStep: number): void {
    const edit = this.standing;
    if (edit !== undefined && edit.step > lastLookStep) edit.fate = "came after the last look";
  }

  /** What was not made durable may be gone. */
  powerCut(): void {
    this.#rest = undefined;
    const text = readPublished(this.#disk.outside);
    for (const edit of this.#edits) {
      if (edit.fate === "pending" && edit.text !== text) edit.fate = "lost in a power cut";
    }
  }

  #finish(step: number): string {
    const text = this.#rest!;
    this.#rest = undefined;
    return this.#save(text, step, "in place", `rest of edit${this.#count}`);
  }

  #remove(step: number): string {
    this.#overwrite();
    try {
      this.#disk.outside.removeFile(configPath);
      return `${step} editor removes the file`;
    } catch {
      return `${step} editor finds no file to remove`;
    }
  }

  #save(text: string, step: number, how: "replace" | "in place", what: string): string {
    this.#overwrite();
    const { outside } = this.#disk;
    if (how === "replace") outside.replaceFile(configPath, text, { mode: 0o600 });
    else outside.writeFile(configPath, text, { mode: 0o600 });
    this.#remember(text, step);
    return `${step} editor saves ${what} (${how})`;
  }

  #overwrite(): void {
    for (let edit = this.standing; edit !== undefined; edit = this.standing) {
      edit.fate = "overwritten from outside";
    }
  }

  #remember(text: string, step: number): void {
    this.#edits.push({ text, hash: hashOf(text), step, fate: "pending" });
  }
}
