// runs on: all
/** What parts of a program say of a change is told without its secrets. */
import assert from "node:assert/strict";
import * as v from "valibot";
import { secret } from "../../src/core/mark.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import { memory } from "../../src/store/memory.ts";
import { describe, test } from "../support/kit.ts";
import { hostWith, remember } from "../support/memory_config.ts";

const [old, canary] = ["old-canary", 'new-canary/"1"'];
const schema = v.object({
  password: v.optional(v.pipe(v.string(), secret()), old),
  keys: v.optional(v.pipe(v.record(v.string(), v.number()), secret()), {}),
});
const said = (text: string) =>
  `no login with ${text}, ${encodeURIComponent(text)}, ${
    JSON.stringify({ text })
  }, canary-key, 424242`;

async function opened() {
  const { openConfig } = hostWith();
  const told = remember();
  const config = await openConfig(memory({}), { schema, watch: false, ...told });
  const everything = async () =>
    JSON.stringify([config.status(), told.lines, told.events, await config.history()]);
  return { config, everything };
}

const patch = { password: canary, keys: { "canary-key": 424242 } };

describe("a secret that is quoted", () => {
  for (const where of ["prepare", "reconfigure", "modules", "fullReload"] as const) {
    test(`by ${where} is hidden`, async () => {
      const { config, everything } = await opened();
      const fail = (now: string, text: string) => {
        if (now === where) throw new Error(said(text));
      };
      createReloader(config, {
        modules: (value) => {
          fail("modules", value.password);
          if (where === "fullReload") return [];
          return [config.module({
            name: "login",
            select: (value) => value,
            prepare: ({ password }) => fail("prepare", password),
            reconfigure: ({ password }) => fail("reconfigure", password),
          })];
        },
        fullReload: ({ value }) => {
          throw new Error(said(value.password));
        },
      });
      const error: unknown = await config.patch(patch).catch((error: unknown) => error);
      assert.match(String(error), /no login with \[secret\]/);
      assert.ok(!/canary|424242/.test(String(error) + await everything()));
    });
  }

  test("by a health check or a subscriber is hidden", async () => {
    const { config, everything } = await opened();
    config.subscribe(({ password }) => {
      if (password === canary) throw new Error(said(password));
    });
    const healthCheck = () => Promise.reject(new Error(said(canary)));
    const applied = config.apply(await config.plan(patch), { healthCheck });
    const error: unknown = await applied.catch((error: unknown) => error);
    assert.match(String(error), /no login with \[secret\]/);
    assert.ok(!/canary|424242/.test(String(error) + await everything()));
  });

  test("by something that has no text is no matter", async () => {
    const { config } = await opened();
    const thrown = Object.defineProperty(new Error(), "message", {
      get: () => {
        throw new Error("no");
      },
    });
    const module = config.module({
      name: "login",
      select: (value) => value,
      prepare: () => Promise.reject(thrown),
      reconfigure: () => {},
    });
    createReloader(config, { modules: () => [module] });
    await assert.rejects(config.patch(patch), { code: "RELOAD_REFUSED" });
  });
});
