/** A process that increments: `postgres_child.ts <url> <key> <times>`. It prints what was acknowledged. */
import process from "node:process";
import createClient from "postgres";
import { openConfig } from "../../mod.ts";
import { postgres } from "../../src/store/postgres/postgres.ts";

const [url = "", key = "", times = "0"] = process.argv.slice(2);
const sql = createClient(url, { backoff: () => 0.25, fetch_types: false, onnotice: () => {} });
const config = await openConfig(postgres({ sql, key }), {
  seed: { count: 0 },
  timeoutMs: 30_000,
  logger: { warn: () => {}, error: () => {} },
});
const generations: number[] = [];
for (let time = 0; time < Number(times); time++) {
  const { snapshot } = await config.update((draft) => void (draft as { count: number }).count++);
  generations.push(snapshot.generation);
}
await config.close();
await sql.end();
console.log(`acknowledged ${JSON.stringify(generations)}.`);
