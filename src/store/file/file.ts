import { holdfastError } from "../../core/error.ts";
import { formatOf } from "../../format/format_of.ts";
import { absolutePath, pathFromUrl } from "../../host/path.ts";
import type { Trust } from "../../source/file_trust.ts";
import type { Store } from "../store.ts";
import { ConfigFile } from "./config_file.ts";
import { OpenExtending } from "./extending.ts";
import { OpenFile } from "./open_file.ts";

/** How a config file is treated. */
export interface FileOptions {
  /** Whose files are accepted; `owner` when left out: root's and our own, not writable by everybody. */
  readonly trust?: Trust | undefined;
  /**
   * Whether the document may name other files in `extends`, relative to itself: their content is below its own. A file that
   * leads back to itself is a `CYCLE`.
   */
  readonly extends?: boolean | undefined;
}

/**
 * A config file, read and written in the format that its extension names. A symbolic link is followed, and stays when the
 * file is written. The history of what is written is kept beside it, in `.NAME.d`.
 *
 * @param path relative to the working directory at the time of opening, absolute, or a `file:` URL
 * @throws `UNSUPPORTED` for the text of a URL, which is no path
 *
 * @example
 * ```ts
 * import { file, openConfig } from "holdfast";
 *
 * const path = await Deno.makeTempFile({ suffix: ".json" });
 * await Deno.writeTextFile(path, `{ "rate": 1 }`);
 * await using config = await openConfig(file(path), { watch: false });
 * console.log(config.value); // { rate: 1 }
 * ```
 */
export function file(path: string | URL, options: FileOptions = {}): Store {
  if (typeof path === "string" && /^[a-z][a-z\d+.-]+:\/\//i.test(path)) throw namesUrl(path);
  return {
    kind: "store",
    name: String(path),
    open: async (context) => {
      const { host } = context;
      const named = path instanceof URL ? pathFromUrl(path, host.capabilities.platform) : path;
      const format = await formatOf(named);
      if (/[/\\]$/.test(named)) throw namesDirectory(named);
      const absolute = await absolutePath(host, named);
      const configFile = new ConfigFile(host, absolute, options.trust ?? "owner");
      const open = new OpenFile(configFile, format, context);
      if (options.extends !== true) return open;
      const plain = { ...options, extends: false };
      return new OpenExtending({
        path: absolute,
        head: open,
        file: (other) => file(other, plain),
        context,
      });
    },
  };
}

// As a path, it would be one below the working directory, where nobody looks.
function namesUrl(path: string): Error {
  const scheme = path.slice(0, path.indexOf(":") + 1);
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open a config: found the text of a URL (${scheme}) as its path; give a path, or new URL(…) of a file`,
    { what: `path ${scheme}` },
  );
}

function namesDirectory(path: string): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${path}: found a slash at the end, which names a directory; give the path of a file`,
    { what: "path of a directory" },
  );
}
