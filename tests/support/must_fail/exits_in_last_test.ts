import process from "node:process";
import { test } from "../kit.ts";

test("passes before", () => {});
test("exits with status 0", async () => {
  await Promise.resolve();
  process.exit(0);
});
