import { type MemoryHost, memoryHost } from "../../adapters/memory.ts";
import { openConfigOn } from "../../src/config/open.ts";
import type { AuditEvent } from "../../src/config/reports.ts";
import type { Logger } from "../../src/config/types.ts";

/** Where the config file of a memory host stands. */
export const path = "/etc/app/config.json";

/** What was said about a config. */
export interface Told {
  readonly logger: Logger;
  readonly lines: string[];
  readonly events: AuditEvent[];
  readonly audit: (event: AuditEvent) => void;
}

/** A logger and an auditor that remember. */
export function remember(): Told {
  const lines: string[] = [];
  const events: AuditEvent[] = [];
  const line = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return {
    logger: { info: line("info"), warn: line("warn"), error: line("error") },
    lines,
    events,
    audit: (event) => void events.push(event),
  };
}

/** The files on a host that neither belong to a config and its log nor are to be told about: what was left behind. */
export function litterOn(host: MemoryHost): string[] {
  const wanted =
    /^\/etc\/app\/(\.config\.json\.(mark\.\d+|d\/((g|floor|intent)\.\d+|(img|ext)\.\d+\.[0-9a-f]{32}\.[0-9a-f]{32})))$/;
  return host.outside.list().filter((name) => name !== path && !wanted.test(name));
}

/** A memory host with a config file on it, if a text is given, and what opens configs there. */
export function hostWith(text?: string): {
  readonly host: MemoryHost;
  readonly openConfig: ReturnType<typeof openConfigOn>;
} {
  const host = memoryHost();
  host.outside.makeDirectory("/etc/app");
  if (text !== undefined) host.outside.writeFile(path, text, { mode: 0o600 });
  return { host, openConfig: openConfigOn(() => host) };
}
