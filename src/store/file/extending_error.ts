import { type HoldfastError, holdfastError } from "../../core/error.ts";
import { extendedFilesMax } from "../../core/limits.ts";

/** The error for a file that extends itself. */
export function cycle(chain: readonly string[]): HoldfastError {
  return holdfastError(
    "CYCLE",
    `Cannot read ${chain[0]}: found that it extends itself, by ${
      chain.join(" → ")
    }; take one of them out`,
    { chain },
  );
}

/** The error for a file that is extended and not there. */
export function missing(path: string, from: string): HoldfastError {
  return holdfastError(
    "NOT_FOUND",
    `Cannot read ${path}: found no such file, which ${from} extends; make it, or take it out of extends`,
    { source: path },
  );
}

/** The error for a file that extends more than can be meant. */
export function tooMany(path: string): HoldfastError {
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found more than ${extendedFilesMax} files that it extends; name fewer`,
    { what: "extended files", limit: extendedFilesMax, found: extendedFilesMax + 1 },
  );
}
