// runs on: all
/** Changes are noticed whatever becomes of the events: too many, none at all, or a watch that does not start. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { ioError } from "../../adapters/io_error.ts";
import { type Host, openConfig } from "../../mod.ts";
import {
  brisk,
  countLooks,
  freshDirectory,
  listen,
  replace,
  until,
  writePrivate,
} from "../support/config_under_test.ts";
import { describe, test } from "../support/kit.ts";

const documentOf = (count: number): string => `{ "count": ${count}, "echo": ${count} }`;
const hourMs = 60 * 60 * 1000;

interface Counted {
  readonly count: number;
  readonly echo: number;
}

describe("a file that is written without pause", () => {
  const ways: Readonly<Record<string, (path: string, text: string) => Promise<void>>> = {
    "by renaming over it": replace,
    "in place": (path, text) => fs.writeFile(path, text),
  };
  for (const [name, write] of Object.entries(ways)) {
    test(`${name} is applied while it goes on`, { timeoutMs: 60_000 }, async (context) => {
      const path = join(await freshDirectory(context), "config.json");
      await writePrivate(path, documentOf(0));
      // Quiet for an hour it never is, and nobody polls: only the maximum wait is left.
      const watch = { debounceMs: hourMs, maxWaitMs: 150, pollMs: hourMs };
      const ears = listen();
      const config = await openConfig(path, { watch, ...ears });
      context.after(() => config.close());
      const seen: number[] = [];
      config.subscribe((value) => {
        const { count, echo } = value as unknown as Counted;
        assert.equal(count, echo);
        seen.push(count);
      });
      let written = 0;
      let writing = true;
      const writer = (async () => {
        while (writing) {
          await write(path, documentOf(++written));
          await wait(2);
        }
      })();
      try {
        await until("several values are applied meanwhile", () => seen.length >= 4);
      } finally {
        writing = false;
        await writer;
      }
      assert.ok(seen.every((count, index) => index === 0 || count > seen[index - 1]!));
      await until("the last one is applied", () => {
        return (config.value as unknown as Counted).count === written;
      });
      assert.equal(config.status().state, "ok");
      for (const message of ears.refusals) assert.match(message, /white space|end of the text/);
    });
  }
});

describe("events", () => {
  test("may overflow: the poll settles it", { timeoutMs: 60_000 }, async (context) => {
    const directory = await freshDirectory(context);
    const path = join(directory, "config.json");
    await writePrivate(path, documentOf(0));
    const config = await openConfig(path, { ...listen() });
    context.after(() => config.close());
    // More than the 16,384 that the kernel queues, with the loop blocked; names in turn, lest they be merged.
    const noise = [0, 1, 2].map((index) => join(directory, `noise-${index}`));
    for (let event = 0; event < 18_000; event++) appendFileSync(noise[event % 3]!, "x");
    await replace(path, documentOf(1));
    await until("the change is applied", () => (config.value as unknown as Counted).count === 1);
    await replace(path, documentOf(2));
    await until("the next one is, too", () => (config.value as unknown as Counted).count === 2);
    assert.equal(config.status().state, "ok");
  });

  test("may never come: the poll alone sees the change", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const { host } = countLooks({ watch: () => Promise.resolve({ close: () => {} }) });
    const config = await openConfig(path, { host, watch: brisk, ...listen() });
    context.after(() => config.close());
    for (const count of [1, 2, 3]) {
      await replace(path, documentOf(count));
      await until("it is applied", () => (config.value as unknown as Counted).count === count);
    }
  });

  test("alone suffice: where nobody polls, they tell of the change", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const { host, looks } = countLooks();
    const watch = { debounceMs: 20, maxWaitMs: 200, pollMs: hourMs };
    const config = await openConfig(path, { host, watch, ...listen() });
    context.after(() => config.close());
    await until("the look after arming is over", () => looks() >= 2);
    await wait(300);
    for (const count of [1, 2, 3]) {
      await replace(path, documentOf(count));
      await until("it is applied", () => (config.value as unknown as Counted).count === count);
    }
  });
});

describe("a watch", () => {
  const count = (config: { readonly value: unknown }) => (config.value as Counted).count;

  test("that cannot start is a warning and polling, until it can", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const real = countLooks().host;
    let able = false;
    const refuse = (at: string) => Promise.reject(ioError("watch", at, "EMFILE"));
    const watch: Host["watch"] = (at, options) => able ? real.watch(at, options) : refuse(at);
    const { host, looksMore } = countLooks({ watch });
    const ears = listen();
    const config = await openConfig(path, { host, watch: brisk, ...ears });
    context.after(() => config.close());
    assert.equal(config.status().sources[0]?.watch, "polling");
    await replace(path, documentOf(1));
    await until("polling sees the change", () => count(config) === 1);
    await looksMore();
    assert.equal(ears.warnings.length, 1, ears.warnings.join("\n"));
    assert.match(ears.warnings[0]!, /^Cannot watch .*EMFILE.*polling/);
    able = true;
    await until("it watches", () => config.status().sources[0]?.watch === "events");
    await replace(path, documentOf(2));
    await until("it is applied", () => count(config) === 2);
    assert.equal(config.status().state, "ok");
  });

  test("that ends by itself is begun anew", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const real = countLooks().host;
    const failures: (() => void)[] = [];
    const watch: Host["watch"] = async (at, options) => {
      const watching = await real.watch(at, options);
      failures.push(() => {
        watching.close();
        options.failed(ioError("watch", at, "ECANCELED"));
      });
      return watching;
    };
    const { host } = countLooks({ watch });
    const config = await openConfig(path, { host, watch: brisk, ...listen() });
    context.after(() => config.close());
    await until("it watches", () => failures.length === 1);
    failures[0]!();
    await until("it watches again", () => failures.length === 2);
    await until("it says so", () => config.status().sources[0]?.watch === "events");
    await replace(path, documentOf(1));
    await until("it is applied", () => count(config) === 1);
  });

  test("misses nothing that happens while it starts", { timeoutMs: 60_000 }, async (context) => {
    const directory = await freshDirectory(context);
    for (let attempt = 0; attempt < 40; attempt++) {
      const path = join(directory, `config-${attempt}.json`);
      await writePrivate(path, documentOf(0));
      const watch = { debounceMs: 5, maxWaitMs: 50, pollMs: hourMs };
      const opening = openConfig(path, { watch, ...listen() });
      // Somewhere between the first load and the first event.
      for (let turn = 0; turn < attempt; turn++) await Promise.resolve();
      if (attempt % 4 > 0) await wait(attempt % 4);
      await replace(path, documentOf(1));
      const config = await opening;
      context.after(() => config.close());
      await until("it is applied", () => count(config) === 1);
      await config.close();
    }
  });
});

describe("close", () => {
  test("ends it all: no look, no callback, no write afterwards", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const { host, looks } = countLooks();
    const ears = listen();
    const config = await openConfig(path, { host, watch: brisk, ...ears });
    context.after(() => config.close());
    let calls = 0;
    config.subscribe(() => calls += 1);
    const ended = (async () => {
      for await (const _ of config.changes()) calls += 1;
    })();
    await replace(path, documentOf(1));
    const closing = config.close();
    assert.equal(config.close(), closing);
    await Promise.all([closing, config.close(), config[Symbol.asyncDispose](), ended]);
    const callsThen = calls;
    const looksThen = looks();
    const saidThen = JSON.stringify([
      ears.events,
      ears.refusals,
      ears.errors,
      ears.infos,
      ears.warnings,
    ]);
    await replace(path, "broken");
    await wait(600);
    assert.equal(calls, callsThen);
    assert.equal(looks(), looksThen);
    assert.equal(
      JSON.stringify([ears.events, ears.refusals, ears.errors, ears.infos, ears.warnings]),
      saidThen,
    );
    await assert.rejects(config.reload(), { code: "CLOSED" });
    await assert.rejects(config.setAt(["count"], 2), { code: "CLOSED" });
    assert.equal(await fs.readFile(path, "utf8"), "broken");
    assert.equal(typeof config.snapshot().hash, "string");
  });

  test("waits for a write under way, and refuses what waits behind it", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const real = countLooks().host;
    let release: (() => void) | undefined;
    const { host } = countLooks({
      rename: async (from, to) => {
        await new Promise<void>((resolve) => release = resolve);
        await real.rename(from, to);
      },
    });
    const config = await openConfig(path, { host, watch: false, ...listen() });
    context.after(() => config.close());
    const writing = config.setAt(["count"], 1);
    await until("the write is about to land", () => release !== undefined);
    const waiting = assert.rejects(config.setAt(["count"], 2), { code: "CLOSED" });
    let closed = false;
    const closing = config.close().then(() => closed = true);
    await waiting;
    await wait(50);
    assert.equal(closed, false);
    release!();
    await writing;
    await closing;
    assert.equal((JSON.parse(await fs.readFile(path, "utf8")) as Counted).count, 1);
  });

  test("comes by the signal, too", async (context) => {
    const path = join(await freshDirectory(context), "config.json");
    await writePrivate(path, documentOf(0));
    const controller = new AbortController();
    const { signal } = controller;
    const config = await openConfig(path, { watch: brisk, signal, ...listen() });
    context.after(() => config.close());
    controller.abort();
    await assert.rejects(config.reload(), { code: "CLOSED" });
    await assert.rejects(openConfig(path, { signal, ...listen() }), { code: "ABORTED" });
  });
});
