import type { Host } from "./host.ts";

/** `sha256:` and hexadecimal over the bytes of a text, as records and snapshots give it. */
export function hashOf(host: Host, bytes: Uint8Array): string {
  return `sha256:${host.hash(bytes)}`;
}
