import { tooDeep } from "../core/document.ts";
import { parseError, positionAt } from "./text.ts";

/** The first place where a text is nothing that a document may be. */
export interface Fault {
  readonly offset: number;
  /** What was found there and what to do, without anything of the text. */
  readonly message: string;
  /** What there is too much of, if that is it. */
  readonly limit?: "depth" | "aliases";
}

/** Thrown within a reader at the first fault. */
export class Stop extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** What ends the reading of a text. */
export function stop(offset: number, message: string, limit?: Fault["limit"]): Stop {
  return new Stop({ offset, message, ...limit === undefined ? {} : { limit } });
}

/** What a reader makes of a text, or the fault that it stopped at. */
export function readUntilFault<Root>(read: () => Root): { root?: Root; fault?: Fault } {
  try {
    return { root: read() };
  } catch (error) {
    if (error instanceof Stop) return { fault: error.fault };
    throw error;
  }
}

/** The error for a text with a fault. */
export function faultError(text: string, source: string, { limit, offset, message }: Fault): Error {
  return limit === "depth"
    ? tooDeep(`read ${source}`)
    : parseError(source, positionAt(text, offset), message);
}
