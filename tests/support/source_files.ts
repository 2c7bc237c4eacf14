/** Reads the sources of the library as the repository's own checks need them. */
import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { repositoryPath } from "./runtimes.ts";

export interface SourceFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly ImportOf[];
}

export interface ImportOf {
  /** A path relative to the repository, or the name of a package or built-in module. */
  readonly target: string;
  readonly isFile: boolean;
  readonly typesOnly: boolean;
  /** Whether the names are passed on, as a barrel does. */
  readonly reexports: boolean;
}

export async function readSources(folders: readonly string[]): Promise<SourceFile[]> {
  const listed = await Promise.all(folders.map(async (folder) => {
    const names = await readdir(join(repositoryPath, folder), { recursive: true });
    return names.filter((name) => name.endsWith(".ts")).map((name) => `${folder}/${name}`);
  }));
  const paths = [...listed.flat().sort(), "mod.ts"];
  return await Promise.all(paths.map(async (path) => {
    const text = await readFile(join(repositoryPath, path), "utf8");
    return { path, text, imports: parseImports(path, text) };
  }));
}

/** @param path relative to the repository: what the specifiers are relative to */
export function parseImports(path: string, text: string): ImportOf[] {
  // Examples in comments import the library by its name.
  const code = text.split("\n").filter((line) => !/^\s*(?:\*|\/\/|\/\*)/.test(line)).join("\n");
  const statements = /^\s*(import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s*)?["']([^"']+)["']/gm;
  const calls = /\bimport\(\s*["']([^"']+)["']/g;
  return [
    ...[...code.matchAll(statements)].map(([, keyword, type, specifier = ""]) => ({
      ...resolve(path, specifier),
      typesOnly: type !== undefined,
      reexports: keyword === "export",
    })),
    ...[...code.matchAll(calls)].map(([, specifier = ""]) => ({
      ...resolve(path, specifier),
      typesOnly: false,
      reexports: false,
    })),
  ];
}

function resolve(path: string, specifier: string): { target: string; isFile: boolean } {
  const isFile = specifier.startsWith(".");
  return { target: isFile ? posix.join(posix.dirname(path), specifier) : specifier, isFile };
}
