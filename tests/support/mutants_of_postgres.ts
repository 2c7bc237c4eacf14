import type { Mutant } from "./mutant.ts";

const tables = "src/store/postgres/tables.ts";
const opened = "src/store/postgres/open.ts";
const tablesTests = "services/postgres_tables";
const answersTests = "services/postgres_answers";
const editsTests = "services/postgres_edits";
const cutsTests = "services/postgres_cuts";

/** Faults in what keeps a document in PostgreSQL from being lost, doubled, or answered from memory. */
export const postgresMutants: readonly Mutant[] = [
  {
    name: "a commit does not look which version of the row it replaces",
    file: tables,
    from: "if head.version is distinct from given_version then",
    to: "if false then",
    tests: tablesTests,
    by: "increment one document, and lose nothing",
  },
  {
    name: "a commit said not to have landed may land later",
    file: tables,
    from: "update ${documents} d set generation = d.generation where d.key = given_key;",
    to: "perform 1 from ${documents} d where d.key = given_key;",
    tests: "services/postgres_outages",
    by: "is kept from landing once it was said not to have landed",
  },
  {
    name: "nobody is asked what became of a commit",
    file: opened,
    from: "if (!mayHaveLanded(error)) throw error;",
    to: "if (mayHaveLanded(error) !== undefined) throw error;",
    tests: cutsTests,
    by: "cut after any byte of its reply is told as it went",
  },
  {
    name: "a commit of which the record was collected is made once more",
    file: opened,
    from: "if (isTaken) return",
    to: "if (isTaken || outcome.newest > newest) return",
    tests: "services/postgres_outages",
    by: "and whose record is gone too is not made twice",
  },
  {
    name: "a leap of the numbers clears the history away",
    file: tables,
    from: "h.generation <= (\n    select o.generation",
    to: "h.generation <= made - given_kept or h.generation <= (\n    select o.generation",
    tests: editsTests,
    by: "that leap, as those of a row that was edited, leave the history",
  },
  {
    name: "a write that never had a connection is doubted",
    file: "src/store/postgres/error.ts",
    from: 'if (syscall === "connect" || syscall === "getaddrinfo") return false;',
    to: "void syscall;",
    tests: answersTests,
    by: "before there was a connection leaves no doubt about a write",
  },
  {
    name: "the number of a row that was deleted with its history is used again",
    file: tables,
    from: "if given_base > parent then",
    to: "if false then",
    tests: editsTests,
    by: "with its history is told, and its numbers are not used again",
  },
  {
    name: "memory answers for a glance that failed",
    file: opened,
    from: "if (stamp === known.row.stamp) return",
    to: "if (stamp === undefined || stamp === known.row.stamp) return",
    tests: answersTests,
    by: "that fails is gone around, and memory does not answer for it",
  },
  {
    name: "a refused text that is too long to be read is lost to a write",
    file: opened,
    from: "row.text !== undefined || row.byteLength > 0;",
    to: "row.text !== undefined;",
    tests: editsTests,
    by: "that is too long to be read is kept when it is replaced",
  },
  {
    name: "a row that was only moved counts as a change that nobody told",
    file: opened,
    from: "(known.row.generation !== row.generation || known.loaded.hash !== seen.loaded.hash)",
    to: "known.row.stamp !== row.stamp",
    tests: "services/postgres_notifications",
    by: "are not missed of a row that was only moved",
  },
  {
    name: "several make the tables at once",
    file: tables,
    from: "perform pg_advisory_xact_lock(hashtext('holdfast'), hashtext(${literal(schema)}));",
    to: "",
    tests: tablesTests,
    by: "made at once in a new schema do not fail each other",
  },
  {
    name: "a table of somebody else is taken for ours",
    file: tables,
    from: "if installed is null or ${isMissing} then",
    to: "if ${isMissing} then",
    tests: tablesTests,
    by: "of somebody else with such a name are not taken for ours",
  },
];
