/**
 * Judges what was observed of a config that many processes wrote: no write that was acknowledged is lost, none is made
 * twice, and nobody saw time go back. Pure, so that trials with real processes and simulations share it.
 */

/** A write that its caller was told is durable. */
export interface Acknowledgement {
  /** The process (or its simulation) that was told. */
  readonly writer: string;
  /** Names the call, unlike any other; the `reason` with which it was made. */
  readonly call: string;
  readonly generation: number;
  readonly hash: string;
}

/** A call that ended in an error. */
export interface Failure {
  readonly writer: string;
  readonly call: string;
  /** Only after `COMMIT_UNKNOWN` may the call stand in the history. */
  readonly code: string;
}

/** What is judged of a record of the history. */
export interface RecordHeader {
  readonly generation: number;
  /** The generation it was built upon; 0 for the first. */
  readonly parent: number;
  readonly parentHash: string;
  readonly hash: string;
  /** The calls that it made, each with what it was given as `reason`. */
  readonly calls: readonly { readonly reason?: string | undefined }[];
}

/** A look at the config, in the order in which its reader had them. */
export interface Read {
  readonly reader: string;
  readonly generation: number;
  readonly hash: string;
  /** The greatest generation known to be acknowledged before the look began. */
  readonly atLeast?: number | undefined;
  /** What was wrong with the content itself: torn, of another checksum. */
  readonly fault?: string | undefined;
}

/** All that was observed; leave out what was not. */
export interface History {
  readonly acknowledged: readonly Acknowledgement[];
  readonly failed?: readonly Failure[] | undefined;
  /** The records that are left at the end, in any order. */
  readonly records: readonly RecordHeader[];
  /** Up to which generation the records were deleted; 0 when none was. */
  readonly floor?: number | undefined;
  /** Numbers whose record cannot be read and was reported. */
  readonly unreadable?: readonly number[] | undefined;
  readonly reads: readonly Read[];
  /** What a fresh look found at the end. */
  readonly final?: { readonly generation: number; readonly hash: string } | undefined;
}

/** The rules, by what a breach of each is. */
export type Rule =
  | "two acknowledgements of one generation"
  | "acknowledged and lost"
  | "refused and yet made"
  | "made twice"
  | "gap"
  | "broken parent"
  | "two contents of one generation"
  | "step back"
  | "behind an acknowledgement"
  | "torn";

/** One breach of a rule. */
export interface Violation {
  readonly rule: Rule;
  readonly message: string;
}

/** Finds every breach of the rules; none when all is well. */
export function checkHistory(history: History): Violation[] {
  return [
    ...checkAcknowledgements(history),
    ...checkCalls(history),
    ...checkChain(history),
    ...checkContents(history),
    ...checkReads(history),
    ...checkEnd(history),
  ];
}

/** One generation is one commit: of one writer, though it may answer several of that writer's calls. */
function checkAcknowledgements({ acknowledged }: History): Violation[] {
  const violations: Violation[] = [];
  const owners = new Map<number, Acknowledgement>();
  for (const ack of acknowledged) {
    const other = owners.get(ack.generation);
    if (other === undefined) owners.set(ack.generation, ack);
    else if (other.writer !== ack.writer) {
      violations.push({
        rule: "two acknowledgements of one generation",
        message: `${ack.generation}: ${other.writer} (${other.call}), ${ack.writer} (${ack.call})`,
      });
    }
  }
  return violations;
}

/** What was acknowledged stands in its record, what was refused in none, and nothing in two. */
function checkCalls({ acknowledged, failed = [], records, floor = 0 }: History): Violation[] {
  const violations: Violation[] = [];
  const generationsOf = new Map<string, number[]>();
  for (const { generation, calls } of records) {
    for (const { reason } of calls) {
      if (reason === undefined) continue;
      generationsOf.set(reason, [...generationsOf.get(reason) ?? [], generation]);
    }
  }
  for (const [call, generations] of generationsOf) {
    if (generations.length > 1) {
      violations.push({ rule: "made twice", message: `${call} in ${generations.join(", ")}` });
    }
  }
  for (const { call, generation, writer } of acknowledged) {
    if (generation <= floor || generationsOf.get(call)?.includes(generation)) continue;
    violations.push({
      rule: "acknowledged and lost",
      message: `${call} of ${writer} is not in the record of ${generation}`,
    });
  }
  for (const { call, code, writer } of failed) {
    const generations = generationsOf.get(call);
    if (code === "COMMIT_UNKNOWN" || generations === undefined) continue;
    violations.push({
      rule: "refused and yet made",
      message: `${call} of ${writer} failed with ${code} and is in ${generations.join(", ")}`,
    });
  }
  return violations;
}

