/** A config on a document of two levels, to be attacked, and the proof that it took no harm. */
import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Config, type Json, openConfig } from "../../mod.ts";
import { freshDirectory, listen, writePrivate } from "./config_under_test.ts";
import type { TestContext } from "./kit.ts";

/** What stands in the file. */
export const start: string = '{ "version": 2, "a": { "b": 1 } }';

/** The config and its file. */
export interface Opened {
  readonly path: string;
  readonly config: Config<Json, Json>;
}

/** Opens a config that looks at its file only when asked. */
export async function open(context: TestContext): Promise<Opened> {
  const path = join(await freshDirectory(context), "config.json");
  await writePrivate(path, start);
  const config = await openConfig(path, { watch: false, ...listen() });
  context.after(() => config.close());
  return { path, config };
}

/** Nothing was stored, nothing was applied, and nothing reached what all objects inherit. */
export async function assertUntouched({ path, config }: Opened): Promise<void> {
  assert.equal(await fs.readFile(path, "utf8"), start);
  assert.deepEqual(await fs.readdir(join(path, "..")), ["config.json"]);
  assert.deepEqual(config.value, { version: 2, a: { b: 1 } });
  assert.equal(config.snapshot().generation, 1);
  assertUnpolluted();
}

const inherited = inheritedNames();

export function assertUnpolluted(): void {
  assert.deepEqual(inheritedNames(), inherited);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  assert.equal(([] as { polluted?: unknown }).polluted, undefined);
}

function inheritedNames(): string[] {
  return [Object.prototype, Array.prototype, Function.prototype]
    .flatMap((prototype) => Reflect.ownKeys(prototype)).map(String);
}

/** One way to bring something to a config. */
export type Attempt = (config: Config<Json, Json>) => Promise<unknown>;

/** The draft of an update, to be treated without regard to any schema. */
export type Draft = Record<string, unknown>;
