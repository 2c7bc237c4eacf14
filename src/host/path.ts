import { holdfastError } from "../core/error.ts";
import type { Host } from "./host.ts";

/** The path from the root, so that a later change of the working directory does not matter. Links are left as they are. */
export async function absolutePath(host: Host, path: string): Promise<string> {
  const absolute = host.capabilities.platform === "windows"
    ? /^([A-Za-z]:)?[\\/]/.test(path)
    : path.startsWith("/");
  return absolute ? path : joinPath(await host.resolve("."), path);
}

/** The directory part of a path, `.` when it has none. Both kinds of slash count. */
export function directoryOf(path: string): string {
  const end = lastSlash(path);
  if (end === -1) return ".";
  return end === 0 || path[end - 1] === ":" ? path.slice(0, end + 1) : path.slice(0, end);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(lastSlash(path) + 1);
}

/** Puts a name behind a directory. */
export function joinPath(directory: string, ...names: string[]): string {
  const separator = directory.includes("\\") && !directory.includes("/") ? "\\" : "/";
  return names.reduce(
    (path, name) => /[/\\]$/.test(path) ? path + name : path + separator + name,
    directory,
  );
}

/**
 * The path that a `file:` URL means.
 *
 * @throws `UNSUPPORTED` for any other URL
 */
export function pathFromUrl(url: URL, platform: string): string {
  if (url.protocol !== "file:" || (url.hostname !== "" && platform !== "windows")) {
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot open ${url.protocol}//: found a URL that names no local file; give a file: URL or a path`,
      { what: `URL ${url.protocol}` },
    );
  }
  const path = decodeURIComponent(url.pathname);
  if (platform !== "windows") return path;
  return url.hostname === "" ? path.slice(1) : `\\\\${url.hostname}${path.replaceAll("/", "\\")}`;
}

function lastSlash(path: string): number {
  return Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
}
