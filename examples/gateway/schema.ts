/** What the gateway's configuration looks like, and how an older one becomes this one. */
import * as v from "valibot";
// In a program of your own: from "holdfast".
import { type Config, type Migrations, restartRequired, secret, warnIf } from "../../mod.ts";

const alias = v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/, "must be of a-z, 0-9 and -"));

const model = v.object({
  upstream: v.pipe(v.string(), v.nonEmpty(), v.excludes("://", "must name a model, not a URL")),
  enabled: v.optional(v.boolean(), true),
});

const days = v.pipe(v.number(), v.integer(), v.minValue(0));

export const schema = v.pipe(
  v.object({
    version: v.literal(2),
    port: v.optional(v.pipe(v.number(), v.integer(), v.maxValue(65_535), restartRequired()), 0),
    admin_token: v.pipe(v.string(), v.minLength(16), secret()),
    default_alias: alias,
    models: v.record(alias, model),
    retention: v.optional(
      v.object({
        days: v.optional(v.pipe(days, warnIf((days) => days > 365, "is more than a year")), 30),
        transcripts: v.optional(v.object({ days: v.optional(days, 7) }), {}),
      }),
      {},
    ),
    features: v.optional(
      v.object({
        streaming: v.optional(v.boolean(), true),
        list_disabled: v.optional(v.boolean(), false),
      }),
      {},
    ),
    // Names of keys, not the keys: what stands before the gateway checks those and says `x-key-name`.
    allowed_keys: v.optional(
      v.pipe(
        v.array(v.string()),
        v.check((keys) => keys.length === 1 || !keys.includes("*"), '"*" must stand alone'),
      ),
      ["*"],
    ),
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
