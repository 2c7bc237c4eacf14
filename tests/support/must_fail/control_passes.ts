/** The control: it passes everywhere, so a failure of the others is theirs and not the command's. */
import { describe, test } from "../kit.ts";

describe("control", () => {
  test("passes", async (context) => {
    context.after(() => {});
    await Promise.resolve();
  });
  test("passes too", () => {});
});
