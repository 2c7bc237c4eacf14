/** A process that holds a watch or a sleep, to see whether it ends: `host_process_child.ts <scenario> <directory>`. */
import process from "node:process";
import { detectHost } from "../../adapters/detect.ts";

const host = detectHost();
const [scenario, directory = "."] = process.argv.slice(2);
const hourMs = 60 * 60 * 1000;

let hints = 0;
const watch = (keepAlive: boolean, onHint: () => void = () => {}) => {
  return host.watch(directory, {
    hint: () => {
      hints += 1;
      onHint();
    },
    failed: (error) => console.log("failed", error),
    keepAlive,
  });
};

if (scenario === "idle") {
  await watch(false);
  void host.sleep(hourMs, { keepAlive: false });
  console.log("started");
} else if (scenario === "after hints") {
  await watch(false);
  const file = await host.create(`${directory}/made`, 0o600);
  await file.close();
  while (hints === 0) await host.sleep(10, { keepAlive: true });
  console.log("hint");
} else if (scenario === "watching") {
  const watching = await watch(true, () => {
    console.log("hint");
    watching.close();
  });
  console.log("started");
} else if (scenario === "sleeping") {
  void host.sleep(300, { keepAlive: true }).then(() => console.log("slept"));
} else if (scenario === "aborted") {
  const controller = new AbortController();
  const sleeping = host.sleep(hourMs, { signal: controller.signal, keepAlive: true });
  controller.abort();
  console.log("slept", await sleeping);
} else {
  throw new Error(`Cannot play "${scenario}": found no such scenario; name one of this file`);
}
