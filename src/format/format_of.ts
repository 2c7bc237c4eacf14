import { holdfastError } from "../core/error.ts";
import type { Format } from "./format.ts";
import { json } from "./json.ts";

/** What each extension is read with; loaded when the first such file is opened. */
const formats = new Map<string, () => Promise<Format>>([
  ["json", async () => json],
  ["jsonc", async () => (await import("./jsonc.ts")).jsonc],
  ["yaml", loadYaml],
  ["yml", loadYaml],
  ["toml", async () => (await import("./toml.ts")).toml],
]);

/**
 * The format that a file's name calls for; without an extension, JSON.
 *
 * @throws `UNSUPPORTED` when the extension is not known, or what reads it cannot be loaded
 */
export async function formatOf(path: string): Promise<Format> {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "json";
  const load = formats.get(extension);
  if (load !== undefined) return await load().catch((error) => notLoaded(path, extension, error));
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot read ${path}: found the extension .${extension}, which is no known format; use one of .${
      [...formats.keys()].join(", .")
    }`,
    { what: `format .${extension}` },
  );
}

async function loadYaml(): Promise<Format> {
  const { yaml } = await import("./yaml.ts");
  // The package looks at variables of the environment, which Deno may not let it: better told now than amid a look.
  yaml.decode(new TextEncoder().encode("{}"), "nothing");
  return yaml;
}

function notLoaded(path: string, extension: string, error: Error): never {
  throw holdfastError(
    "UNSUPPORTED",
    `Cannot read ${path}: found that what reads .${extension} does not load (${error.message}); install or permit what it asks for`,
    { what: `format .${extension}` },
    error,
  );
}
