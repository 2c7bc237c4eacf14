import { type Annotations, annotationsOf } from "../core/annotation.ts";
import { type Json, valueAt } from "../core/document.ts";
import {
  holdfastError,
  type HoldfastErrorOf,
  isHoldfastError,
  type Problem,
} from "../core/error.ts";
import { problemsLocatedMax } from "../core/limits.ts";
import { migrate, type Migrations, versionRange } from "../core/migration.ts";
import { describePath } from "../core/pointer.ts";
import { type StandardSchema, validateAnnotated, type Validation } from "../core/schema.ts";
import { freeze } from "../core/snapshot.ts";
import { bounded } from "../host/bounded.ts";
import type { Host } from "../host/host.ts";
import type { Loaded } from "../source/source.ts";
import { nothingThere } from "./refusal.ts";

/** A document that passed every step but was not applied yet. */
export interface Candidate {
  /** At the newest version. */
  readonly document: Json;
  /** What the schema made the value of: the document with what other layers add. */
  readonly input: Json;
  /** As the schema gave it, not frozen. */
  readonly value: unknown;
  readonly warnings: readonly Problem[];
  /** Whether the stored document is of an older version than this one. */
  readonly migrated: boolean;
}

/** The one way from a document to a value, whoever brings the document. */
export interface Pipeline {
  readonly annotations: Annotations | undefined;
  /** What stands for a document where nothing is stored; undefined where there is no schema to have defaults. */
  readonly emptyDocument: Json | undefined;
  /** The newest version of documents; undefined where they have none. */
  readonly version: number | undefined;

  /**
   * Brings the document of a layer to the newest version; one that names no version is of the newest.
   *
   * @throws `UNSUPPORTED_VERSION`, `MIGRATION`
   */
  upgrade(document: Json, name: string): Json;

  /**
   * Migrates, merges with the other layers, and validates.
   *
   * @param from what the document was loaded with: where its parts were written, for messages, and what its layers add
   * @throws `UNSUPPORTED_VERSION`, `MIGRATION`, `INVALID`
   */
  run(document: Json, source: string, from?: Context): Promise<Candidate>;

  /** Validates alone, what a document and its layers came to. */
  validate(input: Json): Promise<Validation<unknown>>;
}

/** What a document stands among. */
export interface Context {
  readonly locate?: Loaded["locate"] | undefined;
  readonly layers?: Loaded["layers"] | undefined;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  readonly schema: StandardSchema | undefined;
  readonly migrations: Migrations | undefined;
  readonly host: Host;
  /** How long an asynchronous schema may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Makes the pipeline of a schema and its migrations.
 *
 * @throws `UNSUPPORTED` when one of the two cannot be used
 */
export function createPipeline({ schema, migrations, host, timeoutMs }: PipelineParts): Pipeline {
  const annotations = annotationsOf(schema);
  const newest = migrations === undefined ? undefined : versionRange(migrations).newest;

  async function run(
    document: Json,
    source: string,
    { locate, layers }: Context = {},
  ): Promise<Candidate> {
    if (migrations === undefined) {
      return await validated(document, false, source, { locate, layers });
    }
    const { document: migrated, from, to } = migrate(document, migrations, source);
    const newest = layers?.carry?.(document, migrated) ?? migrated;
    // A place in the text of an older version says nothing about a path in the newest; layers know which of them are older.
    const isLocated = from === to || layers !== undefined;
    const context = { layers, ...(isLocated ? { locate } : {}) };
    return await validated(newest, from !== to, source, context);
  }

  async function validated(
    document: Json,
    migrated: boolean,
    source: string,
    { locate, layers }: Context,
  ): Promise<Candidate> {
    const around = await layers?.around?.(document) ?? layers;
    const whole = around?.compose(document) ?? document;
    const candidate = { document, input: whole, migrated };
    if (schema === undefined) return { ...candidate, value: whole, warnings: [] };
    const result = await ask(schema, whole, source);
    const problems = located(result.problems, locate);
    if (!result.ok) throw invalid(source, problems);
    return { ...candidate, value: result.value, warnings: freeze(problems) };
  }

  async function ask(
    schema: StandardSchema,
    document: Json,
    source: string,
  ): Promise<Validation<unknown>> {
    try {
      const answer = validateAnnotated(schema, annotations, document);
      if (!(answer instanceof Promise)) return answer;
      // One that never answers would hold up everything behind it.
      return await bounded(host, `validate ${source}`, timeoutMs, answer);
    } catch (error) {
      if (isHoldfastError(error)) throw error;
      const problem: Problem = { path: [], message: "the schema threw", severity: "error" };
      throw invalid(source, [problem], error);
    }
  }

  function upgrade(document: Json, name: string): Json {
    const isVersioned = valueAt(document, ["version"]) !== undefined;
    if (migrations === undefined || !isVersioned) return document;
    return migrate(document, migrations, name).document;
  }

  return {
    annotations,
    emptyDocument: schema === undefined
      ? undefined
      : newest === undefined
      ? {}
      : { version: newest },
    version: newest,
    upgrade,
    run,
    validate: async (input) => {
      if (schema === undefined) return { ok: true, value: input, problems: [] };
      return await ask(schema, input, "what keeps its value until a restart");
    },
  };
}

/**
 * What counts where nothing is stored: the schema's defaults, and what other layers say.
 *
 * @throws `NOT_FOUND` when that makes no whole
 */
export async function runDefaults(
  { emptyDocument, run }: Pipeline,
  name: string,
  { layers, locate }: Loaded,
): Promise<Candidate> {
  const isGiven = layers?.compose(undefined) !== undefined;
  const empty = emptyDocument ?? (isGiven ? {} : undefined);
  if (empty === undefined) throw nothingThere(name);
  return await run(empty, name, { layers, locate }).catch((error: unknown) => {
    throw isGiven ? error : nothingThere(name, error);
  });
}

/** Adds where they were written to the first problems; a person mends those first, and looking costs time. */
function located(
  problems: readonly Problem[],
  locate: Loaded["locate"] | undefined,
): readonly Problem[] {
  if (locate === undefined || problems.length === 0) return problems;
  const places = locate(problems.slice(0, problemsLocatedMax).map(({ path }) => path));
  return problems.map((problem, index) => ({ ...problem, ...places[index] }));
}

/** The error for problems found in a document: it tells the first and counts the rest. */
export function invalid(
  source: string,
  problems: readonly Problem[],
  cause?: unknown,
): HoldfastErrorOf<"INVALID"> {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : "";
  const found = first === undefined
    ? "that the schema refuses it"
    : describeProblem(first, source) + more;
  const message = `Cannot accept ${source}: found ${found}; mend it`;
  return holdfastError("INVALID", message, { problems }, cause);
}

/**
 * A problem as a person reads it.
 *
 * @param name of the whole, which is named already
 */
export function describeProblem(problem: Problem, name: string): string {
  const { path, message, source, variable, line, column } = problem;
  const place = [
    ...(source === undefined || source === name ? [] : [source]),
    ...(variable === undefined ? [] : [variable]),
    ...(line === undefined ? [] : [`line ${line}, column ${column}`]),
  ].join(", ");
  return `at ${describePath(path)}${place === "" ? "" : ` (${place})`}: ${message}`;
}
