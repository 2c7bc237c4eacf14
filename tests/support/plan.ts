/** The plan of the house: which part may import which. Every arrow points down this table. */
import type { SourceFile } from "./source_files.ts";

export interface Part {
  /** A file, or a folder with its "/" and all in it. */
  readonly path: string;
  /** The files and folders it may import besides itself. */
  readonly imports: readonly string[];
  /** The packages and, as "node:", the built-in modules it may import. */
  readonly packages?: readonly string[];
  /** The packages it may import types from. */
  readonly typesOf?: readonly string[];
}

/** All that the adapters know of the library. */
const SEAM = ["src/host/host.ts", "src/core/error.ts"];
const NODE_FILES = ["adapters/node_fs.ts", "adapters/node_file.ts", "adapters/deno_watch.ts"];
const SHARED = ["adapters/io_error.ts", "adapters/timer.ts"];
/** Given by those who use it: reached from its own subpath alone. */
const NATS = "@nats-io/jetstream";
const BELOW_STORE = ["src/core/", "src/host/", "src/format/", "src/source/"];
/** What every store is made with. */
const STORE = [
  ...BELOW_STORE,
  ...["store", "store_error", "head_change", "intent", "record"].map((name) =>
    `src/store/${name}.ts`
  ),
];

/** A file belongs to the first part that has it. */
export const plan: readonly Part[] = [
  { path: "mod.ts", imports: ["src/", "adapters/detect.ts"] },
  { path: "src/reload/", imports: ["src/config/", "src/core/", "src/host/"] },
  { path: "src/config/", imports: [...BELOW_STORE, "src/store/"], typesOf: ["valibot"] },
  { path: "src/store/file/", imports: STORE },
  // Entry points of their own: mod.ts reaches no database.
  { path: "src/store/postgres/", imports: STORE },
  ...["bucket", "error"].map((name): Part => ({
    path: `src/store/nats/${name}.ts`,
    imports: [...STORE, "src/store/nats/"],
    packages: [NATS],
  })),
  { path: "src/store/nats/", imports: STORE, typesOf: [NATS] },
  { path: "src/store/", imports: BELOW_STORE },
  { path: "src/source/", imports: ["src/core/", "src/host/", "src/format/"] },
  ...["yaml_read", "yaml_tree"].map((name): Part => ({
    path: `src/format/${name}.ts`,
    imports: ["src/core/", "src/format/"],
    packages: ["yaml"],
  })),
  { path: "src/format/", imports: ["src/core/", "src/host/"], typesOf: ["yaml"] },
  { path: "src/host/", imports: ["src/core/"] },
  { path: "src/core/", imports: [], typesOf: ["valibot"] },
  {
    path: "adapters/detect.ts",
    imports: ["src/host/host.ts", "adapters/node.ts", "adapters/deno.ts", "adapters/bun.ts"],
  },
  {
    path: "adapters/memory.ts",
    imports: [...SEAM, "adapters/memory/", ...SHARED],
    packages: ["node:"],
  },
  { path: "adapters/memory/", imports: [...SEAM, ...SHARED], packages: ["node:"] },
  { path: "adapters/", imports: [...SEAM, ...NODE_FILES, ...SHARED], packages: ["node:"] },
];

/** What in these files goes against the plan, in words. */
export function findBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const part = plan.find((candidate) => covers(candidate.path, file.path));
    if (part === undefined) return [`${file.path} has no place in the plan`];
    return file.imports.filter((imported) => !allows(part, imported)).map((imported) => {
      return `${file.path} imports ${imported.target}${imported.typesOnly ? " for its types" : ""}`;
    });
  });
}

/** The first circle of imports that are there at run time, if any. */
export function findCircle(files: readonly SourceFile[]): readonly string[] | undefined {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const visit = (path: string, chain: readonly string[]): readonly string[] | undefined => {
    if (chain.includes(path)) return [...chain.slice(chain.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { target, isFile, typesOnly } of byPath.get(path)?.imports ?? []) {
      const circle = isFile && !typesOnly ? visit(target, [...chain, path]) : undefined;
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of files) {
    const circle = visit(path, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function allows(part: Part, imported: SourceFile["imports"][number]): boolean {
  if (imported.isFile) {
    // Only a folder is one part with itself; "adapters/" holds walls between its files.
    const own = part.path.endsWith("/") && part.path !== "adapters/" ? [part.path] : [];
    return [...part.imports, ...own].some((path) => covers(path, imported.target));
  }
  if ((part.packages ?? []).some((name) => imported.target.startsWith(name))) return true;
  return imported.typesOnly && (part.typesOf ?? []).includes(imported.target);
}

function covers(path: string, file: string): boolean {
  return path.endsWith("/") ? file.startsWith(path) : file === path;
}
