import { type HoldfastError, isHoldfastError } from "../core/error.ts";

/** Words why something else runs than what a source holds, for whoever is warned: "since …". */
export function turnedDown(fault: HoldfastError | undefined): string {
  const found = "what it holds cannot be taken over";
  return fault === undefined ? found : `${found}: ${fault.message}`;
}

/**
 * Words why something else runs where a source gave nothing.
 *
 * @returns undefined where that is no fault of what it holds, but of how it was opened or of what somebody must not do
 */
export function notGiven(error: unknown): string | undefined {
  if (!isHoldfastError(error)) return undefined;
  const { code, message } = error;
  if (code === "UNAVAILABLE" || code === "TIMEOUT" || code === "IO") {
    return `it cannot be reached: ${message}`;
  }
  const isOfContent = code === "UNSAFE_FILE" || code === "TOO_LARGE" || code === "PARSE" ||
    code === "INVALID" || code === "UNSUPPORTED_VERSION" || code === "MIGRATION" ||
    code === "CYCLE";
  return isOfContent ? turnedDown(error) : undefined;
}
