/** Follows a config and its file, and reports every look that tells something new or wrong. */
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { type Config, isHoldfastError } from "../../mod.ts";
import { counted, type CountedDocument, findFault } from "./trial_writer.ts";

/** @returns a function that takes a last look and ends */
export function follow(
  config: Config<CountedDocument, CountedDocument>,
  path: string,
  report: (line: object) => void,
): () => Promise<void> {
  let stopped = false;
  const end = config.subscribe(() => report({ kind: "followed", ...counted(config.snapshot()) }));
  const looking = (async () => {
    while (!stopped) {
      await lookAtFile(path, report);
      await wait(5);
    }
  })();
  return async () => {
    stopped = true;
    await looking;
    end();
    await config.reload().catch((error) => {
      const code = isHoldfastError(error) ? error.code : "none";
      report({ kind: "reload failed", code, message: String(error) });
    });
  };
}

let published = 0;

/** The file as any program sees it: always whole, and never an older one after a newer one. */
async function lookAtFile(path: string, report: (line: object) => void): Promise<void> {
  try {
    const document = JSON.parse(await readFile(path, "utf8")) as CountedDocument;
    const fault = findFault(document);
    if (fault !== undefined) report({ kind: "torn", fault });
    if (document.counter < published) {
      report({
        kind: "torn",
        fault: `the file went from ${published} back to ${document.counter}`,
      });
    }
    published = Math.max(published, document.counter);
  } catch (error) {
    report({ kind: "torn", fault: String(error) });
  }
}
