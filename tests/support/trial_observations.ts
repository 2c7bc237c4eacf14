/** Turns what the processes of a trial reported into what the history checker judges. */
import assert from "node:assert/strict";
import type { Acknowledgement, Failure, History, Read, Violation } from "./history_checker.ts";
import { checkHistory } from "./history_checker.ts";
import type { Line } from "./trial_process.ts";
import { readLog } from "./trial_records.ts";

/** The report of one process, under a name of its own. */
export interface Report {
  readonly name: string;
  lines(): readonly Line[];
}

/** Puts the reports and the directory together, at rest. */
export function observe(path: string, reports: readonly Report[]): History {
  const acknowledged: Acknowledgement[] = [];
  const failed: Failure[] = [];
  const reads: Read[] = [];
  for (const { name, lines } of reports) {
    for (const { kind, call = "", generation = 0, hash = "", fault, code = "" } of lines()) {
      if (kind === "acknowledged") acknowledged.push({ writer: name, call, generation, hash });
      if (kind === "refused") failed.push({ writer: name, call, code });
      if (kind === "opened" || kind === "followed" || kind === "last" || kind === "torn") {
        reads.push({ reader: name, generation, hash, ...fault === undefined ? {} : { fault } });
      }
    }
  }
  const { records, unreadable, floor } = readLog(path);
  return { acknowledged, failed, reads, records, unreadable, floor };
}

/** Fails with every violation. */
export function assertSound(history: History): void {
  const violations: readonly Violation[] = checkHistory(history);
  assert.deepEqual(violations.map(({ rule, message }) => `${rule}: ${message}`).slice(0, 20), []);
}

/**
 * No acknowledged increment is missing: the document counts at least as many of each slot as were acknowledged, and each of
 * those once.
 */
export function assertCounted(document: Line, reports: readonly Report[]): void {
  const greatest = new Map<string, number>();
  for (const { kind, slot = "", sequence = 0 } of reports.flatMap(({ lines }) => lines())) {
    if (kind !== "acknowledged" && kind !== "found made") continue;
    greatest.set(slot, Math.max(greatest.get(slot) ?? 0, sequence));
  }
  for (const [slot, sequence] of greatest) {
    const made = document.writers?.[slot] ?? 0;
    assert.ok(made >= sequence, `${slot} was told of ${sequence} increments, ${made} are there`);
  }
  assert.equal(document.fault, undefined);
}
