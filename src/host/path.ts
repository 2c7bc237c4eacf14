import { holdfastError } from "../core/error.ts";
import type { Host } from "./host.ts";

/** The path from the root, so that a later change of the working directory does not matter. Links are left as they are. */
export async function absolutePath(host: Host, path: string): Promise<string> {
  const absolute = host.capabilities.platform === "windows"
    ? /^([A-Za-z]:)?[\\/]/.test(path)
    : path.startsWith("/");
  return absolute ? path : joinPath(await host.resolve("."), path);
}

/** The directory part of an absolute path. */
export function directoryOf(path: string): string {
  const end = lastSlash(path);
  // Elsewhere than on Windows a colon is an ordinary character.
  const isDrive = path[end - 1] === ":" && !isPosix(path);
  return end === 0 || isDrive ? path.slice(0, end + 1) : path.slice(0, end);
}

/** The last part of an absolute path; empty when it ends in a slash. */
export function baseName(path: string): string {
  return path.slice(lastSlash(path) + 1);
}

/** Puts names behind an absolute directory. */
export function joinPath(directory: string, ...names: string[]): string {
  const separator = isPosix(directory) || directory.includes("/") ? "/" : "\\";
  return names.reduce((path, name) => {
    return lastSlash(path) === path.length - 1 ? path + name : path + separator + name;
  }, directory);
}

/** The path that a name means in an absolute directory: `.` and `..` are taken by their words alone, whatever links there are. */
export function pathFrom(directory: string, name: string): string {
  if (/^([A-Za-z]:)?[\\/]/.test(name)) return name;
  let path = directory;
  for (const step of name.split(isPosix(directory) ? "/" : /[\\/]/)) {
    if (step === "..") path = directoryOf(path);
    else if (step !== "." && step !== "") path = joinPath(path, step);
  }
  return path;
}

/**
 * The path that a `file:` URL means.
 *
 * @throws `UNSUPPORTED` for any other URL, and for one whose path cannot be decoded
 */
export function pathFromUrl(url: URL, platform: string): string {
  const isLocal = url.protocol === "file:" && (url.hostname === "" || platform === "windows");
  if (!isLocal || /%2f|%00/i.test(url.pathname)) throw noLocalFile(url);
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    throw noLocalFile(url);
  }
  if (platform !== "windows") return path;
  return url.hostname === "" ? path.slice(1) : `\\\\${url.hostname}${path.replaceAll("/", "\\")}`;
}

function noLocalFile(url: URL): Error {
  return holdfastError(
    "UNSUPPORTED",
    `Cannot open ${url.href}: found a URL that names no local file; give a file: URL or a path`,
    { what: `URL ${url.protocol}` },
  );
}

// A backslash is a separator on Windows and an ordinary character elsewhere; an absolute path tells which it is.
function isPosix(path: string): boolean {
  return path.startsWith("/");
}

function lastSlash(path: string): number {
  const slash = path.lastIndexOf("/");
  return isPosix(path) ? slash : Math.max(slash, path.lastIndexOf("\\"));
}
