/** The value that the benchmarks work on: services as a large gateway has them. */

/** How many services there are. */
export const services = 1000;

/** How many leaves one service has. */
export const leavesOfService = 100;

/** A route of a service: ten leaves. */
interface Route {
  readonly path: string;
  readonly methods: readonly string[];
  readonly timeoutMs: number;
  readonly retries: { readonly attempts: number; readonly backoffMs: number };
  readonly limits: { readonly perSecond: number; readonly burst: number };
}

/** One service. */
export interface Service {
  readonly upstream: { readonly host: string; readonly port: number };
  readonly enabled: boolean;
  readonly tags: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
}

/** The whole. */
export interface Sample {
  readonly services: Readonly<Record<string, Service>>;
}

/** The name of a service. */
export function serviceName(index: number): string {
  return `service-${String(index).padStart(4, "0")}`;
}

/** Makes the sample, of 100,000 leaves. */
export function makeSample(): Sample {
  const entries = Array.from({ length: services }, (_, index) => {
    return [serviceName(index), makeService(index)] as const;
  });
  return { services: Object.fromEntries(entries) };
}

/** A sample in which one leaf differs, sharing the rest. */
export function withPort({ services }: Sample, index: number, port: number): Sample {
  const name = serviceName(index);
  const service = services[name]!;
  return {
    services: { ...services, [name]: { ...service, upstream: { ...service.upstream, port } } },
  };
}

function makeService(index: number): Service {
  return {
    upstream: { host: `${serviceName(index)}.internal`, port: 8000 + index },
    enabled: index % 7 !== 0,
    tags: ["http", `team-${index % 20}`, `tier-${index % 3}`],
    headers: { "x-service": serviceName(index), "x-region": "here", "x-a": "a", "x-b": "b" },
    routes: Array.from({ length: 9 }, (_, route) => makeRoute(index, route)),
  };
}

function makeRoute(index: number, route: number): Route {
  return {
    path: `/api/${index}/${route}`,
    methods: ["GET", "PUT", "POST", "DELETE"],
    timeoutMs: 1000 + route,
    retries: { attempts: route % 4, backoffMs: 50 },
    limits: { perSecond: 100 + index, burst: 10 },
  };
}
