/** The upstream pool: the lines that requests are answered over. */
import type { Gateway } from "./schema.ts";
import { dial, type Line } from "./upstream.ts";

/** What the pool needs of the configuration. */
export interface PoolPart {
  readonly upstreams: readonly string[];
  readonly connections: number;
}

/** Lines by their upstream, all dialled for the same part. */
export type Lines = ReadonlyMap<string, Line>;

/** One line for each upstream of an enabled model. */
export function poolPart({ models, pool }: Pick<Gateway, "models" | "pool">): PoolPart {
  const enabled = Object.values(models).filter((model) => model.enabled);
  const upstreams = [...new Set(enabled.map(({ upstream }) => upstream))];
  return { upstreams, connections: pool.connections };
}

/** Dials all that a part asks for; nothing is in use yet. */
export async function dialAll(
  { upstreams, connections }: PoolPart,
  signal: AbortSignal,
): Promise<Lines> {
  const lines = upstreams.map((upstream) => dial(upstream, connections, signal));
  return new Map((await Promise.all(lines)).map((line) => [line.upstream, line]));
}

/** Holds the lines, which are swapped as a whole. */
export class Pool {
  #lines: Lines = new Map();
  #before: Lines = this.#lines;

  constructor(lines: Lines) {
    this.takeOver(lines);
  }

  /** What a request takes at its beginning, and keeps. */
  get lines(): Lines {
    return this.#lines;
  }

  /**
   * Uses other lines from now on.
   *
   * @throws where one was hung up since it was dialled
   */
  takeOver(lines: Lines): void {
    this.#before = this.#lines;
    for (const { upstream, isOpen } of lines.values()) {
      if (!isOpen) throw new Error(`${upstream} hung up`);
    }
    this.#lines = lines;
  }

  /** Uses the lines from before the last `takeOver`, whether that came to its end or not. */
  takeBack(): void {
    this.#lines = this.#before;
  }
}
