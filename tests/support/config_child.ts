/** A process with an open config, to see whether it ends: `config_child.ts <scenario> <path>`. */
import { execFileSync } from "node:child_process";
import { unlink, writeFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";
import { createReloader, openConfig } from "../../mod.ts";
import { replace } from "./config_under_test.ts";

const [scenario, path = ""] = process.argv.slice(2);
const quiet = { logger: { warn: () => {}, error: () => {} } };
const open = (options: { readonly keepAlive?: boolean } = {}) =>
  openConfig(path, { ...quiet, ...options });

if (scenario === "idle") {
  await open();
  console.log("opened");
} else if (scenario === "listening") {
  const config = await open();
  config.subscribe(() => console.log("called"));
  void config.changes().next();
  console.log("opened");
} else if (scenario === "written") {
  const config = await open();
  await config.setAt(["rate"], 2);
  console.log("written");
} else if (scenario === "writing") {
  const config = await open();
  void config.setAt(["rate"], 2).then(() => console.log("written"));
} else if (scenario === "hinted") {
  // Ends while the hints of this edit still settle.
  await open();
  await replace(path, '{ "rate": 2 }');
  console.log("edited");
} else if (scenario === "changed") {
  const config = await open();
  await replace(path, '{ "rate": 2 }');
  while (JSON.stringify(config.value) !== '{"rate":2}') await wait(10);
  console.log("changed");
} else if (scenario === "kept alive") {
  const config = await open({ keepAlive: true });
  config.subscribe(async () => {
    console.log("changed");
    await config.close();
    console.log("closed");
  });
  console.log("opened");
} else if (scenario === "closed") {
  const config = await open({ keepAlive: true });
  await config.close();
  console.log("closed");
} else if (scenario === "waiting for a module") {
  const config = await open();
  createReloader(config, {
    timeoutMs: 50,
    modules: () => [
      config.module({
        name: "stuck",
        select: (value) => value,
        reconfigure: () => new Promise(() => {}),
      }),
    ],
  });
  await config.setAt(["rate"], 2).catch(({ code }) => console.log(code));
} else if (scenario === "waiting for a health check") {
  const config = await open();
  const healthCheck = () => new Promise(() => {});
  await config.apply(await config.plan({ rate: 2 }), { confirmWithinMs: 50, healthCheck })
    .catch(({ code }) => console.log(code));
} else if (scenario === "fifo") {
  await playFifo();
} else {
  throw new Error(`Cannot play "${scenario}": found no such scenario; name one of this file`);
}

/** A FIFO takes the place of the file; the config must go on, and so must whatever else is watched. */
async function playFifo(): Promise<void> {
  const config = await open();
  await unlink(path);
  execFileSync("mkfifo", [path]);
  while (!config.status().problems.some(({ message }) => message.includes("FIFO"))) await wait(10);
  console.log("refused");
  const other = await openConfig(`${path}.other.json`, { ...quiet, seed: { rate: 1 } });
  await other.close();
  console.log("watched another");
  await unlink(path);
  await writeFile(path, '{ "rate": 3 }', { mode: 0o600 });
  while (JSON.stringify(config.value) !== '{"rate":3}') await wait(10);
  console.log("mended");
  await config.close();
  console.log("closed");
}
