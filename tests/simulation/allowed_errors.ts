import type { ErrorCode } from "../../src/core/error.ts";
import type { WorldPlan } from "./plan.ts";

/** Whether something in a world may make single operations fail. */
export function hasFaults({ failsOneIn, fullFrom, vandals }: WorldPlan): boolean {
  return failsOneIn > 0 || fullFrom !== undefined || vandals > 0;
}

/** Whether a call may end with an error of this code, given what goes wrong in the world. */
export function mayFail(code: ErrorCode, plan: WorldPlan): boolean {
  const { stops, history, edits, removals } = plan;
  switch (code) {
    // A guarded call that came too late, a rollback to what was collected, a call at the time of the close.
    case "CONFLICT":
    case "NOT_FOUND":
    case "CLOSED":
      return true;
    case "PARSE":
    case "INVALID":
      return edits > 0;
    case "COMMIT_UNKNOWN":
      return hasFaults(plan) || stops > 0 || history < 50;
    case "TIMEOUT":
      return hasFaults(plan) || stops > 0;
    case "IO":
    case "READ_ONLY":
    case "UNAVAILABLE":
      return hasFaults(plan);
    case "UNSUPPORTED":
      return removals || hasFaults(plan);
    default:
      return false;
  }
}
