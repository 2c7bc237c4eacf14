/** What the gateway's configuration looks like, and how an older one becomes this one. */
import * as v from "valibot";
// In a program of your own: from "holdfast".
import { type Config, hot, type Migrations, restartRequired, secret, warnIf } from "../../mod.ts";

const alias = v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, "must be of a-z, 0-9 and -"));

const model = v.object({
  upstream: v.pipe(v.string(), v.nonEmpty(), v.excludes("://", "must name a model, not a URL")),
  enabled: v.optional(v.boolean(), true),
});

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));

const retention = v.object({
  days: v.optional(v.pipe(whole, warnIf((days) => days > 365, "is more than a year")), 30),
  transcripts: v.optional(v.object({ days: v.optional(whole, 7) }), {}),
});

const features = v.object({
  streaming: v.optional(v.boolean(), true),
  list_disabled: v.optional(v.boolean(), false),
});

const listen = v.object({
  host: v.optional(v.pipe(v.string(), v.ipv4("must be an address of IPv4")), "127.0.0.1"),
  port: v.optional(v.pipe(whole, v.maxValue(65_535)), 0),
});

/** Of all requests together. */
const rateLimit = v.object({
  per_second: v.optional(positive, 10_000),
  burst: v.optional(positive, 10_000),
});

const bucketsMs = v.pipe(
  v.array(positive),
  v.check((all) => all.every((ms, index) => index === 0 || ms > all[index - 1]!), "must ascend"),
);

// What requests read for themselves is hot(); all else belongs to a part of the program, and program.ts says to which.
export const schema = v.pipe(
  v.object({
    version: v.literal(2),
    admin_token: v.pipe(v.string(), v.minLength(16), secret(), hot()),
    default_alias: v.pipe(alias, hot()),
    models: v.pipe(v.record(alias, model), hot()),
    retention: v.optional(v.pipe(retention, hot()), {}),
    features: v.optional(v.pipe(features, hot()), {}),
    // Names of keys, not the keys: what stands before the gateway checks those and says `x-key-name`.
    allowed_keys: v.optional(
      v.pipe(
        v.array(v.string()),
        v.check((keys) => keys.length === 1 || !keys.includes("*"), '"*" must stand alone'),
        hot(),
      ),
      ["*"],
    ),
    listen: v.optional(listen, {}),
    pool: v.optional(v.object({ connections: v.optional(positive, 4) }), {}),
    rate_limit: v.optional(rateLimit, {}),
    metrics: v.optional(v.object({ buckets_ms: v.optional(bucketsMs, [1, 10, 100, 1000]) }), {}),
    // What lies there is locked from the start of the process to its end.
    data_directory: v.optional(v.pipe(v.string(), v.nonEmpty(), restartRequired()), "data"),
  }),
  v.forward(
    v.check(
      ({ models, default_alias }) => models[default_alias]?.enabled === true,
      "must be the alias of an enabled model",
    ),
    ["default_alias"],
  ),
);

/** The document as people write it: what has a default may be left out. */
export type GatewayDocument = v.InferInput<typeof schema>;
/** The value as the program reads it: complete. */
export type Gateway = v.InferOutput<typeof schema>;
export type GatewayConfig = Config<GatewayDocument, Gateway>;

/** Version 1 had nothing but an upstream for each alias, and one number of days. */
export const migrations: Migrations = {
  1: ({ aliases, retention_days = 30, ...rest }) => ({
    ...rest,
    models: Object.fromEntries(
      Object.entries(aliases).map(([alias, upstream]) => [alias, { upstream: String(upstream) }]),
    ),
    retention: { days: retention_days },
  }),
};

/** What a gateway starts with where there is no file. */
export function seed(): GatewayDocument {
  return {
    version: 2,
    admin_token: crypto.randomUUID(),
    default_alias: "fast",
    models: { fast: { upstream: "small-7b" }, deep: { upstream: "large-70b" } },
  };
}
