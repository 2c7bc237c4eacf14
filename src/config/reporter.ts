import { ignoreRejection } from "../core/promise.ts";
import type { AuditEvent } from "./reports.ts";
import type { Logger } from "./types.ts";

/** Tells people: isolated, so that a logger or an auditor that throws disturbs nothing. */
export interface Reporter {
  info(message: string): void;
  warn(message: string): void;
  /** Warns, unless this very warning was given before. */
  warnOnce(message: string): void;
  error(message: string): void;
  audit(event: AuditEvent): void;
  /** Says nothing any more. */
  close(): void;
}

// Bounds what is remembered of warnings; a source that words ever new ones may repeat itself after so many.
const warningsMax = 1000;

/** Makes the reporter of one config. */
export function createReporter(
  logger: Logger = { warn: console.warn, error: console.error },
  audit?: (event: AuditEvent) => void,
): Reporter {
  const told = new Set<string>();
  let closed = false;

  function guarded(call: () => unknown): void {
    if (closed) return;
    try {
      ignoreRejection(call());
    } catch (error) {
      console.error("holdfast: the logger or auditor threw", error);
    }
  }

  const warn = (message: string) => guarded(() => logger.warn(message));

  return {
    info: (message) => guarded(() => logger.info?.(message)),
    warn,
    warnOnce: (message) => {
      if (told.has(message)) return;
      if (told.size >= warningsMax) told.clear();
      told.add(message);
      warn(message);
    },
    error: (message) => guarded(() => logger.error ? logger.error(message) : logger.warn(message)),
    audit: (event) => {
      // On a later turn, so that it runs outside of the change it tells about.
      if (audit !== undefined) queueMicrotask(() => guarded(() => audit(event)));
    },
    close: () => {
      closed = true;
    },
  };
}
