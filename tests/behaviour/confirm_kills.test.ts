// runs on: node-24
/** A process is killed, or stands still, while what it applied waits to be confirmed: whoever opens it next takes it back. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { postgresMissing, startPostgres } from "../services/postgres_server.ts";
import { startNats, withoutNats } from "../services/nats_server.ts";
import { type FollowedPlace, reach } from "../services/followed_place.ts";
import { openConfig } from "../../mod.ts";
import type {
  ConfirmingCommand,
  ConfirmingGiven,
  ConfirmingPlace,
  ConfirmingTold,
} from "../support/confirming_child.ts";
import { freshDirectory, writePrivate } from "../support/config_under_test.ts";
import { describe, test, type TestContext } from "../support/kit.ts";
import { type LineProcess, startLineProcess } from "../support/line_process.ts";

const timeoutMs = 60_000;
const script = new URL("../support/confirming_child.ts", import.meta.url);

/** Whoever dies, and how its document is written. */
interface Victim {
  readonly runtime: string;
  readonly file: string;
  readonly text: string;
}

const victims: readonly Victim[] = [
  {
    runtime: "node-24",
    file: "app.yaml",
    text: "# The pace.\nrate: 1 # as agreed\nother: [a,   b]\n",
  },
  {
    runtime: "node-22",
    file: "app.jsonc",
    text: '{\n  // The pace.\n  "rate": 1, /* as agreed */\n}\n',
  },
  { runtime: "deno", file: "app.toml", text: "# The pace.\nrate = 1   # as agreed\n" },
  { runtime: "bun", file: "app.json", text: '{"rate":    1}' },
];

class Confirming {
  readonly #process: LineProcess<ConfirmingTold>;

