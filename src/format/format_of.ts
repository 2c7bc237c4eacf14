import { holdfastError } from "../core/error.ts";
import type { Format } from "./format.ts";
import { json } from "./json.ts";

/**
 * The format that a file's name calls for.
 *
 * @throws `UNSUPPORTED` when the extension is not known
 */
export function formatOf(path: string): Format {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase();
  if (extension === undefined || extension === "json") return json;
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot read ${path}: found the extension .${extension}, which is no known format; use .json`,
    { what: `format .${extension}` },
  );
}
