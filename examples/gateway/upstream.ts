/** Stands for the upstreams, with the connections to them. */
import { setTimeout as wait } from "node:timers/promises";

/** What an upstream takes of one gateway. */
const connectionsMax = 64;

/** The connections to one upstream. Whoever speaks over them goes on when the pool has others by then. */
export interface Line {
  readonly upstream: string;
  readonly connections: number;
  /** The other end may hang up at any time. */
  readonly isOpen: boolean;
}

/**
 * Connects to an upstream.
 *
 * @throws where it takes no so many connections
 */
export async function dial(
  upstream: string,
  connections: number,
  signal: AbortSignal,
): Promise<Line> {
  await wait(2, undefined, { signal });
  if (connections > connectionsMax) {
    throw new Error(`${upstream} takes ${connectionsMax} connections, and not ${connections}`);
  }
  // A moody one lets itself be dialled and hangs up.
  return { upstream, connections, isOpen: !upstream.startsWith("moody-") };
}

/** Says a word now and then. */
export async function* speak(words: number): AsyncGenerator<number> {
  for (let word = 1; word <= words; word++) {
    yield word;
    await wait(20);
  }
}
