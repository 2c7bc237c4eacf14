import { hasErrno, holdfastError, isHoldfastError } from "../core/error.ts";
import { directoryFilesMax, documentBytesMax, looksMax } from "../core/limits.ts";
import { hashOf } from "../host/hash.ts";
import type { FileRead, Host } from "../host/host.ts";
import { joinPath } from "../host/path.ts";

/** A file of a directory, as it was read. */
export interface DirectoryFile extends FileRead {
  readonly name: string;
  /** Over the bytes. */
  readonly hash: string;
}

/** Files of a directory as they were at one moment. */
export interface DirectoryFiles {
  /** In the order of their names, by UTF-16 code units: the same in every locale. */
  readonly files: readonly DirectoryFile[];
  /** Names of links that lead to nothing. */
  readonly dangling: readonly string[];
  /** Over the names and the bytes. */
  readonly hash: string;
}

/**
 * Reads files of a directory, all as they were at one moment: none changed, came or went meanwhile.
 *
 * @param isWanted tells by its name whether a file counts; directories never do
 * @throws `UNSAFE_FILE` for what is neither file nor directory, `TOO_LARGE`, `IO`, and `UNAVAILABLE` where it never rests
 */
export async function readFiles(
  host: Host,
  path: string,
  isWanted: (name: string) => boolean,
): Promise<DirectoryFiles> {
  let earlier: DirectoryFiles | undefined;
  let before = await readOnce(host, path, isWanted);
  for (let look = 0; look < looksMax; look++) {
    const again = await readOnce(host, path, isWanted);
    if (before.hash === again.hash) return again;
    // A file that never rests was read once between two looks at all the others, which were the same in both.
    if (earlier !== undefined && differInOne(earlier, before, again)) return before;
    [earlier, before] = [before, again];
  }
  throw holdfastError(
    "UNAVAILABLE",
    `Cannot read ${path}: found it changed during each of ${looksMax} looks; try again`,
    { source: path },
  );
}

async function readOnce(
  host: Host,
  path: string,
  isWanted: (name: string) => boolean,
): Promise<DirectoryFiles> {
  const names = (await host.list(path)).filter(isWanted).toSorted();
  if (names.length > directoryFilesMax) throw tooMany(path, names.length);
  const files: DirectoryFile[] = [];
  const dangling: string[] = [];
  let byteLength = 0;
  for (const name of names) {
    try {
      const read = await host.read(joinPath(path, name), documentBytesMax);
      byteLength += read.bytes.length;
      if (byteLength > documentBytesMax) throw tooLarge(path);
      files.push({ ...read, name, hash: hashOf(host, read.bytes) });
    } catch (error) {
      if (hasErrno(error, "ENOENT")) dangling.push(name);
      else if (!isDirectory(error)) throw error;
    }
  }
  const lines = files.map(({ name, hash }) => `${JSON.stringify(name)} ${hash}`);
  const hash = hashOf(host, new TextEncoder().encode(lines.join("\n")));
  return { files, dangling, hash };
}

function differInOne(...looks: readonly [DirectoryFiles, DirectoryFiles, DirectoryFiles]): boolean {
  const [first, ...others] = looks.map(({ files }) => files);
  const differing = first!.filter(({ name, hash }, index) => {
    return others.some((files) => files[index]?.name !== name || files[index].hash !== hash);
  });
  return differing.length === 1 && others.every((files) => {
    return files.length === first!.length &&
      files.every(({ name }, index) => name === first![index]!.name);
  });
}

function isDirectory(error: unknown): boolean {
  return isHoldfastError(error, "UNSAFE_FILE") && error.details.found === "directory";
}

function tooMany(path: string, found: number): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found ${found} config files, allowed are ${directoryFilesMax}; remove some`,
    { what: "files in a directory", limit: directoryFilesMax, found },
  );
}

function tooLarge(path: string): Error {
  return holdfastError(
    "TOO_LARGE",
    `Cannot read ${path}: found config files of more than ${documentBytesMax} bytes in all; make them smaller`,
    { what: "files of a directory in bytes", limit: documentBytesMax },
  );
}
