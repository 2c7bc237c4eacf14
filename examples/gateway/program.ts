/** The program behind the configuration: which part of it takes over what, and how all of it is built anew. */
// In a program of your own: from "holdfast".
import { createReloader, type Module, type Reloader, type Snapshot } from "../../mod.ts";
import { createGateway } from "./gateway.ts";
import { Limiter } from "./limiter.ts";
import { Metrics } from "./metrics.ts";
import { dialAll, type Lines, Pool, poolPart } from "./pool.ts";
import type { Gateway, GatewayConfig } from "./schema.ts";
import { type Handler, type Listener, Sockets } from "./serve.ts";

/**
 * Serves by a configuration, whatever becomes of that.
 *
 * @param signal ends serving at once
 * @returns the reloader; its `instance` is the program that serves
 */
export async function startGateway(
  config: GatewayConfig,
  signal: AbortSignal,
): Promise<Reloader<Program>> {
  // Whichever socket a request comes by, the program that serves then answers it.
  const sockets = new Sockets((request) => reloader.instance.answer(request), signal);
  const build = async ({ value }: Snapshot<Gateway>, signal: AbortSignal): Promise<Program> => {
    return new Program(config, value, sockets, await dialAll(poolPart(value), signal));
  };
  let snapshot: Snapshot<Gateway>;
  let instance: Program;
  do {
    snapshot = config.snapshot();
    instance = await build(snapshot, signal);
    // Nothing is reloaded before there is a reloader.
  } while (config.snapshot() !== snapshot);
  const reloader: Reloader<Program> = createReloader(config, {
    modules: (_, program) => program.modules,
    fullReload: {
      instance,
      build: async (snapshot, { signal }) => {
        const program = await build(snapshot, signal);
        // Now, so that an address that cannot be had refuses the change while the old program serves.
        await program.start();
        return program;
      },
      start: (program: Program) => program.start(),
      stop: (program: Program) => program.stop(),
    },
  });
  await reloader.instance.start();
  return reloader;
}

/** What a full reload builds anew. Its modules are what can change in it meanwhile. */
export class Program {
  readonly modules: readonly Module<Gateway>[];
  readonly answer: Handler;
  readonly #open: () => Listener;
  #listener: Listener | undefined;
  #url = "";

  constructor(
    config: GatewayConfig,
    value: Snapshot<Gateway>["value"],
    sockets: Sockets,
    lines: Lines,
  ) {
    const limiter = new Limiter(value.rate_limit);
    const pool = new Pool(lines);
    const metrics = new Metrics(value.metrics.buckets_ms);
    this.answer = createGateway(config, { limiter, pool, metrics });
    this.#open = () => sockets.open(value.listen);
    this.modules = [
      config.module({
        name: "limiter",
        select: ({ rate_limit }) => rate_limit,
        reconfigure: (limit) => limiter.reconfigure(limit),
      }),
      config.module({
        name: "pool",
        select: poolPart,
        prepare: (part, { signal }) => dialAll(part, signal),
        // Nothing is prepared for a part that is taken back.
        reconfigure: (_, { prepared }) => prepared ? pool.takeOver(prepared) : pool.takeBack(),
      }),
      // Without reconfigure: a change of these has all built anew.
      config.module({ name: "metrics", select: ({ metrics }) => metrics }),
      config.module({ name: "listener", select: ({ listen }) => listen }),
    ];
  }

  /** Where it serves. */
  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    this.#listener ??= this.#open();
    try {
      this.#url = await this.#listener.url;
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Leaves its socket; what came by it comes to its end. */
  stop(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }
}
