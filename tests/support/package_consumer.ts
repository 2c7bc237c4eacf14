/** What a user of the package writes; `tests/package.ts` runs and compiles it against the packed tarball. */
import { openConfig } from "holdfast";
import { postgres } from "holdfast/postgres";
import * as testing from "holdfast/testing";
import * as v from "valibot";

export async function consume(path: string): Promise<string> {
  const schema = v.object({ port: v.optional(v.number(), 8080), name: v.string() });
  const config = await openConfig(path, { schema, watch: false, seed: { name: "packed" } });
  const port: number = config.value.port;
  const name: string = config.value.name;
  await config.close();
  if (typeof postgres !== "function") throw new Error("holdfast/postgres exports no postgres");
  if (Object.keys(testing).length === 0) throw new Error("holdfast/testing exports nothing");
  return `${name}:${port}`;
}