/** Every number above the floor has its record, and each record names the one before it. */
function checkChain({ records, floor = 0, unreadable = [] }: History): Violation[] {
  const violations: Violation[] = [];
  const sorted = [...records].sort((one, other) => one.generation - other.generation);
  const isUnreadable = new Set(unreadable);
  let before: RecordHeader | undefined;
  let expected = floor + 1;
  for (const record of sorted) {
    const { generation, parent, parentHash } = record;
    // Collection may be under way: the floor is set before the records up to it are deleted.
    if (generation > floor) {
      for (; expected < generation; expected++) {
        if (!isUnreadable.has(expected)) {
          violations.push({ rule: "gap", message: `no record of ${expected}` });
        }
      }
      expected = generation + 1;
      const named = before ?? (generation === 1 ? { generation: 0, hash: "" } : undefined);
      if (parent >= generation || (named && named.generation !== parent)) {
        violations.push({
          rule: "broken parent",
          message: `${generation} names ${parent}, before it is ${named?.generation ?? "nothing"}`,
        });
      } else if (named !== undefined && named.hash !== parentHash) {
        violations.push({
          rule: "broken parent",
          message: `${generation} names ${parentHash} as ${parent}, which is ${named.hash}`,
        });
      }
    }
    before = record;
  }
  return violations;
}

/** A generation has one content, whoever tells of it. */
function checkContents({ acknowledged, records, reads, final }: History): Violation[] {
  const violations: Violation[] = [];
  const hashes = new Map<number, { readonly hash: string; readonly by: string }>();
  const tell = (generation: number, hash: string, by: string) => {
    const told = hashes.get(generation);
    if (told === undefined) hashes.set(generation, { hash, by });
    else if (told.hash !== hash) {
      violations.push({
        rule: "two contents of one generation",
        message: `${generation}: ${told.hash} by ${told.by}, ${hash} by ${by}`,
      });
    }
  };
  for (const { generation, hash } of records) tell(generation, hash, "the record");
  for (const { generation, hash, writer, call } of acknowledged) {
    tell(generation, hash, `the acknowledgement of ${call} to ${writer}`);
  }
  for (const { generation, hash, reader, fault } of reads) {
    if (fault === undefined) tell(generation, hash, `a read of ${reader}`);
  }
  if (final !== undefined) tell(final.generation, final.hash, "the last look");
  return violations;
}

function checkReads({ reads }: History): Violation[] {
  const violations: Violation[] = [];
  const newest = new Map<string, number>();
  for (const { reader, generation, atLeast = 0, fault } of reads) {
    if (fault !== undefined) {
      violations.push({ rule: "torn", message: `${reader}: ${fault}` });
      continue;
    }
    const before = newest.get(reader) ?? 0;
    if (generation < before) {
      violations.push({
        rule: "step back",
        message: `${reader} saw ${before}, then ${generation}`,
      });
    }
    if (generation < atLeast) {
      violations.push({
        rule: "behind an acknowledgement",
        message: `${reader} saw ${generation} after ${atLeast} was acknowledged`,
      });
    }
    newest.set(reader, Math.max(before, generation));
  }
  return violations;
}

/** The last look finds the newest record, and nothing that was acknowledged is newer. */
function checkEnd({ acknowledged, records, reads, final }: History): Violation[] {
  if (final === undefined) return [];
  const violations: Violation[] = [];
  const expect = (rule: Rule, generation: number, what: string) => {
    if (generation <= final.generation) return;
    violations.push({ rule, message: `${generation} ${what}; at the end is ${final.generation}` });
  };
  for (const { generation, call } of acknowledged) {
    expect("acknowledged and lost", generation, `(${call}) was acknowledged`);
  }
  for (const { generation } of records) expect("step back", generation, "has a record");
  for (const { generation, reader } of reads) {
    expect("step back", generation, `was read by ${reader}`);
  }
  return violations;
}
