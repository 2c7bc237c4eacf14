// runs on: node-24
/** Writers that keep meeting: each gets its turn, and the dead keep nobody waiting. */
import assert from "node:assert/strict";
import { logPath } from "../simulation/log_files.ts";
import { describe, test } from "../support/kit.ts";
import {
  type Actor,
  endOf,
  type Stage,
  stageWithTwo,
  watchEnd,
} from "../support/protocol_stage.ts";
import type { Write } from "../support/protocol_stage.ts";

const idOf = (digit: string): string => digit.repeat(32);

async function increment({ config }: Actor, name: string, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    await config.update((draft) => void (draft.a! += 1), { actor: name });
  }
}

/** Who made the generations, in order. */
async function makersOf({ config }: Actor): Promise<string[]> {
  const entries = await config.history();
  return entries.flatMap(({ actor }) => actor === undefined ? [] : [actor]).toReversed();
}

/** Lets three writers increment a counter at the same time. */
async function contend(stage: Stage): Promise<Actor[]> {
  const actors = [await stage.open(), await stage.open(), await stage.open()];
  const names = ["first", "second", "third"];
  const ends = actors.map((actor, index) => watchEnd(increment(actor, names[index]!, 10)));
  await stage.disk.settle();
  assert.deepEqual(ends.map(endOf), ["done", "done", "done"]);
  return actors;
}

describe("writers that keep meeting", () => {
  test("take turns", async () => {
    const stage = await stageWithTwo();
    const [actor] = await contend(stage);
    await actor!.config.reload();
    assert.equal(actor!.config.value.a, 32);
    const makers = await makersOf(actor!);
    assert.equal(makers.length, 30);
    // Until they have met, and once others are done, one may go on alone.
    for (let at = 6; at < 24; at++) {
      const three = makers.slice(at, at + 3);
      assert.equal(new Set(three).size, 3, `not in turn at ${at}: ${makers}`);
    }
  });

  test("leave nothing of it behind", async () => {
    const stage = await stageWithTwo();
    for (const { config } of await contend(stage)) await config.close();
    assert.deepEqual(stage.names("turn."), []);
  });

  test("pass over those who died in line", async () => {
    const stage = await stageWithTwo();
    for (const digit of ["a", "b", "c"]) {
      stage.outside.writeFile(`${logPath}/turn.1.${idOf(digit)}`, "");
    }
    const [actor] = await contend(stage);
    await actor!.config.reload();
    assert.equal(actor!.config.value.a, 32);
    await stage.disk.advance(120_000);
    await increment(actor!, "first", 1);
    await stage.disk.settle();
    assert.deepEqual(stage.names("turn."), [], "what the dead left is not cleared away");
  });

  test("do not wait for those whom sixty generations have passed", async () => {
    const stage = await stageWithTwo();
    const dead = `turn.1.${idOf("a")}`;
    const alone = await stage.open();
    await increment(alone, "alone", 70);
    stage.outside.writeFile(`${logPath}/${dead}`, "");
    const [one, other] = [await stage.open(), await stage.open()];
    const glances: string[] = [];
    for (const { host } of [one, other]) {
      host.faults = ({ operation, path }) => {
        if (operation === "stat" && path.endsWith(dead)) glances.push(path);
        return undefined;
      };
    }
    const ends = [one, other].map((actor) => watchEnd(increment(actor, "either", 5)));
    await stage.disk.settle();
    assert.deepEqual(ends.map(endOf), ["done", "done"]);
    assert.ok(glances.length < 3, `${glances.length} looks at it`);
  });
});

describe("a writer in line", () => {
  const refusing = (was: number): Write => (config) =>
    config.update((draft) => {
      if (draft.a !== was) throw new Error("not any more");
      draft.b = 1;
    });

  test("that has nothing to do any more leaves it", async () => {
    const stage = await stageWithTwo();
    const [one, other] = [await stage.open(), await stage.open()];
    for (const [number, was, next] of [[3, 2, 7], [4, 7, 8]] as const) {
      await one.writeUpTo(new RegExp(`^link log/g\\.${number}`), refusing(was));
      await other.config.setAt(["a"], next);
      one.goOn();
      await stage.disk.settle();
    }
    assert.deepEqual(stage.names("turn."), []);
  });

  test("behind the dead is told TIMEOUT in time, and stores nothing later", async () => {
    const stage = await stageWithTwo();
    const [one, other] = [await stage.open({ timeoutMs: 100 }), await stage.open()];
    const first = await one.writeUpTo(/^link log\/g\.3/);
    await other.config.setAt(["b"], 5);
    for (let index = 0; index < 50; index++) {
      const id = String(index).padStart(32, "0");
      stage.outside.writeFile(`${logPath}/turn.1.${id}`, "");
    }
    // Each look at those before it takes a while.
    one.goOn();
    one.host.faults = ({ operation, path }) => {
      const isLook = operation === "stat" && path.includes("/turn.");
      return isLook ? one.host.sleep(20, { keepAlive: false }).then(() => {}) : undefined;
    };
    const writing = watchEnd(one.config.setAt(["a"], 9));
    await stage.disk.advance(200);
    assert.deepEqual([endOf(first), endOf(writing)], ["TIMEOUT", "TIMEOUT"]);
    await stage.disk.advance(60_000);
    assert.deepEqual(JSON.parse(stage.published), { a: 2, b: 5 });
  });
});
