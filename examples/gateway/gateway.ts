/** The gateway: from a request to a response, each by one snapshot of the configuration. */
import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
// In a program of your own: from "holdfast".
import { type ErrorCode, isHoldfastError, type Snapshot, toEnvelope } from "../../mod.ts";
import type { Gateway, GatewayConfig } from "./schema.ts";
import type { Handler } from "./serve.ts";

type Route = (request: Request, url: URL) => Response | Promise<Response>;

/** Makes the handler of all requests. */
export function createGateway(config: GatewayConfig): Handler {
  const routes: Readonly<Record<string, Route>> = {
    "GET /v1/models": forClients(({ value }) => {
      const shown = Object.entries(value.models)
        .filter(([, model]) => model.enabled || value.features.list_disabled);
      return Response.json(Object.fromEntries(shown));
    }),

    "GET /v1/stream": forClients((snapshot, url) => {
      const { models, default_alias, features } = snapshot.value;
      const alias = url.searchParams.get("model") ?? default_alias;
      const model = models[alias];
      if (!features.streaming) return problem(404, "streaming is switched off");
      if (!model?.enabled) return problem(404, `no model is called ${alias}`);
      const words = Number(url.searchParams.get("words") ?? 10);
      return eventStream(speak(model.upstream, snapshot.generation, words));
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
  };

  /** Takes one snapshot for the whole request, however long it lasts and whatever changes meanwhile. */
  function forClients(answer: (snapshot: Snapshot<Gateway>, url: URL) => Response): Route {
    return (request, url) => {
      const snapshot = config.snapshot();
      const { allowed_keys } = snapshot.value;
      const key = request.headers.get("x-key-name") ?? "";
      const allowed = allowed_keys[0] === "*" || allowed_keys.includes(key);
      return allowed ? answer(snapshot, url) : problem(403, "x-key-name is not allowed");
    };
  }

  return async (request) => {
    const url = new URL(request.url);
    try {
      const route = routes[`${request.method} ${url.pathname}`];
      return await route?.(request, url) ?? problem(404, "there is nothing here");
    } catch (error) {
      return failure(error);
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

/** Stands for the upstream: it says a word now and then. */
async function* speak(upstream: string, generation: number, words: number): AsyncGenerator<string> {
  for (let word = 1; word <= words; word++) {
    yield JSON.stringify({ upstream, generation, word, sentMs: Date.now() });
    await wait(20);
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
