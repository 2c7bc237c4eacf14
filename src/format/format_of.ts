import { holdfastError } from "../core/error.ts";
import type { Format } from "./format.ts";
import { json } from "./json.ts";

/** What each extension is read with; loaded when the first such file is opened. */
const formats = new Map<string, () => Promise<Format>>([
  ["json", async () => json],
  ["jsonc", async () => (await import("./jsonc.ts")).jsonc],
  ["yaml", async () => (await import("./yaml.ts")).yaml],
  ["yml", async () => (await import("./yaml.ts")).yaml],
  ["toml", async () => (await import("./toml.ts")).toml],
]);

/**
 * The format that a file's name calls for; without an extension, JSON.
 *
 * @throws `UNSUPPORTED` when the extension is not known
 */
export async function formatOf(path: string): Promise<Format> {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "json";
  const load = formats.get(extension);
  if (load !== undefined) return await load();
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot read ${path}: found the extension .${extension}, which is no known format; use one of .${
      [...formats.keys()].join(", .")
    }`,
    { what: `format .${extension}` },
  );
}
