/** Answers of NATS that are lost, late or old. */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { errors } from "@nats-io/transport-node";
import { until } from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";
import { keyName, natsFor, openOver, refusalOf, withRequests } from "./nats_config.ts";
import { withoutNats } from "./nats_server.ts";

const skip = withoutNats;
const subject = `$KV.app.${keyName}`;

/** A connection on which the answers to puts are lost while that is wanted. */
function losingAnswers(
  connection: NatsConnection,
): { connection: NatsConnection; lose: number; lost: number } {
  const state = {
    lose: 0,
    lost: 0,
    connection: withRequests(connection, (ask) => async (to, ...rest) => {
      const answer = await ask(to, ...rest);
      if (to !== subject || state.lost >= state.lose) return answer;
      state.lost++;
      throw new errors.TimeoutError();
    }),
  };
  return state;
}

describe("NATS, answers that are lost", () => {
  test("a put whose answer is lost is known by its id, and stored once", { skip }, async (t) => {
    const link = losingAnswers(await (await natsFor(t)).connect());
    const { config } = await openOver(link.connection, t, { seed: { rate: 1 } });
    link.lose = link.lost + 2;
    const { snapshot } = await config.set({ rate: 2 });
    assert.equal(link.lost, 2);
    assert.equal(snapshot.generation, 2);
    await config.set({ rate: 3 });
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [3, 2, 1]);
  });

  test("also when somebody wrote on top of it meanwhile", { skip }, async (t) => {
    const nats = await natsFor(t);
    const { config: other } = await openOver(await nats.connect(), t, { seed: { rate: 1 } });
    const link = losingAnswers(await nats.connect());
    const late = withRequests(link.connection, (ask) => async (to, ...rest) => {
      try {
        return await ask(to, ...rest);
      } catch (error) {
        await other.reload();
        await other.set({ rate: 3 });
        throw error;
      }
    });
    const { config } = await openOver(late, t);
    link.lose = 1;
    const { changeSet } = await config.set({ rate: 2 });
    assert.equal(changeSet.to, 2);
    await until("it follows", () => config.snapshot().generation === 3);
    assert.deepEqual(config.value, { rate: 3 });
    assert.deepEqual((await config.history()).map(({ to }) => to), [3, 2, 1]);
  });

  test(
    "where no answer ever comes, the outcome is unknown, and seen later",
    { skip },
    async (t) => {
      const link = losingAnswers(await (await natsFor(t)).connect());
      const store = { timeoutMs: 200 };
      const { config } = await openOver(link.connection, t, { seed: { rate: 1 }, store });
      let isMute = true;
      const mute = withRequests(link.connection, (ask) => async (to, ...rest) => {
        const answer = ask(to, ...rest);
        if (!isMute || to !== subject) return await answer;
        await answer.catch(() => {});
        await wait(100);
        throw new errors.TimeoutError();
      });
      const { config: muted } = await openOver(mute, t, { store });
      const error = await refusalOf(muted.set({ rate: 2 }));
      assert.equal(error.code, "COMMIT_UNKNOWN");
      isMute = false;
      await until("all see it", () => {
        return [config, muted].every((each) => each.snapshot().generation === 2);
      });
      assert.equal((await muted.set({ rate: 3 })).snapshot.generation, 3);
    },
  );
});

describe("NATS, answers that come too early", () => {
  test("a bucket is made once enough servers have met", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    let refusals = 2;
    const starting = withRequests(connection, (ask) => async (to, ...rest) => {
      if (!to.startsWith("$JS.API.STREAM.CREATE") || refusals === 0) return await ask(to, ...rest);
      refusals--;
      const error = { code: 400, err_code: 10005, description: "no suitable peers for placement" };
      return { data: new TextEncoder().encode(JSON.stringify({ error })) } as Msg;
    });
    const { config } = await openOver(starting, t, { seed: { rate: 1 } });
    assert.deepEqual([config.value, refusals], [{ rate: 1 }, 0]);
  });
});

describe("NATS, answers that are old", () => {
  test("a leader of the past refuses what the one of today took", { skip }, async (t) => {
    const connection = await (await natsFor(t)).connect();
    let refusals = 0;
    const twoLed = withRequests(connection, (ask) => async (to, ...rest) => {
      const answer = await ask(to, ...rest);
      if (to !== subject || refusals === 0) return answer;
      refusals--;
      const error = { code: 400, err_code: 10071, description: "wrong last sequence: 1" };
      return { data: new TextEncoder().encode(JSON.stringify({ error })) } as Msg;
    });
    const { config } = await openOver(twoLed, t, { seed: { rate: 1 } });
    await config.set({ rate: 2 });
    refusals = 2;
    assert.equal((await config.set({ rate: 3 })).snapshot.generation, 3);
    assert.equal(refusals, 0);
    assert.deepEqual((await config.history()).map(({ generation }) => generation), [3, 2, 1]);
  });

  for (const asked of ["STREAM", "STREAM.MSG.GET"]) {
    test(`never lead a step back, ${asked}`, { skip }, async (t) => {
      const connection = await (await natsFor(t)).connect();
      const answers = new Map<string, Msg>();
      let isLagging = false;
      const lagging = withRequests(connection, (ask) => async (to, data, options) => {
        if (!to.startsWith(`$JS.API.${asked}`)) return await ask(to, data, options);
        const question = `${to} ${new TextDecoder().decode(data as Uint8Array)}`;
        const old = isLagging ? answers.get(question) : undefined;
        if (old !== undefined) return old;
        const answer = await ask(to, data, options);
        answers.set(question, answer);
        return answer;
      });
      const { config: writer } = await openOver(connection, t, { seed: { rate: 1 } });
      const { config } = await openOver(lagging, t, { store: { timeoutMs: 400 } });
      const kept = new Map(answers);
      const generations: number[] = [];
      for (let rate = 2; rate < 6; rate++) await writer.set({ rate });
      await until("it follows", () => config.snapshot().generation === 5);
      config.subscribe(() => void generations.push(config.snapshot().generation));
      for (const [question, answer] of kept) answers.set(question, answer);
      isLagging = true;
      await wait(300);
      await config.reload();
      assert.deepEqual([config.snapshot().generation, config.value], [5, { rate: 5 }]);
      await writer.set({ rate: 6 });
      // It hears that its base is not the newest, and no read shows it what is.
      const error = await refusalOf(config.setAt(["own"], true));
      assert.equal(error.code, "UNAVAILABLE");
      assert.deepEqual([config.snapshot().generation, generations], [5, []]);
      isLagging = false;
      await until("it has caught up", () => config.snapshot().generation === 6);
      await config.setAt(["own"], true);
      assert.deepEqual(config.value, { rate: 6, own: true });
    });
  }
});
