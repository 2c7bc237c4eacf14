import type { Annotations } from "../core/annotation.ts";
import type { Problem } from "../core/error.ts";
import { redactBefore, redactCalls, redactChanges } from "../core/redact.ts";
import type { AuditEvent, ChangeSet } from "./reports.ts";
import type { EngineParts } from "./running.ts";

/** What an auditor is told of a change set, secrets redacted. */
function auditEventOf(
  outcome: AuditEvent["outcome"],
  changeSet: ChangeSet,
  problems: readonly Problem[],
  annotations: Annotations | undefined,
): AuditEvent {
  const told = redactChanges(changeSet.changes, annotations);
  // What was secret in the old version of a document, the new schema does not say.
  const isBlind = changeSet.origin === "migration" && annotations?.mayHoldSecret === true;
  const changes = isBlind ? redactBefore(told) : told;
  const calls = changeSet.calls === undefined
    ? {}
    : { calls: redactCalls(changeSet.calls, annotations) };
  return { ...changeSet, ...calls, outcome, changes, problems };
}

/** Tells the auditor what became of a change. */
export function audit(
  { pipeline: { annotations }, reporter }: Pick<EngineParts, "pipeline" | "reporter">,
  outcome: AuditEvent["outcome"],
  changeSet: ChangeSet,
  problems: readonly Problem[],
): void {
  reporter.audit(auditEventOf(outcome, changeSet, problems, annotations));
}
