import type { Host } from "../src/host/host.ts";
import { bunHost } from "./bun.ts";
import { denoHost } from "./deno.ts";
import { nodeHost } from "./node.ts";

/**
 * The host of the runtime that this program runs on.
 *
 * @returns the host of Deno or Bun where it is one of those, of Node otherwise
 */
export function detectHost(): Host {
  if ("Deno" in globalThis) return denoHost;
  if ("Bun" in globalThis) return bunHost;
  return nodeHost;
}
