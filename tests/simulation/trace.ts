import type { Fault } from "../../adapters/memory.ts";
import type { Parked } from "./scheduler.ts";

/** An operation in one line. */
export function describeOperation({ process, attempt }: Parked, fault?: Fault): string {
  const { operation, path, from } = attempt;
  const wrong = fault === undefined ? "" : ` [${JSON.stringify(fault)}]`;
  const source = from === undefined ? "" : `${shortPath(from)} -> `;
  return `${process} ${operation} ${source}${shortPath(path)}${wrong}`;
}

/** Ids are long, and their first digits tell them apart. */
export function shortPath(path: string): string {
  return path.replace("/c/.config.json.d", "L").replace(/([0-9a-f]{6})[0-9a-f]{26}/g, "$1");
}
