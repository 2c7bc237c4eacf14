import type { Mutant } from "./mutant.ts";

const serve = "examples/gateway/serve.ts";
const load = "reload/gateway_load";
const noMixture = "shows nobody two configurations";
const tour = "plays its tour";

/** Faults in the example, and in what keeps its requests from seeing two configurations. */
export const gatewayMutants: readonly Mutant[] = [
  {
    name: "a request of the gateway looks at its parts in another turn than at the value",
    file: "examples/gateway/gateway.ts",
    from: `    return (request, url) => {
      const sight = { snapshot: config.snapshot(), limit: limiter.limit, lines: pool.lines };`,
    to: `    return async (request, url) => {
      const snapshot = config.snapshot();
      await new Promise((resolve) => setTimeout(resolve, 1));
      const sight = { snapshot, limit: limiter.limit, lines: pool.lines };`,
    tests: load,
    by: noMixture,
  },
  {
    name: "modules take a change over before the value does",
    file: "src/reload/transition.ts",
    from: `    swap();
  }

  /**
   * Has modules`,
    to: `    await new Promise((resolve) => setTimeout(resolve, 1));
    swap();
  }

  /**
   * Has modules`,
    tests: load,
    by: noMixture,
  },
  {
    name: "the gateway's pool changes the lines that streams go by",
    file: "examples/gateway/pool.ts",
    from: "    this.#lines = lines;",
    to: `    for (const line of this.#lines.values()) Object.assign(line, [...lines.values()][0]);
    this.#lines = lines;`,
    tests: load,
    by: noMixture,
  },
  {
    name: "a gateway that stops cuts its streams",
    file: serve,
    from: "socket.url.then(() => socket.server.close(), () => {});",
    to: "socket.url.then(() => (socket.server.close(), socket.server.closeAllConnections()));",
    tests: load,
    by: noMixture,
  },
  {
    name: "a gateway built anew opens a socket of its own",
    file: serve,
    from: "this.#sockets.get(address) ?? ",
    to: "",
    tests: load,
    by: noMixture,
  },
  {
    name: "a gateway that has moved is found at its old address too",
    file: serve,
    from: "if (--socket.users > 0) return;",
    to: "if (socket.users-- > 0) return;",
    tests: "tests/demo",
    by: tour,
  },
  {
    name: "the gateway's pool takes lines over that are hung up",
    file: "examples/gateway/pool.ts",
    from: "if (!isOpen) throw",
    to: "if (!isOpen && upstream === '') throw",
    tests: "tests/demo",
    by: tour,
  },
  {
    name: "the gateway says that a module's refusal is its own fault",
    file: "examples/gateway/gateway.ts",
    from: "  RELOAD_REFUSED: 409,\n",
    to: "",
    tests: "tests/demo",
    by: tour,
  },
];
