/** A process that counts up a number on NATS: `nats_writer_child.ts <server> <how often>`. */
import process from "node:process";
import { connect } from "@nats-io/transport-node";
import { type Json, openConfig } from "../../mod.ts";
import { natsKv } from "../../src/store/nats/nats_kv.ts";

const [servers = "", times = "0"] = process.argv.slice(2);
const connection = await connect({ servers });
const store = natsKv({ connection, bucket: "app", key: "config" });
const config = await openConfig(store, { timeoutMs: 60_000 });
for (let time = 0; time < Number(times); time++) {
  await config.update((draft) => {
    const counter = draft as { [key: string]: Json };
    counter["count"] = Number(counter["count"]) + 1;
  });
}
await config.close();
await connection.close();
console.log("counted");
