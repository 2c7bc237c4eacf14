/** The gateway: from a request to a response, each by one snapshot of the configuration. */
import { createHash, timingSafeEqual } from "node:crypto";
// In a program of your own: from "holdfast".
import { type ErrorCode, isHoldfastError, type Snapshot, toEnvelope } from "../../mod.ts";
import type { Limiter, RateLimit } from "./limiter.ts";
import type { Metrics } from "./metrics.ts";
import type { Lines, Pool } from "./pool.ts";
import type { Gateway, GatewayConfig } from "./schema.ts";
import type { Handler } from "./serve.ts";
import { speak } from "./upstream.ts";

/** The parts of the program that requests need. */
export interface Parts {
  readonly limiter: Limiter;
  readonly pool: Pool;
  readonly metrics: Metrics;
}

/** What a request sees: all of one generation, however long it lasts and whatever changes meanwhile. */
interface Sight {
  readonly snapshot: Snapshot<Gateway>;
  readonly limit: RateLimit;
  readonly lines: Lines;
}

type Route = (request: Request, url: URL) => Response | Promise<Response>;

/** Makes the handler of all requests. */
export function createGateway(config: GatewayConfig, { limiter, pool, metrics }: Parts): Handler {
  const routes: Readonly<Record<string, Route>> = {
    "GET /v1/models": forClients(({ snapshot: { value }, lines }) => {
      const shown = Object.entries(value.models)
        .filter(([, model]) => model.enabled || value.features.list_disabled)
        .map(([alias, model]) => {
          return [alias, { ...model, connections: lines.get(model.upstream)?.connections ?? 0 }];
        });
      return Response.json(Object.fromEntries(shown));
    }),

    "GET /v1/stream": forClients((sight, url) => {
      const { models, default_alias, features } = sight.snapshot.value;
      const alias = url.searchParams.get("model") ?? default_alias;
      const model = models[alias];
      if (!features.streaming) return problem(404, "streaming is switched off");
      if (!model?.enabled) return problem(404, `no model is called ${alias}`);
      const words = Number(url.searchParams.get("words") ?? 10);
      return eventStream(relay(sight, model.upstream, words));
    }),

    "GET /config": () => configResponse(config.snapshot()),

    "PATCH /config": async (request) => {
      if (!isAdmin(request, config.value.admin_token)) return problem(401, "wrong admin_token");
      const ifMatch = request.headers.get("if-match");
      const { snapshot } = await config.patch(await request.json(), {
        expectedGeneration: ifMatch === null ? undefined : generationOf(ifMatch),
        actor: "http",
      });
      return configResponse(snapshot);
    },

    // Always 200: a degraded gateway serves as before, by the last good configuration.
    "GET /status": () => Response.json(config.status()),

    "GET /metrics": () => new Response(metrics.text()),
  };

  /** Has a look at everything in the turn in which the request comes: changes are made between turns. */
  function forClients(answer: (sight: Sight, url: URL) => Response): Route {
    return (request, url) => {
      const sight = { snapshot: config.snapshot(), limit: limiter.limit, lines: pool.lines };
      const { generation, value: { allowed_keys } } = sight.snapshot;
      const key = request.headers.get("x-key-name") ?? "";
      const allowed = allowed_keys[0] === "*" || allowed_keys.includes(key);
      const response = !allowed
        ? problem(403, "x-key-name is not allowed")
        : !limiter.take()
        ? problem(429, "there are too many requests")
        : answer(sight, url);
      response.headers.set("x-config-generation", `${generation}`);
      response.headers.set("x-ratelimit-limit", `${sight.limit.burst}`);
      return response;
    };
  }

  return async (request) => {
    const startedMs = performance.now();
    const url = new URL(request.url);
    try {
      const route = routes[`${request.method} ${url.pathname}`];
      return await route?.(request, url) ?? problem(404, "there is nothing here");
    } catch (error) {
      return failure(error);
    } finally {
      metrics.observe(performance.now() - startedMs);
    }
  };
}

// Generations begin anew with each process, so an ETag names the process too: one from before a restart matches nothing.
const run = crypto.randomUUID();

function configResponse(snapshot: Snapshot<Gateway>): Response {
  const etag = `"${run}/${snapshot.generation}"`;
  return Response.json(toEnvelope(snapshot), { headers: { etag } });
}

function generationOf(ifMatch: string): number {
  const generation = ifMatch.startsWith(`"${run}/`) ? parseInt(ifMatch.slice(run.length + 2)) : NaN;
  return Number.isNaN(generation) ? -1 : generation;
}

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID: 422,
  CONFLICT: 412,
  TOO_LARGE: 413,
  READ_ONLY: 409,
  RELOAD_REFUSED: 409,
  TIMEOUT: 503,
  UNAVAILABLE: 503,
  CLOSED: 503,
};

function failure(error: unknown): Response {
  if (error instanceof SyntaxError) return problem(400, "the body is not JSON");
  if (!isHoldfastError(error)) {
    console.error(error);
    return problem(500, "this should not happen; the log has more");
  }
  const { code, message, details } = error;
  return problem(statuses[code] ?? 500, message, { code, details });
}

/** Problem details (RFC 9457). */
function problem(status: number, detail: string, more: object = {}): Response {
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify({ status, detail, ...more }), { status, headers });
}

/** Compares in constant time, by hashes since those are of equal length. */
function isAdmin(request: Request, token: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(
    hash(request.headers.get("authorization") ?? ""),
    hash(`Bearer ${token}`),
  );
}

/** Passes on what an upstream says, over the line that there was when the request came. */
async function* relay(
  { snapshot: { generation }, limit, lines }: Sight,
  upstream: string,
  words: number,
): AsyncGenerator<string> {
  const line = lines.get(upstream)!;
  for await (const word of speak(words)) {
    const seen = { generation, limit: limit.burst, upstream, connections: line.connections };
    yield JSON.stringify({ ...seen, word, sentMs: Date.now() });
  }
}

function eventStream(events: AsyncGenerator<string>): Response {
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await events.next();
      if (done) controller.close();
      else controller.enqueue(new TextEncoder().encode(`data: ${value}\n\n`));
    },
    async cancel() {
      await events.return(undefined);
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}