  constructor(t: TestContext, runtime: string, given: ConfirmingGiven = {}) {
    this.#process = startLineProcess(runtime, script, given);
    t.after(() => this.#process.kill());
  }

  get pid(): number {
    return this.#process.pid;
  }

  send(command: ConfirmingCommand): void {
    this.#process.send(command);
  }

  async hears(told: ConfirmingTold["told"]): Promise<ConfirmingTold> {
    const heard = await this.#process.next();
    assert.equal(heard.told, told, JSON.stringify(heard));
    return heard;
  }

  async asked(command: ConfirmingCommand, told: ConfirmingTold["told"]): Promise<ConfirmingTold> {
    this.send(command);
    return await this.hears(told);
  }

  /** Kills it, unless it did so by itself. */
  async kill(): Promise<void> {
    this.#process.kill();
    await this.isGone();
  }

  async isGone(): Promise<void> {
    await assert.rejects(this.#process.next(), /it ended with SIGKILL/);
  }
}

interface Death {
  readonly given?: ConfirmingGiven;
  /** Brings the process to its death. */
  readonly die: (dying: Confirming, place: ConfirmingPlace) => Promise<void>;
  /** Whether anything is left to be taken back, or was taken back by the one that died. */
  readonly leaves: "something" | "nothing" | "a revert" | "what is confirmed";
}

const appliesUntil = async (dying: Confirming, place: ConfirmingPlace) => {
  dying.send({ do: "apply", place });
  await dying.isGone();
};

const revertsUntil = async (dying: Confirming, place: ConfirmingPlace) => {
  await dying.asked({ do: "apply", place }, "applied");
  dying.send({ do: "expire" });
  await dying.isGone();
};

const deaths: Readonly<Record<string, Death>> = {
  "before the document that it announced is stored": {
    given: { killedBefore: ["intent.", "g.2"] },
    die: appliesUntil,
    leaves: "nothing",
  },
  "when the document is stored, and not in its place": {
    given: { killedBefore: ["g.2", "app."] },
    die: appliesUntil,
    leaves: "something",
  },
  "when the document is stored, and its number not noted": {
    given: { killedBefore: ["g.2", "intent."] },
    die: appliesUntil,
    leaves: "something",
  },
  "while it waits": {
    die: async (dying, place) => {
      const { generation } = await dying.asked({ do: "apply", place }, "applied");
      assert.equal(generation, 2);
      await dying.kill();
    },
    leaves: "something",
  },
  "while its health is checked": {
    die: async (dying, place) => {
      await dying.asked({ do: "apply", place, isChecked: true }, "checking");
      await dying.kill();
    },
    leaves: "something",
  },
  "once its health was found to be bad": {
    given: { killedBefore: ["g.3"] },
    die: async (dying, place) => {
      await dying.asked({ do: "apply", place, isChecked: true }, "checking");
      dying.send({ do: "answer", isHealthy: false });
      await dying.isGone();
    },
    leaves: "something",
  },
  "while it is taken back": {
    given: { killedBefore: ["g.3"] },
    die: revertsUntil,
    leaves: "something",
  },
  "when it is taken back, and not in its place": {
    given: { killedBefore: ["g.3", "app."] },
    die: revertsUntil,
    leaves: "a revert",
  },
  "when it is taken back, and its intent is there still": {
    given: { killedBefore: ["g.3", "intent."] },
    die: revertsUntil,
    leaves: "a revert",
  },
  "once it is confirmed": {
    die: async (dying, place) => {
      await dying.asked({ do: "apply", place }, "applied");
      await dying.asked({ do: "confirm" }, "confirmed");
      await dying.kill();
    },
    leaves: "what is confirmed",
  },
};

const found: Readonly<Record<Death["leaves"], Partial<ConfirmingTold>>> = {
  something: { generation: 3, rate: 1, held: 1, origin: "rollback" },
  nothing: { generation: 1, rate: 1, held: 1, origin: "external" },
  "a revert": { generation: 3, rate: 1, held: 1, origin: "rollback" },
  "what is confirmed": { generation: 2, rate: 2, held: 2, origin: "commit" },
};

/** What one process finds at several places. */
async function lookAt(
  opener: Confirming,
  places: readonly ConfirmingPlace[],
): Promise<readonly ConfirmingTold[]> {
  const { all } = await opener.asked({ do: "look", places }, "saw");
  assert.equal(all?.length, places.length);
  return all!;
}

/** What whoever opens it next finds, and says. */
function assertSettled({ warnings, ...saw }: ConfirmingTold, leaves: Death["leaves"]): void {
  assert.partialDeepStrictEqual(saw, found[leaves]);
  assert.equal(warnings?.length, leaves === "something" ? 1 : 0, warnings?.join("\n"));
  if (leaves !== "something") return;
  assert.match(warnings![0]!, /Found generation 2 .*unconfirmed.*gone: it is taken back to 1/);
  assert.equal(saw.reason, "generation 2 was not confirmed");
}

async function placeFor(t: TestContext, { file, text }: Victim): Promise<string> {
  const place = join(await freshDirectory(t), file);
  await writePrivate(place, text);
  return place;
}

/** Another runtime finds what one left. */
function runtimeAfter(index: number): string {
  return victims[index % victims.length]!.runtime;
}

describe("what a process applied on trial is settled by the next one", () => {
  for (const [index, victim] of victims.entries()) {
    test(`where ${victim.runtime} is killed at any step`, { timeoutMs }, async (t) => {
      const all = await Promise.all(
        Object.entries(deaths).map(async ([name, death]) => {
          const place = await placeFor(t, victim);
          await death.die(new Confirming(t, victim.runtime, death.given), place);
          return { name, place, leaves: death.leaves };
        }),
      );
      const places = all.map(({ place }) => place);
      const first = await lookAt(new Confirming(t, runtimeAfter(index + 1)), places);
      const second = await lookAt(new Confirming(t, runtimeAfter(index + 2)), places);
      for (const [at, { name, place, leaves }] of all.entries()) {
        try {
          assertSettled(first[at]!, leaves);
          assert.deepEqual(second[at], { ...first[at], warnings: [] });
          const isBack = await readFile(place, "utf8") === victim.text;
          assert.equal(isBack, leaves !== "what is confirmed");
        } catch (error) {
          throw new Error(`killed ${name}: ${(error as Error).message}`, { cause: error });
        }
      }
    });
  }
});

const wakings = ["expire", "answer", "confirm"] as const;

describe("a process that stands still for so long that it counts as dead", () => {
  const standStill = async (t: TestContext, victim: Victim, waking: typeof wakings[number]) => {
    const place = await placeFor(t, victim);
    const stopped = new Confirming(t, victim.runtime);
    const isChecked = waking === "answer";
    await stopped.asked({ do: "apply", place, isChecked }, isChecked ? "checking" : "applied");
    process.kill(stopped.pid, "SIGSTOP");
    return { place, stopped, waking };
  };

  test("stores nothing when it wakes up, and learns of it", { timeoutMs }, async (t) => {
    await Promise.all(victims.map(async (victim, index) => {
      const all = await Promise.all(wakings.map((waking) => standStill(t, victim, waking)));
      const opener = new Confirming(t, runtimeAfter(index + 1));
      const settled = await lookAt(opener, all.map(({ place }) => place));
      for (const saw of settled) assertSettled(saw, "something");
      for (const { place, stopped, waking } of all) {
        stopped.send(waking === "answer" ? { do: waking, isHealthy: false } : { do: waking });
        process.kill(stopped.pid, "SIGCONT");
        if (waking !== "expire") {
          const { code } = await stopped.hears("refused");
          assert.equal(code, waking === "answer" ? "RELOAD_REFUSED" : "NOT_FOUND");
        }
        // That its time is over is not answered: it learns of it in its own time.
        let now = await stopped.asked({ do: "see" }, "saw");
        while (now.unconfirmed !== undefined) now = await stopped.asked({ do: "see" }, "saw");
        const { warnings, unconfirmed: _, ...saw } = now;
        assert.partialDeepStrictEqual(saw, found.something);
        assert.match(warnings!.join("\n"), /taken over by another process, which took this one/);
        assert.doesNotMatch(warnings!.join("\n"), /counts as confirmed/);
        assert.equal(await readFile(place, "utf8"), victim.text);
      }
    }));
  });
});

describe("what a process applied on trial on a server, and was killed, is taken back", () => {
  const isTakenBack = async (t: TestContext, place: FollowedPlace): Promise<void> => {
    const { store, close } = await reach(place);
    await (await openConfig(store, { seed: { rate: 1 }, watch: false })).close();
    await close();
    const dying = new Confirming(t, "node-24");
    await dying.asked({ do: "apply", place }, "applied");
    await dying.kill();
    const opener = new Confirming(t, "node-24");
    const [first] = await lookAt(opener, [place]);
    assertSettled(first!, "something");
    assert.deepEqual(await lookAt(opener, [place]), [{ ...first, warnings: [] }]);
  };

  test("PostgreSQL", { skip: postgresMissing, timeoutMs }, async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    await isTakenBack(t, { kind: "postgres", url: server.url() });
  });

  test("NATS", { skip: withoutNats, timeoutMs }, async (t) => {
    const nats = await startNats();
    t.after(() => nats.dispose());
    await isTakenBack(t, { kind: "nats", servers: nats.servers.map(({ url }) => url) });
  });
});
