import { type Annotations, annotationsOf } from "../core/annotation.ts";
import type { Json } from "../core/document.ts";
import { holdfastError, type HoldfastErrorOf, type Problem } from "../core/error.ts";
import { migrate, type Migrations, versionRange } from "../core/migration.ts";
import { describePath } from "../core/pointer.ts";
import { type StandardSchema, validateAnnotated, type Validation } from "../core/schema.ts";
import type { Loaded } from "../source/source.ts";

/** A document that passed every step but was not applied yet. */
export interface Candidate {
  /** At the newest version. */
  readonly document: Json;
  /** As the schema gave it, not frozen. */
  readonly value: unknown;
  readonly warnings: readonly Problem[];
  /** Whether the stored document is of an older version than this one. */
  readonly migrated: boolean;
}

/** The one way from a document to a value, whoever brings the document. */
export interface Pipeline {
  readonly annotations: Annotations | undefined;
  /** What stands for a document where nothing is stored. */
  readonly emptyDocument: Json;

  /**
   * Migrates and validates.
   *
   * @param locate where the parts of the document were written, for messages
   * @throws `UNSUPPORTED_VERSION`, `MIGRATION`, `INVALID`
   */
  run(document: Json, source: string, locate?: Loaded["locate"]): Promise<Candidate>;
}

/**
 * Makes the pipeline of a schema and its migrations.
 *
 * @throws `UNSUPPORTED` when one of the two cannot be used
 */
export function createPipeline(
  schema: StandardSchema | undefined,
  migrations: Migrations | undefined,
): Pipeline {
  const annotations = annotationsOf(schema);
  const newest = migrations === undefined ? undefined : versionRange(migrations).newest;

  async function run(
    document: Json,
    source: string,
    locate?: Loaded["locate"],
  ): Promise<Candidate> {
    if (migrations === undefined) return await validated(document, false, source, locate);
    const { document: newest, from, to } = migrate(document, migrations, source);
    // A place in the text of an older version says nothing about a path in the newest.
    return await validated(newest, from !== to, source, from === to ? locate : undefined);
  }

  async function validated(
    document: Json,
    migrated: boolean,
    source: string,
    locate: Loaded["locate"] | undefined,
  ): Promise<Candidate> {
    if (schema === undefined) return { document, value: document, warnings: [], migrated };
    const result = await ask(schema, document, source);
    const problems = result.problems.map((problem) => ({ ...problem, ...locate?.(problem.path) }));
    if (!result.ok) throw invalid(source, problems);
    return { document, value: result.value, warnings: problems, migrated };
  }

  async function ask(
    schema: StandardSchema,
    document: Json,
    source: string,
  ): Promise<Validation<unknown>> {
    try {
      return await validateAnnotated(schema, annotations, document);
    } catch (error) {
      const problem: Problem = { path: [], message: "the schema threw", severity: "error" };
      throw invalid(source, [problem], error);
    }
  }

  return {
    annotations,
    emptyDocument: newest === undefined ? {} : { version: newest },
    run,
  };
}

/** The error for problems found in a document: it tells the first and counts the rest. */
export function invalid(
  source: string,
  problems: readonly Problem[],
  cause?: unknown,
): HoldfastErrorOf<"INVALID"> {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : "";
  const found = first === undefined ? "that the schema refuses it" : describeProblem(first) + more;
  const message = `Cannot accept ${source}: found ${found}; mend it`;
  return holdfastError("INVALID", message, { problems }, cause);
}

/** A problem as a person reads it. */
export function describeProblem(problem: Problem): string {
  const { path, message, line, column } = problem;
  const place = line === undefined ? "" : ` (line ${line}, column ${column})`;
  return `at ${describePath(path)}${place}: ${message}`;
}
