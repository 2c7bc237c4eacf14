import { copyDocument, isPlainObject, type Json, type JsonObject, problemOf } from "./document.ts";
import { holdfastError } from "./error.ts";
import { describePath } from "./pointer.ts";
import { ignoreRejection } from "./promise.ts";

/**
 * Steps from each version of a document to the next: the entry `n` turns a document of version n into one of version
 * n + 1. It gets a copy that it may change and returns the new document; `version` is set for it where it forgets to.
 */
// deno-lint-ignore no-explicit-any -- a document of an old version has no type any more
export type Migrations = Readonly<Record<number, (document: any) => JsonObject>>;

/** A document brought to the newest version. */
export interface Migrated {
  readonly document: Json;
  /** The version that was found. */
  readonly from: number;
  /** The newest version, which the document now has. */
  readonly to: number;
}

/**
 * The versions that a chain of migrations covers.
 *
 * @throws `UNSUPPORTED` when a step is missing or none is given
 */
export function versionRange(migrations: Migrations): { oldest: number; newest: number } {
  const steps = Object.keys(migrations).map(Number).sort((a, b) => a - b);
  const oldest = steps[0];
  const gap = steps.findIndex((step, index) =>
    !Number.isInteger(step) || step !== steps[0]! + index
  );
  if (oldest === undefined || gap >= 0) {
    const found = oldest === undefined ? "none" : `${steps.join(", ")}`;
    throw holdfastError(
      "UNSUPPORTED",
      `Cannot use these migrations: found steps ${found}; give one for every version without a gap`,
      { what: "migrations" },
    );
  }
  return { oldest, newest: steps.at(-1)! + 1 };
}

/**
 * Brings a document to the newest version, step by step.
 *
 * @param document as stored, with an integer `version`; left as it is
 * @param source where it comes from, for messages
 * @throws `UNSUPPORTED_VERSION` when its version is missing, unknown or newer; `MIGRATION` when a step fails
 */
export function migrate(document: Json, migrations: Migrations, source: string): Migrated {
  const { oldest, newest } = versionRange(migrations);
  const from: unknown = isPlainObject(document) ? document["version"] : undefined;
  if (typeof from !== "number" || !Number.isInteger(from) || from < oldest || from > newest) {
    const found = from === undefined ? "no version" : `version ${JSON.stringify(from)}`;
    const remedy = typeof from === "number" && from > newest
      ? "run a newer release of this program, or bring the old document back"
      : `write a document of a version from ${oldest} to ${newest}`;
    throw holdfastError(
      "UNSUPPORTED_VERSION",
      `Cannot migrate ${source}: found ${found}, know ${oldest} to ${newest}; ${remedy}`,
      { found: from, oldest, newest },
    );
  }
  let current = document;
  for (let version = from; version < newest; version++) {
    current = oneStep(current, version, migrations, source);
  }
  if (from < newest) current = plainJson(current, newest, source);
  return { document: current, from, to: newest };
}

function oneStep(document: Json, version: number, migrations: Migrations, source: string): Json {
  const details = { from: version, to: version + 1 };
  const attempt = `Cannot migrate ${source} from version ${version} to ${version + 1}`;
  let result: unknown;
  try {
    result = migrations[version]!(copyDocument(document));
  } catch (error) {
    throw holdfastError("MIGRATION", `${attempt}: the step threw; mend it`, details, error);
  }
  ignoreRejection(result);
  if (!isPlainObject(result)) {
    throw holdfastError(
      "MIGRATION",
      `${attempt}: the step returned no object; return the document`,
      details,
    );
  }
  const found = result["version"];
  if (found === undefined || found === version) {
    return { ...(result as JsonObject), version: version + 1 };
  }
  if (found === version + 1) return result as JsonObject;
  throw holdfastError(
    "MIGRATION",
    `${attempt}: the step returned version ${JSON.stringify(found)}; return version ${version + 1}`,
    details,
  );
}

function plainJson(document: Json, version: number, source: string): Json {
  const problem = problemOf(document);
  if (problem === undefined) return copyDocument(document);
  throw holdfastError(
    "MIGRATION",
    `Cannot migrate ${source} to version ${version}: found at ${describePath(problem.path)}: ` +
      `${problem.message}; return plain JSON`,
    { from: version - 1, to: version },
  );
}
