// runs on: node-24
/** Many instances in several processes follow one document: each sees every change, in order. How fast is measured by `tests/trials/followers.ts`. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "../support/kit.ts";
import type { FollowedPlace } from "./followed_place.ts";
import { startFollowers } from "./followers.ts";
import { natsFor } from "./nats_config.ts";
import { startNatsCluster, withoutNats } from "./nats_server.ts";
import { postgresMissing, startPostgres } from "./postgres_server.ts";

const changes = 10;

async function follow(t: TestContext, place: FollowedPlace): Promise<void> {
  const processes = ["node-24", "node-24"];
  const followers = await startFollowers({ place, instances: 20, processes });
  t.after(followers.kill);
  await followers.open({ debounceMs: 20, maxWaitMs: 200 });
  for (let change = 1; change <= changes; change++) {
    const { seenAt } = await followers.change();
    assert.equal(seenAt.length, 20);
  }
  const { said } = await followers.close();
  assert.deepEqual([...said], []);
  await followers.end();
}

describe("twenty instances in two processes", () => {
  const onNats = { skip: withoutNats, timeoutMs: 60_000 };

  test("follow a key of NATS", onNats, async (t) => {
    const { servers } = await natsFor(t);
    await follow(t, { kind: "nats", servers: servers.map(({ url }) => url) });
  });

  test("follow a key of a cluster of NATS", onNats, async (t) => {
    const { servers } = await natsFor(t, startNatsCluster);
    await follow(t, { kind: "nats", servers: servers.map(({ url }) => url) });
  });

  test("follow a row of PostgreSQL", { ...onNats, skip: postgresMissing }, async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    await follow(t, { kind: "postgres", url: server.url() });
  });
});
