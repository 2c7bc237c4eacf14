/**
 * A process of a trial: `trial_child.ts <path> <mode> [--writer=a] [--increments=1] [--watch] [--history=100000] …`.
 *
 * It reports on the standard output, a line at a time and before it goes on, so that nothing it was told is lost with it.
 * The modes are driven by lines on the standard input, and end with it:
 *
 * - `step`: each line makes one attempt of one increment.
 * - `count`: the first line starts so many increments, each tried until it is known to be made; 0 is until
 *   the input ends.
 * - `tick`: counts `ticks` up every 10 ms, whatever anyone makes of the document meanwhile.
 * - `read`: follows the config from the start.
 * - `look`: each line opens the config anew, tells what is there, and closes it; `write` also makes an increment.
 */
import { writeSync } from "node:fs";
import * as module from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as v from "valibot";
import { type Config, openConfig } from "../../mod.ts";
import { brisk } from "./config_under_test.ts";
import { follow } from "./trial_reader.ts";
import { counted, type CountedDocument, emptyDocument, Incrementer } from "./trial_writer.ts";

const { values: given, positionals: [path = "", mode = ""] } = parseArgs({
  allowPositionals: true,
  options: {
    writer: { type: "string", default: "writer" },
    increments: { type: "string", default: "0" },
    parallel: { type: "string", default: "1" },
    history: { type: "string", default: "100000" },
    timeout: { type: "string", default: "5000" },
    watch: { type: "boolean", default: false },
    schema: { type: "boolean", default: false },
  },
});

const schema = v.object({
  counter: v.number(),
  writers: v.record(v.string(), v.number()),
  filler: v.string(),
});

const report = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

const open = async (): Promise<Config<CountedDocument, CountedDocument>> => {
  const options = {
    seed: emptyDocument,
    watch: given.watch ? brisk : false as const,
    history: Number(given.history),
    timeoutMs: Number(given.timeout),
    logger: {
      warn: (message: string) => report({ kind: "warning", message }),
      error: (message: string) => report({ kind: "error", message }),
    },
  };
  if (given.schema) return await openConfig(path, { ...options, schema });
  const config: unknown = await openConfig(path, { ...options, seed: { ...emptyDocument } });
  return config as Config<CountedDocument, CountedDocument>;
};

const tellOpened = (config: Config<CountedDocument, CountedDocument>): void => {
  report({ kind: "opened", ...counted(config.snapshot()) });
};

const tellError = (kind: string, error: unknown): void => {
  const { code, message, details } = error as { code?: string; message: string; details?: unknown };
  report({ kind, code: code ?? "none", message, details });
};

/** The commands that the harness sends. */
const commands = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const nextCommand = async (): Promise<string | undefined> => {
  const next = await commands.next();
  return next.done === true ? undefined : next.value;
};

const modes: Readonly<Record<string, () => Promise<void>>> = {
  step: async () => {
    const config = await open();
    tellOpened(config);
    const incrementer = new Incrementer(config, given.writer, given.writer, report);
    while (await nextCommand() !== undefined) {
      await incrementer.attempt();
      report({ kind: "attempted" });
    }
    await config.close();
  },
  count: async () => {
    const config = await open();
    tellOpened(config);
    await nextCommand();
    let stopped = false;
    void (async () => {
      while (await nextCommand() !== undefined);
      stopped = true;
    })();
    const workers = Number(given.parallel);
    await Promise.all(Array.from({ length: workers }, async (_, worker) => {
      const slot = workers === 1 ? given.writer : `${given.writer}/${worker}`;
      const incrementer = new Incrementer(config, given.writer, slot, report);
      const wanted = Number(given.increments);
      for (let made = 0; (wanted === 0 && !stopped) || made < wanted; made++) {
        await incrementer.increment();
      }
    }));
    report({ kind: "counted" });
    await config.close();
  },
  tick: async () => {
    const config = await open();
    tellOpened(config);
    let stopped = false;
    void (async () => {
      while (await nextCommand() !== undefined);
      stopped = true;
    })();
    while (!stopped) {
      await config.update((draft) => {
        const ticking = draft as { ticks?: number };
        ticking.ticks = (ticking.ticks ?? 0) + 1;
      }).then(
        ({ changeSet }) => report({ kind: "ticked", generation: changeSet.to }),
        (error) => tellError("refused", error),
      );
      await wait(10);
    }
    await config.close();
  },
  read: async () => {
    const config = await open();
    tellOpened(config);
    const stop = follow(config, path, report);
    while (await nextCommand() !== undefined);
    await stop();
    report({ kind: "last", ...counted(config.snapshot()) });
    await config.close();
  },
  look: async () => {
    report({ kind: "ready" });
    for (let command = await nextCommand(); command !== undefined; command = await nextCommand()) {
      try {
        const config = await open();
        tellOpened(config);
        if (command === "write") {
          await new Incrementer(config, given.writer, given.writer, report).increment();
        }
        await config.close();
        report({ kind: "looked" });
      } catch (error) {
        tellError("look failed", error);
      }
    }
  },
};

try {
  // At once, since many a process of a trial does not come to its end.
  (module as { flushCompileCache?: () => void }).flushCompileCache?.();
  await modes[mode]!();
} catch (error) {
  tellError("failed", error);
  process.exit(1);
}
report({ kind: "ended" });
process.exit(0);
