/** What a user of the package writes; `tests/package.ts` runs and compiles it against the packed tarball. */
import { openConfig } from "holdfast";
import { natsKv } from "holdfast/nats";
import { postgres } from "holdfast/postgres";
import * as testing from "holdfast/testing";
import * as v from "valibot";

export async function consume(path: string): Promise<string> {
  const schema = v.object({ name: v.string(), port: v.optional(v.number(), 8080) });
  const config = await openConfig(path, { schema, seed: { name: "packed" } });
  const port: number = config.value.port;
  const name: string = config.value.name;
  await config.close();
  if (typeof natsKv !== "function") throw new Error("holdfast/nats exports no natsKv");
  if (typeof postgres !== "function") throw new Error("holdfast/postgres exports no postgres");
  if (Object.keys(testing).length === 0) throw new Error("holdfast/testing exports nothing");
  return `${name}:${port}`;
}
